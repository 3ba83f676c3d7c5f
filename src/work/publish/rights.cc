#include "work/publish/rights.h"

#include "state/catalog/catalog.h"

namespace weft::publish {

Result<Needed> NeededFor(const catalog::Seen& seen, store::Txn& txn, const model::Bundle& bundle,
                         const model::Team& domain) {
  const model::Product& product = bundle.product;
  model::Team registered;
  if (TRY(seen.Sees({product.domain, product.name, "", 0}))) {
    registered = TRY(catalog::TeamOf(txn, product.domain, product.name));
  }
  Needed needed;
  needed.resource.domain = product.domain;
  needed.resource.product = product.name;
  needed.resource.Add(registered);
  needed.resource.Add(domain);
  // What somebody has already by the domain is not given here.
  model::Team after = domain;
  after.Add(product);
  model::Team before = domain;
  before.Add(registered);
  needed.grant = !(after == before);
  return needed;
}

}  // namespace weft::publish
