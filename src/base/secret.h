// Secret bytes, wiped when they end, and what keys are good for: sealing, naming, deriving, tokens in place of values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace weft {

// Moves and does not copy, so that there is one of it to wipe.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept { std::swap(bytes_, other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  static Secret Random(size_t bytes);
  Secret Copy() const { return Secret(bytes_); }
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Keys are of so many bytes; another length is a mistake of the program.
inline constexpr size_t kKeyBytes = 32;

// 16 hexadecimal digits that name a key and tell nothing of it.
std::string KeyId(const Secret& key);
// Another key, of what `message` and `label` say, from which `key` cannot be found (BLAKE2b).
Secret Derive(const Secret& key, std::string_view message, std::string_view label);

// XChaCha20-Poly1305 as base64, bound to what it is about: kInvalid where it is opened with another key, as something
// else, or changed.
std::string Seal(const Secret& key, std::string_view bytes, std::string_view about);
Result<Secret> Unseal(const Secret& key, std::string_view sealed, std::string_view about);

// Tokens that stand for values: the same for the same value, and without the key neither made nor undone. Thread-safe.
class Tokens {
 public:
  explicit Tokens(const Secret& key);
  ~Tokens();
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;

  // "p_" and 26 characters of a-z2-7: 128 bits of keyed BLAKE2b.
  static constexpr size_t kTextLength = 28;
  std::array<char, kTextLength> Of(std::string_view value) const;
  // A permutation of the numbers of each sign, so that no two become one: a Feistel network over 63 bits, of ten rounds
  // of SipHash-2-4.
  int64_t Of(int64_t value) const;

 private:
  std::array<unsigned char, kKeyBytes> text_key_;
  std::array<unsigned char, 16> number_key_;
};

}  // namespace weft
