// The inside of approving: whose word a request needs, and whose it must not be.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "work/approve/approve.h"

namespace weft::approve {

// The request, with its history, and what it needs by the policies in force and by those of when it was made.
Result<View> ViewOf(store::Txn& txn, Clock& clock, requests::Request request);

// The names that hold a step where the team is: principals, and groups.
std::vector<std::string> HoldersOf(const std::string& step, const model::Team& team);

// Who must agree, by the policies in force: the strictest of what they say about the requester and about whom it is
// for, of a group about each of its members.
Result<model::Chain> ChainNow(store::Txn& txn, Clock& clock, const requests::Request& request,
                              const model::Resource& resource);

// The steps of the view's chain, with who approved them and who could.
Result<std::vector<Step>> StepsOf(store::Txn& txn, Clock& clock, const View& view);

// Why this principal may approve nothing of the request; empty where they may: it is theirs, or they approved a step.
std::string Barred(const View& view, const model::Principal& principal);

// In whose right a principal approves the step.
struct Right {
  bool given = false;
  std::string in_stead;  // Empty: their own.
};
Result<Right> RightTo(store::Txn& txn, Clock& clock, const View& view, const std::string& step,
                      const model::Principal& principal);

}  // namespace weft::approve
