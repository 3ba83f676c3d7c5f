#include "work/run/wanted.h"

#include <fmt/format.h>

#include <map>

namespace weft::run {

std::vector<Wanted> Ordered(std::vector<Wanted> wanted) {
  std::map<model::PortKey, std::vector<size_t>> readers;
  std::vector<size_t> waits_for(wanted.size(), 0);
  std::set<model::PortKey> asked;
  for (const Wanted& one : wanted) asked.insert(one.port.row.key);
  std::set<size_t> ready, waiting;
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (const model::PortKey& above : wanted[i].upstream) {
      if (!asked.contains(above)) continue;
      readers[above].push_back(i);
      ++waits_for[i];
    }
    (waits_for[i] == 0 ? ready : waiting).insert(i);
  }
  std::vector<Wanted> ordered;
  while (!ready.empty() || !waiting.empty()) {
    std::set<size_t>& from = ready.empty() ? waiting : ready;
    const size_t next = *from.begin();
    from.erase(from.begin());
    for (size_t reader : readers[wanted[next].port.row.key]) {
      if (--waits_for[reader] == 0 && waiting.erase(reader) > 0) ready.insert(reader);
    }
    ordered.push_back(std::move(wanted[next]));
  }
  return ordered;
}

Result<int64_t> FormerOf(store::Txn& txn, const model::PortKey& key, const std::optional<lake::At>& to) {
  const std::vector<lake::Snapshot> history = TRY(lake::History(txn, key));
  const lake::View now = TRY(lake::Open(txn, key));
  if (!now.snapshot) return Error{Code::kNotFound, key.Text() + " has no snapshot yet: there is nothing to roll back"};
  const std::vector<int64_t> line = lake::LineOf(history, now.snapshot->id);
  if (!to) {
    // Where it has expired, one that wrote its rows anew stands for it.
    for (const lake::Snapshot& snapshot : history) {
      if (line.size() > 1 && snapshot.rows_of() == line[1]) return snapshot.id;
    }
    return Error{Code::kNotFound,
                 fmt::format("{} has no snapshot before the one that readers see: weft snapshots {} lists all; name "
                             "one with --to",
                             key.Text(), key.Text())};
  }
  const lake::View former = TRY(lake::Open(txn, key, *to));
  if (lake::LineOf(history, former.snapshot->id) == line) {
    return Error{Code::kConflict, fmt::format("the rows of snapshot {} are what readers of {} see already",
                                              former.snapshot->id, key.Text())};
  }
  return former.snapshot->id;
}

}  // namespace weft::run
