#include <arrow/flight/types.h>
#include <arrow/status.h>

#include "ports/flight/internal.h"

namespace weft::flight {

using arrow::StatusCode;
using arrow::flight::FlightStatusCode;

arrow::Status ToArrow(const Error& error) {
  std::string message = error.message;
  for (const Problem& problem : error.problems) message += "\n" + problem.Text();
  auto flight = [&](FlightStatusCode code) { return arrow::flight::MakeFlightError(code, message); };
  switch (error.code) {
    case Code::kInvalid:
      return arrow::Status::Invalid(message);
    case Code::kUnsupported:
      return arrow::Status::NotImplemented(message);
    case Code::kUnauthenticated:
      return flight(FlightStatusCode::Unauthenticated);
    case Code::kDenied:
      return flight(FlightStatusCode::Unauthorized);
    case Code::kNotFound:
      return arrow::Status::KeyError(message);
    case Code::kConflict:
      return arrow::Status::AlreadyExists(message);
    case Code::kUnavailable:
      return flight(FlightStatusCode::Unavailable);
    case Code::kInternal:
      return flight(FlightStatusCode::Internal);
  }
  return flight(FlightStatusCode::Internal);
}

namespace {

Code CodeOf(const arrow::Status& status) {
  if (auto detail = arrow::flight::FlightStatusDetail::UnwrapStatus(status)) {
    switch (detail->code()) {
      case FlightStatusCode::Unauthenticated:
        return Code::kUnauthenticated;
      case FlightStatusCode::Unauthorized:
        return Code::kDenied;
      case FlightStatusCode::Unavailable:
      case FlightStatusCode::TimedOut:
      case FlightStatusCode::Cancelled:
        return Code::kUnavailable;
      default:
        return Code::kInternal;
    }
  }
  switch (status.code()) {
    case StatusCode::Invalid:
    case StatusCode::TypeError:
      return Code::kInvalid;
    case StatusCode::NotImplemented:
      return Code::kUnsupported;
    case StatusCode::KeyError:
      return Code::kNotFound;
    case StatusCode::AlreadyExists:
      return Code::kConflict;
    case StatusCode::Cancelled:
    case StatusCode::OutOfMemory:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

Error FromArrow(const arrow::Status& status) {
  std::string message = status.message();
  // What Arrow's client adds is about sockets, not about the statement.
  for (const char* added :
       {". Detail: ", ". gRPC client debug context:", " gRPC client debug context:", ". Client context:"}) {
    if (size_t at = message.find(added); at != message.npos) message.resize(at);
  }
  return {CodeOf(status), std::move(message)};
}

}  // namespace weft::flight
