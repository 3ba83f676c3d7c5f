#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/credentials.h"
#include "apps/weft/typing.h"
#include "base/text.h"

namespace weft::app {
namespace {

Result<std::string> ReadPassword(bool from_input, const std::string& prompt) {
  if (from_input) return ReadLine();
  if (::isatty(STDIN_FILENO) == 1) return ReadUnseen(prompt);
  return Error{Code::kInvalid, "there is no terminal to type a password on: give --password-stdin"};
}

Result<std::string> NewPassword(bool from_input) {
  const std::string first = TRY(ReadPassword(from_input, "Password:"));
  if (from_input) return first;
  const std::string second = TRY(ReadPassword(false, "Once more:"));
  if (first == second) return first;
  return Error{Code::kInvalid, "the two passwords differ; nothing was changed"};
}

std::string StateText(const Json& account) {
  if (!account["disabled_at"].Text().empty()) return "disabled " + AgoText(account["disabled_at"].Text());
  if (!account["locked_until"].Text().empty()) return "locked, opens " + AgoText(account["locked_until"].Text());
  return "active";
}

class UserCreate : public Command {
 public:
  explicit UserCreate(CLI::App& app) {
    app.add_option("name", name_, "Who")->required();
    app.add_flag("--password-stdin", from_input_, "Read the password from standard input");
  }
  Result<int> Run(Session& session) override {
    const std::string password = TRY(NewPassword(from_input_));
    const Json answer = TRY(session.Post("/v1/users", Json::Map({{"name", name_}, {"password", password}})));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(fmt::format("{} may sign in: weft login\n", Safe(name_)));
    return 0;
  }

 private:
  std::string name_;
  bool from_input_ = false;
};

class UserPasswd : public Command {
 public:
  explicit UserPasswd(CLI::App& app) {
    app.add_option("name", name_, "Whose; your own where absent")->type_name(kUser);
    app.add_flag("--password-stdin", from_input_,
                 "Read the new password from standard input; of your own, the one that it was in the line before");
  }
  // One's own wants the password that it was, whoever may set another's without it.
  Result<int> Run(Session& session) override {
    Json body = Json::Map({});
    std::string name = name_;
    if (name.empty()) {
      name = TRY(session.Get("/v1/whoami"))["principal"].Text();
      body.Set("current", TRY(ReadPassword(from_input_, "The password that it was:")));
    }
    body.Set("password", TRY(NewPassword(from_input_)));
    const Json answer = TRY(session.Post(fmt::format("/v1/users/{}/password", name), body));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(fmt::format("{} has a new password; sign-ins under the old one end\n", Safe(name)));
    return 0;
  }

 private:
  std::string name_;
  bool from_input_ = false;
};

class UserList : public Command {
 public:
  explicit UserList(CLI::App&) {}
  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/users"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"user"}, {"made"}, {"state"}});
    for (const Json& user : answer["users"].Items()) {
      table.Add({{Safe(user["name"].Text()), Style::kBold}, {AgoText(user["created_at"].Text())}, {StateText(user)}});
    }
    if (table.empty()) return session.Note("no users; weft user create NAME makes one"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

class ServiceCreate : public Command {
 public:
  explicit ServiceCreate(CLI::App& app) {
    app.add_option("name", name_, "Its name; its principal is service:NAME")->required();
    app.add_option("--redirect-uri", redirects_, "Where it may send people back to who sign in by it; may be repeated");
  }
  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Post("/v1/services", Json::Map({{"name", name_}, {"redirect_uris", redirects_}})));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Note(fmt::format("client id and secret of service:{}; the secret is shown only this once:", Safe(name_)));
    session.Print(fmt::format("{}\n{}\n", answer["service"]["client_id"].Text(), answer["client_secret"].Text()));
    return 0;
  }

