#include "apps/weft/node.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>

#include "apps/weft/certificates.h"
#include "apps/weft/home.h"
#include "apps/weft/metrics.h"
#include "apps/weft/migrations.h"
#include "apps/weft/places.h"
#include "apps/weft/provider.h"
#include "base/file.h"
#include "base/log.h"
#include "drivers/http/server.h"
#include "ports/flight/flight.h"
#include "ports/rest/rest.h"
#include "state/access/access.h"
#include "state/accounts/accounts.h"
#include "state/catalog/catalog.h"
#include "state/catalog/search.h"
#include "state/feedback/feedback.h"
#include "state/lineage/lineage.h"
#include "state/requests/requests.h"
#include "state/secrets/secrets.h"
#include "work/approve/approve.h"
#include "work/notify/webhooks.h"
#include "work/quality/quality.h"

namespace weft::app {
namespace {

using Steady = std::chrono::steady_clock;

// How a run's staged files are held against their contract.
Result<run::CheckAnswer> Check(const run::CheckRequest& request) {
  std::vector<model::Check> checks = TRY(model::CompileChecks(request.contract, request.schema, request.entities));
  checks.insert(checks.end(), request.also.begin(), request.also.end());
  quality::Subject subject;
  subject.staged = request.staged;
  subject.whole = request.whole;
  subject.among = request.among;
  subject.target = [&](const model::Check& check) { return request.table_sql(check.target); };
  quality::Verdict verdict = TRY(quality::Evaluate(request.connection, checks, subject, request.contract.file));
  return run::CheckAnswer{std::move(verdict.results), verdict.refused, std::move(verdict.summary)};
}

// The time of the store, once there is one: of several nodes that of all.
class StoresClock final : public Clock {
 public:
  Instant Now() const override { return store_ ? store_->clock().Now() : SystemClock().Now(); }
  void Follow(store::Store& store) { store_ = &store; }

 private:
  store::Store* store_ = nullptr;
};

// When rows of a port were last committed.
Result<std::optional<Instant>> LastCommit(store::Txn& txn, const model::PortKey& port) {
  std::optional<Instant> newest;
  for (const lake::Snapshot& snapshot : TRY(lake::History(txn, port)))
    newest = std::max(newest, std::optional(snapshot.rows_at));
  return newest;
}

// How a client of this machine would name the listener.
std::string UrlOf(const Settings& settings, std::string_view plain, std::string_view secure, int port) {
  std::string host = settings.Text("listen");
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("{}://{}:{}", settings.Text("tls-key").empty() ? plain : secure, host, port);
}

class WholeNode final : public Node {
 public:
  explicit WholeNode(const Settings& settings) : settings_(settings), data_(settings.Text("data")) {}
  ~WholeNode() override { Stop(Deadline::After(Millis(0))); }

