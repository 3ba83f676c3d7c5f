#include "ports/flight/client.h"

#include <arrow/api.h>
#include <arrow/flight/client.h>
#include <google/protobuf/any.pb.h>

#include "FlightSql.pb.h"
#include "base/file.h"
#include "ports/flight/internal.h"

namespace weft::flight {
namespace {

namespace af = arrow::flight;

template <class T>
Result<T> Ours(arrow::Result<T> result) {
  if (!result.ok()) return FromArrow(result.status());
  return result.MoveValueUnsafe();
}

Batch Headed(const arrow::Schema& schema) {
  Batch batch;
  for (const auto& field : schema.fields()) {
    batch.names.push_back(field->name());
    batch.types.push_back(field->type()->ToString());
    batch.right_aligned.push_back(arrow::is_numeric(field->type()->id()) || arrow::is_decimal(field->type()->id()));
  }
  return batch;
}

Result<std::unique_ptr<af::FlightClient>> Connect(const ClientOptions& options) {
  auto location = TRY(Ours(af::Location::Parse(options.url)));
  af::FlightClientOptions settings = af::FlightClientOptions::Defaults();
  if (!options.ca_file.empty()) settings.tls_root_certs = TRY(ReadFile(options.ca_file));
  return Ours(af::FlightClient::Connect(location, settings));
}

}  // namespace

Status Query(const ClientOptions& options, const std::string& sql, const std::function<bool(const Batch&)>& take,
             const Told& told) {
  auto client = TRY(Connect(options));
  af::FlightCallOptions call;
  call.read_options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;  // The wire has none.
  call.headers.emplace_back("authorization", "Bearer " + options.bearer);
  if (!options.purpose.empty()) call.headers.emplace_back("x-weft-purpose", options.purpose);
  if (!options.at.empty()) call.headers.emplace_back("x-weft-at", options.at);
  arrow::flight::protocol::sql::CommandStatementQuery command;
  command.set_query(sql);
  google::protobuf::Any any;
  any.PackFrom(command);
  auto info = client->GetFlightInfo(call, af::FlightDescriptor::Command(any.SerializeAsString()));
  if (!info.ok()) {
    Error error = FromArrow(info.status());
    if (error.message.find("failed to connect") != std::string::npos) {
      return Error{Code::kUnavailable, "cannot reach the node's Flight door at " + options.url + ": is it running?"};
    }
    return error;
  }
  if (auto news = Json::Parse((*info)->app_metadata()); told && news) told(*news);
  bool taken = false;
  for (const af::FlightEndpoint& endpoint : (*info)->endpoints()) {
    auto reader = TRY(Ours(client->DoGet(call, endpoint.ticket)));
    const Batch head = Headed(*TRY(Ours(reader->GetSchema())));
    while (true) {
      af::FlightStreamChunk chunk = TRY(Ours(reader->Next()));
      if (!chunk.data && taken) break;
      Batch batch = head;
      for (int64_t row = 0; chunk.data && row < chunk.data->num_rows(); ++row) {
        std::vector<Json> cells;
        for (const auto& column : chunk.data->columns()) cells.push_back(CellOf(*column, row));
        batch.rows.push_back(std::move(cells));
      }
      taken = true;
      if (!take(batch)) {
        reader->Cancel();
        return {};
      }
      if (!chunk.data) break;
    }
  }
  return {};
}

}  // namespace weft::flight
