#include "base/secret.h"

#include <sodium.h>

#include <cstdlib>
#include <cstring>

#include "base/id.h"

namespace weft {
namespace {

constexpr size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kKeyBytes == crypto_generichash_blake2b_BYTES);

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void Ready() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) std::abort();  // No randomness: nothing that follows could be safe.
}

const unsigned char* KeyOf(const Secret& key) {
  Ready();
  if (key.bytes().size() != kKeyBytes) std::abort();
  return Bytes(key.bytes());
}

}  // namespace

Secret::~Secret() { sodium_memzero(bytes_.data(), bytes_.size()); }

Secret Secret::Random(size_t bytes) {
  Ready();
  std::string made(bytes, '\0');
  randombytes_buf(made.data(), made.size());
  return Secret(std::move(made));
}

std::string KeyId(const Secret& key) { return Hex(Derive(key, "", "key id").bytes().substr(0, 8)); }

Secret Derive(const Secret& key, std::string_view message, std::string_view label) {
  const unsigned char* bytes = KeyOf(key);
  // A label of any length becomes the sixteen bytes that the function personalises with.
  unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES];
  crypto_generichash_blake2b(personal, sizeof personal, Bytes(label), label.size(), nullptr, 0);
  std::string made(kKeyBytes, '\0');
  crypto_generichash_blake2b_salt_personal(Bytes(made), made.size(), Bytes(message), message.size(), bytes, kKeyBytes,
                                           nullptr, personal);
  return Secret(std::move(made));
}

std::string Seal(const Secret& key, std::string_view bytes, std::string_view about) {
  const unsigned char* with = KeyOf(key);
  std::string sealed(kNonce + bytes.size() + kTag, '\0');
  randombytes_buf(sealed.data(), kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Bytes(sealed) + kNonce, nullptr, Bytes(bytes), bytes.size(), Bytes(about),
                                             about.size(), nullptr, Bytes(sealed), with);
  return Base64(sealed);
}

Result<Secret> Unseal(const Secret& key, std::string_view sealed, std::string_view about) {
  const unsigned char* with = KeyOf(key);
  const std::string all = TRY(FromBase64(sealed));
  const Error wrong{Code::kInvalid, "it was sealed with another key, as something else, or was changed since"};
  if (all.size() < kNonce + kTag) return wrong;
  std::string bytes(all.size() - kNonce - kTag, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Bytes(bytes), nullptr, nullptr, Bytes(all) + kNonce,
                                                 all.size() - kNonce, Bytes(about), about.size(), Bytes(all),
                                                 with) != 0) {
    return wrong;
  }
  return Secret(std::move(bytes));
}

Tokens::Tokens(const Secret& key) {
  const Secret text = Derive(key, "text", "tokens"), number = Derive(key, "number", "tokens");
  std::memcpy(text_key_.data(), text.bytes().data(), text_key_.size());
  std::memcpy(number_key_.data(), number.bytes().data(), number_key_.size());
}

Tokens::~Tokens() {
  sodium_memzero(text_key_.data(), text_key_.size());
  sodium_memzero(number_key_.data(), number_key_.size());
}

std::array<char, Tokens::kTextLength> Tokens::Of(std::string_view value) const {
  unsigned char hash[16];
  crypto_generichash_blake2b(hash, sizeof hash, Bytes(value), value.size(), text_key_.data(), text_key_.size());
  std::array<char, kTextLength> token;
  token[0] = 'p';
  token[1] = '_';
  uint32_t bits = 0;
  int held = 0;
  size_t at = 2;
  for (const unsigned char byte : hash) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 5; held -= 5) token[at++] = "abcdefghijklmnopqrstuvwxyz234567"[bits >> (held - 5) & 31];
  }
  token[at] = "abcdefghijklmnopqrstuvwxyz234567"[bits << (5 - held) & 31];  // The last three bits, and two of zero.
  return token;
}

int64_t Tokens::Of(int64_t value) const {
  constexpr int kRounds = 10;
  const auto bits = static_cast<uint64_t>(value);
  const uint64_t sign = bits >> 63;
  uint64_t left = bits >> 32 & 0x7fffffff, right = bits & 0xffffffff;  // Of 31 and 32 bits, each the other's mask.
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t asked[2] = {round << 1 | sign, round % 2 == 0 ? left : right};
    uint64_t mixed = 0;
    crypto_shorthash_siphash24(reinterpret_cast<unsigned char*>(&mixed), reinterpret_cast<const unsigned char*>(asked),
                               sizeof asked, number_key_.data());
    (round % 2 == 0 ? right : left) ^= mixed & (round % 2 == 0 ? 0xffffffff : 0x7fffffff);
  }
  return static_cast<int64_t>(sign << 63 | left << 32 | right);
}

}  // namespace weft
