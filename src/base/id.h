// Random ids, secrets and hashes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

std::string NewUuid();                       // Version 7: sorts by the time of its making.
std::string NewId(std::string_view prefix);  // "run_01jd…": prefix, underscore, 26 characters that sort by time.
int64_t NewPositiveInt64();                  // Random, at least 1; Iceberg's snapshot ids.
std::string NewSecret(size_t bytes);         // URL-safe text of so many random bytes.

std::string Hex(std::string_view bytes);
std::string Base64(std::string_view bytes);
Result<std::string> FromBase64(std::string_view text);
std::string Sha256(std::string_view bytes);  // 64 hex digits.

// SHA-256 of what is fed to it, piece by piece; some 1.8 GB/s where the processor has the instructions.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  Hasher& Add(std::string_view bytes);
  Hasher& AddNamed(std::string_view name, std::string_view text);  // Apart from what comes before and after.
  std::string Hex();                                               // Once.

 private:
  void* context_;  // OpenSSL's.
};

// Ed25519 over a 32-byte seed; keys and signatures travel as base64.
struct SigningKey {
  std::string secret;
  std::string public_key;
};
SigningKey NewSigningKey();
std::string Sign(const SigningKey& key, std::string_view message);
bool VerifySignature(const std::string& public_key, std::string_view message, const std::string& signature);

bool SecretsEqual(std::string_view a, std::string_view b);  // In constant time.

}  // namespace weft
