// What a folder brings of files that are in force for the mesh as a whole, entities' or policies', laid over those.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "state/ledger/ledger.h"
#include "work/publish/publish.h"

namespace weft::publish {

template <class Whole, class File>
struct Overlay {
  std::shared_ptr<const Whole> before;
  std::shared_ptr<const Whole> next;  // Null where there are problems.
  std::vector<File> put;              // Those that are new or changed.
  std::vector<Change> changes;
  std::vector<Problem> problems;
};

// Files that are not submitted stay. `notes` tells what is in a file, `make` makes the whole of all files.
template <class Whole, class File, class Notes, class Make>
Overlay<Whole, File> LayOver(std::shared_ptr<const Whole> before, const std::vector<File>& files, Notes notes,
                             Make make) {
  Overlay<Whole, File> plan;
  plan.next = plan.before = std::move(before);
  std::map<std::string, File> all;
  for (const File& file : plan.before->files()) all[file.file] = file;
  for (const File& file : files) {
    const auto known = all.find(file.file);
    Change change{Change::Kind::kUnchanged, file.file, "", "", {}};
    if (known == all.end() || known->second.bytes != file.bytes) {
      change.kind = known == all.end() ? Change::Kind::kCreate : Change::Kind::kUpdate;
      change.notes = notes(file);
      plan.put.push_back(file);
      all[file.file] = file;
    }
    plan.changes.push_back(std::move(change));
  }
  if (plan.put.empty()) return plan;
  std::vector<File> next;
  for (auto& [path, file] : all) next.push_back(std::move(file));
  Result<std::shared_ptr<const Whole>> made = make(std::move(next));
  plan.next = made ? made.TakeValue() : nullptr;
  if (!made) plan.problems = made.TakeError().problems;
  return plan;
}

// A row of the ledger for each file, with the names of what is in it.
template <class File, class Item>
Status RecordFiles(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::vector<File>& files,
                   const char* what, std::vector<Item> File::*items) {
  for (const File& file : files) {
    ledger::Entry entry{"published", caller.principal.name, caller.purpose, file.file, {}};
    Json names{Json::Array()};
    for (const Item& item : file.*items) names.Push(item.name);
    entry.detail = Json::Map({{"sha256", Sha256(file.bytes)}, {what, std::move(names)}});
    TRY(ledger::Append(txn, clock, entry));
  }
  return {};
}

}  // namespace weft::publish
