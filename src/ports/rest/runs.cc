// Starting, watching and ending runs.
#include "state/runs/runs.h"

#include <fmt/format.h>

#include "ports/rest/handlers.h"
#include "state/access/access.h"

namespace weft::rest {
namespace {

Json ChecksJson(const std::vector<runs::CheckResult>& checks, bool with_samples) {
  Json list = Json::Array();
  for (const runs::CheckResult& check : checks) {
    Json one = Json::Map({{"id", check.id},
                          {"description", check.description},
                          {"outcome", check.outcome},
                          {"value", check.value ? Json(*check.value) : Json()},
                          {"expected", check.expected},
                          {"failing_rows", check.failing_rows},
                          {"place", check.place}});
    one.Set("sample", with_samples ? check.sample : Json());
    list.Push(std::move(one));
  }
  return list;
}

Json RunJson(const runs::Run& run) {
  return Json::Map({{"id", run.id},
                    {"address", run.port.Text()},
                    {"status", run.status},
                    {"step", run.step},
                    {"progress", run.progress},
                    {"rows", run.rows},
                    {"snapshot", run.snapshot_id ? Json(std::to_string(*run.snapshot_id)) : Json()},
                    {"message", run.message},
                    {"requested_by", run.requested_by},
                    {"requested_at", run.requested_at.Text()},
                    {"started_at", OrNull(run.started_at)},
                    {"ended_at", OrNull(run.ended_at)},
                    {"logical_time", run.logical_time.Text()},
                    {"inputs", run.inputs}});
}

// Every output port that an address stands for: of a domain, of a product, or the one port.
Result<std::vector<model::PortKey>> PortsAt(store::Txn& txn, const std::string& text) {
  const model::Address address = TRY(model::Address::Parse(text));
  if (!address.port.empty()) return std::vector<model::PortKey> {
      TRY(catalog::Resolve(txn, address))
      .key
    };
  std::vector<model::PortKey> keys;
  for (const catalog::PortRow& row : TRY(catalog::Ports(txn, address.domain, address.product))) {
    if (row.status != "retired") keys.push_back(row.key);
  }
  if (keys.empty()) return Error{Code::kNotFound, fmt::format("there is no output port at '{}'", text)};
  return keys;
}

// Failing rows are data: only for those who may read the port.
Result<bool> MaySeeRows(Api& api, const model::Caller& caller, const model::PortKey& key) {
  auto txn = TRY(api.store.Read());
  model::Address address;
  address.domain = key.domain, address.product = key.product, address.port = key.port, address.major = key.major;
  auto row = catalog::Resolve(*txn, address);
  if (!row) return false;
  const catalog::Port port = TRY(catalog::Load(*txn, *row));
  return TRY(access::Decide(*txn, api.clock, caller.principal, model::Action::kRead, port.resource, caller.purpose))
  .permitted;
}

Json RunsJson(const std::vector<runs::Run>& list) {
  Json all = Json::Array();
  for (const runs::Run& run : list) all.Push(RunJson(run));
  return Json::Map({{"runs", std::move(all)}});
}

}  // namespace

Answer StartRuns(Api& api, const model::Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request));
  run::Request wanted;
  wanted.force = body["force"].Bool();
  wanted.logical_time = TRY(TimeField(body, "logical_time"));
  const std::vector<std::string> addresses = body["addresses"].Texts();
  if (addresses.empty() && !body["all"].Bool()) {
    return Error{Code::kInvalid, "name what to run in 'addresses', or say all: true"};
  }
  auto txn = TRY(api.store.Read());
  for (const std::string& address : addresses) {
    for (model::PortKey& key : TRY(PortsAt(*txn, address))) wanted.ports.push_back(std::move(key));
  }
  txn.reset();
  return http::Response::Of(RunsJson(TRY(api.runner.Submit(caller, wanted))), 202);
}

Answer ListRuns(Api& api, const model::Caller&, const http::Request& request) {
  runs::Query query;
  query.status = request.Query("status");
  query.limit = static_cast<int>(TRY(NumberParam(request, "limit", 20, 1, 10'000)));
  if (!request.Query("address").empty()) {
    const model::Address address = TRY(model::Address::Parse(request.Query("address")));
    query.port_prefix = address.domain;
    if (!address.product.empty()) query.port_prefix += "/" + address.product;
    if (!address.port.empty()) query.port_prefix += "/" + address.port;
    if (address.major) query.port_prefix += fmt::format("@{}", *address.major);
  }
  auto txn = TRY(api.store.Read());
  return http::Response::Of(RunsJson(TRY(runs::List(*txn, query))));
}

Answer ShowRun(Api& api, const model::Caller& caller, const http::Request& request) {
  const runs::Run run = TRY(api.runner.Get(request.captures.at("id")));
  Json answer = RunJson(run);
  answer.Set("checks", ChecksJson(run.checks, TRY(MaySeeRows(api, caller, run.port))));
  return http::Response::Of(answer);
}

Answer CancelRun(Api& api, const model::Caller& caller, const http::Request& request) {
  TRY(api.runner.Cancel(caller, request.captures.at("id")));
  return http::Response::Of(RunJson(TRY(api.runner.Get(request.captures.at("id")))));
}

Answer RetryRun(Api& api, const model::Caller& caller, const http::Request& request) {
  const runs::Run before = TRY(api.runner.Get(request.captures.at("id")));
  run::Request again;
  again.ports = {before.port};
  again.force = true;
  again.logical_time = before.logical_time;
  return http::Response::Of(RunsJson(TRY(api.runner.Submit(caller, again))), 202);
}

}  // namespace weft::rest
