// A submission, read and compared: what an apply goes by.
#pragma once

#include <string>
#include <vector>

#include "state/ledger/ledger.h"
#include "work/publish/entities.h"
#include "work/publish/policies.h"
#include "work/publish/publish.h"
#include "work/publish/terms.h"

namespace weft::publish {

struct Draft {
  model::Repository repository;
  Plan plan;
  bool put_mesh = false;
  EntityPlan entities;
  std::set<model::PortKey> replaced;  // Ports of bundles whose bytes change.
  TermPlan terms;
  std::set<std::string> changed;  // "domain/name" of those bundles.
  PolicyPlan policies;
  std::vector<const model::Bundle*> put;  // In `repository`.
  std::vector<ledger::Entry> denials;     // Recorded when it is applied; a plan changes nothing.
};

// Made inside one reading transaction.
Result<Draft> MakeDraft(Context& context, const model::Caller& caller, const Submission& submission);

}  // namespace weft::publish
