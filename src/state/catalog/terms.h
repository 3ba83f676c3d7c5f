// The mesh's terms, and what speaks of them. Owns term_files and term_uses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "model/sight.h"
#include "model/term.h"

namespace weft::catalog {

Result<std::shared_ptr<const model::Terms>> TermsOf(store::Txn& txn);
// Adds the files, or replaces those of the same path; in force with the transaction, and found from then on.
Status PutTerms(store::Txn& txn, Clock& clock, const std::vector<model::TermFile>& files, const std::string& principal);

// What speaks of a term (any, where it is empty): columns of registered ports, each in its newest version; a port as a
// whole has no column, and a product no port.
struct TermColumn {
  std::string term;
  model::PortKey port;
  std::string column;

  std::string Where() const;  // "operations/flights/flights@1", "operations/flights"
};
Result<std::vector<TermColumn>> TermColumns(store::Txn& txn, const model::Sight& sight, const std::string& term = "");

}  // namespace weft::catalog
