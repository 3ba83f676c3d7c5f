// An HTTP request and its answer as values, the same for server and client.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace weft::http {

struct Request {
  std::string method = "GET";
  std::string path;                             // Decoded, without the query.
  std::map<std::string, std::string> query;     // Decoded.
  std::map<std::string, std::string> headers;   // Names in lower case.
  std::map<std::string, std::string> captures;  // From the route: {name} in the pattern.
  std::string body;
  std::string body_file;  // Where the body is when it was larger than the server's memory limit; removed afterwards.
  std::string peer;       // "127.0.0.1:50312"

  std::string Header(std::string_view name) const;  // Empty where absent; `name` in lower case.
  std::string Query(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::map<std::string, std::string> headers;
  std::string body;
  // When set, called after `body` until it answers an empty piece: a chunked answer. It may wait at most 15 s.
  std::function<Result<std::string>()> more;

  static Response Of(const Json& json, int status = 200);
  static Response Text(std::string text, int status = 200);
};

// RFC 9457 problem+json: {title, status, code, problems: [{file, line, column, path, rule, level, message}]}.
// `status` where the code's own would be too coarse (405, 413).
Response ToResponse(const Error& error, int status = 0);
// The error that ToResponse wrote; other bodies give their text.
Error FromResponse(const Response& response);
Json ProblemsToJson(const std::vector<Problem>& problems);
std::vector<Problem> ProblemsFromJson(const Json& json);

}  // namespace weft::http
