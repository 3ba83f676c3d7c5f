#include "base/id.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "base/clock.h"

namespace weft {
namespace {

void Ready() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) abort();  // No randomness: nothing that follows could be safe.
}

std::string RandomBytes(size_t count) {
  Ready();
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string Encode(std::string_view bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), Bytes(bytes), bytes.size(), variant);
  text.pop_back();  // The terminator.
  return text;
}

}  // namespace

std::string NewUuid() {
  std::string b = RandomBytes(16);
  uint64_t millis = static_cast<uint64_t>(SystemClock().Now().millis());
  for (int i = 0; i < 6; ++i) b[i] = static_cast<char>(millis >> (40 - 8 * i));
  b[6] = static_cast<char>((b[6] & 0x0f) | 0x70);
  b[8] = static_cast<char>((b[8] & 0x3f) | 0x80);
  std::string hex = Hex(b);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

std::string NewId(std::string_view prefix) {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  uint64_t millis = static_cast<uint64_t>(SystemClock().Now().millis());
  std::string text(26, '0');
  for (int i = 9; i >= 0; --i, millis >>= 5) text[i] = kDigits[millis & 31];
  std::string random = RandomBytes(16);
  for (int i = 0; i < 16; ++i) text[10 + i] = kDigits[random[i] & 31];
  return fmt::format("{}_{}", prefix, text);
}

int64_t NewPositiveInt64() {
  std::string bytes = RandomBytes(8);
  uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<int64_t>(value >> 1) | 1;
}

std::string NewSecret(size_t bytes) { return Encode(RandomBytes(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING); }

std::string Hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), Bytes(bytes), bytes.size());
  text.pop_back();
  return text;
}

std::string Base64(std::string_view bytes) { return Encode(bytes, sodium_base64_VARIANT_ORIGINAL); }

Result<std::string> FromBase64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  size_t length = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size(), "\r\n",
                        &length, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size()) {
    return Error{Code::kInvalid, "not base64"};
  }
  bytes.resize(length);
  return bytes;
}

std::string Sha256(std::string_view bytes) { return Hasher().Add(bytes).Hex(); }

// OpenSSL's, which uses the processor's own instructions; libsodium's is five times slower.
Hasher::Hasher() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) != 1) abort();
}

Hasher::~Hasher() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

Hasher& Hasher::Add(std::string_view bytes) {
  if (EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) != 1) abort();
  return *this;
}

Hasher& Hasher::AddNamed(std::string_view name, std::string_view text) {
  return Add(fmt::format("{} {} {}\n", name, name.size(), text.size())).Add(text);
}

std::string Hasher::Hex() {
  std::string sum(32, '\0');
  if (EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), reinterpret_cast<unsigned char*>(sum.data()), nullptr) !=
      1)
    abort();
  return weft::Hex(sum);
}

SigningKey NewSigningKey() {
  Ready();
  std::string pub(crypto_sign_PUBLICKEYBYTES, '\0'), secret(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_keypair(reinterpret_cast<unsigned char*>(pub.data()), reinterpret_cast<unsigned char*>(secret.data()));
  return {Base64(secret), Base64(pub)};
}

std::string Sign(const SigningKey& key, std::string_view message) {
  auto secret = FromBase64(key.secret);
  if (!secret || secret->size() != crypto_sign_SECRETKEYBYTES) return {};
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, Bytes(message), message.size(),
                       Bytes(*secret));
  return Base64(signature);
}

bool VerifySignature(const std::string& public_key, std::string_view message, const std::string& signature) {
  auto key = FromBase64(public_key);
  auto sig = FromBase64(signature);
  if (!key || !sig || key->size() != crypto_sign_PUBLICKEYBYTES || sig->size() != crypto_sign_BYTES) return false;
  return crypto_sign_verify_detached(Bytes(*sig), Bytes(message), message.size(), Bytes(*key)) == 0;
}

bool SecretsEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weft