 private:
  std::string name_;
  std::vector<std::string> redirects_;
};

class ServiceList : public Command {
 public:
  explicit ServiceList(CLI::App&) {}
  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/services"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"client id"}, {"principal"}, {"redirects"}, {"made"}, {"state"}});
    for (const Json& service : answer["services"].Items()) {
      table.Add({{Safe(service["client_id"].Text()), Style::kBold},
                 {Safe(service["principal"].Text())},
                 {Safe(Join(service["redirect_uris"].Texts(), ", "))},
                 {AgoText(service["created_at"].Text())},
                 {StateText(service)}});
    }
    if (table.empty()) return session.Note("no services; weft service create NAME makes one"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

// Disables a user or a service; `path` is where they are.
class Disable : public Command {
 public:
  Disable(CLI::App& app, std::string path, const char* who) : path_(std::move(path)) {
    app.add_option("name", name_, "Who")->required()->type_name(who);
  }
  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Post(fmt::format("{}/{}/disable", path_, name_), Json::Map({})));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(fmt::format("{} is disabled, and all of its tokens have ended\n", Safe(name_)));
    return 0;
  }

 private:
  std::string path_;
  std::string name_;
};

std::unique_ptr<Command> MakeUserDisable(CLI::App& app) { return std::make_unique<Disable>(app, "/v1/users", kUser); }
std::unique_ptr<Command> MakeServiceDisable(CLI::App& app) {
  return std::make_unique<Disable>(app, "/v1/services", kService);
}

class Enable : public Command {
 public:
  Enable(CLI::App& app, std::string path, const char* who) : path_(std::move(path)) {
    app.add_option("name", name_, "Who")->required()->type_name(who);
  }
  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Post(fmt::format("{}/{}/enable", path_, name_), Json::Map({})));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(fmt::format("{} may sign in again\n", Safe(name_)));
    return 0;
  }

 private:
  std::string path_;
  std::string name_;
};

std::unique_ptr<Command> MakeUserEnable(CLI::App& app) { return std::make_unique<Enable>(app, "/v1/users", kUser); }
std::unique_ptr<Command> MakeServiceEnable(CLI::App& app) {
  return std::make_unique<Enable>(app, "/v1/services", kService);
}

// By the device flow: the password is typed into a browser, never into this program.
class Login : public Command {
 public:
  explicit Login(CLI::App& app) {
    app.add_option("--scope", scope_, "Only these actions: read,publish,run,grant,audit")->type_name(kActions);
  }

