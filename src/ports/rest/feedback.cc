#include "state/feedback/feedback.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "ports/rest/handlers.h"
#include "state/access/access.h"

namespace weft::rest {
namespace {

using model::Action;

constexpr size_t kMostBytes = 4'000;
constexpr int kMostOpen = 20;  // Of one author on one product.

Json EntryJson(const feedback::Entry& entry) {
  Json::Array answers;
  for (const feedback::Answer& answer : entry.answers) {
    answers.push_back(
        Json::Map({{"who", answer.who}, {"text", answer.text}, {"closes", answer.closes}, {"at", answer.at.Text()}}));
  }
  return Json::Map({{"id", entry.id},
                    {"kind", entry.kind},
                    {"address", entry.address},
                    {"author", entry.author},
                    {"stars", entry.kind == feedback::kRating ? Json(entry.stars) : Json()},
                    {"text", entry.text},
                    {"open", entry.open},
                    {"at", entry.at.Text()},
                    {"answers", std::move(answers)}});
}

// One line's worth of a person's words.
Result<std::string> Said(const Json& body, bool needed) {
  if (!body["text"].is_null() && !body["text"].is_text()) {
    return Error{Code::kInvalid, fmt::format("field text: {} is no text", body["text"].Dump())};
  }
  std::string text(Trim(body["text"].Text()));
  if (text.empty() && needed) return Error{Code::kInvalid, "field text is missing: what is to be said"};
  if (text.size() <= kMostBytes) return text;
  return Error{Code::kInvalid,
               fmt::format("field text has {} bytes; at most {}: put the rest where a link in it can point",
                           text.size(), kMostBytes)};
}

// A product or one of its output ports, as it is registered.
Result<model::Resource> About(const Api& api, store::Txn& txn, const Caller& caller, const std::string& address) {
  model::Resource resource = TRY(ResourceAt(api, txn, caller, address));
  if (!resource.product.empty()) return resource;
  return Error{Code::kInvalid,
               fmt::format("'{}' names no product: write it like domain/product or domain/product/port", address)};
}

// What was said of a product, but of ports that are not seen.
Result<std::vector<feedback::Entry>> About(store::Txn& txn, const catalog::Seen& seen, const std::string& domain,
                                           const std::string& product) {
  std::vector<feedback::Entry> entries;
  for (feedback::Entry& entry : TRY(feedback::List(txn, {.domain = domain, .product = product}))) {
    const auto port = model::PortKey::Parse(entry.address);
    if (!port || TRY(seen.Sees(*port))) entries.push_back(std::move(entry));
  }
  return entries;
}

bool IsOfTeam(const model::Team& team, const model::Principal& principal) {
  for (const auto& [role, names] : model::kTeamRoles) {
    for (const std::string& name : team.*names) {
      if (access::Covers(name, principal)) return true;
    }
  }
  return false;
}

// Ratings are of those who may read it, and not of those who make it.
Status MayRate(Api& api, store::Txn& txn, const Caller& caller, const model::Resource& resource) {
  const model::Team team = TRY(catalog::WholeTeamOf(txn, resource.domain, resource.product));
  if (IsOfTeam(team, caller.principal)) {
    return Error{Code::kDenied, fmt::format("{} is of the team of {}/{}: its readers rate it", caller.principal.name,
                                            resource.domain, resource.product)};
  }
  if (!resource.port.empty()) {
    TRY(api.gate.Decide(txn, caller, Action::kRead, resource));
    return {};
  }
  const model::Sight sight = TRY(SightOf(api, txn, caller));
  const catalog::Seen seen(txn, sight);
  for (const catalog::PortRow& row : TRY(seen.Ports(resource.domain, resource.product))) {
    const catalog::Port port = TRY(seen.Load(row));
    const model::Decision decision = TRY(api.gate.Ask(txn, caller, Action::kRead, port.resource));
    if (decision.permitted) return {};
  }
  return Error{Code::kDenied,
               fmt::format("{} may read no port of {}: its readers rate it. What helps: weft request {}/PORT "
                           "--because WHY; or weft feedback ask {} QUESTION, which needs no right to read",
                           caller.principal.name, resource.Text(), resource.Text(), resource.Text())};
}

// Its author, or who speaks for the product.
Status MayAnswer(Api& api, store::Txn& txn, const Caller& caller, const feedback::Entry& entry) {
  const model::Resource resource = TRY(ResourceAt(api, txn, caller, entry.domain + "/" + entry.product));
  if (entry.author != caller.principal.name) {
    const model::Decision grants = TRY(api.gate.Ask(txn, caller, Action::kGrant, resource));
    if (grants.permitted) return {};
  }
  const Action action = entry.author == caller.principal.name ? Action::kRequest : Action::kPublish;
  auto decision = api.gate.Decide(txn, caller, action, resource);
  if (decision) return {};
  return decision.TakeError().With(
      fmt::format("{} is answered and closed by {} and by the product's team", entry.id, entry.author));
}

Result<std::vector<feedback::Entry>> ToAnswer(store::Txn& txn, const Caller& caller) {
  std::vector<feedback::Entry> entries;
  for (const auto& [domain, product] : TRY(feedback::OpenProducts(txn))) {
    const model::Team team = TRY(catalog::WholeTeamOf(txn, domain, product));
    if (!IsOfTeam(team, caller.principal)) continue;
    for (feedback::Entry& entry : TRY(feedback::List(txn, {.domain = domain, .product = product, .open = true}))) {
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

Result<int> StarsOf(const Json& body, bool rating) {
  const Json& stars = body["stars"];
  if (!rating && stars.is_null()) return 0;
  if (!rating) return Error{Code::kInvalid, "field stars is for a rating"};
  if (stars.kind() == Json::Kind::kInt && stars.Int() >= 1 && stars.Int() <= 5) return static_cast<int>(stars.Int());
  return Error{Code::kInvalid, fmt::format("field stars: {} is no whole number of 1 to 5", stars.Dump())};
}

}  // namespace

Result<Json> FeedbackJson(store::Txn& txn, const catalog::Seen& seen, const std::string& domain,
                          const std::string& product) {
  const feedback::Summary summary = feedback::SummaryOf(TRY(About(txn, seen, domain, product)));
  return Json::Map({{"ratings", summary.ratings},
                    {"stars", summary.ratings > 0 ? Json(std::round(summary.stars * 10) / 10) : Json()},
                    {"open_questions", summary.questions},
                    {"open_issues", summary.issues}});
}

Answer ListFeedback(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "whose"}));
  const std::string whose = request.Query("whose").empty() ? "to-answer" : request.Query("whose");
  TRY(OneOf("whose", whose, {"to-answer", "mine"}));
  auto txn = TRY(api.store.Read());
  std::vector<feedback::Entry> entries;
  Json summary;
  if (!request.Query("address").empty()) {
    const model::Resource resource = TRY(About(api, *txn, caller, request.Query("address")));
    const model::Sight sight = TRY(SightOf(api, *txn, caller));
    const catalog::Seen seen(*txn, sight);
    entries = TRY(About(*txn, seen, resource.domain, resource.product));
    summary = TRY(FeedbackJson(*txn, seen, resource.domain, resource.product));
  } else if (whose == "mine") {
    entries = TRY(feedback::List(*txn, {.author = caller.principal.name}));
  } else {
    entries = TRY(ToAnswer(*txn, caller));
  }
  Json::Array list;
  for (const feedback::Entry& entry : entries) list.push_back(EntryJson(entry));
  return http::Response::Of(Json::Map({{"summary", std::move(summary)}, {"feedback", std::move(list)}}));
}

Answer GiveFeedback(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "kind", "stars", "text"}));
  const std::string kind = TRY(NeedText(body, "kind"));
  TRY(OneOf("kind", kind, {feedback::kRating, feedback::kQuestion, feedback::kIssue}));
  const bool rating = kind == feedback::kRating;
  feedback::Entry entry;
  entry.kind = kind;
  entry.author = caller.principal.name;
  entry.stars = TRY(StarsOf(body, rating));
  entry.text = TRY(Said(body, !rating));
  entry.at = api.clock.Now();
  auto txn = TRY(api.store.Begin());
  const model::Resource resource = TRY(About(api, *txn, caller, TRY(NeedText(body, "address"))));
  TRY(api.gate.Decide(*txn, caller, Action::kRequest, resource));
  if (rating) TRY(MayRate(api, *txn, caller, resource));
  entry.domain = resource.domain;
  entry.product = resource.product;
  entry.address = resource.Text();
  if (!rating && TRY(feedback::OpenOf(*txn, entry.domain, entry.product, entry.author)) >= kMostOpen) {
    return Error{Code::kConflict, fmt::format("{} questions and issues of {} are open on {}/{}: close some first",
                                              kMostOpen, entry.author, entry.domain, entry.product)};
  }
  entry = TRY(feedback::Put(*txn, std::move(entry)));
  Json detail = Json::Map({{"id", entry.id}, {"kind", entry.kind}});
  if (rating) detail.Set("stars", entry.stars);
  TRY(Record(*txn, api.clock, caller, "feedback.given", entry.address, std::move(detail)));
  TRY(txn->Commit());
  return http::Response::Of(EntryJson(entry));
}