  Status Open() {
    const Steady::time_point began = Steady::now();
    TRY(OpenMemory());
    TRY(OpenWork());
    TRY(OpenDoors());
    TRY(Announce());
    ready_.store(true, std::memory_order_release);
    sweeper_ = settings_.Int("sweep-every") > 0
                   ? std::make_unique<Ticker>(settings_.Duration("sweep-every"), [this] { Sweep(); })
                   : nullptr;
    if (provider_) {
      key_refresher_ = std::make_unique<Ticker>(KeyRefreshPeriod(settings_), [this] { RefreshKeys(); });
      key_refresher_->Poke();
    }
    tender_ = std::make_unique<Ticker>(Millis(3'600'000), [this] { TendSignIn(); });
    reminder_ = std::make_unique<Ticker>(Millis(10'000), [this] { TellEnding(); });
    reminder_->Poke();
    if (certificate_) {
      certificate_looker_ = std::make_unique<Ticker>(Millis(5'000), [this] { certificate_->Look(*http_, *flight_); });
    }
    if (settings_.Duration("upkeep-every").count() > 0)
      upkeeper_ = std::make_unique<Ticker>(settings_.Duration("upkeep-every"), [this] { Tend(); });
    use_writer_ = std::make_unique<Ticker>(Millis(60'000), [this] { WriteUses(); });
    if (!settings_.Text("store").starts_with("sqlite:")) {
      run_tender_ = std::make_unique<Ticker>(settings_.Duration("node-timeout") / 4, [this] { TendRuns(); });
    }
    if (settings_.Flag("scheduler")) starter_ = std::make_unique<Ticker>(Millis(200), [this] { StartDue(); });
    log::Info("node ready", {{"url", url_},
                             {"flight", flight_url_},
                             {"data", data_},
                             {"environment", environment_},
                             {"took_ms", std::chrono::duration_cast<Millis>(Steady::now() - began).count()}});
    return {};
  }

  std::string Greeting() const override {
    const std::string environment = environment_.empty() ? "" : ", environment " + environment_;
    return fmt::format("weft is ready: {}, flight {}, data {}{}", url_, flight_url_, data_, environment);
  }

  Json About() const override {
    return Json::Map({{"url", url_},
                      {"flight", flight_url_},
                      {"data", data_},
                      {"environment", environment_},
                      {"token_file", token_file_},
                      {"pid", static_cast<int64_t>(::getpid())}});
  }

  void TakeCertificate() override {
    if (certificate_looker_) certificate_looker_->Poke();
  }

  void Stop(Deadline deadline) override {
    ready_ = false;
    sweeper_.reset();
    if (use_writer_) WriteUses();
    use_writer_.reset();
    tender_.reset();
    deliverer_.reset();
    reminder_.reset();
    starter_.reset();
    upkeeper_.reset();
    run_tender_.reset();
    certificate_looker_.reset();
    key_refresher_.reset();
    registration_.reset();
    if (http_) http_->Stop(deadline);
    if (flight_) flight_->Stop(deadline);
    http_.reset();
    flight_.reset();
    upkeep_.reset();
    runner_.reset();
  }

 private:
  Status OpenMemory() {
    TRY(MakeFolders(data_));
    lock_.emplace(TRY(FolderLock::Take(data_)));
    std::error_code failure;  // What a node left that did not end well.
    fs::remove_all(data_ + "/tmp", failure);
    if (failure) return Error{Code::kUnavailable, fmt::format("cannot empty {}/tmp: {}", data_, failure.message())};
    RemoveDrafts(data_);
    TRY(MakeFolders(data_ + "/tmp"));
    TRY(MakeFolders(settings_.Text("shared")));
    store_ = TRY(store::Open(settings_.Text("store")));
    clock_.Follow(*store_);
    TRY(store::Migrate(*store_, AllMigrations()));
    TRY(SettleEnvironment());
    TRY(catalog::EnsureIndexed(*store_, LastCommit));
    vault_.emplace(settings_.Text("seal-key"));
    ledger_ = TRY(ledger::Ledger::Open(*store_, clock_, data_ + "/ledger",
                                       {settings_.Duration("denial-window"), LedgerKeyFolder(settings_)}));
    const lake::Codec codec = TRY(lake::CodecFrom(settings_.Text("compression")));
    lake_ = TRY(lake::Lake::Open(*store_, clock_, settings_.Text("warehouse"), codec));
    token_file_ = TRY(AdminToken(*store_, clock_, data_));
    return {};
  }

  Status SettleEnvironment() {
    auto txn = TRY(store_->Begin());
    if (TRY(catalog::SettleEnvironment(*txn, settings_.Text("environment")))) {
      const Json detail = Json::Map({{"environment", settings_.Text("environment")}});
      TRY(ledger::Append(*txn, clock_, {"environment", "node", "", "", detail}));
    }
    environment_ = TRY(catalog::EnvironmentOf(*txn));
    return txn->Commit();
  }

  Status OpenWork() {
    engine::SetExtensionFolder(WEFT_DUCKDB_EXTENSIONS);
    const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const int threads = settings_.Int("threads") > 0 ? static_cast<int>(settings_.Int("threads")) : cores;
    memory_.emplace(settings_.Int("memory"));
    metrics_.emplace(*store_, *memory_);
    query::Options query;
    query.concurrent = static_cast<int>(settings_.Int("query-concurrency"));
    query.timeout = settings_.Duration("query-timeout");
    query.idle_timeout = settings_.Duration("query-idle-timeout");
    query.memory_bytes = std::min(settings_.Int("query-memory"), memory_->total());
    query.row_limit = settings_.Int("query-row-limit");
    query.threads = threads;
    query.temp_folder = data_ + "/tmp/query";
    TRY(MakeFolders(query.temp_folder));
    queries_ = TRY(query::Engine::Start({*store_, clock_, *ledger_, *memory_, *vault_, query}));
    counted_queries_ = metrics_->Counting(*queries_);
    run::Options run;
    run.node = TRY(NodeName(data_));
    run.node_timeout = settings_.Duration("node-timeout");
    run.upload_folder = UploadFolder(settings_);
    run.source_roots = settings_.List("source-roots");
    run.source_hosts = settings_.List("source-hosts");
    run.source_ca_file = settings_.Text("source-ca-file");
    run.source_timeout = settings_.Duration("source-timeout");
    run.source_file_limit = settings_.Int("source-file-limit");
    run.temp_folder = data_ + "/tmp/run";
    run.threads = threads;
    run.memory_bytes = std::min(settings_.Int("run-memory"), memory_->total());
    run.parallel_runs = static_cast<int>(settings_.Int("run-parallel"));
    run.domain_parallel_runs = static_cast<int>(settings_.Int("run-domain-parallel"));
    run.schedules = settings_.Flag("scheduler");
    run.several = !settings_.Text("store").starts_with("sqlite:");
    TRY(MakeFolders(run.upload_folder));
    TRY(MakeFolders(run.temp_folder));
    uploads_.emplace(run.upload_folder);
    runner_ = TRY(run::Runner::Start({*store_, clock_, *ledger_, *lake_, *memory_, *vault_, Check, run}));
    TRY(OpenUpkeep(run));
    provider_ = TRY(OpenProvider(settings_, clock_));
    gate_.emplace(
        *store_, *ledger_, clock_,
        gate::Oidc{provider_.get(), settings_.Text("oidc-principal-claim"), settings_.Text("oidc-groups-claim")});
    if (const std::string& url = settings_.Text("public-url"); !url.empty()) {
      Status usable = token::CheckProviderUrl(url);
      if (!usable) return usable.TakeError().With("public-url");
    }
    sign_in_ = TRY(signin::SignIn::Open(*store_, clock_,
                                        {.key_file = SignInKeyFile(settings_),
                                         .key_age = settings_.Duration("signing-key-lifetime"),
                                         .access_lifetime = settings_.Duration("access-token-lifetime"),
                                         .refresh_lifetime = settings_.Duration("sign-in-lifetime"),
                                         .tries = settings_.Int("sign-in-tries")}));
    publish_.emplace(publish::Context{*store_, clock_, *uploads_, *memory_, *vault_});
    notify::Options notify;
    notify.reach = {settings_.List("webhook-hosts"), settings_.Flag("webhook-private")};
    notify.retry = settings_.Duration("webhook-retry");
    notify.attempts = static_cast<int>(settings_.Int("webhook-attempts"));
    notify.ca_file = settings_.Text("webhook-ca-file");
    deliverer_ = notify::Deliverer::Start(*store_, clock_, *vault_, notify);
    return {};
  }

  Status OpenUpkeep(const run::Options& run) {
    upkeep::Options upkeep;
    upkeep.node = run.node;
    upkeep.several = run.several;
    upkeep.every = settings_.Duration("upkeep-every");
    upkeep.parallel = static_cast<int>(settings_.Int("upkeep-parallel"));
    upkeep.threads = run.threads;
    upkeep.memory_bytes = settings_.Int("upkeep-memory");
    upkeep.temp_folder = data_ + "/tmp/upkeep";
    upkeep.rule = {settings_.Int("file-size"), settings_.Int("small-files")};
    upkeep.keep = settings_.Duration("snapshot-age");
    auto window = upkeep::Window::Parse(settings_.Text("upkeep-window"));
    if (!window) return window.TakeError().With("upkeep-window");
    upkeep.window = *window;
    upkeep_ = TRY(upkeep::Upkeep::Start({*store_, clock_, *lake_, *memory_, upkeep}));
    return {};
  }

  Status OpenDoors() {
    if (!settings_.Text("tls-certificate").empty()) {
      certificate_.emplace(settings_.Text("tls-certificate"), settings_.Text("tls-key"));
    }
    api_.emplace(rest::Api{*gate_, *store_, clock_, *ledger_, *lake_, *publish_, *runner_, *vault_, *sign_in_,
                           [this] { return metrics_->Text(); }, [this] { return Ready(); },
                           settings_.Duration("token-lifetime"), Json(), Json(), PlacesOf(settings_),
                           notify::Reach{settings_.List("webhook-hosts"), settings_.Flag("webhook-private")},
                           *upkeep_});
    http::ServerOptions http;
    http.address = settings_.Text("listen");
    http.port = static_cast<int>(settings_.Int("http-port"));
    http.tls_certificate = settings_.Text("tls-certificate");
    http.tls_key = settings_.Text("tls-key");
    http.threads = static_cast<size_t>(settings_.Int("request-threads"));
    http.body_limit = static_cast<size_t>(settings_.Int("upload-limit"));
    http.spool_folder = data_ + "/tmp/bodies";
    http.idle_timeout = settings_.Duration("request-timeout");
    http.admit = [this](http::Request& request) { return Admit(request); };
    http_ = TRY(http::Server::Start(http, [this](http::Request& request) { return Handle(request); }));
    url_ = UrlOf(settings_, "http", "https", http_->port());
    flight::Options flight;
    flight.address = settings_.Text("listen");
    flight.port = static_cast<int>(settings_.Int("flight-port"));
    flight.tls_certificate = settings_.Text("tls-certificate");
    flight.tls_key = settings_.Text("tls-key");
    flight.version = WEFT_VERSION;
    flight.statement_idle = settings_.Duration("statement-idle-timeout");
    flight_ = TRY(flight::Server::Start({*gate_, *counted_queries_, *store_}, flight));
    flight_url_ = UrlOf(settings_, "grpc", "grpc+tls", flight_->port());
    return {};
  }

  Status Announce() {
    std::string issuer = settings_.Text("public-url").empty() ? url_ : settings_.Text("public-url");
    while (issuer.ends_with('/')) issuer.pop_back();
    sign_in_->SetIssuer(std::move(issuer));
    api_->node = Json::Map(
        {{"version", WEFT_VERSION}, {"http", url_}, {"flight", flight_url_}, {"started_at", clock_.Now().Text()}});
    api_->storage = Json::Map({{"store", settings_.Text("store")}, {"warehouse", settings_.Text("warehouse")}});
    registration_ = TRY(NodeRegistration::Write(
        http_->port(), {url_, flight_url_, data_, token_file_, static_cast<int>(::getpid()), OwnAuthority()}));
    return {};
  }

  // That of weft init, where the certificate is too.
  std::string OwnAuthority() const {
    std::error_code ignored;
    const std::string own = data_ + "/tls/ca.pem";
    return settings_.Text("tls-certificate") == data_ + "/tls/node.pem" && fs::exists(own, ignored) ? own : "";
  }

  Status Ready() {
    if (!ready_.load(std::memory_order_acquire)) {
      return Error{Code::kUnavailable, "the node is starting or stopping; try again in a moment"};
    }
    TRY(flight_->Ready());
    auto txn = TRY(store_->Read());
    TRY(txn->Run("SELECT 1"));
    return {};
  }

  // Who may not do it sends no byte of it: neither memory nor disk is filled.
  std::optional<http::Response> Admit(http::Request& request) {
    const Steady::time_point began = Steady::now();
    if (!ready_.load(std::memory_order_acquire)) return http::ToResponse(Ready().error());
    std::optional<http::Response> refusal = gate::Admit<rest::Api>(*gate_, *api_, rest::Routes(), request);
    if (refusal) metrics_->Request(RouteOf(request), refusal->status, Steady::now() - began);
    return refusal;
  }

  http::Response Handle(http::Request& request) {
    const Steady::time_point began = Steady::now();
    if (!ready_.load(std::memory_order_acquire)) return http::ToResponse(Ready().error());
    http::Response response = gate::Serve<rest::Api>(*gate_, *api_, rest::Routes(), request);
    metrics_->Request(RouteOf(request), response.status, Steady::now() - began);
    return response;
  }

  // The pattern, so that neither addresses nor made-up methods become labels.
  static std::string RouteOf(http::Request& request) {
    for (const auto& route : rest::Routes()) {
      if (route.method != request.method || !gate::Match(route.pattern, request)) continue;
      return fmt::format("{} {}", route.method, route.pattern);
    }
    return "unknown";
  }

  void RefreshKeys() {
    Status refreshed = provider_->Refresh();
    if (!refreshed) log::Warn("keys of the identity provider not fetched", {{"why", refreshed.error().message}});
  }

  void TendSignIn() {
    Status tended = sign_in_->Tend();
    if (!tended) log::Warn("keys and codes of sign-in not tended", {{"why", tended.error().message}});
  }

  void TendRuns() {
    Status tended = runner_->Tend();
    if (!tended) log::Warn("runs not tended", {{"why", tended.error().message}});
  }

  void StartDue() {
    Status started = runner_->StartDue();
    const std::string complaint = started ? "" : started.error().message;
    if (complaint != start_complaint_ && !complaint.empty()) log::Warn("schedules start nothing", {{"why", complaint}});
    start_complaint_ = complaint;
  }

  void Tend() {
    Status tended = upkeep_->Turn();
    if (!tended) log::Warn("tables not tended", {{"why", tended.error().message}});
  }

  void WriteUses() {
    Status written = gate_->WriteUses();
    if (!written) log::Warn("last uses of tokens not written", {{"why", written.error().message}});
  }

  void TellEnding() {
    auto told = approve::TellEnding(*store_, clock_);
    if (!told) log::Warn("ends of grants not told", {{"why", told.error().message}});
    auto sunsets = publish::TellSunsets(*store_, clock_);
    if (!sunsets) log::Warn("sunsets not told", {{"why", sunsets.error().message}});
  }

  void Sweep() {
    auto swept = upkeep_->Sweep(settings_.Duration("sweep-age"));
    auto uploads = publish::SweepUploads(*publish_, settings_.Duration("sweep-age"));
    if (!swept) log::Warn("sweep failed", {{"why", swept.error().message}});
    if (!uploads) log::Warn("sweep of uploads failed", {{"why", uploads.error().message}});
    const int64_t files = (swept ? swept->files : 0) + (uploads ? uploads->files : 0);
    const int64_t bytes = (swept ? swept->bytes : 0) + (uploads ? uploads->bytes : 0);
    if (files == 0) return;
    Status recorded =
        ledger_->AppendDurably({"swept", "node", "", "", Json::Map({{"files", files}, {"bytes", bytes}})});
    if (!recorded) log::Warn("sweep not recorded", {{"why", recorded.error().message}});
    log::Info("swept", {{"files", files}, {"bytes", bytes}});
  }

  const Settings settings_;
  const std::string data_;
  StoresClock clock_;
  std::atomic<bool> ready_ = false;
  std::string url_, flight_url_, token_file_, environment_;
  std::optional<FolderLock> lock_;
  std::unique_ptr<store::Store> store_;
  std::optional<secrets::Vault> vault_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<lake::Lake> lake_;
  std::optional<engine::MemoryBroker> memory_;
  std::optional<Metrics> metrics_;
  std::unique_ptr<query::Engine> queries_;
  std::unique_ptr<query::Engine> counted_queries_;
  std::optional<uploads::Uploads> uploads_;
  std::unique_ptr<run::Runner> runner_;
  std::unique_ptr<upkeep::Upkeep> upkeep_;
  std::unique_ptr<token::Provider> provider_;
  std::unique_ptr<signin::SignIn> sign_in_;
  std::optional<gate::Gate> gate_;
  std::optional<publish::Context> publish_;
  std::unique_ptr<notify::Deliverer> deliverer_;
  std::optional<rest::Api> api_;
  std::unique_ptr<flight::Server> flight_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<NodeRegistration> registration_;
  std::unique_ptr<Ticker> sweeper_;
  std::unique_ptr<Ticker> use_writer_;
  std::unique_ptr<Ticker> tender_;
  std::unique_ptr<Ticker> reminder_;
  std::unique_ptr<Ticker> run_tender_;
  std::unique_ptr<Ticker> starter_;
  std::unique_ptr<Ticker> upkeeper_;
  std::string start_complaint_;  // The starter's last failure: told once.
  std::unique_ptr<Ticker> key_refresher_;
  std::optional<CertificateWatch> certificate_;
  std::unique_ptr<Ticker> certificate_looker_;
};

}  // namespace

Result<std::unique_ptr<Node>> Node::Start(const Settings& settings) {
  TRY(CheckListening(settings));
  auto node = std::make_unique<WholeNode>(settings);
  TRY(node->Open());
  return std::unique_ptr<Node>(std::move(node));
}

}  // namespace weft::app
