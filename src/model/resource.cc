#include <algorithm>

#include "base/text.h"
#include "model/access.h"
#include "model/repository.h"

namespace weft::model {
namespace {

// Of unknown names none is taken for harmless.
int Strictness(const std::string& classification) {
  const std::string name = Lower(classification);
  if (name.empty()) return 0;
  if (name == "public") return 1;
  if (name == "internal") return 2;
  if (name == "restricted" || name == "secret") return 4;
  return 3;
}

// Of a column and all that is within it.
void Consider(const Property& property, std::string* strictest) {
  if (Strictness(property.classification) > Strictness(*strictest)) *strictest = property.classification;
  for (const auto* inner : {&property.properties, &property.items, &property.map}) {
    for (const Property& each : *inner) Consider(each, strictest);
  }
}

void AddTags(const std::vector<std::string>& tags, std::vector<std::string>* all) {
  for (const std::string& tag : tags) {
    if (std::ranges::find(*all, tag) == all->end()) all->push_back(tag);
  }
}

}  // namespace

std::string PlainStatus(const std::string& status) {
  if (status == "proposed") return "draft";
  return status.empty() ? "active" : status;
}

std::string StrictestOf(const Contract& contract) {
  std::string strictest;
  for (const SchemaObject& object : contract.schema) {
    for (const Property& property : object.properties) Consider(property, &strictest);
  }
  return strictest;
}

Resource ResourceOf(const std::shared_ptr<const Bundle>& bundle, const OutputPort& port, const Contract& contract) {
  Resource resource;
  resource.domain = bundle->product.domain;
  resource.product = bundle->product.name;
  resource.purpose = bundle->product.purpose;
  resource.port = port.name;
  if (auto version = Version::Parse(port.version)) resource.major = version->major;
  resource.classification = StrictestOf(contract);
  resource.status = PlainStatus(contract.status.empty() ? bundle->product.status : contract.status);
  for (const auto* tags : {&bundle->product.tags, &port.tags, &contract.tags}) AddTags(*tags, &resource.tags);
  for (const SchemaObject& object : contract.schema) AddTags(object.tags, &resource.tags);
  resource.contract = std::shared_ptr<const Contract>(bundle, &contract);
  return resource;
}

std::vector<Resource> ResourcesOf(const Bundle& bundle, const Team& domain) {
  const std::shared_ptr<const Bundle> unshared(std::shared_ptr<const Bundle>(), &bundle);
  std::vector<Resource> resources;
  for (const OutputPort& port : bundle.product.outputs) {
    const Contract* contract = bundle.ContractOf(port);
    if (!contract) continue;
    resources.push_back(ResourceOf(unshared, port, *contract));
    resources.back().Add(bundle.product);
    resources.back().Add(domain);
  }
  return resources;
}

}  // namespace weft::model
