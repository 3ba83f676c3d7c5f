#include "apps/weft/provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/http/client.h"
#include "drivers/http/target.h"

namespace weft::app {
namespace {

constexpr Millis kFetchTimeout{3'000};  // A node that stops waits for it.
constexpr size_t kAnswerLimit = size_t{256} << 10;

// The body of what GET answers at `url`. Redirects are not followed.
Result<std::string> Fetch(const std::string& url, const std::string& ca_file) {
  const size_t path = url.find('/', url.find("://") + 3);
  http::ClientOptions options;
  options.url = url.substr(0, path);
  options.ca_file = ca_file;
  options.timeout = kFetchTimeout;
  options.answer_limit = kAnswerLimit;
  http::Request request;
  TRY(http::ReadTarget(path == url.npos ? "/" : url.substr(path), &request));
  const std::unique_ptr<http::Client> client = TRY(http::Client::Open(options));
  http::Response response = TRY(client->Send(request));
  if (response.status == 200) return std::move(response.body);
  return Error{Code::kUnavailable, fmt::format("{} answers with status {}", url, response.status)};
}

}  // namespace

Result<std::unique_ptr<token::Provider>> OpenProvider(const Settings& settings, Clock& clock) {
  if (settings.Text("oidc-issuer").empty()) return std::unique_ptr<token::Provider>();
  token::ProviderOptions options;
  options.expected = {settings.Text("oidc-issuer"), settings.Text("oidc-audience")};
  options.keys_max_age = settings.Duration("oidc-keys-max-age");
  for (const std::string& name : settings.List("oidc-algorithms")) {
    auto algorithm = token::AlgorithmFrom(name);
    if (!algorithm) return algorithm.TakeError().With("oidc-algorithms");
    options.algorithms.push_back(*algorithm);
  }
  if (options.algorithms.empty()) {
    using enum token::Algorithm;
    options.algorithms = {kRs256, kPs256, kEs256, kEdDsa};
  }
  auto provider = token::Provider::Open(
      std::move(options),
      [ca_file = settings.Text("oidc-ca-file")](const std::string& url) { return Fetch(url, ca_file); }, clock);
  if (!provider) return provider.TakeError().With("oidc-issuer, oidc-audience");
  return provider;
}

Millis KeyRefreshPeriod(const Settings& settings) {
  return std::clamp(settings.Duration("oidc-keys-max-age") / 3, Millis(1'000), Millis(300'000));
}

}  // namespace weft::app
