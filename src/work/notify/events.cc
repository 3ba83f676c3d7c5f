#include "work/notify/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "model/lifecycle.h"
#include "state/access/granted.h"
#include "state/catalog/seen.h"
#include "state/ledger/ledger.h"

namespace weft::notify {
namespace {

constexpr int kPage = 500;     // Rows that are read at once,
constexpr int kMostPages = 4;  // and so often for one stretch: whoever is far behind comes again.

constexpr Topic kTopics[] = {
    {"versions", "a product or port was published, or its status changed"},
    {"commits", "readers see new rows, or former ones again"},
    {"failures", "a run failed, was refused or was interrupted"},
    {"deprecations", "a port is deprecated, past its sunset, or retired"},
};

// How a kind of the ledger's rows is told.
struct Kind {
  std::string_view name;
  std::string_view topic;
  std::string_view type;
};
constexpr Kind kKinds[] = {
    {"published", "versions", "weft.version.published"},
    {"draft", "versions", "weft.version.status"},
    {"active", "versions", "weft.version.status"},
    {"deprecated", "deprecations", "weft.deprecated"},
    {"sunset", "deprecations", "weft.sunset"},
    {"retired", "deprecations", "weft.retired"},
    {"committed", "commits", "weft.commit"},
    {"rolled-back", "commits", "weft.rollback"},
    {"failed", "failures", "weft.run.failed"},
    {"refused", "failures", "weft.run.refused"},
    {"interrupted", "failures", "weft.run.interrupted"},
};

// The end of a name at which what lies under it begins.
bool Under(std::string_view address, std::string_view above) {
  return above.empty() || address == above ||
         (address.starts_with(above) && (address[above.size()] == '/' || address[above.size()] == '@'));
}

// What is told of a product concerns who follows one of its ports.
bool Concerns(const Interest& interest, std::string_view address, std::string_view topic) {
  const bool wanted = std::ranges::find(interest.topics, topic) != interest.topics.end();
  return wanted && (Under(address, interest.address) || Under(interest.address, address));
}

// Of a refused or failed row those that are runs'; of a published one those that are a product's.
bool IsEvent(const Kind& kind, const ledger::Entry& entry) {
  if (kind.topic == "failures") return entry.detail.Has("run");
  if (kind.name != "published") return entry.address.find('/') != std::string::npos;
  const std::string& change = entry.detail["change"].Text();
  return change == "create" || change == "update";
}

std::string TextOf(const Kind& kind, const ledger::Entry& entry, const Json& data) {
  const std::string& address = entry.address;
  const Json& detail = entry.detail;
  if (kind.name == "published") {
    const std::string& from = detail["from"].Text();
    return fmt::format("{} {} was published by {}{}", address, detail["to"].Text(), entry.principal,
                       from.empty() ? "" : fmt::format(", after {}", from));
  }
  if (kind.name == "committed") return fmt::format("{} has new rows: snapshot {}", address, detail["snapshot"].Text());
  if (kind.name == "rolled-back") {
    const std::string& reason = detail["reason"].Text();
    return fmt::format("{} was rolled back by {} to snapshot {}{}", address, entry.principal, detail["restores"].Text(),
                       reason.empty() ? "" : ": " + reason);
  }
  if (kind.topic == "failures") {
    const bool ran = kind.name == "failed";
    return fmt::format("{} of {} {}", detail["run"].Text(), address, ran ? "failed" : fmt::format("was {}", kind.name));
  }
  std::string text = kind.name == "sunset" ? fmt::format("{} is past its sunset", address)
                                           : fmt::format("{} is {} now", address, kind.name);
  if (!data["message"].Text().empty()) text += "; " + data["message"].Text();
  if (kind.name != "retired" && !data["sunset"].Text().empty()) text += "; its sunset is " + data["sunset"].Text();
  if (!data["successor"].Text().empty()) text += fmt::format("; read {} instead", data["successor"].Text());
  return text;
}

// What one principal may know of, asked once for each address of a stretch.
class Known {
 public:
  Known(store::Txn& txn, Clock& clock, model::Sight sight)
      : txn_(txn), clock_(clock), sight_(std::move(sight)), seen_(txn, sight_) {}

  Result<bool> May(const std::string& address) {
    auto known = known_.find(address);
    if (known == known_.end()) known = known_.emplace(address, TRY(Ask(address))).first;
    return known->second;
  }

  // Whether it tells of a version that is seen.
  Result<bool> MayVersion(const std::string& address, const std::string& version) {
    const auto at = model::Address::Parse(address);
    if (!at || at->product.empty() || !at->port.empty() || version.empty()) return true;
    const auto product = seen_.Product(at->domain, at->product, version);
    if (!product && product.error().code != Code::kNotFound) return product.error();
    return product.has_value();
  }

  // What the owner of a port or product says of its end; nothing where it is gone.
  Result<Json> EndOf(const std::string& address) {
    const model::Address at = TRY(model::Address::Parse(address));
    if (at.port.empty()) {
      auto bundle = catalog::Product(txn_, at.domain, at.product);
      return bundle ? model::DeprecationOf(**bundle, nullptr).ToJson(clock_.Now()) : Json();
    }
    auto port = catalog::Load(txn_, TRY(model::PortKey::Parse(address)));
    return port ? model::DeprecationOf(*port->bundle, port->contract).ToJson(clock_.Now()) : Json();
  }

