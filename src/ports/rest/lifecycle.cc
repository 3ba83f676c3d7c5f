// What goes, when, and who still reads it.
#include "model/lifecycle.h"

#include <fmt/format.h>

#include <ctime>

#include "ports/rest/handlers.h"
#include "state/access/access.h"
#include "state/ledger/audit.h"
#include "work/publish/readers.h"

namespace weft::rest {
namespace {

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;

// Since when and by whom it is so, as the ledger has it: by its status alone, or by a version published as such.
Status TellSince(store::Txn& txn, const std::string& status, const std::string& address, const std::string& product,
                 Json* told) {
  for (const std::string& kind : {status, std::string("published")}) {
    for (const std::string& about : {address, product}) {
      const ledger::Query query{.kind = kind, .address_prefix = about, .limit = 1, .newest_first = true};
      for (const ledger::Sealed& row : TRY(ledger::List(txn, query))) {
        told->Set("since", row.at.Text()).Set("by", row.entry.principal);
        return {};
      }
    }
  }
  return {};
}

// "Sat, 31 Dec 2026 00:00:00 GMT"
std::string HttpDate(Instant time) {
  const std::time_t seconds = time.micros / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

// Whether the caller holds a grant on the port, or read it lately.
Result<bool> Concerns(store::Txn& txn, const Caller& caller, const model::PortKey& port, Instant now) {
  if (!TRY(access::Grants(txn, &port, caller.principal.Names())).empty()) return true;
  ledger::Question question{.address = port.Text(), .principal = caller.principal.name};
  question.since = Instant{now.micros - publish::kReadersDays * kDay};
  const ledger::Answer answer = TRY(ledger::AskIndex(txn, question));
  return std::ranges::any_of(answer.findings, [](const ledger::Finding& each) { return each.what.Has("columns"); });
}

// Who is to be told; by name to whoever may audit the product.
Status TellReaders(Api& api, store::Txn& txn, const Caller& caller, const catalog::Port& port, Json* told) {
  const model::Sight sight = TRY(SightOf(api, txn, caller));
  publish::Readers readers = TRY(publish::ReadersOf(txn, {txn, sight}, port.row.key, "", api.clock.Now()));
  readers.named = TRY(api.gate.Ask(txn, caller, model::Action::kAudit, port.resource)).permitted;
  told->Set("readers", readers.ToJson());
  std::vector<std::string> granted;
  for (const access::Grant& grant : TRY(access::Grants(txn, &port.row.key, std::nullopt))) {
    const bool known = std::ranges::find(granted, grant.principal) != granted.end();
    if (!known && TRY(catalog::Seen(txn, sight).SeesPrincipal(grant.principal))) granted.push_back(grant.principal);
  }
  told->Set("granted", granted);
  return {};
}

}  // namespace

Status TellEnd(store::Txn& txn, Instant now, const model::Deprecation& says, const std::string& product, Json* what) {
  const std::string status = (*what)["status"].Text(), address = (*what)["address"].Text();
  Json deprecated, retired;
  if (status == "deprecated") {
    deprecated = says.ToJson(now);
    TRY(TellSince(txn, status, address, product, &deprecated));
  } else if (status == "retired") {
    retired = Json::Map({{"successor", says.successor}});
    TRY(TellSince(txn, status, address, product, &retired));
  }
  what->Set("deprecated", std::move(deprecated)).Set("retired", std::move(retired));
  return {};
}

http::Response WithEnd(http::Response response, const Json& what) {
  const Json& deprecated = what["deprecated"];
  if (deprecated.is_null()) return response;
  if (auto since = Instant::Parse(deprecated["since"].Text()))
    response.headers["Deprecation"] = fmt::format("@{}", since->micros / 1'000'000);
  if (auto sunset = Instant::Parse(deprecated["sunset"].Text())) response.headers["Sunset"] = HttpDate(*sunset);
  return response;
}

Answer Deprecations(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"mine"}));
  const std::string mine = request.Query("mine");
  if (!mine.empty()) TRY(OneOf("mine", mine, {"true", "false"}));
  const Instant now = api.clock.Now();
  auto txn = TRY(api.store.Read());
  Json::Array list;
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  for (const catalog::PortRow& row : TRY(seen.Ports())) {
    if (row.status != "deprecated") continue;
    if (mine == "true" && !TRY(Concerns(*txn, caller, row.key, now))) continue;
    const catalog::Port port = TRY(seen.Load(row));
    Json told = Json::Map({{"address", row.key.Text()}, {"status", row.status}});
    const std::string product = row.key.domain + "/" + row.key.product;
    TRY(TellEnd(*txn, now, model::DeprecationOf(*port.bundle, port.contract), product, &told));
    Json one = told["deprecated"];
    one.Set("address", row.key.Text());
    if (mine != "true") TRY(TellReaders(api, *txn, caller, port, &one));
    list.push_back(std::move(one));
  }
  return http::Response::Of(Json::Map({{"deprecations", std::move(list)}}));
}

}  // namespace weft::rest
