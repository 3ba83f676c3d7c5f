// The ledger's rows as its own two files pass them: inside this room only.
#pragma once

#include <array>

#include "state/ledger/ledger.h"

namespace weft::ledger {

using RowCells = std::array<store::Cell, 6>;  // at, kind, principal, purpose, address, detail
Result<RowCells> CellsOf(const Clock& clock, const Entry& entry);
Status InsertRow(store::Txn& txn, const RowCells& cells);

// The end of the chain, signed.
struct Head {
  int64_t seq = 0;
  std::string at;
  std::string hash = std::string(64, '0');
  std::string signature;
};
std::string SignedText(const Head& head);
std::string ChainHash(const std::string& previous, int64_t seq, std::span<const store::Cell> cells);
Result<Head> StoredHead(store::Txn& txn);  // seq 0 before the first.

// The newest head outside the store. An older store under a newer file is a cut end: the file's head is then set aside
// under another name, where it stays until a person has looked into it, and Verify tells of it.
class HeadFile {
 public:
  explicit HeadFile(const std::string& folder)
      : path_(folder + "/ledger-head.json"), cut_(folder + "/ledger-head.cut.json") {}
  Result<Head> Read() const { return ReadFrom(path_); }  // seq 0 where there is none.
  Result<Head> Cut() const { return ReadFrom(cut_); }
  Status Write(const Head& head) const;
  Status SetAside(const Head& lost) const;

 private:
  static Result<Head> ReadFrom(const std::string& path);
  const std::string path_;
  const std::string cut_;
};

Result<SigningKey> OpenKey(const std::string& folder, bool may_create);
// From row `from` to the head; each row that follows is shown to `visit`: seq, at, kind, principal, purpose, address,
// detail, hash. Only the whole chain, from row 1, tells of rows before it.
using Visit = std::function<Status(const store::Row&)>;
Result<Verdict> VerifyChain(store::Txn& txn, const SigningKey& key, const Head& outside, const Head& cut,
                            int64_t from = 1, const Visit& visit = {});

}  // namespace weft::ledger
