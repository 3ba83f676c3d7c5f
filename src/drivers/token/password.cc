#include "drivers/token/password.h"

#include <sodium.h>

namespace weft::token {

Result<std::string> HashPassword(std::string_view password) {
  char hash[crypto_pwhash_STRBYTES] = "";
  if (sodium_init() < 0 ||
      crypto_pwhash_str_alg(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Error{Code::kUnavailable, "there is no memory to hash a password; try again in a moment"};
  }
  return std::string(hash);
}

bool PasswordMatches(const std::string& hash, std::string_view password) {
  return sodium_init() >= 0 && crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace weft::token
