#include "work/publish/publish.h"

#include <fmt/format.h>

#include <filesystem>

#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

Result<std::string> HashOf(const std::string& text) {
  const bool hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (hex && text.size() == 64) return text;
  return Error{Code::kInvalid, fmt::format("'{}' is no SHA-256: 64 hex digits in lower case", text)};
}

Result<publish::Submission> SubmissionOf(const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"files", "data", "kept"}));
  publish::Submission submission;
  for (const Json& file : body["files"].Items()) {
    if (!file["text"].is_text())
      return Error{Code::kInvalid, "each of files needs a path and a text: " + file["path"].Dump()};
    submission.files.push_back({TRY(NeedText(file, "path")), file["text"].Text()});
  }
  for (const Json& data : body["data"].Items()) {
    submission.data.push_back({TRY(NeedText(data, "path")), TRY(HashOf(data["sha256"].Text())), data["bytes"].Int()});
  }
  for (const Json& kept : body["kept"].Items()) {
    const std::string folder = TRY(NeedText(kept, "folder"));
    if (!folder.starts_with("domains/") || std::ranges::count(folder, '/') != 2) {
      return Error{Code::kInvalid, fmt::format("'{}' is no product's folder: write domains/DOMAIN/PRODUCT", folder)};
    }
    submission.kept[folder] = TRY(HashOf(kept["digest"].Text()));
  }
  if (submission.files.empty() && submission.kept.empty()) {
    return Error{Code::kInvalid, "files is empty: a plan needs at least one descriptor, {\"path\": …, \"text\": …}"};
  }
  return submission;
}

}  // namespace

Answer MakePlan(Api& api, const Caller& caller, const http::Request& request) {
  const publish::Submission submission = TRY(SubmissionOf(request));
  return http::Response::Of(TRY(publish::MakePlan(api.publish, caller, submission)).ToJson());
}

Answer Apply(Api& api, const Caller& caller, const http::Request& request) {
  const publish::Submission submission = TRY(SubmissionOf(request));
  return http::Response::Of(TRY(publish::Apply(api.publish, caller, submission)).ToJson());
}

// Decided before a byte is read: only who may publish somewhere sends data files.
Result<model::Resource> WhereToPublish(Api& api, const Caller& caller, const http::Request&) {
  return publish::WhereToPublish(api.publish, caller);
}

Answer PutData(Api& api, const Caller& caller, const http::Request& request) {
  const std::string hash = TRY(HashOf(request.captures.at("sha256")));
  int64_t bytes = static_cast<int64_t>(request.body.size());
  if (request.body_file.empty()) {
    TRY(api.publish.uploads.PutBytes(hash, request.body));
  } else {
    std::error_code failure;
    bytes = static_cast<int64_t>(std::filesystem::file_size(request.body_file, failure));
    TRY(api.publish.uploads.Put(hash, request.body_file));
  }
  TRY(publish::NoteUpload(api.publish, caller, hash));
  return http::Response::Of(Json::Map({{"sha256", hash}, {"bytes", bytes}}));
}

}  // namespace weft::rest
