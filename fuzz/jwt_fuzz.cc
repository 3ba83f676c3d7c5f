// Tokens, claims and key sets of any bytes: nothing that this node did not sign is proven by its key.
#include <cstdlib>
#include <string_view>

#include "drivers/token/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft;
  static const token::SigningKey signer = token::SigningKey::Generate().value();
  static const token::PublicKey own = token::PublicKey::FromJwk(signer.PublicJwk()).value();
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto token = token::Read(text);
  if (token) {
    if (own.Verifies(*token)) std::abort();
    static_cast<void>(token::CheckClaims(token->claims, {"https://id.example.org", "weft"}, Instant{}));
  }
  if (auto keys = token::KeysFromJwks(text)) {
    for (const token::PublicKey& key : *keys) {
      if (token) static_cast<void>(key.Verifies(*token));
    }
  }
  if (auto claims = Json::Parse(text); claims && claims->is_object()) {
    auto made = signer.Sign(*claims);
    auto read = made ? token::Read(*made) : Result<token::Unproven>(Error{});
    // Longer ones than a token may be are refused; all others are proven.
    if (made && made->size() <= 16'384 && !(read && own.Verifies(*read))) std::abort();
  }
  return 0;
}
