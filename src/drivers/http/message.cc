#include "drivers/http/message.h"

#include <array>

#include "base/text.h"

namespace weft::http {
namespace {

std::string Lookup(const std::map<std::string, std::string>& map, std::string_view name) {
  auto found = map.find(std::string(name));
  return found == map.end() ? "" : found->second;
}

Code CodeOfStatus(int status) {
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 422:
    case 431:
      return Code::kInvalid;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kDenied;
    case 404:
    case 410:
      return Code::kNotFound;
    case 409:
    case 412:
      return Code::kConflict;
    case 501:
      return Code::kUnsupported;
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

std::string Request::Header(std::string_view name) const { return Lookup(headers, name); }
std::string Request::Query(std::string_view name) const { return Lookup(query, name); }

Response Response::Of(const Json& json, int status) {
  Response response;
  response.status = status;
  response.body = json.Dump();
  return response;
}

Response Response::Text(std::string text, int status) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

Json ProblemsToJson(const std::vector<Problem>& problems) {
  Json::Array list;
  for (const Problem& problem : problems) {
    list.push_back(Json::Map({{"file", problem.file},
                              {"line", problem.line},
                              {"column", problem.column},
                              {"path", problem.path},
                              {"rule", problem.rule},
                              {"level", problem.level == Problem::Level::kError ? "error" : "warning"},
                              {"message", problem.message}}));
  }
  return list;
}

std::vector<Problem> ProblemsFromJson(const Json& json) {
  std::vector<Problem> problems;
  for (const Json& item : json.Items()) {
    Problem problem;
    problem.file = item["file"].Text();
    problem.line = static_cast<int>(item["line"].Int());
    problem.column = static_cast<int>(item["column"].Int());
    problem.path = item["path"].Text();
    problem.rule = item["rule"].Text();
    problem.level = item["level"].Text() == "warning" ? Problem::Level::kWarning : Problem::Level::kError;
    problem.message = item["message"].Text();
    problems.push_back(std::move(problem));
  }
  return problems;
}

Response ToResponse(const Error& error, int status) {
  Response response;
  response.status = status != 0 ? status : HttpStatus(error.code);
  response.content_type = "application/problem+json";
  Json body = Json::Map({{"title", error.message}, {"status", response.status}, {"code", CodeName(error.code)}});
  body.Set("problems", ProblemsToJson(error.problems));
  response.body = body.Dump();
  if (error.code == Code::kUnauthenticated) response.headers["WWW-Authenticate"] = "Bearer";
  if (error.code == Code::kUnavailable) response.headers["Retry-After"] = "1";
  return response;
}

Error FromResponse(const Response& response) {
  Result<Json> body = Json::Parse(response.body);
  if (body && (*body)["title"].is_text() && (*body)["code"].is_text()) {
    return {CodeFromName((*body)["code"].Text()), (*body)["title"].Text(), ProblemsFromJson((*body)["problems"])};
  }
  std::string text(Trim(response.body.substr(0, 2'000)));
  if (text.empty()) text = "an answer without text, status " + std::to_string(response.status);
  return {CodeOfStatus(response.status), std::move(text)};
}

}  // namespace weft::http
