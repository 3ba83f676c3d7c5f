#include "drivers/token/hmac.h"

#include <sodium.h>

namespace weft::token {

std::string HmacSha256(std::string_view key, std::string_view message) {
  auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  std::string seal(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes(message), message.size());
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(seal.data()));
  return seal;
}

}  // namespace weft::token