 private:
  // The catalogue is for every principal, drafts aside; of what is gone nobody hears.
  Result<bool> Ask(const std::string& address) {
    auto at = model::Address::Parse(address);
    if (!at || at->product.empty()) return false;
    if (at->port.empty()) return TRY(seen_.FindProduct(at->domain, at->product)).has_value();
    auto port = seen_.Resolve(TRY(model::PortKey::Parse(address)).ToAddress());
    if (!port && port.error().code != Code::kNotFound) return port.TakeError();
    return port.has_value();
  }

  store::Txn& txn_;
  Clock& clock_;
  const model::Sight sight_;
  const catalog::Seen seen_;
  std::map<std::string, bool> known_;
};

Result<std::optional<Event>> EventOf(Known& sight, const std::vector<Interest>& interests, const ledger::Sealed& row) {
  const auto kind = std::ranges::find(kKinds, row.entry.kind, &Kind::name);
  if (kind == std::end(kKinds) || !IsEvent(*kind, row.entry)) return std::optional<Event>();
  const std::string& address = row.entry.address;
  const bool wanted =
      std::ranges::any_of(interests, [&](const Interest& each) { return Concerns(each, address, kind->topic); });
  if (!wanted || !TRY(sight.May(address))) return std::optional<Event>();
  if (row.entry.kind == "published" && !TRY(sight.MayVersion(address, row.entry.detail["to"].Text()))) {
    return std::optional<Event>();
  }
  Event event{row.seq, row.at, std::string(kind->topic), std::string(kind->type), address, "", {}};
  const Json& detail = row.entry.detail;
  event.data = Json::Map({{"address", address}, {"topic", event.topic}, {"by", row.entry.principal}});
  if (kind->topic == "deprecations") {
    const Json end = TRY(sight.EndOf(address));
    for (const char* name : {"sunset", "message", "successor"}) event.data.Set(name, end[name]);
  }
  for (const char* name :
       {"from", "to", "snapshot", "restores", "instead_of", "withdrawn", "run", "contract", "reason"}) {
    if (detail.Has(name)) event.data.Set(name, detail[name]);
  }
  event.text = TextOf(*kind, row.entry, event.data);
  return std::optional<Event>(std::move(event));
}

std::vector<std::string> KindsOf(const std::vector<Interest>& interests) {
  std::vector<std::string> kinds;
  for (const Kind& kind : kKinds) {
    const bool wanted = std::ranges::any_of(interests, [&](const Interest& each) {
      return std::ranges::find(each.topics, kind.topic) != each.topics.end();
    });
    if (wanted) kinds.emplace_back(kind.name);
  }
  return kinds;
}

}  // namespace

std::span<const Topic> Topics() { return kTopics; }

Result<std::vector<std::string>> CheckTopics(const std::vector<std::string>& names) {
  std::vector<std::string> topics;
  std::vector<std::string_view> known;
  for (const Topic& topic : kTopics) known.push_back(topic.name);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end()) {
      const std::vector<std::string> all(known.begin(), known.end());
      return Error{Code::kInvalid, fmt::format("'{}' is nothing to be told of: it is {}{}", name, Join(all, ", "),
                                               DidYouMean(name, known))};
    }
    topics.push_back(name);
  }
  if (topics.empty()) topics.assign(known.begin(), known.end());
  std::ranges::sort(topics);
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  return topics;
}

Json Event::ToCloudEvent(const std::string& mesh) const {
  return Json::Map({{"specversion", "1.0"},
                    {"id", std::to_string(row)},
                    {"source", "weft://" + mesh},
                    {"type", type},
                    {"subject", address},
                    {"time", at.Text()},
                    {"datacontenttype", "application/json"},
                    {"data", data}});
}

Result<int64_t> Head(store::Txn& txn) {
  const auto newest = TRY(ledger::List(txn, {.limit = 1, .newest_first = true}));
  return newest.empty() ? 0 : newest.front().seq;
}

Result<Stretch> Read(store::Txn& txn, Clock& clock, const model::Principal& principal,
                     const std::vector<Interest>& interests, const Wanted& wanted) {
  Stretch stretch;
  stretch.next = wanted.after;
  ledger::Query query{.after = wanted.after, .limit = kPage, .newest_first = wanted.newest_first};
  query.kinds = KindsOf(interests);
  const int64_t head = TRY(Head(txn));
  if (query.kinds.empty()) return Stretch{{}, head};
  Known sight(txn, clock, TRY(catalog::SightOf(txn, principal, TRY(access::GrantedTo(txn, clock, principal)))));
  for (int page = 0; page < kMostPages; ++page) {
    const std::vector<ledger::Sealed> rows = TRY(ledger::List(txn, query));
    for (const ledger::Sealed& row : rows) {
      if (stretch.events.size() == wanted.limit) return stretch;
      if (auto event = TRY(EventOf(sight, interests, row))) stretch.events.push_back(std::move(*event));
      stretch.next = std::max(stretch.next, row.seq);
    }
    if (rows.size() < kPage || wanted.newest_first) {
      stretch.next = std::max(stretch.next, head);
      break;
    }
    query.after = rows.back().seq;
  }
  return stretch;
}

}  // namespace weft::notify
