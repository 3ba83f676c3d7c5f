// Who may publish a product: by the roles that are registered, never by those that what is published gives.
#pragma once

#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/repository.h"

namespace weft::publish {

struct Needed {
  model::Resource resource;  // What is decided about.
  // To publish is one thing; to say who may is another, which an engineer may not.
  bool grant = false;
};
// `domain`: the team of the bundle's domain.
Result<Needed> NeededFor(store::Txn& txn, const model::Bundle& bundle, const model::Team& domain);

}  // namespace weft::publish
