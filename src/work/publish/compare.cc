#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "model/compat.h"
#include "model/lifecycle.h"
#include "state/access/granted.h"
#include "work/publish/plan.h"
#include "work/publish/schedules.h"

namespace weft::publish {
namespace {

using model::Bundle;
using model::Contract;
using model::Step;
using model::Version;
using model::WithoutStatus;

constexpr std::string_view kStatuses[] = {"proposed", "draft", "active", "deprecated", "retired"};

int StatusRank(std::string_view status) {
  if (status.empty()) status = "active";
  auto at = std::find(std::begin(kStatuses), std::end(kStatuses), status);
  return static_cast<int>(at - std::begin(kStatuses));
}
bool IsDraft(std::string_view status) { return StatusRank(status) <= 1; }

// What most asks for the step that the differences need.
const model::Difference* Worst(const std::vector<model::Difference>& differences) {
  const auto worst = std::ranges::max_element(differences, {}, &model::Difference::impact);
  return worst == differences.end() ? nullptr : &*worst;
}

// Compares one bundle; collects what would change and what may not.
class Comparer {
 public:
  Comparer(Context& context, store::Txn& txn, const model::Caller& caller, const Bundle& bundle,
           const Registered& registered)
      : context_(context),
        txn_(txn),
        caller_(caller),
        bundle_(bundle),
        registered_(registered),
        name_(bundle.product.domain + "/" + bundle.product.name) {}

  Result<Comparison> Run() {
    if (!registered_.product) {
      Create();
    } else {
      TRY(AgainstVersions());
    }
    if (out_.changed) TRY(NoteSchedules());
    TRY(Data());
    if (out_.changed && !out_.changes.empty()) NoteEnvironment(&out_.changes.front().notes);
    if (out_.changes.empty() && out_.problems.empty())
      out_.changes.push_back({Change::Kind::kUnchanged, name_, version_, version_, {}});
    return std::move(out_);
  }

 private:
  // What this node's environment lays over it.
  void NoteEnvironment(std::vector<std::string>* notes) const {
    const model::Overlay* overlay = bundle_.OverlayOf(bundle_.environment);
    if (!overlay) return;
    for (const std::string& line : model::LinesOf(*overlay)) {
      notes->push_back(fmt::format("{} ({})", line, overlay->ShortName()));
    }
  }

  void Create() {
    std::vector<std::string> notes;
    for (const model::OutputPort& port : bundle_.product.outputs) {
      notes.push_back(fmt::format("adds port {} {}", port.name, port.version));
    }
    out_.changes.push_back({Change::Kind::kCreate, name_, "", version_, std::move(notes)});
    out_.changed = out_.register_it = true;
  }

  Status NoteSchedules() {
    const std::vector<std::string> notes = TRY(ScheduleNotes(txn_, context_.clock, bundle_, registered_));
    const auto change = std::ranges::find(out_.changes, name_, &Change::address);
    if (change != out_.changes.end()) change->notes.insert(change->notes.end(), notes.begin(), notes.end());
    return {};
  }

  Status AgainstVersions() {
    previous_ = TRY(Previous());
    if (!previous_) return NewVersion();
    if (previous_->Digest() == bundle_.Digest()) return {};
    if (IsDraft(previous_->product.status)) {
      TRY(NewVersion());
      if (!out_.changes.empty()) out_.changes.back().notes.push_back("replaces a draft");
      return {};
    }
    if (OnlyStatus(*previous_)) return Transition(*previous_);
    return Immutable(*previous_);
  }

  // The registered bundle of the very same version.
  Result<catalog::BundlePtr> Previous() {
    auto found = catalog::Product(txn_, bundle_.product.domain, bundle_.product.name, version_);
    if (found) return found.TakeValue();
    if (found.error().code == Code::kNotFound) return catalog::BundlePtr();
    return found.TakeError();
  }

