#include "apps/weft/init_command.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "apps/weft/completion.h"
#include "apps/weft/settings.h"
#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"
#include "drivers/http/certificate.h"

namespace weft::app {
namespace {

constexpr std::string_view kOwnHosts[] = {"localhost", "127.0.0.1", "::1"};

// What a node needs before its first start; makes again what is there already, but for the authority.
class InitCommand : public Command {
 public:
  explicit InitCommand(CLI::App& app) {
    app.add_flag("--tls", tls_, "Certificates, which is all that it makes")->group("");
    app.add_option("--host", hosts_, "By what else the node is called: a name or an IP address; may be repeated");
    app.add_option("--data", data_, "The node's folder")->type_name(kFolder);
  }

  Result<int> Run(Session& session) override {
    Settings::Flags flags;
    if (!data_.empty()) flags.emplace_back("data", data_);
    const Settings settings =
        TRY(Settings::Read(flags, [](const char* name) -> const char* { return std::getenv(name); }));
    ::umask(0077);
    const fs::path folder = fs::path(settings.Text("data")) / "tls";
    TRY(MakeFolders(folder));
    const Instant now = SystemClock().Now();
    const http::Certificate authority = TRY(Authority(folder, now));
    std::vector<std::string> hosts(std::begin(kOwnHosts), std::end(kOwnHosts));
    for (const std::string& host : hosts_) {
      if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
    }
    const http::Certificate certificate = TRY(http::MakeHostCertificate(authority, hosts, now));
    TRY(WriteFileAtomically(folder / "node.key", certificate.key, 0600));
    TRY(WriteFileAtomically(folder / "node.pem", certificate.chain, 0644));
    const bool set = TRY(WriteSettings(settings));
    const std::string until = TRY(http::EndOf(certificate)).Text();
    const std::string ca = (folder / "ca.pem").string();
    if (session.json()) {
      session.PrintJson(Json::Map({{"authority", ca},
                                   {"certificate", (folder / "node.pem").string()},
                                   {"key", (folder / "node.key").string()},
                                   {"hosts", hosts},
                                   {"until", until},
                                   {"settings", settings.Text("data") + "/weft.yaml"}}));
      return 0;
    }
    Tell(session, settings, hosts, until, ca, set);
    return 0;
  }

 private:
  static Result<http::Certificate> Authority(const fs::path& folder, Instant now) {
    std::error_code ignored;
    if (fs::exists(folder / "ca.pem", ignored)) {
      http::Certificate there = TRY(http::ReadCertificate((folder / "ca.pem").string(), (folder / "ca.key").string()));
      const Instant end = TRY(http::EndOf(there));
      if (end > now) return there;
      return Error{
          Code::kInvalid,
          fmt::format("the authority {0}/ca.pem has ended on {1}, and nobody trusts what it vouches for: remove "
                      "ca.pem and ca.key in {0} and call weft init again, then give the new ca.pem to whoever "
                      "had the old one",
                      folder.string(), end.Text().substr(0, 10))};
    }
    http::Certificate made = TRY(http::MakeAuthority(now));
    TRY(WriteFileAtomically(folder / "ca.key", made.key, 0600));
    TRY(WriteFileAtomically(folder / "ca.pem", made.chain, 0644));
    return made;
  }

  // Whether the file was written; not where it names these files already. Another certificate that somebody chose
  // stays.
  static Result<bool> WriteSettings(const Settings& settings) {
    const std::string& data = settings.Text("data");
    const std::string file = data + "/weft.yaml";
    const std::string own = data + "/tls/node.pem", own_key = data + "/tls/node.key";
    const std::string& chosen = settings.Text("tls-certificate");
    if (chosen == own && settings.Text("tls-key") == own_key) return false;
    if (!chosen.empty() || !settings.Text("config").empty()) {
      const std::string& where = chosen.empty() ? settings.Origin("config") : settings.Origin("tls-certificate");
      return Error{Code::kConflict,
                   fmt::format("the files are made, but the settings come from {}: write there tls-certificate: {} and "
                               "tls-key: {}",
                               where, own, own_key)};
    }
    std::error_code ignored;
    std::string text = fs::exists(file, ignored) ? TRY(ReadFile(file, size_t{1} << 20)) : "";
    if (!text.empty() && !text.ends_with('\n')) text += "\n";
    text += "tls-certificate: <data>/tls/node.pem\ntls-key: <data>/tls/node.key\n";
    TRY(WriteFileAtomically(file, text, 0600));
    return true;
  }

  static void Tell(Session& session, const Settings& settings, const std::vector<std::string>& hosts,
                   const std::string& until, const std::string& ca, bool set) {
    const std::string& data = settings.Text("data");
    session.Print(
        fmt::format("{}/tls/node.pem is for {} until {}\n", Safe(data), Safe(Join(hosts, ", ")), until.substr(0, 10)));
    session.Print(set ? fmt::format("{}/weft.yaml names it: the next weft serve takes it by itself\n", Safe(data))
                      : "a node that runs takes it by itself within some seconds\n");
    session.Print(
        fmt::format("weft on this machine trusts the node. Others need the authority, {0}, which is no secret; ca.key "
                    "beside it is:\n"
                    "  weft --ca-file ca.pem --node https://{1}:{2} status\n"
                    "  curl --cacert ca.pem https://{1}:{2}/v1/health\n"
                    "  adbc.flight.sql.client_option.tls_root_certs = the text of ca.pem\n",
                    Safe(ca), Safe(hosts.size() > std::size(kOwnHosts) ? hosts[std::size(kOwnHosts)] : hosts[0]),
                    settings.Text("http-port")));
  }

  bool tls_ = false;
  std::vector<std::string> hosts_;
  std::string data_;
};

}  // namespace

std::unique_ptr<Command> MakeInit(CLI::App& app) { return std::make_unique<InitCommand>(app); }

}  // namespace weft::app
