#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "model/lifecycle.h"
#include "work/publish/plan.h"

namespace weft::publish {
namespace {

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Whether `word` stands in `text` by itself, without regard to case.
bool HasWord(const std::string& text, const std::string& word) {
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !IsWordCharacter(text[at - 1])) && (end == text.size() || !IsWordCharacter(text[end]))) return true;
  }
  return false;
}

}  // namespace

Result<Registered> Catalogue::ReadOne(const catalog::Seen& seen, const std::string& domain,
                                      const std::string& product) {
  Registered known;
  known.product = TRY(seen.FindProduct(domain, product));
  known.ports = TRY(seen.Ports(domain, product));
  return known;
}

Result<const Registered*> Catalogue::Find(const std::string& domain, const std::string& product) {
  const std::pair key(domain, product);
  auto at = products_.find(key);
  if (at == products_.end()) at = products_.emplace(key, TRY(ReadOne(seen_, domain, product))).first;
  return &at->second;
}

Ports::Ports(store::Txn& txn, const std::vector<model::Bundle>& bundles, Catalogue& catalogue, std::string mesh)
    : txn_(txn), mesh_(std::move(mesh)), catalogue_(catalogue) {
  for (const model::Bundle& bundle : bundles) {
    for (const model::OutputPort& port : bundle.product.outputs) {
      const model::Contract* contract = bundle.ContractOf(port);
      auto version = model::Version::Parse(contract ? contract->version : port.version);
      if (!contract || !version) continue;
      model::PortKey key{bundle.product.domain, bundle.product.name, port.name, version->major};
      folder_[key] = {key, &bundle, &port, contract, contract->status};
    }
  }
}

Result<std::optional<Ports::Found>> Ports::Find(const model::PortKey& key) {
  if (auto at = folder_.find(key); at != folder_.end()) return std::optional<Found>(at->second);
  if (auto at = registered_.find(key); at != registered_.end()) return at->second;
  std::optional<Found> found;
  const Registered* registered = TRY(catalogue_.Find(key.domain, key.product));
  for (const catalog::PortRow& row : registered->ports) {
    if (row.key != key) continue;
    catalog::Port port = TRY(catalog::Load(txn_, row));
    found = Found{key, port.bundle.get(), port.port, port.contract, row.status};
    held_.push_back(std::move(port.bundle));
  }
  registered_[key] = found;
  return found;
}

Result<std::string> Ports::Suggest(const model::Address& address) const {
  std::set<std::string> known;
  for (const auto& [key, found] : folder_) known.insert(key.Text());
  for (const catalog::PortRow& row : TRY(catalogue_.seen().Ports())) known.insert(row.key.Text());
  std::vector<std::string_view> candidates(known.begin(), known.end());
  const std::string short_form = address.Short();
  std::string suggestion = DidYouMean(short_form, candidates);
  if (!suggestion.empty()) return suggestion;
  std::vector<std::string> same;
  for (const std::string& name : known) {
    if (name.starts_with(address.domain + "/")) same.push_back(name);
  }
  if (same.empty()) return std::string("; `weft list` shows what there is");
  if (same.size() > 5) same.resize(5);
  return std::string("; ") + address.domain + " offers " + Join(same, ", ");
}

Result<Ports::Found> Ports::Resolve(const std::string& written) {
  model::Address address = TRY(model::Address::Parse(written));
  if (!mesh_.empty() && !address.mesh.empty() && address.mesh != mesh_) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is of the mesh '{}' and this one is '{}'; inputs of other meshes are "
                             "not supported yet",
                             written, address.mesh, mesh_)};
  }
  std::optional<Found> found = TRY(Find({address.domain, address.product, address.port, address.major.value_or(0)}));
  if (!found) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is neither in this folder nor registered{}", written, TRY(Suggest(address)))};
  }
  if (found->status == "retired") {
    const std::string successor = model::DeprecationOf(*found->bundle, found->contract).successor;
    return Error{Code::kInvalid,
                 fmt::format("'{}' is retired; read {}", written, successor.empty() ? "a newer major" : successor)};
  }
  return *found;
}

std::vector<std::pair<const model::InputPort*, model::PortKey>> UpstreamOf(const model::Bundle& bundle,
                                                                           const model::OutputPort& port) {
  std::string sql;
  if (port.build && !port.build->sql_file.empty()) {
    auto at = bundle.builds.find(port.build->sql_file);
    if (at != bundle.builds.end()) sql = Lower(at->second);
  }
  std::vector<std::pair<const model::InputPort*, model::PortKey>> upstream;
  for (const model::InputPort& input : bundle.product.inputs) {
    if (!input.source || input.source->kind != "product") continue;
    if (!sql.empty() && !HasWord(sql, Lower(input.SqlName()))) continue;
    auto address = model::Address::Parse(input.source->address);
    if (!address || address->port.empty() || !address->major) continue;  // Told by CheckInputs.
    upstream.push_back({&input, {address->domain, address->product, address->port, *address->major}});
  }
  return upstream;
}