  Status NewVersion() {
    const std::string& newest = registered_.product->version;
    auto was = Version::Parse(newest);
    auto is = Version::Parse(version_);
    if (was && is && *is < *was && is->major == was->major) {
      Refuse(PlaceOf(bundle_.product.bytes, bundle_.product.file, {"version"}), bundle_.product.file, "weft.version",
             fmt::format("{} {} is lower than {}, the newest registered of its major; make it {} or higher", name_,
                         version_, newest, Bumped(*was, Step::kPatch).Text()));
    }
    const bool replaces = newest == version_;
    Change change{Change::Kind::kUpdate, name_, newest, version_, {}};
    for (const model::OutputPort& port : bundle_.product.outputs) TRY(ComparePort(port, replaces, &change));
    NoteDropped(&change.notes);
    out_.changes.push_back(std::move(change));
    out_.changed = out_.register_it = true;
    return {};
  }

  const catalog::PortRow* RowOf(const model::OutputPort& port, int major) const {
    for (const catalog::PortRow& row : registered_.ports) {
      if (row.key.port == port.name && row.key.major == major) return &row;
    }
    return nullptr;
  }

  Status ComparePort(const model::OutputPort& port, bool draft_bundle, Change* change) {
    const Contract* contract = bundle_.ContractOf(port);
    auto version = Version::Parse(contract ? contract->version : port.version);
    if (!contract || !version) return {};  // Reported when the folder was read.
    const catalog::PortRow* row = RowOf(port, version->major);
    if (!row) {
      change->notes.push_back(fmt::format("adds port {}@{}", port.name, version->major));
      return {};
    }
    catalog::Port before = TRY(catalog::Load(txn_, *row));
    if (!before.contract || before.contract->bytes == contract->bytes) return {};
    auto registered = Version::Parse(row->version);
    if (!registered) return Error{Code::kInternal, "the catalogue holds the version '" + row->version + "'"};
    const std::vector<model::Difference> differences = model::Differences(*before.contract, *contract);
    const Step step = model::StepOf(differences);
    const model::Place place = PlaceOf(contract->bytes, contract->file, {"version"});
    if (*version < *registered) {
      Refuse(place, contract->file, "weft.version",
             fmt::format("contract {} is lower than {}, the newest registered of {}; make it {} or higher",
                         contract->version, row->version, row->key.Text(), Bumped(*registered, step).Text()));
      return {};
    }
    const bool draft = IsDraft(row->status) || (draft_bundle && IsDraft(before.contract->status));
    if (*version == *registered && !draft) {
      if (WithoutStatus(before.contract->bytes) == WithoutStatus(contract->bytes)) {
        return PortStatus(row->key, before.contract->status, *contract);
      }
      Refuse(place, contract->file, "weft.immutable",
             fmt::format("{} {} is registered with other bytes, and a version never changes; make it {}{}",
                         row->key.Text(), row->version, Bumped(*registered, step).Text(), Because(differences)));
      return {};
    }
    TRY(Find(row->key, *before.contract, *contract, differences, change));
    change->notes.push_back(fmt::format("port {} {} → {}", row->key.Text(), row->version, contract->version));
    if (contract->status != before.contract->status) TRY(NoteEnd(row->key, *contract, &change->notes));
    if (draft) return {};
    if (step == Step::kMajor) {
      Break(*change, *contract);
      Refuse(place, contract->file, "weft.breaking",
             fmt::format("{} breaks the readers of {}; make it major {}: {}", contract->version, row->key.Text(),
                         registered->major + 1, Bumped(*registered, Step::kMajor).Text()));
    } else if (step == Step::kMinor && version->minor == registered->minor) {
      Refuse(place, contract->file, "weft.version",
             fmt::format("{} is a patch of {}, and {}: a patch changes words only; make it {}", contract->version,
                         row->version, Worst(differences)->what, Bumped(*registered, Step::kMinor).Text()));
    }
    return {};
  }

