#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/times.h"
#include "base/text.h"

namespace weft::app {
namespace {

class GrantCommand : public Command {
 public:
  explicit GrantCommand(CLI::App& app) {
    app.add_option("principal", principal_, "Who: ana, service:loader or group:NAME")
        ->required()
        ->type_name(kPrincipal);
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
    app.add_option("--until", until_, "A time, or 30d, 12h from now; for ever where absent");
    app.add_option("--columns", columns_, "Only these columns: id,country")->type_name(kColumns);
    app.add_option("--purpose", purpose_, "Only for this purpose")->type_name(kPurpose);
    app.add_option("--for", purpose_, "The same")->group("");  // What it was called before.
  }

  Result<int> Run(Session& session) override {
    Json body = Json::Map({{"principal", principal_}, {"address", address_}});
    const std::string& purpose = purpose_.empty() ? session.options().purpose : purpose_;
    if (!purpose.empty()) body.Set("purpose", purpose);
    if (!columns_.empty()) body.Set("columns", Split(columns_, ','));
    if (!until_.empty()) {
      auto until = Until(until_);
      if (!until) return session.Misused("grant", "--until: " + until.error().message);
      body.Set("until", *until);
    }
    const Json grant = TRY(session.Post("/v1/grants", body));
    if (session.json()) return session.PrintJson(grant), 0;
    const std::string columns = Join(grant["columns"].Texts(), ", ");
    std::string line = fmt::format("{} may read {}{}", Safe(grant["principal"].Text()),
                                   columns.empty() ? "" : Safe(columns) + " of ", Safe(grant["address"].Text()));
    if (!grant["purpose"].Text().empty()) line += " for " + Safe(grant["purpose"].Text());
    if (!grant["until"].Text().empty()) line += " until " + Safe(grant["until"].Text());
    session.Print(line + "\n");
    return 0;
  }

 private:
  std::string principal_;
  std::string address_;
  std::string until_;
  std::string purpose_;
  std::string columns_;
};

class RevokeCommand : public Command {
 public:
  explicit RevokeCommand(CLI::App& app) {
    app.add_option("principal", principal_, "Who")->required()->type_name(kPrincipal);
    app.add_option("address", address_, "An output port")->required()->type_name(kPort);
  }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Delete("/v1/grants", {{"principal", principal_}, {"address", address_}}));
    if (session.json()) return session.PrintJson(answer), 0;
    const auto ended = static_cast<size_t>(answer["revoked"].Int());
    if (ended == 0) {
      return Error{Code::kNotFound, fmt::format("{0} holds no grant on {1}, so none was ended; `weft grants {1}` lists "
                                                "who does",
                                                Safe(principal_), Safe(address_))};
    }
    session.Print(fmt::format("{} of {} on {} ended\n", Count(ended, "grant"), Safe(principal_), Safe(address_)));
    return 0;
  }

 private:
  std::string principal_;
  std::string address_;
};

class GrantsCommand : public Command {
 public:
  explicit GrantsCommand(CLI::App& app) {
    app.add_option("address", address_, "Only on this output port")->type_name(kAddress);
    app.add_option("--principal", principal_, "Only this principal's")->type_name(kPrincipal);
    app.add_flag("--mine", mine_, "Only mine and my groups'");
  }

  Result<int> Run(Session& session) override {
    Session::Query query;
    if (!address_.empty()) query["address"] = address_;
    if (!principal_.empty()) query["principal"] = principal_;
    if (mine_) query["mine"] = "true";
    const Json answer = TRY(session.Get("/v1/grants", query));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"principal", false, Narrow::kKeep},
                 {"address", false, Narrow::kKeep},
                 {"columns", false, Narrow::kDrop, 5},
                 {"purpose", false, Narrow::kDrop, 3},
                 {"ends", false, Narrow::kDrop, 4},
                 {"granted by", false, Narrow::kDrop, 1},
                 {"when", false, Narrow::kDrop, 2}});
    for (const Json& grant : answer["grants"].Items()) {
      table.Add({{Safe(grant["principal"].Text()), Style::kBold},
                 {Safe(grant["address"].Text())},
                 {grant["columns"].is_null() ? "all" : Safe(Join(grant["columns"].Texts(), ", "))},
                 {grant["purpose"].Text().empty() ? "any" : Safe(grant["purpose"].Text())},
                 {UntilText(grant["until"]), IsPast(grant["until"])       ? Style::kDim
                                             : IsPast(grant["remind_at"]) ? Style::kWarn
                                                                          : Style::kPlain},
                 {Safe(grant["granted_by"].Text())},
                 {AgoText(grant["granted_at"].Text())}});
    }
    if (table.empty()) return session.Note("no grants"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  std::string address_;
  std::string principal_;
  bool mine_ = false;
};

class TokenCreate : public Command {
 public:
  explicit TokenCreate(CLI::App& app) {
    app.add_option("principal", principal_, "Whose")->required()->type_name(kPrincipal);
    app.add_option("--name", name_, "What it is for")->capture_default_str();
    app.add_flag("--administrator", administrator_, "It administers the node");
    app.add_option("--scope", scope_, "Only these actions: read,publish,run,grant,audit,administer")
        ->type_name(kActions);
    app.add_option("--on", on_, "Only there: a domain, domain/product or domain/product/port")->type_name(kPlace);
    app.add_option("--expires", expires_, "A time, 30d or 12h from now, or never; the node's token-lifetime if absent");
  }

