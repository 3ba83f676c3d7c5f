// Plans, applies, and the data files that travel with them.
#include <fmt/format.h>

#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

Result<publish::Submission> SubmissionOf(const http::Request& request) {
  const Json body = TRY(BodyOf(request));
  publish::Submission submission;
  for (const Json& file : body["files"].Items()) {
    submission.files.push_back({
      TRY(TextField(file, "path"))
      , file["text"].Text()
    });
  }
  for (const Json& data : body["data"].Items()) {
    submission.data.push_back({
      TRY(TextField(data, "path"))
      , TRY(TextField(data, "sha256"))
      , data["bytes"].Int()
    });
  }
  if (submission.files.empty()) {
    return Error{Code::kInvalid, "there is nothing to publish: no mesh.yaml and no product.odps.yaml was sent"};
  }
  return submission;
}

}  // namespace

Answer MakePlan(Api& api, const model::Caller& caller, const http::Request& request) {
  const publish::Plan plan = TRY(publish::MakePlan(api.publish, caller, TRY(SubmissionOf(request))));
  return http::Response::Of(plan.ToJson());
}

Answer Apply(Api& api, const model::Caller& caller, const http::Request& request) {
  const publish::Plan plan = TRY(publish::Apply(api.publish, caller, TRY(SubmissionOf(request))));
  return http::Response::Of(plan.ToJson());
}

Answer PutData(Api& api, const model::Caller&, const http::Request& request) {
  const std::string& sha256 = request.captures.at("sha256");
  if (sha256.size() != 64 || sha256.find_first_not_of("0123456789abcdef") != sha256.npos) {
    return Error{Code::kInvalid, fmt::format("'{}' is no SHA-256: 64 hex digits in lower case", sha256)};
  }
  if (request.body_file.empty()) {
    TRY(api.publish.uploads.PutBytes(sha256, request.body));
  } else {
    TRY(api.publish.uploads.Put(sha256, request.body_file));
  }
  return http::Response::Of(Json::Map({{"sha256", sha256}}), 201);
}

}  // namespace weft::rest