  // Each difference with those who read what it is about; whoever may audit the product hears their names.
  Status Find(const model::PortKey& key, const Contract& before, const Contract& after,
              const std::vector<model::Difference>& differences, Change* change) {
    std::map<std::string, Readers> readers;  // By column: it may differ in much.
    for (const model::Difference& difference : differences) {
      Finding finding{difference, after.file, before.version, {}};
      if (difference.impact != model::Impact::kCompatible) {
        auto known = readers.find(difference.column);
        if (known == readers.end()) {
          Readers found = TRY(ReadersSeen(key, difference.column));
          found.named = TRY(MayAudit());
          known = readers.emplace(difference.column, std::move(found)).first;
        }
        finding.readers = known->second;
      }
      change->findings.push_back(std::move(finding));
    }
    return {};
  }

  Result<model::Sight> SightOf() {
    return catalog::SightOf(txn_, caller_.principal, TRY(access::GrantedTo(txn_, context_.clock, caller_.principal)));
  }

  Result<Readers> ReadersSeen(const model::PortKey& key, const std::string& column) {
    const model::Sight sight = TRY(SightOf());
    return ReadersOf(txn_, {txn_, sight}, key, column, context_.clock.Now());
  }

  Result<bool> MayAudit() {
    if (may_audit_) return *may_audit_;
    model::Resource resource;
    resource.domain = bundle_.product.domain;
    resource.product = bundle_.product.name;
    // As it is registered: nobody comes to hear of it by the team that they publish.
    resource.Add(TRY(catalog::WholeTeamOf(txn_, resource.domain, resource.product)));
    const model::Decision decision =
        TRY(access::Decide(txn_, context_.clock, caller_, model::Action::kAudit, resource));
    may_audit_ = decision.permitted;
    return *may_audit_;
  }

  // A problem for each breaking difference, at its place.
  void Break(const Change& change, const Contract& contract) {
    for (const Finding& finding : change.findings) {
      const model::Difference& difference = finding.difference;
      if (difference.impact != model::Impact::kBreaking || finding.file != contract.file) continue;
      Refuse(difference.now, contract.file, "weft.breaking",
             fmt::format("{} (line {} of version {}); {}: raise the major version, or undo it", difference.what,
                         difference.was.line, finding.previous, finding.readers.Text()));
    }
  }

  static std::string Because(const std::vector<model::Difference>& differences) {
    const model::Difference* worst = Worst(differences);
    if (!worst) return " (nothing changes that a reader sees)";
    return fmt::format(" ({})", worst->what);
  }

  // A port of an earlier version stays readable by that. One of the draft that these bytes replace has nothing left to
  // stand in: it goes where it was a draft itself, and must stay where it was published.
  void Dropped(const catalog::PortRow& row, std::vector<std::string>* notes) {
    const std::string address = row.key.Text();
    if (!previous_ || row.product_version != version_) {
      notes->push_back(fmt::format("{} is no longer in the folder; it stays as it is", address));
    } else if (row.status == "draft") {
      notes->push_back(
          fmt::format("{} is no longer in the folder; it goes with the draft, and nobody reads it until "
                      "it comes back",
                      address));
    } else {
      Refuse(PlaceOf(bundle_.product.bytes, bundle_.product.file, {"version"}), bundle_.product.file, "weft.immutable",
             fmt::format("{} {} is {} and no longer in the folder, and the draft that this replaces is all that has "
                         "it: put it back, or raise the product's version",
                         address, row.version, row.status));
    }
  }

  void NoteDropped(std::vector<std::string>* notes) {
    for (const catalog::PortRow& row : registered_.ports) {
      const bool named = std::any_of(bundle_.product.outputs.begin(), bundle_.product.outputs.end(),
                                     [&](const model::OutputPort& port) {
                                       auto version = Version::Parse(port.version);
                                       return port.name == row.key.port && version && version->major == row.key.major;
                                     });
      if (!named) Dropped(row, notes);
    }
  }