  Result<int> Run(Session& session) override {
    Json body = Json::Map({{"principal", principal_}, {"name", name_}});
    if (administrator_) body.Set("administrator", true);
    if (!scope_.empty()) body.Set("scope", Split(scope_, ','));
    if (!on_.empty()) body.Set("on", on_);
    if (expires_ == "never") {
      body.Set("expires_at", expires_);
    } else if (!expires_.empty()) {
      auto until = Until(expires_);
      if (!until) return session.Misused("token create", "--expires: " + until.error().message);
      body.Set("expires_at", *until);
    }
    const Json answer = TRY(session.Post("/v1/tokens", body));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Note(fmt::format("token {} of {}; its secret is shown only this once:", Safe(answer["token"]["id"].Text()),
                             Safe(principal_)));
    session.Print(answer["secret"].Text() + "\n");
    return 0;
  }

 private:
  std::string principal_;
  std::string name_ = "command line";
  std::string scope_;
  std::string on_;
  std::string expires_;
  bool administrator_ = false;
};

// "administrator, read on operations"; "all" where the token is as good as its principal.
std::string RightsText(const Json& token) {
  std::string text = Join(token["scope"].Texts(), ", ");
  if (!token["on"].Text().empty()) text += (text.empty() ? "on " : " on ") + token["on"].Text();
  if (token["administrator"].Bool()) text = "administrator" + (text.empty() ? "" : ": " + text);
  return text.empty() ? "all" : Safe(text);
}

class TokenList : public Command {
 public:
  explicit TokenList(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/tokens"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"token", false, Narrow::kBelow, 2},
                 {"principal", false, Narrow::kKeep},
                 {"name"},
                 {"rights"},
                 {"last use", false, Narrow::kDrop, 1},
                 {"state", false, Narrow::kKeep}});
    for (const Json& token : answer["tokens"].Items()) {
      const bool past = IsPast(token["expires_at"]);
      std::string state = !token["revoked_at"].Text().empty() ? "revoked " + AgoText(token["revoked_at"].Text())
                          : !token["expires_at"].Text().empty()
                              ? (past ? "expired " : "expires ") + AgoText(token["expires_at"].Text())
                              : "valid";
      table.Add({{Safe(token["id"].Text()), Style::kBold},
                 {Safe(token["principal"].Text())},
                 {Safe(token["name"].Text())},
                 {RightsText(token)},
                 {token["last_used_at"].Text().empty() ? "never" : AgoText(token["last_used_at"].Text())},
                 {state}});
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

class TokenRevoke : public Command {
 public:
  explicit TokenRevoke(CLI::App& app) {
    app.add_option("token", token_, "The token's id")->required()->type_name(kToken);
  }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Delete("/v1/tokens/" + token_));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(Safe(token_) + " is revoked\n");
    return 0;
  }

 private:
  std::string token_;
};

class WhoAmI : public Command {
 public:
  explicit WhoAmI(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json who = TRY(session.Get("/v1/whoami"));
    if (session.json()) return session.PrintJson(who), 0;
    std::string line = session.Paint(Style::kBold, Safe(who["principal"].Text()));
    if (who["administrator"].Bool()) line += ", administrator";
    if (who["groups"].size() > 0) line += ", of " + Safe(Join(who["groups"].Texts(), ", "));
    if (!who["purpose"].Text().empty()) line += ", for " + Safe(who["purpose"].Text());
    session.Print(line + "\n");
    return 0;
  }
};

constexpr CommandEntry kCommands[] = {
    {"grant", "Share", "Let somebody read an output port",
     "weft grant ana operations/flights/flights@1 --until 30d\nweft grant group:analysts operations/flights/flights "
     "--purpose reporting",
     Bits(Action::kGrant), Make<GrantCommand>},
    {"revoke", "Share", "End somebody's grants on an output port", "weft revoke ana operations/flights/flights@1",
     Bits(Action::kGrant), Make<RevokeCommand>},
    {"grants", "Share", "Who may read what", "weft grants\nweft grants operations/flights/flights --principal ana",
     Bits(Action::kBrowse), Make<GrantsCommand>},
    {"token create", "Share", "Make a token for a principal",
     "weft token create ana --expires 7d > ana.token\nweft token create service:loader --scope run --on "
     "operations/flights --expires never",
     Bits(Action::kBrowse, Action::kAdminister), Make<TokenCreate>},
    {"token list", "Share", "Tokens, without their secrets", "weft token list",
     Bits(Action::kBrowse, Action::kAdminister), Make<TokenList>},
    {"token revoke", "Share", "End a token", "weft token revoke tok_01j…", Bits(Action::kBrowse, Action::kAdminister),
     Make<TokenRevoke>},
    {"whoami", "Share", "Who the node takes you for", "weft whoami", Bits(Action::kBrowse), Make<WhoAmI>},
};

}  // namespace

std::span<const CommandEntry> ShareCommands() { return kCommands; }

}  // namespace weft::app
