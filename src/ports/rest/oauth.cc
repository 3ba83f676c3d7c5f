#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "drivers/http/target.h"
#include "ports/rest/handlers.h"
#include "ports/rest/pages.h"
#include "work/signin/scope.h"

namespace weft::rest {
namespace {

constexpr size_t kFormLimit = size_t{16} << 10;
constexpr std::string_view kCookie = "weft_form";

Result<signin::Form> FormOf(const http::Request& request) {
  const std::string type = request.Header("content-type");
  if (!type.starts_with("application/x-www-form-urlencoded") || !request.body_file.empty() ||
      request.body.size() > kFormLimit) {
    return Error{Code::kInvalid, "the body is no application/x-www-form-urlencoded of 16 KiB at most"};
  }
  return http::ReadForm(request.body);
}

http::Response OAuth(const signin::Answer& answer) {
  http::Response response = http::Response::Of(answer.body, answer.status);
  response.headers["Cache-Control"] = "no-store";
  if (answer.status == 401) response.headers["WWW-Authenticate"] = "Basic realm=\"weft\"";
  return response;
}

http::Response BadRequest(const Error& error) {
  return OAuth({400, Json::Map({{"error", "invalid_request"}, {"error_description", error.message}})});
}

// From HTTP Basic, each half encoded like a form's, or from the form.
signin::Client ClientOf(const http::Request& request, const signin::Form& form) {
  const std::string header = request.Header("authorization");
  if (!header.starts_with("Basic "))
    return {signin::FieldOf(form, "client_id"), signin::FieldOf(form, "client_secret")};
  const std::string both = FromBase64(header.substr(6)).value_or("");
  const size_t colon = both.find(':');
  if (colon == both.npos) return {};
  const auto id = http::ReadFormText(both.substr(0, colon)), secret = http::ReadFormText(both.substr(colon + 1));
  return id && secret ? signin::Client{*id, *secret} : signin::Client{};
}

std::string CookieOf(const http::Request& request) {
  for (const std::string& pair : Split(request.Header("cookie"), ';')) {
    const std::string_view cookie = Trim(pair);
    if (cookie.starts_with(kCookie) && cookie.substr(kCookie.size()).starts_with('=')) {
      return std::string(cookie.substr(kCookie.size() + 1));
    }
  }
  return "";
}

// A form of this node's own: it carries what the cookie says, which another site can neither read nor send.
Status CheckOwnForm(Api& api, const http::Request& request, const signin::Form& form) {
  const std::string cookie = CookieOf(request);
  const std::string origin = request.Header("origin");
  const std::string host = request.Header("host");
  const bool foreign =
      !origin.empty() && origin != api.sign_in.issuer() && origin != "http://" + host && origin != "https://" + host;
  if (!cookie.empty() && SecretsEqual(cookie, signin::FieldOf(form, "form")) && !foreign) return {};
  return Error{Code::kDenied, "the form did not come from this page, or the page was too old: open it again"};
}

// A page with a form; each is given a new secret, as field and as cookie.
http::Response FormPage(Api& api, const std::function<std::string(const std::string& secret)>& body, int status,
                        const std::string& form_action = "") {
  const std::string secret = NewSecret(24);
  http::Response response = Page(body(secret), status, form_action);
  const bool secure = api.sign_in.issuer().starts_with("https://");
  response.headers["Set-Cookie"] = fmt::format("{}={}; Path=/oauth; Max-Age=900; HttpOnly; SameSite=Strict{}", kCookie,
                                               secret, secure ? "; Secure" : "");
  return response;
}

http::Response DeviceForm(Api& api, const std::string& user_code, const std::string& problem, int status) {
  return FormPage(
      api, [&](const std::string& secret) { return DeviceBody(user_code, problem, secret); }, status);
}

http::Response AuthorizeForm(Api& api, const signin::Request& request, const std::string& problem, int status) {
  const size_t path = request.redirect_uri.find('/', request.redirect_uri.find("://") + 3);
  return FormPage(
      api, [&](const std::string& secret) { return AuthorizeBody(request, problem, secret); }, status,
      request.redirect_uri.substr(0, path));
}

// Without what is empty.
http::Response Redirect(const std::string& uri, signin::Form query) {
  std::erase_if(query, [](const auto& field) { return field.second.empty(); });
  http::Response response;
  response.status = 303;
  response.content_type = "text/plain; charset=utf-8";
  response.headers["Location"] = uri + (uri.find('?') == uri.npos ? "?" : "&") + http::WriteForm(query);
  response.headers["Cache-Control"] = "no-store";
  response.headers["Referrer-Policy"] = "no-referrer";
  return response;
}

// The request, or what the browser is answered instead.
Result<std::variant<signin::Request, http::Response>> ReadAuthorization(Api& api, const signin::Form& form) {
  using Outcome = std::variant<signin::Request, http::Response>;
  auto read = TRY(api.sign_in.ReadRequest(form));
  if (auto* request = std::get_if<signin::Request>(&read)) return Outcome(std::move(*request));
  const auto& refusal = std::get<signin::Refusal>(read);
  if (refusal.redirect.empty()) return Outcome(Page(Notice("This sign-in cannot go on", refusal.description), 400));
  return Outcome(Redirect(refusal.redirect, {{"error", refusal.error},
                                             {"error_description", refusal.description},
                                             {"state", signin::FieldOf(form, "state")},
                                             {"iss", api.sign_in.issuer()}}));
}

}  // namespace

Answer Discovery(Api& api, const Caller&, const http::Request&) { return http::Response::Of(api.sign_in.Discovery()); }

Answer Jwks(Api& api, const Caller&, const http::Request&) { return http::Response::Of(api.sign_in.Jwks()); }

Answer StartDevice(Api& api, const Caller&, const http::Request& request) {
  auto form = FormOf(request);
  if (!form) return BadRequest(form.error());
  return OAuth(TRY(api.sign_in.StartDevice(ClientOf(request, *form), *form, request.peer)));
}

Answer GiveToken(Api& api, const Caller&, const http::Request& request) {
  auto form = FormOf(request);
  if (!form) return BadRequest(form.error());
  return OAuth(TRY(api.sign_in.Token(ClientOf(request, *form), *form, request.peer)));
}

Answer RevokeSignIn(Api& api, const Caller&, const http::Request& request) {
  auto form = FormOf(request);
  if (!form) return BadRequest(form.error());
  return OAuth(TRY(api.sign_in.Revoke(ClientOf(request, *form), *form, request.peer)));
}

Answer DevicePage(Api& api, const Caller&, const http::Request& request) {
  return DeviceForm(api, request.Query("user_code"), "", 200);
}

Answer SettleDevice(Api& api, const Caller&, const http::Request& request) {
  auto form = FormOf(request);
  if (!form) return Page(Notice("This form cannot be read", form.error().message), 400);
  if (Status own = CheckOwnForm(api, request, *form); !own) {
    return DeviceForm(api, signin::FieldOf(*form, "user_code"), own.error().message, 403);
  }
  const bool approve = signin::FieldOf(*form, "answer") == "approve";
  Status settled = api.sign_in.SettleDevice(signin::FieldOf(*form, "user_code"), signin::FieldOf(*form, "name"),
                                            signin::FieldOf(*form, "password"), approve, request.peer);
  if (!settled) {
    return DeviceForm(api, signin::FieldOf(*form, "user_code"), settled.error().message,
                      http::ToResponse(settled.error()).status);
  }
  return approve ? Page(Notice("You are signed in", "The device goes on by itself. This page may be closed."), 200)
                 : Page(Notice("Refused", "The device is not signed in. This page may be closed."), 200);
}

Answer AuthorizePage(Api& api, const Caller&, const http::Request& request) {
  auto read = TRY(ReadAuthorization(api, request.query));
  if (auto* response = std::get_if<http::Response>(&read)) return std::move(*response);
  return AuthorizeForm(api, std::get<signin::Request>(read), "", 200);
}

Answer Authorize(Api& api, const Caller&, const http::Request& request) {
  auto form = FormOf(request);
  if (!form) return Page(Notice("This form cannot be read", form.error().message), 400);
  auto read = TRY(ReadAuthorization(api, *form));
  if (auto* response = std::get_if<http::Response>(&read)) return std::move(*response);
  const auto& wanted = std::get<signin::Request>(read);
  if (Status own = CheckOwnForm(api, request, *form); !own) {
    return AuthorizeForm(api, wanted, own.error().message, 403);
  }
  const std::string issuer = api.sign_in.issuer();
  if (signin::FieldOf(*form, "answer") != "approve") {
    return Redirect(wanted.redirect_uri, {{"error", "access_denied"}, {"state", wanted.state}, {"iss", issuer}});
  }
  auto code =
      api.sign_in.Authorize(wanted, signin::FieldOf(*form, "name"), signin::FieldOf(*form, "password"), request.peer);
  if (!code) return AuthorizeForm(api, wanted, code.error().message, http::ToResponse(code.error()).status);
  return Redirect(wanted.redirect_uri, {{"code", *code}, {"state", wanted.state}, {"iss", issuer}});
}

}  // namespace weft::rest
