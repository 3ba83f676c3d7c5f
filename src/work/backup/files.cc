#include "work/backup/files.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace weft::backup {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

Error CannotWrite(const fs::path& path) {
  return {Code::kUnavailable,
          fmt::format("cannot write {}: {}; is the disk full?", path.string(), std::strerror(errno))};
}

}  // namespace

Result<Copied> CopyFile(const fs::path& from, const fs::path& to) {
  TRY(MakeFolders(to.parent_path()));
  const fs::path draft = to.string() + ".draft-" + NewSecret(6);
  std::ifstream in(from, std::ios::binary);
  if (!in) {
    return Error{Code::kUnavailable, fmt::format("cannot read {}: {}", from.string(), std::strerror(errno))};
  }
  auto copy = [&]() -> Result<Copied> {
    std::ofstream out(draft, std::ios::binary | std::ios::trunc);
    Hasher hasher;
    Copied copied;
    std::string piece(kPiece, '\0');
    while (in) {
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      const std::string_view got(piece.data(), static_cast<size_t>(in.gcount()));
      hasher.Add(got);
      copied.bytes += static_cast<int64_t>(got.size());
      if (!out.write(got.data(), static_cast<std::streamsize>(got.size()))) return CannotWrite(to);
    }
    if (in.bad()) return Error{Code::kUnavailable, fmt::format("cannot read all of {}", from.string())};
    out.close();
    if (!out) return CannotWrite(to);
    TRY(SyncFile(draft));
    std::error_code failure;
    fs::rename(draft, to, failure);
    if (failure) return CannotWrite(to);
    copied.sha256 = hasher.Hex();
    return copied;
  };
  auto copied = copy();
  std::error_code ignored;
  if (!copied) fs::remove(draft, ignored);
  return copied;
}

LinesOut::LinesOut(fs::path path)
    : path_(std::move(path)), out_(path_, std::ios::binary | std::ios::trunc), hasher_(std::make_unique<Hasher>()) {}

Result<LinesOut> LinesOut::Create(const fs::path& path) {
  TRY(MakeFolders(path.parent_path()));
  LinesOut lines(path);
  if (!lines.out_) return CannotWrite(path);
  return lines;
}

Status LinesOut::Add(std::string_view line) {
  hasher_->Add(line).Add("\n");
  bytes_ += static_cast<int64_t>(line.size()) + 1;
  if (out_.write(line.data(), static_cast<std::streamsize>(line.size())) && out_.put('\n')) return {};
  return CannotWrite(path_);
}

Result<Copied> LinesOut::Finish() {
  out_.close();
  if (!out_) return CannotWrite(path_);
  TRY(SyncFile(path_));
  return Copied{hasher_->Hex(), bytes_};
}

Status EachLine(const fs::path& path, const std::string& sha256, const std::function<Status(std::string_view)>& visit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{Code::kInvalid, fmt::format("the backup is not whole: it lacks {}", path.string())};
  Hasher hasher;
  std::string line;
  while (std::getline(in, line)) {
    hasher.Add(line).Add("\n");
    TRY(visit(line));
  }
  if (hasher.Hex() == sha256) return {};
  return Error{Code::kInvalid, fmt::format("the backup is damaged: {} is not as it was written", path.string())};
}

Status CheckRoom(const fs::path& path, int64_t bytes) {
  std::error_code failure;
  fs::path there = path;
  while (!fs::exists(there, failure) && there.has_relative_path()) there = there.parent_path();
  const fs::space_info room = fs::space(there, failure);
  if (failure || static_cast<int64_t>(room.available) >= bytes) return {};
  return Error{Code::kUnavailable, fmt::format("{} has no room: {} are needed and {} are free", path.string(),
                                               HumanBytes(bytes), HumanBytes(static_cast<int64_t>(room.available)))};
}

}  // namespace weft::backup
