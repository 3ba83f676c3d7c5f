#include "ports/rest/pages.h"

#include <fmt/format.h>

#include "base/text.h"
#include "work/signin/scope.h"

namespace weft::rest {
namespace {

std::string Html(const std::string& text) {
  std::string safe;
  for (char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string Hidden(const std::string& name, const std::string& value) {
  return fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", name, Html(value));
}

std::string Problem(const std::string& text) {
  return text.empty() ? "" : fmt::format("<p role=\"alert\"><strong>{}</strong></p>\n", Html(text));
}

constexpr std::string_view kWhoFields =
    "<p><label>Name<br><input name=\"name\" autocomplete=\"username\" required></label></p>\n"
    "<p><label>Password<br><input name=\"password\" type=\"password\" autocomplete=\"current-password\" required>"
    "</label></p>\n"
    "<p><button name=\"answer\" value=\"approve\">Sign in</button>\n"
    "<button name=\"answer\" value=\"deny\" formnovalidate>Refuse</button></p>\n";

std::string ScopeText(const std::string& client, const std::string& scope) {
  const std::string actions = Join(signin::ActionWords(scope), ", ");
  if (!actions.empty()) return actions + " in your name";
  return client == signin::kCommandLine ? "do all that you may" : "know who you are, and to see the catalogue";
}

}  // namespace

http::Response Page(const std::string& body, int status, const std::string& form_action) {
  http::Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.body =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Weft: sign in</title>\n</head>\n"
      "<body>\n<main>\n" +
      body + "</main>\n</body>\n</html>\n";
  response.headers["Content-Security-Policy"] =
      fmt::format("default-src 'none'; form-action 'self'{}; frame-ancestors 'none'; base-uri 'none'",
                  form_action.empty() ? "" : " " + form_action);
  response.headers["X-Frame-Options"] = "DENY";
  response.headers["Referrer-Policy"] = "same-origin";
  response.headers["Cache-Control"] = "no-store";
  return response;
}

std::string Notice(const std::string& title, const std::string& text) {
  return fmt::format("<h1>{}</h1>\n<p>{}</p>\n", Html(title), Html(text));
}

std::string DeviceBody(const std::string& user_code, const std::string& problem, const std::string& secret) {
  return fmt::format(
      "<h1>Sign in a device</h1>\n{}"
      "<p>Go on only if you began this yourself, and the code is the one that your device shows.</p>\n"
      "<form method=\"post\" action=\"/oauth/device\">\n{}"
      "<p><label>Code<br><input name=\"user_code\" value=\"{}\" autocomplete=\"off\" required></label></p>\n"
      "{}</form>\n",
      Problem(problem), Hidden("form", secret), Html(user_code), kWhoFields);
}

std::string AuthorizeBody(const signin::Request& request, const std::string& problem, const std::string& secret) {
  std::string hidden = Hidden("form", secret) + Hidden("response_type", "code") +
                       Hidden("code_challenge_method", "S256") + Hidden("client_id", request.client) +
                       Hidden("redirect_uri", request.redirect_uri) + Hidden("code_challenge", request.challenge) +
                       Hidden("scope", request.scope) + Hidden("state", request.state) + Hidden("nonce", request.nonce);
  return fmt::format(
      "<h1>Sign in</h1>\n{}"
      "<p>The client <strong>{}</strong> asks to {}. You will be sent on to {}.</p>\n"
      "<form method=\"post\" action=\"/oauth/authorize\">\n{}{}</form>\n",
      Problem(problem), Html(request.client), Html(ScopeText(request.client, request.scope)),
      Html(request.redirect_uri), hidden, kWhoFields);
}

}  // namespace weft::rest
