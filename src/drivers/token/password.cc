#include "drivers/token/password.h"

#include <sodium.h>

#include <charconv>
#include <optional>
#include <vector>

#include "base/text.h"

namespace weft::token {
namespace {

Error NoMemory() { return {Code::kUnavailable, "there is no memory to hash a password; try again in a moment"}; }

// What a hash says of how it was made.
struct Kept {
  uint64_t kibibytes = 0, passes = 0;
  std::string salt, hash;
};

// A number after its name: "m=65536".
bool ReadNumber(std::string_view text, std::string_view name, uint64_t* number) {
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return failure == std::errc() && end == text.data() + text.size();
}

bool ReadBytes(const std::string& text, size_t length, std::string* bytes) {
  bytes->resize(length);
  size_t read = 0;
  const char* end = nullptr;
  return sodium_base642bin(reinterpret_cast<unsigned char*>(bytes->data()), length, text.data(), text.size(), nullptr,
                           &read, &end, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
         read == length && end == text.data() + text.size();
}

// Of "$argon2id$v=19$m=65536,t=2,p=1$SALT$HASH"; none where it is another.
std::optional<Kept> Read(const std::string& text) {
  Kept kept;
  const std::vector<std::string> parts = Split(text, '$');
  if (parts.size() != 6 || !parts[0].empty() || parts[1] != "argon2id" || parts[2] != "v=19") return std::nullopt;
  const std::vector<std::string> costs = Split(parts[3], ',');
  const bool read = costs.size() == 3 && ReadNumber(costs[0], "m=", &kept.kibibytes) &&
                    ReadNumber(costs[1], "t=", &kept.passes) && costs[2] == "p=1" &&
                    kept.kibibytes <= crypto_pwhash_MEMLIMIT_MAX / 1'024 &&
                    ReadBytes(parts[4], crypto_pwhash_SALTBYTES, &kept.salt) && ReadBytes(parts[5], 32, &kept.hash);
  return read ? std::optional(std::move(kept)) : std::nullopt;
}

}  // namespace

Result<std::string> HashPassword(std::string_view password) {
  char hash[crypto_pwhash_STRBYTES] = "";
  if (sodium_init() < 0 ||
      crypto_pwhash_str_alg(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return NoMemory();
  }
  return std::string(hash);
}

// The library's own comparison tells a wrong password and memory that it was not given by one number.
Result<bool> PasswordMatches(const std::string& hash, std::string_view password) {
  if (sodium_init() < 0) return NoMemory();
  const std::optional<Kept> kept = Read(hash);
  if (!kept) return false;
  std::string made(kept->hash.size(), '\0');
  if (crypto_pwhash(reinterpret_cast<unsigned char*>(made.data()), made.size(), password.data(), password.size(),
                    reinterpret_cast<const unsigned char*>(kept->salt.data()), kept->passes, kept->kibibytes * 1'024,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return NoMemory();
  }
  return sodium_memcmp(made.data(), kept->hash.data(), made.size()) == 0;
}

}  // namespace weft::token
