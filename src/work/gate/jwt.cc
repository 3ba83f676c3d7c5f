#include <fmt/format.h>

#include "base/id.h"
#include "state/access/access.h"
#include "work/gate/gate.h"

namespace weft::gate {

// A token of the identity provider: what it claims becomes a principal by rules of this mesh alone.
Result<model::Caller> Gate::AuthenticateJwt(std::string_view jwt) {
  auto refused = [](std::string why) {
    return Error{Code::kUnauthenticated, "the token is refused: " + std::move(why)};
  };
  if (!oidc_.provider) return refused("this node trusts no identity provider (its setting oidc-issuer is empty)");
  const Json claims = TRY(oidc_.provider->Verify(jwt));
  const Json& name = claims[oidc_.principal_claim];
  // Another claim in its place would let one person come under two names.
  if (!name.is_text() || name.Text().empty()) {
    return refused(fmt::format("it has no claim {} that names its principal", oidc_.principal_claim));
  }
  std::vector<std::string> groups = claims[oidc_.groups_claim].Texts();
  if (claims[oidc_.groups_claim].is_text()) groups = {claims[oidc_.groups_claim].Text()};
  auto txn = TRY(store_.Read());
  model::Caller caller;
  caller.principal = TRY(access::ForeignPrincipal(*txn, name.Text(), groups));
  caller.token_id = "jwt_" + Sha256(jwt).substr(0, 26);
  caller.expires_at = Instant{static_cast<int64_t>(std::min(claims["exp"].Double(), 2e11)) * 1'000'000};
  return caller;
}

}  // namespace weft::gate
