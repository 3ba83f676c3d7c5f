#include "apps/weft/session.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "apps/weft/credentials.h"
#include "apps/weft/home.h"
#include "base/file.h"
#include "base/text.h"
#include "drivers/http/target.h"

namespace weft::app {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// What helps where nobody answers at `url`: the nodes that run elsewhere on this machine.
std::string OtherNodes(const std::string& url) {
  std::string urls;
  std::error_code failure;
  for (fs::directory_iterator at(NodeFolder(), failure), end; !failure && at != end; at.increment(failure)) {
    auto text = ReadFile(at->path(), 1 << 20);
    const Json entry = text ? Json::Parse(*text).value_or(Json()) : Json();
    const auto pid = static_cast<pid_t>(entry["pid"].Int());
    if (pid <= 0 || ::kill(pid, 0) != 0 || entry["url"].Text() == url) continue;
    urls += (urls.empty() ? "" : " or ") + entry["url"].Text();
  }
  if (urls.empty()) return "is a node running there? start one with `weft serve`, or name another with --node URL";
  return fmt::format("a node of this machine runs at {}: name it with --node or WEFT_NODE", urls);
}

}  // namespace

Json LocalNode(const std::string& url) {
  auto at = http::OriginOf(url);
  if (!at || !http::IsLoopback(at->host)) return {};
  auto text = ReadFile(fs::path(NodeFolder()) / (std::to_string(at->port) + ".json"), 1 << 20);
  if (!text) return {};
  auto entry = Json::Parse(*text);
  return entry ? entry.TakeValue() : Json();
}

void Session::TurnTo(const std::string& url) {
  if (url == options_.node) return;
  options_.node = url;
  if (!options_.token_given) options_.token.clear(), options_.token_file.clear();
  if (options_.ca_file.empty()) options_.ca_file = LocalNode(url)["ca_file"].Text();
  client_.reset();
  bearer_.clear();
}

Status Session::FindToken() {
  if (!options_.token_file.empty()) {
    bearer_ = Trim(TRY(ReadFile(options_.token_file, 1 << 16)));
    bearer_origin_ = "the token in " + options_.token_file;
  } else if (!options_.token.empty()) {
    bearer_ = options_.token;
    bearer_origin_ = "the token that was given";
  } else if (bearer_ = TRY(AccessToken(options_.node, options_.ca_file)); !bearer_.empty()) {
    bearer_origin_ = "your sign-in (weft login)";
  } else if (const Json local = LocalNode(options_.node); !local["token_file"].Text().empty()) {
    auto token = ReadFile(local["token_file"].Text(), 1 << 16);
    if (!token) return {};  // Another person's node: the node will say that a token is needed.
    bearer_ = Trim(*token);
    bearer_origin_ = "the local node's administrator token";
  }
  return {};
}

Status Session::Connect() {
  if (client_) return {};
  TRY(FindToken());
  http::ClientOptions options;
  options.url = options_.node;
  options.bearer = bearer_;
  options.ca_file = options_.ca_file;
  options.timeout = options_.timeout;
  if (!options_.purpose.empty()) options.headers["x-weft-purpose"] = options_.purpose;
  if (!options_.environment.empty()) options.headers["x-weft-environment"] = options_.environment;
  client_ = TRY(http::Client::Open(std::move(options)));
  // News only where the token was found: who gave one knows it.
  const bool given = !options_.token.empty() || !options_.token_file.empty();
  if (screen_.error_terminal && !options_.quiet && !options_.json && !bearer_.empty() && !given) {
    if (auto who = Get("/v1/whoami")) {
      Note(fmt::format("as {}, by {}", Safe((*who)["principal"].Text()), bearer_origin_));
    }
  }
  return {};
}

Result<std::string> Session::Ask(const http::Request& request) {
  TRY(Connect());
  auto response = client_->Send(request);
  if (!response) {
    Error error = response.TakeError();
    if (error.code == Code::kUnavailable) {
      error.message += "; " + OtherNodes(options_.node);
    }
    return error;
  }
  if (response->status >= 300) return http::FromResponse(*response);
  return std::move(response->body);
}

