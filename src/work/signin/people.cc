#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "state/ledger/ledger.h"
#include "work/signin/scope.h"
#include "work/signin/signin.h"

// What a person does: approves a device, or lets a client in by the browser.
namespace weft::signin {
namespace {

constexpr Millis kDeviceLifetime{600'000};
constexpr Millis kCodeLifetime{60'000};
constexpr int kPollSeconds = 2;
constexpr int64_t kMostWaiting = 1'000;  // Whoever asks needs no identity: it must not fill the store.
constexpr std::string_view kUserCodeLetters = "BCDFGHJKLMNPQRSTVWXZ";  // No vowels, no words.
constexpr size_t kUserCodeLength = 8;
constexpr std::string_view kLoopbackRedirects[] = {"http://127.0.0.1/callback", "http://[::1]/callback"};

std::string NewUserCode() {
  std::string code;
  while (code.size() < kUserCodeLength) {
    // Of 256 values 240 fall evenly on 20 letters.
    const uint64_t byte = static_cast<uint64_t>(NewPositiveInt64()) >> 8 & 0xff;
    if (byte < 240) code += kUserCodeLetters[byte % kUserCodeLetters.size()];
  }
  return code;
}

std::string PlainUserCode(const std::string& typed) {
  std::string code;
  for (char c : typed) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
    if (c >= 'A' && c <= 'Z') code += c;
  }
  return code;
}

bool IsChallenge(const std::string& text) {
  return text.size() == 43 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

}  // namespace

Result<Answer> SignIn::StartDevice(const Client& client, const Form& form, const std::string& peer) {
  if (starts_.Wait(peer) > Millis(0)) {
    return Error{Code::kUnavailable, "too many devices were begun from your address; try again in a minute"};
  }
  starts_.Count(peer);
  if (auto refused = TRY(CheckClient(client, peer))) return std::move(*refused);
  auto txn = TRY(store_.Begin());
  const std::string scope = FieldOf(form, "scope");
  if (auto known = LimitsOf(scope, true); !known) {
    return Answer{400, Json::Map({{"error", "invalid_scope"}, {"error_description", known.error().message}})};
  }
  if (TRY(accounts::WaitingDevices(*txn, clock_.Now())) >= kMostWaiting) {
    return Error{Code::kUnavailable, "too many devices wait to be signed in; try again in some minutes"};
  }
  const std::string device_code = NewSecret(32), user_code = NewUserCode();
  accounts::Device device;
  device.client = client.id;
  device.user_code = user_code;
  device.scope = scope;
  device.expires_at = In(kDeviceLifetime);
  device.interval_s = kPollSeconds;
  TRY(accounts::PutDevice(*txn, device_code, device));
  TRY(txn->Commit());
  const std::string shown = user_code.substr(0, 4) + "-" + user_code.substr(4);
  return Answer{200, Json::Map({{"device_code", device_code},
                                {"user_code", shown},
                                {"verification_uri", issuer_ + "/oauth/device"},
                                {"verification_uri_complete", issuer_ + "/oauth/device?user_code=" + shown},
                                {"expires_in", kDeviceLifetime.count() / 1'000},
                                {"interval", kPollSeconds}})};
}

Result<std::optional<accounts::Device>> SignIn::Waiting(const std::string& user_code) {
  auto txn = TRY(store_.Read());
  auto device = TRY(accounts::FindUserCode(*txn, PlainUserCode(user_code)));
  if (device && (device->expires_at <= clock_.Now() || device->denied || !device->principal.empty())) device.reset();
  return device;
}

Status SignIn::SettleDevice(const std::string& user_code, const std::string& user, const std::string& password,
                            bool approve, const std::string& peer) {
  TRY(CheckPassword(user, password, peer));
  const auto device = TRY(Waiting(user_code));
  auto txn = TRY(store_.Begin());
  const bool settled = device && TRY(accounts::SettleDevice(*txn, PlainUserCode(user_code), user, approve));
  // Who guesses codes is locked out like who guesses passwords.
  if (!settled) failures_.Count(peer);
  TRY(settled ? accounts::ClearFailures(*txn, user) : accounts::CountFailure(*txn, clock_, user));
  TRY(ledger::Append(*txn, clock_,
                     {settled ? approve ? "signin.approved" : "signin.denied" : "signin.failed", user, "", "",
                      Json::Map({{"client", device ? device->client : ""}, {"peer", peer}})}));
  TRY(txn->Commit());
  if (settled) return {};
  return Error{Code::kUnauthenticated, "no device shows this code, or it has expired: begin again there"};
}

Result<std::variant<Request, Refusal>> SignIn::ReadRequest(const Form& form) {
  using Outcome = std::variant<Request, Refusal>;
  Request request{FieldOf(form, "client_id"), FieldOf(form, "redirect_uri"), FieldOf(form, "code_challenge"),
                  FieldOf(form, "scope"),     FieldOf(form, "state"),        FieldOf(form, "nonce")};
  std::vector<std::string> registered;
  if (request.client == kCommandLine) {
    registered.assign(std::begin(kLoopbackRedirects), std::end(kLoopbackRedirects));
  } else {
    auto txn = TRY(store_.Read());
    const auto service = TRY(accounts::FindService(*txn, request.client));
    if (service && !service->disabled_at) registered = service->redirect_uris;
  }
  const bool known = std::any_of(registered.begin(), registered.end(),
                                 [&](const std::string& uri) { return RedirectAllowed(uri, request.redirect_uri); });
  // To send somebody on to an address that nobody registered would make this node a tool for fishing.
  if (!known) {
    return Outcome(Refusal{"invalid_request", "the client is not known, or has not registered this redirect_uri", ""});
  }
  auto refused = [&](const char* error, const std::string& why) {
    return Outcome(Refusal{error, why, request.redirect_uri});
  };
  if (FieldOf(form, "response_type") != "code") return refused("unsupported_response_type", "only response_type=code");
  if (FieldOf(form, "code_challenge_method") != "S256" || !IsChallenge(request.challenge)) {
    return refused("invalid_request", "PKCE with code_challenge_method=S256 is needed");
  }
  if (auto scope = LimitsOf(request.scope, true); !scope) return refused("invalid_scope", scope.error().message);
  return Outcome(std::move(request));
}

Result<std::string> SignIn::Authorize(const Request& request, const std::string& user, const std::string& password,
                                      const std::string& peer) {
  TRY(CheckPassword(user, password, peer));
  const std::string code = NewSecret(32);
  auto txn = TRY(store_.Begin());
  TRY(accounts::ClearFailures(*txn, user));
  TRY(accounts::PutCode(*txn, code,
                        {request.client, request.redirect_uri, request.challenge, user, request.scope, request.nonce,
                         In(kCodeLifetime)}));
  TRY(ledger::Append(*txn, clock_,
                     {"signin.approved", user, "", "", Json::Map({{"client", request.client}, {"peer", peer}})}));
  TRY(txn->Commit());
  return code;
}

}  // namespace weft::signin
