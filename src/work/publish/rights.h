// Who may publish a product: by the roles that are registered, never by those that what is published gives.
#pragma once

#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/repository.h"
#include "state/catalog/seen.h"

namespace weft::publish {

struct Needed {
  model::Resource resource;  // What is decided about.
  // To publish is one thing; to say who may is another, which an engineer may not.
  bool grant = false;
};
// Of a product that is not seen nobody has a role by what is registered. `domain`: the team of the bundle's domain.
Result<Needed> NeededFor(const catalog::Seen& seen, store::Txn& txn, const model::Bundle& bundle,
                         const model::Team& domain);

}  // namespace weft::publish
