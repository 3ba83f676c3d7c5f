#include <fmt/format.h>
#include <zlib.h>

#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

constexpr size_t kBlock = size_t{1} << 18;

constexpr std::string_view kCut = "it ends in the middle, as a copy does that was broken off";

// Why the members of a gzip file are not what was packed; empty where they are.
std::string GzipFlaw(std::ifstream& file) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return "there is no memory to unpack it";
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::vector<Bytef> in(kBlock), out(kBlock);
  bool within = false;  // A member.
  size_t members = 0;
  while (true) {
    file.read(reinterpret_cast<char*>(in.data()), static_cast<std::streamsize>(in.size()));
    stream.next_in = in.data();
    stream.avail_in = static_cast<uInt>(file.gcount());
    if (stream.avail_in == 0) return members == 0 || within ? std::string(kCut) : "";
    while (stream.avail_in > 0) {
      stream.next_out = out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      within = true;
      const int answer = inflate(&stream, Z_NO_FLUSH);
      if (answer == Z_STREAM_END) {
        within = false;
        ++members;
        inflateReset(&stream);
      } else if (answer != Z_OK && answer != Z_BUF_ERROR) {
        const std::string why = stream.msg ? stream.msg : "";
        if (why == "incorrect data check" || why == "incorrect length check")
          return "what it holds does not agree with its checksum";
        if (why == "incorrect header check" && members == 0) return "it is no gzip file, whatever its name says";
        if (why == "incorrect header check") return "bytes stand behind its end that are no gzip";
        return fmt::format("its bytes make no sense ({})", why);
      }
    }
  }
}

// The frames of a zstd file, walked without unpacking them: the engine holds their checksums, and takes a file that
// ends early for a whole one.
class ZstdWalk {
 public:
  ZstdWalk(std::ifstream& file, uint64_t size) : file_(file), left_(size) {}

  std::string Flaw() {
    constexpr uint64_t kMagic = 0xfd2fb528, kSkippable = 0x184d2a50;
    if (left_ == 0) return std::string(kCut);
    for (bool first = true; left_ > 0; first = false) {
      uint64_t magic = 0, size = 0;
      if (!Take(4, magic)) return std::string(kCut);
      if ((magic & ~uint64_t{15}) == kSkippable) {
        if (!Take(4, size) || !Skip(size)) return std::string(kCut);
      } else if (magic != kMagic) {
        return first ? "it is no zstd file, whatever its name says" : "bytes stand behind its end that are no zstd";
      } else if (std::string flaw = Frame(); !flaw.empty()) {
        return flaw;
      }
    }
    return "";
  }

 private:
  std::string Frame() {
    uint64_t descriptor = 0;
    if (!Take(1, descriptor)) return std::string(kCut);
    const bool one_segment = (descriptor & 0x20) != 0, checksum = (descriptor & 4) != 0;
    constexpr uint64_t kDictionary[] = {0, 1, 2, 4}, kContent[] = {0, 2, 4, 8};
    const uint64_t content = descriptor >> 6 == 0 && one_segment ? 1 : kContent[descriptor >> 6];
    if (!Skip((one_segment ? 0 : 1) + kDictionary[descriptor & 3] + content)) return std::string(kCut);
    for (bool last = false; !last;) {
      uint64_t header = 0;
      if (!Take(3, header)) return std::string(kCut);
      last = (header & 1) != 0;
      const uint64_t type = header >> 1 & 3, size = header >> 3;
      if (type == 3) return "its bytes make no sense (a block of no type)";
      if (!Skip(type == 1 ? 1 : size)) return std::string(kCut);  // One byte, repeated.
    }
    return checksum && !Skip(4) ? std::string(kCut) : "";
  }

  // A number of up to 8 bytes, the lowest first.
  bool Take(size_t bytes, uint64_t& number) {
    unsigned char buffer[8] = {};
    if (bytes > left_ || !file_.read(reinterpret_cast<char*>(buffer), static_cast<std::streamsize>(bytes)))
      return false;
    left_ -= bytes;
    number = 0;
    for (size_t i = bytes; i-- > 0;) number = number << 8 | buffer[i];
    return true;
  }

  bool Skip(uint64_t bytes) {
    if (bytes > left_ || !file_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur)) return false;
    left_ -= bytes;
    return true;
  }

  std::ifstream& file_;
  uint64_t left_;
};

}  // namespace

Status CheckWhole(const std::string& path, const std::string& name, const std::string& compression) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Code::kNotFound, fmt::format("the source file '{}' cannot be opened", name)};
  if (compression == "none") return {};
  std::error_code failure;
  const uint64_t size = fs::file_size(path, failure);
  const std::string flaw = compression == "gzip" ? GzipFlaw(file) : ZstdWalk(file, failure ? 0 : size).Flaw();
  if (flaw.empty()) return {};
  return Error{Code::kInvalid, fmt::format("'{}' is damaged: {}. Nothing was read: copy or write it anew", name, flaw)};
}

}  // namespace weft::run
