#include <fmt/format.h>

#include "base/file.h"
#include "state/ledger/rows.h"

namespace weft::ledger {
namespace {

constexpr int kPage = 2'000;

Status CheckSignature(const SigningKey& key, const Head& head, std::string_view what) {
  if (VerifySignature(key.public_key, SignedText(head), head.signature)) return {};
  return Error{Code::kConflict,
               fmt::format("{} at row {} was forged: its signature is not of this node's key", what, head.seq)};
}

// Walks rows in order; stops at the first that does not follow.
struct Walk {
  int64_t seq = 0;
  std::string hash = Head().hash;
  std::string hash_at_outside;  // The chain's hash at the row that the outside head names.

  Status Take(const store::Row& row, int64_t outside) {
    const int64_t at = row.integer(0);
    if (at != seq + 1) {
      return Error{Code::kConflict,
                   fmt::format("row {} is missing: it was removed, or the rows were renumbered", seq + 1)};
    }
    const store::Cell cells[] = {row[1], row[2], row[3], row[4], row[5], row[6]};
    hash = ChainHash(hash, at, cells);
    seq = at;
    if (hash != row.text(7)) {
      return Error{Code::kConflict,
                   fmt::format("row {} was changed or moved: its hash does not follow from its content "
                               "and the row before it",
                               at)};
    }
    if (seq == outside) hash_at_outside = hash;
    return {};
  }
};

Status CheckEnds(const Walk& walk, const Head& head, const Head& outside, const Head& cut, const SigningKey& key) {
  auto found = [](std::string text) -> Status { return Error{Code::kConflict, std::move(text)}; };
  if (walk.seq < head.seq) return found(fmt::format("row {} is missing: rows were removed from the end", walk.seq + 1));
  if (walk.seq > head.seq)
    return found(fmt::format("row {} lies behind the signed head at row {}", head.seq + 1, head.seq));
  if (head.seq > 0) TRY(CheckSignature(key, head, "the signed head"));
  if (head.hash != walk.hash) return found(fmt::format("the signed head at row {} is of another chain", head.seq));
  if (cut.seq > 0) {
    return found(
        fmt::format("the end was cut: the store once reached row {}; the signed head of then is kept as "
                    "ledger-head.cut.json, remove that file when this has been looked into",
                    cut.seq));
  }
  if (head.seq > 0 && outside.seq == 0) return found("the signed head outside the store is missing");
  if (outside.seq == 0) return {};
  TRY(CheckSignature(key, outside, "the head outside the store"));
  if (outside.seq > walk.seq) {
    return found(fmt::format("the end was cut: the store ends at row {}, the signed head outside it names row {}",
                             walk.seq, outside.seq));
  }
  if (outside.hash != walk.hash_at_outside) {
    return found(
        fmt::format("row {} is another than the one that the signed head outside the store names", outside.seq));
  }
  return {};
}

}  // namespace

std::string SignedText(const Head& head) {
  return fmt::format("weft ledger head\n{}\n{}\n{}", head.seq, head.at, head.hash);
}

std::string ChainHash(const std::string& previous, int64_t seq, std::span<const store::Cell> cells) {
  // Lengths before values: no two rows have the same bytes.
  std::string bytes = fmt::format("{}{}\n", previous, seq);
  for (const store::Cell& cell : cells) {
    const std::string& text = *cell;
    bytes += fmt::format("{}:", text.size());
    bytes += text;
  }
  return Sha256(bytes);
}

Result<Head> StoredHead(store::Txn& txn) {
  Head head;
  for (const store::Row& row : TRY(txn.Run("SELECT seq, at, hash, signature FROM ledger_head WHERE id = 1"))) {
    head = {row.integer(0), row.text(1), row.text(2), row.text(3)};
  }
  return head;
}

Result<Head> HeadFile::ReadFrom(const std::string& path) {
  auto text = ReadFile(path);
  if (!text && text.error().code == Code::kNotFound) return Head();
  if (!text) return text.TakeError();
  auto json = Json::Parse(*text);
  if (!json) return json.TakeError().With("the ledger's head in " + path);
  return Head{(*json)["seq"].Int(), (*json)["at"].Text(), (*json)["hash"].Text(), (*json)["signature"].Text()};
}

Status HeadFile::Write(const Head& head) const {
  Json json = Json::Map({{"seq", head.seq}, {"at", head.at}, {"hash", head.hash}, {"signature", head.signature}});
  return WriteFileAtomically(path_, json.Dump() + "\n", 0600);
}

Status HeadFile::SetAside(const Head& lost) const {
  if (TRY(Cut()).seq >= lost.seq) return {};
  Json json = Json::Map({{"seq", lost.seq}, {"at", lost.at}, {"hash", lost.hash}, {"signature", lost.signature}});
  return WriteFileAtomically(cut_, json.Dump() + "\n", 0600);
}

Result<SigningKey> OpenKey(const std::string& folder, bool may_create) {
  const std::string path = folder + "/ledger-key.json";
  auto text = ReadFile(path);
  if (text) {
    Json json = TRY(Json::Parse(*text));
    SigningKey key{json["secret"].Text(), json["public"].Text()};
    if (!VerifySignature(key.public_key, "weft", Sign(key, "weft"))) {
      return Error{Code::kConflict, path + " holds no signing key; restore it from a backup"};
    }
    return key;
  }
  if (text.error().code != Code::kNotFound) return text.TakeError();
  if (!may_create) {
    return Error{Code::kConflict, "the ledger's signing key " + path +
                                      " is missing, but the store holds a signed ledger; restore the file from a "
                                      "backup, or, of several nodes over the store, name their folder with --shared"};
  }
  SigningKey key = NewSigningKey();
  TRY(WriteFileAtomically(path, Json::Map({{"secret", key.secret}, {"public", key.public_key}}).Dump() + "\n", 0600));
  return key;
}

Result<Verdict> VerifyChain(store::Txn& txn, const SigningKey& key, const Head& outside, const Head& cut, int64_t from,
                            const Visit& visit) {
  Verdict verdict;
  verdict.unsealed = TRY(txn.Run("SELECT count(*) FROM ledger WHERE seq IS NULL"))[0].integer(0);
  const Head head = TRY(StoredHead(txn));
  Walk walk;
  if (from > 1) {
    walk.seq = from - 1;
    const auto before = TRY(txn.Run("SELECT hash FROM ledger WHERE seq = $1", {store::Int(walk.seq)}));
    if (!before.empty()) walk.hash = before[0].text(0);
  }
  Status follows;
  while (follows) {
    auto rows =
        TRY(txn.Run("SELECT seq, at, kind, principal, purpose, address, detail, hash FROM ledger WHERE seq > $1 ORDER "
                    "BY seq LIMIT $2",
                    {store::Int(walk.seq), store::Int(kPage)}));
    if (rows.empty()) break;
    for (size_t i = 0; follows && i < rows.size(); ++i) {
      follows = walk.Take(rows[i], outside.seq);
      if (follows && visit) TRY(visit(rows[i]));
    }
  }
  // A row with a number of no place (0, negative, none of the dense ones) is no row of the walk.
  if (follows && from <= 1) {
    const int64_t numbered = TRY(txn.Run("SELECT count(*) FROM ledger WHERE seq IS NOT NULL"))[0].integer(0);
    if (numbered != walk.seq) follows = Error{Code::kConflict, "a row carries a number below 1"};
  }
  if (follows) follows = CheckEnds(walk, head, outside, cut, key);
  verdict.rows = walk.seq - (from > 1 ? from - 1 : 0);
  verdict.head = walk.hash;
  if (!follows) verdict.problem = follows.error().message;
  return verdict;
}

}  // namespace weft::ledger