  // Whether the same files stand in both and differ in nothing but the line of their status.
  bool OnlyStatus(const Bundle& before) const {
    if (before.builds != bundle_.builds || before.contracts.size() != bundle_.contracts.size()) return false;
    if (before.overlays != bundle_.overlays) return false;
    if (WithoutStatus(before.product.bytes) != WithoutStatus(bundle_.product.bytes)) return false;
    return std::all_of(bundle_.contracts.begin(), bundle_.contracts.end(), [&](const Contract& contract) {
      const Contract* other = before.ContractById(contract.id);
      return other && WithoutStatus(other->bytes) == WithoutStatus(contract.bytes);
    });
  }

  Status Transition(const Bundle& before) {
    Move(name_, before.product.status, bundle_.product.status, bundle_.product.bytes, bundle_.product.file);
    for (const model::OutputPort& port : bundle_.product.outputs) {
      const Contract* contract = bundle_.ContractOf(port);
      const Contract* other = contract ? before.ContractById(contract->id) : nullptr;
      if (!other) continue;
      auto version = Version::Parse(contract->version);
      const model::PortKey key{bundle_.product.domain, bundle_.product.name, port.name, version ? version->major : 0};
      TRY(PortStatus(key, other->status, *contract));
    }
    out_.register_it = true;
    return {};
  }

  Status PortStatus(const model::PortKey& key, const std::string& from, const Contract& contract) {
    const size_t before = out_.changes.size();
    Move(key.Text(), from, contract.status, contract.bytes, contract.file);
    if (out_.changes.size() == before) return {};
    return NoteEnd(key, contract, &out_.changes.back().notes);
  }

  // Whom the end of a port concerns, and what they are told of it.
  Status NoteEnd(const model::PortKey& key, const Contract& contract, std::vector<std::string>* notes) {
    const bool retires = contract.status == "retired";
    if (!retires && contract.status != "deprecated") return {};
    const model::Deprecation says = model::DeprecationOf(bundle_, &contract);
    const std::string who = key.Text();
    if (retires && says.sunset && !says.overdue(context_.clock.Now())) {
      out_.problems.push_back(ProblemAt(contract.file, PlaceOf(contract.bytes, contract.file, {"status"}),
                                        "weft.sunset",
                                        fmt::format("{} is retired before its sunset, {}: its readers were told that "
                                                    "they have until then",
                                                    who, model::DayText(*says.sunset))));
      out_.problems.back().level = Problem::Level::kWarning;
    }
    if (!retires)
      notes->push_back(says.sunset ? fmt::format("{}: its sunset is {}", who, model::DayText(*says.sunset))
                                   : fmt::format("{}: no sunset is stated", who));
    if (says.successor.empty()) notes->push_back(fmt::format("{}: no successor is stated", who));
    Readers readers = TRY(ReadersSeen(key, ""));
    readers.named = TRY(MayAudit());
    notes->push_back(fmt::format("{}: {}", who, readers.Text()));
    std::set<std::string> granted;
    const model::Sight sight = TRY(SightOf());
    for (const access::Grant& grant : TRY(access::Grants(txn_, &key, std::nullopt))) {
      if (TRY(catalog::Seen(txn_, sight).SeesPrincipal(grant.principal))) granted.insert(grant.principal);
    }
    if (granted.empty()) return {};
    notes->push_back(
        fmt::format("{}: granted to {}", who, Join(std::vector<std::string>(granted.begin(), granted.end()), ", ")));
    return {};
  }

  void Move(const std::string& address, const std::string& from, const std::string& to, const std::string& bytes,
            const std::string& file) {
    if (from == to) return;
    if (StatusRank(to) < StatusRank(from)) {
      Refuse(PlaceOf(bytes, file, {"status"}), file, "weft.status",
             fmt::format("{} is {} and cannot become {} again: a status goes draft, active, deprecated, retired; "
                         "publish a new version instead",
                         address, from, to));
      return;
    }
    out_.changes.push_back({Change::Kind::kStatus, address, from, to, {}});
  }

