#include "state/runs/positions.h"

#include <fmt/format.h>

namespace weft::runs {
namespace {

constexpr std::string_view kCounts = "r.status = 'succeeded' AND r.withdrawn_by = ''";
constexpr std::string_view kNewestFirst = "r.ended_at DESC, r.requested_at DESC, r.id DESC";

std::vector<Piece> ToPieces(const std::vector<store::Row>& rows) {
  std::vector<Piece> pieces;
  pieces.reserve(rows.size());
  for (const store::Row& row : rows) pieces.push_back({row.text(0), row.text(1), row.text(2)});
  return pieces;
}

}  // namespace

Status PutPosition(store::Txn& txn, const Run& run, const Position& position) {
  if (position.all) {
    TRY(txn.Run("DELETE FROM run_pieces WHERE port = $1 AND input = $2", {run.port.Text(), position.input}));
  }
  for (const Piece& piece : position.pieces) {
    TRY(txn.Run("INSERT INTO run_pieces (run_id, input, sha256, port, name, stamp) VALUES ($1, $2, $3, $4, $5, $6)",
                {run.id, position.input, piece.sha256, run.port.Text(), piece.name, piece.stamp}));
  }
  TRY(NoteAgain(txn, run.port, position));
  if (!position.cursor) return {};
  const Cursor& cursor = *position.cursor;
  TRY(
      txn.Run("INSERT INTO run_cursors (run_id, input, port, about, value, version, rows_hash) VALUES ($1, $2, $3, $4, "
              "$5, $6, $7)",
              {run.id, position.input, run.port.Text(), cursor.about, cursor.value, cursor.version, cursor.rows_hash}));
  return {};
}

Status NoteAgain(store::Txn& txn, const model::PortKey& port, const Position& position) {
  for (const Piece& piece : position.again) {
    TRY(txn.Run("UPDATE run_pieces SET name = $4, stamp = $5 WHERE port = $1 AND input = $2 AND sha256 = $3",
                {port.Text(), position.input, piece.sha256, piece.name, piece.stamp}));
  }
  return {};
}

Result<std::vector<Piece>> PiecesOf(store::Txn& txn, const model::PortKey& port, const std::string& input) {
  return ToPieces(TRY(txn.Run(fmt::format("SELECT p.name, p.sha256, p.stamp FROM run_pieces AS p JOIN runs AS r ON "
                                          "r.id = p.run_id WHERE p.port = $1 AND p.input = $2 AND {} ORDER BY "
                                          "r.ended_at, r.requested_at, r.id, p.name",
                                          kCounts),
                              {port.Text(), input})));
}

Result<std::optional<Cursor>> CursorOf(store::Txn& txn, const model::PortKey& port, const std::string& input) {
  const auto rows =
      TRY(txn.Run(fmt::format("SELECT c.about, c.value, c.version, c.rows_hash FROM run_cursors AS c JOIN runs AS r ON "
                              "r.id = c.run_id WHERE c.port = $1 AND c.input = $2 AND {} ORDER BY {} LIMIT 1",
                              kCounts, kNewestFirst),
                  {port.Text(), input}));
  if (rows.empty()) return std::optional<Cursor>();
  return std::optional(Cursor{rows[0].text(0), rows[0].text(1), rows[0].text(2), rows[0].text(3)});
}

}  // namespace weft::runs
