#include <fmt/format.h>

#include "base/text.h"
#include "model/quarantine.h"
#include "ports/rest/handlers.h"
#include "state/ledger/audit.h"
#include "state/uploads/uploads.h"

namespace weft::rest {
namespace {

// Who corrects rows writes what they are: whoever is shown less than that would write masks for values.
Status SeesAll(Api& api, const Caller& caller, const model::PortKey& port) {
  model::Decision read;
  const std::string address = model::QuarantineKey(port).Text();
  {
    auto txn = TRY(api.store.Read());
    const catalog::Port own = TRY(PortOf(api, *txn, caller, address));
    read = TRY(api.gate.Ask(*txn, caller, model::Action::kRead, own.resource));
  }
  if (read.permitted && !read.restriction) return {};
  const std::string& who = caller.principal.name;
  Error denied{Code::kDenied, ""};
  if (read.permitted) {
    denied.message = fmt::format(
        "a policy hides rows or values of {} from {}: rows are corrected by who sees all of them", address, who);
  } else {
    denied.message = fmt::format("{} may not read {}, whose rows these are: {}", who, address, read.Why());
  }
  TRY(api.ledger.Deny(ledger::Denial(caller, model::Action::kRead, address, {denied.message})));
  return denied;
}

}  // namespace

Answer Fix(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "sha256", "name", "discard", "all", "why"}));
  const std::string address = TRY(NeedText(body, "address"));
  run::Correction correction;
  correction.sha256 = body["sha256"].Text();
  correction.name = body["name"].Text();
  correction.ids = body["discard"].Texts();
  correction.all = body["all"].Bool();
  correction.why = body["why"].Text();
  const bool gives_up = correction.all || !correction.ids.empty();
  if (gives_up == !correction.sha256.empty()) {
    return Error{Code::kInvalid,
                 "a fix gives corrected rows (sha256 and name of an upload), or gives rows up (discard, or all: true)"};
  }
  if (gives_up && Trim(correction.why).empty())
    return Error{Code::kInvalid, "rows are given up for a reason, which the log keeps: say why"};
  {
    auto txn = TRY(api.store.Read());
    // The quarantine's own address means that of its port.
    model::PortKey key = TRY(PortOf(api, *txn, caller, address)).row.key;
    key.port = model::QuarantinedPort(key.port);
    const catalog::Port port = TRY(PortOf(api, *txn, caller, key.Text()));
    if (!model::QuarantineTermsOf(*port.contract)) {
      return Error{Code::kInvalid, fmt::format("the contract {} of {} has no quarantine: there is nothing to correct",
                                               port.row.version, key.Text())};
    }
    correction.port = key;
    if (!gives_up) {
      TRY(NeedText(body, "name"));
      if (!TRY(uploads::Sent(*txn, correction.sha256, caller.principal.name)))
        return Error{Code::kNotFound, "there is no upload of that hash: send the file first"};
    }
  }
  if (!gives_up) TRY(SeesAll(api, caller, correction.port));
  const runs::Run run = TRY(api.runner.Correct(caller, correction));
  return SubmittedRuns(api, caller, {run});
}

}  // namespace weft::rest