  Result<int> Run(Session& session) override {
    const GlobalOptions& options = session.options();
    const Json start = TRY(Ask(options, "/oauth/device_authorization",
                               {{"client_id", "weft-cli"}, {"scope", "openid " + ReplaceAll(scope_, ",", " ")}}));
    if (!start["error"].is_null()) return ErrorOf(start);
    std::fprintf(stderr, "Open %s\nand type the code %s\n", Safe(start["verification_uri"].Text()).c_str(),
                 Safe(start["user_code"].Text()).c_str());
    int64_t pause = std::max<int64_t>(1, start["interval"].Int(5));
    const Deadline deadline = Deadline::After(std::chrono::seconds(start["expires_in"].Int(600)));
    while (!deadline.passed()) {
      std::this_thread::sleep_for(std::chrono::seconds(pause));
      const Json answer = TRY(Ask(options, "/oauth/token",
                                  {{"client_id", "weft-cli"},
                                   {"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                                   {"device_code", start["device_code"].Text()}}));
      const std::string& error = answer["error"].Text();
      if (error == "authorization_pending") continue;
      if (error == "slow_down") {
        pause += 5;
        continue;
      }
      if (!error.empty()) return ErrorOf(answer);
      TRY(SaveCredentials(TRY(CredentialsOf(options.node, answer))));
      GlobalOptions own = options;
      own.token.clear();
      own.token_file.clear();
      const Json who = TRY(Session(own).Get("/v1/whoami"));
      if (session.json()) return session.PrintJson(who), 0;
      session.Print(fmt::format("signed in at {} as {}\n", Safe(options.node), Safe(who["principal"].Text())));
      return 0;
    }
    return Error{Code::kUnavailable, "nobody approved it in time; begin again: weft login"};
  }

 private:
  static Result<Json> Ask(const GlobalOptions& options, const std::string& path,
                          const std::map<std::string, std::string>& form) {
    const http::Response response = TRY(PostForm(options.node, options.ca_file, path, form));
    auto json = Json::Parse(response.body);
    if (json && (response.status == 200 || (*json)["error"].is_text())) return json;
    return http::FromResponse(response);
  }
  static Error ErrorOf(const Json& answer) {
    const std::string& why = answer["error_description"].Text();
    return {Code::kUnauthenticated, why.empty() ? answer["error"].Text() : why};
  }

  std::string scope_;
};

class Logout : public Command {
 public:
  explicit Logout(CLI::App&) {}
  Result<int> Run(Session& session) override {
    const GlobalOptions& options = session.options();
    const auto kept = FindCredentials(options.node);
    if (!kept) {
      if (session.json()) return session.PrintJson(Json::Map({{"node", options.node}, {"signed_out", false}})), 0;
      return session.Note(fmt::format("you are not signed in at {}", Safe(options.node))), 0;
    }
    auto response = PostForm(options.node, options.ca_file, "/oauth/revoke",
                             {{"client_id", "weft-cli"}, {"token", kept->refresh_token}});
    // Of a node that is gone the sign-in is forgotten all the same.
    const bool told = response && response->status == 200;
    const bool gone = response ? response->status >= 500 : response.error().code == Code::kUnavailable;
    if (!told && !gone) return response ? http::FromResponse(*response) : response.TakeError();
    TRY(RemoveCredentials(options.node));
    if (session.json()) {
      session.PrintJson(Json::Map({{"node", options.node}, {"signed_out", true}, {"ended", told}}));
      return 0;
    }
    session.Print(told
                      ? fmt::format("signed out at {}\n", Safe(options.node))
                      : fmt::format("your sign-in at {} is forgotten here; the node did not answer, and its tokens end "
                                    "by themselves\n",
                                    Safe(options.node)));
    return 0;
  }
};

constexpr CommandEntry kCommands[] = {
    {"login", "Sign in", "Sign in at a node, by a browser", "weft login\nweft login --node https://mesh.example.org",
     Bits(Action::kOpen), Make<Login>},
    {"logout", "Sign in", "End the sign-in, and its tokens", "weft logout", Bits(Action::kOpen), Make<Logout>},
    {"user create", "Sign in", "Let a person sign in with a password",
     "weft user create ana\npwgen 20 1 | weft user create ana --password-stdin", Bits(Action::kAdminister),
     Make<UserCreate>},
    {"user list", "Sign in", "Who may sign in", "weft user list", Bits(Action::kAdminister), Make<UserList>},
    {"user passwd", "Sign in", "A new password, your own or another's", "weft user passwd\nweft user passwd ana",
     Bits(Action::kBrowse, Action::kAdminister), Make<UserPasswd>},
    {"user disable", "Sign in", "Let a person in no more; all of its tokens end", "weft user disable ana",
     Bits(Action::kAdminister), MakeUserDisable},
    {"user enable", "Sign in", "Let a person in again who was disabled", "weft user enable ana",
     Bits(Action::kAdminister), MakeUserEnable},
    {"service create", "Sign in", "A client id and secret for a program",
     "weft service create loader\nweft service create dashboards --redirect-uri https://bi.example.org/callback",
     Bits(Action::kAdminister), Make<ServiceCreate>},
    {"service list", "Sign in", "Programs that sign in", "weft service list", Bits(Action::kAdminister),
     Make<ServiceList>},
    {"service disable", "Sign in", "Let a program in no more; all of its tokens end", "weft service disable loader",
     Bits(Action::kAdminister), MakeServiceDisable},
    {"service enable", "Sign in", "Let a program in again that was disabled", "weft service enable loader",
     Bits(Action::kAdminister), MakeServiceEnable},
};

}  // namespace

std::span<const CommandEntry> AccountCommands() { return kCommands; }

}  // namespace weft::app