  Status Immutable(const Bundle& before) {
    Step step = before.product.outputs.size() == bundle_.product.outputs.size() ? Step::kPatch : Step::kMinor;
    Change unused;
    for (const model::OutputPort& port : bundle_.product.outputs) {
      TRY(ComparePort(port, false, &unused));
      const Contract* contract = bundle_.ContractOf(port);
      const Contract* other = contract ? before.ContractById(contract->id) : nullptr;
      if (other) step = std::max(step, model::StepOf(model::Differences(*other, *contract)));
    }
    auto version = Version::Parse(version_);
    Refuse(PlaceOf(bundle_.product.bytes, bundle_.product.file, {"version"}), bundle_.product.file, "weft.immutable",
           fmt::format("{} {} is registered with other bytes ({}), and a version never changes; make it {}", name_,
                       version_, Join(ChangedFiles(before), ", "), version ? Bumped(*version, step).Text() : "higher"));
    return {};
  }

  std::vector<std::string> ChangedFiles(const Bundle& before) const {
    std::vector<std::string> files;
    auto base = [](const std::string& path) { return path.substr(path.find_last_of('/') + 1); };
    if (before.product.bytes != bundle_.product.bytes) files.push_back(base(bundle_.product.file) + " differs");
    for (const Contract& contract : bundle_.contracts) {
      const Contract* other = before.ContractById(contract.id);
      if (!other || other->bytes != contract.bytes)
        files.push_back(base(contract.file) + (other ? " differs" : " is new"));
    }
    for (const auto& [name, text] : bundle_.builds) {
      auto at = before.builds.find(name);
      if (at == before.builds.end() || at->second != text) {
        files.push_back(name + (at == before.builds.end() ? " is new" : " differs"));
      }
    }
    for (const model::Overlay& overlay : bundle_.overlays) {
      const model::Overlay* other = before.OverlayOf(overlay.environment);
      if (!other || other->bytes != overlay.bytes) {
        files.push_back(overlay.ShortName() + (other ? " differs" : " is new"));
      }
    }
    if (files.empty()) files.push_back("a file is missing");
    return files;
  }

  Status Data() {
    if (bundle_.data.empty() && !registered_.product) return {};
    std::map<std::string, std::string> before, now;
    if (registered_.product) {
      for (const model::DataFile& file : TRY(catalog::Data(txn_, bundle_.product.domain, bundle_.product.name))) {
        before[file.path] = file.sha256;
      }
    }
    for (const model::DataFile& file : DataOf(bundle_)) now[file.path] = file.sha256;
    if (before == now) return {};
    int64_t bytes = 0;
    for (const model::DataFile& file : bundle_.data) bytes += file.bytes;
    std::string note = now.empty() ? "no data files any more"
                                   : fmt::format("{}, {}", Count(now.size(), "data file"), HumanBytes(bytes));
    if (out_.changes.empty()) out_.changes.push_back({Change::Kind::kData, name_, version_, version_, {}});
    out_.changes.front().notes.push_back(std::move(note));
    out_.register_it = true;
    return {};
  }

  void Refuse(const model::Place& place, const std::string& file, std::string rule, std::string message) {
    out_.problems.push_back(ProblemAt(file, place, std::move(rule), std::move(message)));
  }

  Context& context_;
  store::Txn& txn_;
  const model::Caller& caller_;
  const Bundle& bundle_;
  const Registered& registered_;
  const std::string name_;
  const std::string& version_ = bundle_.product.version;
  catalog::BundlePtr previous_;
  std::optional<bool> may_audit_;
  Comparison out_;
};

}  // namespace

std::vector<model::DataFile> DataOf(const Bundle& bundle) {
  std::vector<model::DataFile> data = bundle.data;
  for (model::DataFile& file : data) {
    if (file.path.starts_with(bundle.folder + "/")) file.path.erase(0, bundle.folder.size() + 1);
  }
  return data;
}

Result<Comparison> Compare(Context& context, store::Txn& txn, const model::Caller& caller, const Bundle& bundle,
                           const Registered& registered) {
  return Comparer(context, txn, caller, bundle, registered).Run();
}

}  // namespace weft::publish
