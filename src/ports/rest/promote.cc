// What of a product has passed here, and what of it was taken from one node to the next.
#include <fmt/format.h>

#include "base/id.h"
#include "ports/rest/handlers.h"
#include "state/lake/lake.h"

namespace weft::rest {
namespace {

// One hash of all data files by name and content: a file's own is nobody else's business.
Result<std::string> DataDigest(store::Txn& txn, const std::string& domain, const std::string& product) {
  Hasher hasher;
  for (const model::DataFile& file : TRY(catalog::Data(txn, domain, product))) hasher.AddNamed(file.path, file.sha256);
  return hasher.Hex();
}

// Whether the newest run of a port, begun after what is published now was, made rows under its contract.
Result<Json> PassedJson(store::Txn& txn, const catalog::PortRow& row, Instant published) {
  Json json = Json::Map({{"address", row.key.Text()}, {"version", row.version}, {"passed", false}, {"run", Json()}});
  auto because = [&](std::string why) { return std::move(json.Set("why", std::move(why))); };
  if (row.status == "retired") return std::move(json.Set("passed", true).Set("why", "it is retired"));
  const auto runs = TRY(runs::List(txn, {.port_prefix = row.key.Text(), .status = {}, .limit = 1}));
  if (runs.empty()) return because("it has never run");
  const runs::Run& run = runs.front();
  json.Set("run", run.id);
  if (run.requested_at < published) return because("it has not run since it was published");
  if (run.restores) return because("it was rolled back and has not run since");
  if (run.status != "succeeded" && run.status != "skipped") return because("its newest run is " + run.status);
  const auto table = TRY(lake::Find(txn, row.key));
  if (!table || table->contract_version != row.version)
    return because("its rows were made under another version of its contract");
  return std::move(json.Set("passed", true).Set("why", ""));
}

Result<Json> ReceiptOf(store::Txn& txn, const catalog::Seen& seen, const std::string& domain,
                       const std::string& product) {
  const catalog::BundlePtr bundle = TRY(seen.Product(domain, product));
  const std::string address = domain + "/" + product;
  Json receipt = Json::Map({{"address", address},
                            {"mesh", TRY(catalog::MeshId(txn))},
                            {"version", bundle->product.version},
                            {"digest", bundle->Digest()},
                            {"data_digest", TRY(DataDigest(txn, domain, product))},
                            {"data_files", static_cast<int64_t>(bundle->data.size())},
                            {"row", Json()},
                            {"hash", ""}});
  Instant published;
  const ledger::Query query{.kind = "published", .address_prefix = address, .limit = 1, .newest_first = true};
  for (const ledger::Sealed& row : TRY(ledger::List(txn, query))) {
    published = row.at;
    receipt.Set("row", row.seq).Set("hash", row.hash).Set("at", row.at.Text());
  }
  if (receipt["row"].is_null())
    return Error{Code::kUnavailable, address + " is being published at this moment: try again"};
  Json::Array ports;
  for (const catalog::PortRow& row : TRY(seen.Ports(domain, product))) {
    // A major of an earlier version stays as it is.
    if (row.product_version != bundle->product.version) continue;
    ports.push_back(TRY(PassedJson(txn, row, published)));
  }
  receipt.Set("ports", std::move(ports));
  return receipt;
}

}  // namespace

Answer Receipt(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  TRY(api.ledger.SealNow());  // What was published a moment ago counts.
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  return http::Response::Of(
      TRY(ReceiptOf(*txn, {*txn, sight}, request.captures.at("domain"), request.captures.at("product"))));
}

// Both nodes note the same hashes, each with the other's row: who holds both ledgers sees that nothing was changed on
// the way.
Answer NotePromotion(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "way", "node", "receipt"}));
  const std::string way = TRY(NeedText(body, "way"));
  TRY(OneOf("way", way, {"to", "from"}));
  const std::string node = TRY(NeedText(body, "node"));
  const Json& other = body["receipt"];
  TRY(api.ledger.SealNow());
  auto txn = TRY(api.store.Begin());
  const model::Address address = TRY(AddressOf(*txn, TRY(NeedText(body, "address"))));
  const model::Resource resource = TRY(ResourceAt(api, *txn, caller, address.domain + "/" + address.product));
  TRY(api.gate.Decide(*txn, caller, model::Action::kPublish, resource));
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const Json own = TRY(ReceiptOf(*txn, {*txn, sight}, address.domain, address.product));
  for (const char* name : {"digest", "data_digest"}) {
    if (own[name] == other[name]) continue;
    return Error{Code::kConflict,
                 fmt::format("{}/{} is not the same here as at {}: its {} is {} here and {} there", address.domain,
                             address.product, node, name, own[name].Text(), other[name].Text())};
  }
  Json detail = Json::Map({{"way", way},
                           {"node", node},
                           {"mesh", other["mesh"]},
                           {"version", own["version"]},
                           {"digest", own["digest"]},
                           {"data_digest", own["data_digest"]},
                           {"row", own["row"]},
                           {"hash", own["hash"]},
                           {"other_row", other["row"]},
                           {"other_hash", other["hash"]}});
  TRY(Record(*txn, api.clock, caller, "promoted", own["address"].Text(), detail));
  TRY(txn->Commit());
  return http::Response::Of(detail);
}

}  // namespace weft::rest
