#include "drivers/http/target.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weft::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `what` is wrong where it cannot be decoded.
Result<std::string> Decode(std::string_view text, bool plus_is_space, std::string_view what = "the request's target") {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Error{Code::kInvalid, fmt::format("{} has a broken escape at '{}': % is followed by two hex digits",
                                                 what, text.substr(i, 3))};
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 && (c != '\n' && c != '\t' && c != '\r')) {
      return Error{Code::kInvalid, fmt::format("{} has a control character", what)};
    }
    out += c;
  }
  if (!IsUtf8(out)) return Error{Code::kInvalid, fmt::format("{} is no UTF-8 when decoded", what)};
  return out;
}

std::string Encode(std::string_view text, std::string_view as_is) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || as_is.find(c) != as_is.npos) {
      out += c;
    } else {
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

}  // namespace

Status ReadTarget(std::string_view target, Request* request) {
  if (!target.starts_with('/')) {
    return Error{Code::kInvalid, "the request's target '" + std::string(target.substr(0, 100)) + "' has no path"};
  }
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  request->path = TRY(Decode(target.substr(0, mark), false));
  if (mark == target.npos) return {};
  for (const std::string& pair : Split(target.substr(mark + 1), '&')) {
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    std::string name = TRY(Decode(std::string_view(pair).substr(0, equals), true));
    request->query[name] = TRY(Decode(std::string_view(pair).substr(std::min(equals + 1, pair.size())), true));
  }
  return {};
}

std::string WriteTarget(const Request& request) {
  std::string target = Encode(request.path, "-._~/:@!$'()*,;=");
  if (!request.query.empty()) target += "?" + WriteForm(request.query);
  return target;
}

std::string WriteForm(const std::map<std::string, std::string>& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    form += (form.empty() ? "" : "&") + Encode(name, "-._~") + "=" + Encode(value, "-._~/:@,");
  }
  return form;
}

Result<std::map<std::string, std::string>> ReadForm(std::string_view text) {
  std::map<std::string, std::string> fields;
  for (const std::string& pair : Split(text, '&')) {
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = TRY(ReadFormText(std::string_view(pair).substr(0, equals)));
    std::string value = TRY(ReadFormText(std::string_view(pair).substr(std::min(equals + 1, pair.size()))));
    if (!fields.emplace(name, std::move(value)).second) {
      return Error{Code::kInvalid, fmt::format("the form has its field '{}' twice", name)};
    }
  }
  return fields;
}

Result<std::string> ReadFormText(std::string_view text) { return Decode(text, true, "the form"); }

Result<Origin> OriginOf(std::string_view url) {
  auto refused = [&](std::string_view why) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no address of a node: {}; write it like http://127.0.0.1:7470", url, why)};
  };
  const size_t mark = url.find("://");
  if (mark == url.npos) return refused("it begins with neither http:// nor https://");
  Origin origin{.scheme = Lower(url.substr(0, mark)), .host = {}, .port = 80};
  if (origin.scheme == "https") origin.port = 443;
  if (origin.scheme != "http" && origin.scheme != "https") {
    return refused("it begins with neither http:// nor https://");
  }
  std::string_view rest = url.substr(mark + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const bool bracketed = rest.starts_with('[');
  const size_t end = bracketed ? std::min(rest.find(']'), rest.size() - 1) + 1 : std::min(rest.find(':'), rest.size());
  origin.host = Lower(rest.substr(0, end));
  rest.remove_prefix(end);
  const std::string_view plain = bracketed ? "0123456789abcdef:.[]" : "abcdefghijklmnopqrstuvwxyz0123456789-._";
  if (origin.host.empty() || origin.host.find_first_not_of(plain) != origin.host.npos ||
      (bracketed && !origin.host.ends_with(']'))) {
    return refused(fmt::format("'{}' is no host", origin.host));
  }
  if (rest.empty()) return origin;
  if (rest[0] != ':') return refused(fmt::format("'{}' follows its host", rest));
  rest.remove_prefix(1);
  auto [stop, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), origin.port);
  if (failure != std::errc() || stop != rest.data() + rest.size() || origin.port < 1 || origin.port > 65'535) {
    return refused(fmt::format("'{}' is no port", rest));
  }
  return origin;
}

bool IsLoopback(std::string_view host) {
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string text(host);
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

Status CheckFraming(int version, std::span<const std::pair<std::string, std::string>> fields) {
  int hosts = 0, lengths = 0, encodings = 0;
  bool chunked = true;
  for (const auto& [name, value] : fields) {
    hosts += name == "host";
    lengths += name == "content-length";
    encodings += name == "transfer-encoding";
    if (name == "transfer-encoding") chunked = chunked && Lower(value) == "chunked";
  }
  auto refused = [](std::string_view why) {
    return Error{Code::kInvalid, "the request is refused: " + std::string(why)};
  };
  if (version != 10 && version != 11) return refused("it is not HTTP/1.1");
  if (encodings > 0 && lengths > 0) return refused("it has both Content-Length and Transfer-Encoding");
  if (encodings > 1 || !chunked) return refused("its Transfer-Encoding is not 'chunked'");
  if (encodings > 0 && version == 10) return refused("HTTP/1.0 has no Transfer-Encoding");
  if (lengths > 1) return refused("it has more than one Content-Length");
  if (hosts > 1 || (hosts == 0 && version == 11)) return refused("it needs exactly one Host");
  return {};
}

}  // namespace weft::http
