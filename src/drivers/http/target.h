// A request's head as it stands on the wire: its target ("/v1/search?q=a%20b") as values, both ways, and what is
// refused.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "drivers/http/message.h"

struct sockaddr;

namespace weft::http {

// Sets path and query. kInvalid: no leading slash, a broken escape, a control character, text that is no UTF-8.
Status ReadTarget(std::string_view target, Request* request);
std::string WriteTarget(const Request& request);

// Fields as application/x-www-form-urlencoded has them: "a=b%20c&d=". Reading is kInvalid also where a field comes
// twice: two readers could each take another one.
std::string WriteForm(const std::map<std::string, std::string>& fields);
Result<std::map<std::string, std::string>> ReadForm(std::string_view text);
// One name or value of a form.
Result<std::string> ReadFormText(std::string_view text);

// Whom a URL speaks to: "https", "[::1]" and 7470 of "https://[::1]:7470/v1".
struct Origin {
  std::string scheme;
  std::string host;  // In lower case; an IPv6 address in its brackets.
  int port = 0;      // The scheme's own where none is written.
};
// kInvalid for what two readers could read in two ways: user names, backslashes, escapes, spaces, odd ports.
Result<Origin> OriginOf(std::string_view url);

// Whether the host is this machine beyond doubt: "localhost", or a literal address of the loopback, with or without
// brackets. "127.example.com" and "127.1" are not.
bool IsLoopback(std::string_view host);

// Whether an address is one of the public internet: none of this machine, of a private, a shared, a link-local or a
// multicast network, by IPv6 forms of them either.
bool IsPublic(const sockaddr& address);

// kInvalid where two readers of one head could disagree about where its body ends or whom it is for: that is how
// requests are smuggled. `version` is 10 or 11; names of fields are in lower case.
Status CheckFraming(int version, std::span<const std::pair<std::string, std::string>> fields);

}  // namespace weft::http
