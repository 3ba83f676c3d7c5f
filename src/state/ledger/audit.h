// Questions to the ledger: who saw what, who did what, and rows that an outsider can verify.
#pragma once

#include "state/ledger/ledger.h"

namespace weft::ledger {

// About one port (`address`, in short form), about one principal, or about both.
struct Question {
  std::string address = {}, principal = {};
  std::string purpose = {};                       // Empty: any.
  std::optional<Instant> since = {}, until = {};  // From, and before.
  // Reads the rows themselves, each held against the chain up to its signed head, and not the index of them.
  bool verify = false;
};

// Rows of one principal about one address that say the same, as one.
struct Finding {
  std::string principal, purpose, address;
  // What they say. Of a read {"columns": {"amount": "clear", "customer": "mask-alphanum"}, "right", "policies"}, where
  // null columns may be all of them; of denials {"denied": "read", "reasons", "door"}; of the rest {"did": "granted"}.
  Json what;
  int64_t times = 0;
  int64_t rows = 0;  // That left, of reads.
  int64_t bytes = 0;
  Instant first, last;
  int64_t first_row = 0, last_row = 0;  // seq
};
struct Answer {
  std::vector<Finding> findings;   // The newest first.
  int64_t rows = 0;                // Of the ledger, of which the answer is made.
  std::optional<Verdict> verdict;  // Where `verify` was asked: of the rows from `verified_from` to the head.
  int64_t verified_from = 0;
};

// The answer as far as the index has come, which is some moments behind the newest rows; `verify` is not asked.
Result<Answer> AskIndex(store::Txn& txn, const Question& question);

// The hash and the detail of rows, by seq, for those who want to see what stands behind an answer.
Result<std::vector<Sealed>> RowsAt(store::Txn& txn, std::span<const int64_t> seqs);

// A part of the chain, with both of its ends signed by the node's key.
struct Excerpt {
  int64_t first = 0, last = 0;  // seq
  std::string previous;         // The hash before the first row.
  std::string hash;             // Of the last row.
  std::string at;               // When it was signed.
  std::string signature;        // Ed25519 over "weft ledger export\nFIRST\nPREVIOUS\nLAST\nAT\nHASH", base64.
  std::string public_key;       // base64
};
// Rows from `first` to `last`, as their hashes were made: {seq, at, kind, principal, purpose, address, detail (its
// text), hash}; at most `limit`.
Result<std::vector<Json>> Lines(store::Txn& txn, int64_t first, int64_t last, int limit);

// What a read's rows have in common, in few characters: a "read.ended" names by it what its "read.started" says.
std::string SeenDigest(const Json& started);

}  // namespace weft::ledger