Result<Json> Session::Send(const http::Request& request) {
  const std::string body = TRY(Ask(request));
  if (body.empty()) return Json();
  auto json = Json::Parse(body);
  if (!json) {
    return Error{Code::kUnavailable,
                 fmt::format("what answers at {} is no node of Weft: {} {} gave no JSON; check --node", options_.node,
                             request.method, request.path)};
  }
  return json;
}

Result<Json> Session::Get(const std::string& path, const Query& query) {
  http::Request request;
  request.path = path;
  request.query = query;
  return Send(request);
}

Result<std::string> Session::GetText(const std::string& path, const Query& query) {
  http::Request request;
  request.path = path;
  request.query = query;
  return Ask(request);
}

Result<Json> Session::Post(const std::string& path, const Json& body) {
  http::Request request;
  request.method = "POST";
  request.path = path;
  request.headers["content-type"] = "application/json";
  request.body = body.Dump();
  return Send(request);
}

Result<Json> Session::Delete(const std::string& path, const Query& query) {
  http::Request request;
  request.method = "DELETE";
  request.path = path;
  request.query = query;
  return Send(request);
}

Status Session::PutFile(const std::string& path, const std::string& file) {
  http::Request request;
  request.method = "PUT";
  request.path = path;
  request.headers["content-type"] = "application/octet-stream";
  request.body_file = file;
  TRY(Send(request));
  return {};
}

Result<Session::Flight> Session::FlightDoor() {
  const Json node = TRY(Get("/v1/node"));
  if (node["flight"].Text().empty()) {
    return Error{Code::kUnavailable, "the node at " + options_.node + " has no Flight SQL door"};
  }
  return Flight{node["flight"].Text(), bearer_};
}

Status Session::Serves(const model::Address& address) {
  if (address.mesh.empty()) return {};
  const Json node = TRY(Get("/v1/node"));
  const std::string& mesh = node["mesh"].Text();
  if (mesh == address.mesh) return {};
  return Error{Code::kNotFound,
               fmt::format("'{}' is of the mesh '{}'; the node at {} serves {}", address.Text(), address.mesh,
                           options_.node, mesh.empty() ? "none yet" : "'" + Safe(mesh) + "'")};
}

void Session::Print(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), stdout); }

void Session::PrintJson(const Json& json) const { Print((screen_.out_terminal ? json.Pretty() : json.Dump()) + "\n"); }

void Session::Fact(std::string_view name, const std::string& value, size_t indent) const {
  constexpr size_t kNames = 12;
  if (value.empty()) return;
  const std::string before(indent, ' '), margin(indent + kNames + 1, ' ');
  const size_t width = screen_.width > 30 ? static_cast<size_t>(screen_.width) - margin.size() : SIZE_MAX;
  std::string text;
  for (const std::string& line : Split(value, '\n')) {
    if (!line.empty()) text += (text.empty() ? "" : "\n" + margin) + Wrap(line, width, margin);
  }
  Print(before + Paint(Style::kDim, Pad(name, kNames)) + " " + text + "\n");
}

void Session::Note(std::string_view text) const {
  if (options_.quiet) return;
  Screen error = screen_;
  error.color = screen_.error_terminal && !options_.no_color && Environment("NO_COLOR").empty();
  std::fprintf(stderr, "%s\n", app::Paint(error, Style::kDim, text).c_str());
}

Result<Place> PortPlace(const model::Address& address) {
  if (address.port.empty()) {
    return Error{Code::kInvalid, fmt::format("'{}' names no output port: give domain/product/port", address.Text())};
  }
  Place place{fmt::format("/v1/ports/{}/{}/{}", address.domain, address.product, address.port), {}};
  if (address.version) {
    place.query["version"] = address.version->Text();
  } else if (address.major) {
    place.query["version"] = std::to_string(*address.major);
  }
  return place;
}

}  // namespace weft::app