Answer AnswerFeedback(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"text", "close"}));
  const bool closes = body["close"].Bool();
  const std::string text = TRY(Said(body, !closes));
  auto txn = TRY(api.store.Begin());
  const feedback::Entry entry = TRY(feedback::Find(*txn, request.captures.at("id")));
  TRY(MayAnswer(api, *txn, caller, entry));
  if (closes && !entry.open) {
    return Error{Code::kConflict, entry.kind == feedback::kRating
                                      ? fmt::format("{} is a rating: there is nothing to close", entry.id)
                                      : fmt::format("{} is closed already", entry.id)};
  }
  TRY(feedback::Add(*txn, entry.id, {caller.principal.name, text, closes, api.clock.Now()}));
  TRY(Record(*txn, api.clock, caller, closes ? "feedback.closed" : "feedback.answered", entry.address,
             Json::Map({{"id", entry.id}, {"kind", entry.kind}})));
  const Json answer = EntryJson(TRY(feedback::Find(*txn, entry.id)));
  TRY(txn->Commit());
  return http::Response::Of(answer);
}

// By its author, or by governance.
Answer RemoveFeedback(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Begin());
  const feedback::Entry entry = TRY(feedback::Find(*txn, request.captures.at("id")));
  const bool own = entry.author == caller.principal.name;
  const model::Resource resource = TRY(ResourceAt(api, *txn, caller, entry.domain + "/" + entry.product));
  auto decision = api.gate.Decide(*txn, caller, own ? Action::kRequest : Action::kGovern, resource);
  if (!decision) {
    return decision.TakeError().With(fmt::format("{} is removed by {}, or by governance", entry.id, entry.author));
  }
  TRY(feedback::Remove(*txn, entry.id));
  TRY(Record(*txn, api.clock, caller, "feedback.removed", entry.address,
             Json::Map({{"id", entry.id}, {"kind", entry.kind}, {"author", entry.author}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"removed", 1}}));
}

}  // namespace weft::rest