namespace {

// An input that goes: when, why, and what comes instead, as its owner states it.
void WarnOfEnd(const Ports::Found& found, const model::InputPort& input, std::vector<Problem>* problems) {
  if (found.status != "deprecated") return;
  const model::Deprecation says = model::DeprecationOf(*found.bundle, found.contract);
  std::string message = fmt::format("'{}' is deprecated", input.source->address);
  if (says.sunset) message += fmt::format(", and may go from {} on", model::DayText(*says.sunset));
  std::string_view why = says.message;
  if (why.ends_with('.')) why.remove_suffix(1);
  if (!why.empty()) message += fmt::format(": {}", why);
  message += says.successor.empty() ? "; it states no successor" : fmt::format("; read {} instead", says.successor);
  problems->push_back(ProblemAt(input.source->file, input.source->place, "weft.deprecated", std::move(message)));
  problems->back().level = Problem::Level::kWarning;
}

}  // namespace

Status CheckInputs(Ports& ports, const model::Bundle& bundle, std::vector<Problem>* problems) {
  for (const model::InputPort& input : bundle.product.inputs) {
    if (!input.source || input.source->kind != "product") continue;
    auto address = model::Address::Parse(input.source->address);
    if (!address || address->port.empty() || !address->major || address->version) continue;  // Told when it was read.
    auto found = ports.Resolve(input.source->address);
    if (found) {
      WarnOfEnd(*found, input, problems);
      continue;
    }
    if (found.error().code != Code::kInvalid) return found.TakeError();
    problems->push_back(ProblemAt(input.source->file, input.source->place, "weft.input", found.error().message));
  }
  return {};
}

namespace {

// Depth-first over what each port reads, without recursion: chains may be long.
class CycleSearch {
 public:
  CycleSearch(Ports& ports, std::vector<Problem>* problems) : ports_(ports), problems_(problems) {}

  Status From(const model::PortKey& start) {
    TRY(Enter(start));
    while (!path_.empty()) {
      Frame& frame = path_.back();
      if (frame.next == frame.upstream.size()) {
        done_.insert(frame.key);
        on_path_.erase(frame.key);
        path_.pop_back();
        continue;
      }
      const auto [input, key] = frame.upstream[frame.next++];
      if (on_path_.contains(key)) {
        Report(*input, key);
      } else if (!done_.contains(key)) {
        TRY(Enter(key));
      }
    }
    return {};
  }

 private:
  struct Frame {
    model::PortKey key;
    std::vector<std::pair<const model::InputPort*, model::PortKey>> upstream;
    size_t next = 0;
  };

  Status Enter(const model::PortKey& key) {
    if (done_.contains(key)) return {};
    std::optional<Ports::Found> found = TRY(ports_.Find(key));
    if (!found) return {};
    on_path_.insert(key);
    path_.push_back({key, ports_.Upstream(*found)});
    return {};
  }

  void Report(const model::InputPort& input, const model::PortKey& again) {
    std::string way;
    bool inside = false;
    for (const Frame& frame : path_) {
      inside = inside || frame.key == again;
      if (inside) way += frame.key.Text() + " reads ";
    }
    problems_->push_back(ProblemAt(
        input.source->file, input.source->place, "weft.cycle",
        fmt::format("{}{}: a port cannot be made from itself; take one of these inputs away", way, again.Text())));
  }

  Ports& ports_;
  std::vector<Problem>* problems_;
  std::vector<Frame> path_;
  std::set<model::PortKey> on_path_;
  std::set<model::PortKey> done_;
};

}  // namespace

Status CheckCycles(Ports& ports, const std::vector<const model::Bundle*>& bundles, std::vector<Problem>* problems) {
  CycleSearch search(ports, problems);
  for (const model::Bundle* bundle : bundles) {
    for (const model::OutputPort& port : bundle->product.outputs) {
      const model::Contract* contract = bundle->ContractOf(port);
      auto version = model::Version::Parse(contract ? contract->version : port.version);
      if (version) TRY(search.From({bundle->product.domain, bundle->product.name, port.name, version->major}));
    }
  }
  return {};
}

}  // namespace weft::publish
