// The first descriptors of a product, written from what its files or tables hold.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/address.h"
#include "work/run/profile.h"

namespace weft::app {

struct Scaffold {
  std::string domain;
  std::string product;
  std::vector<run::TableProfile> tables;   // Each becomes an input and an output port.
  std::vector<run::Reference> references;  // Between them.
  std::map<std::string, Json> sources;     // Table → its source, as the descriptor has it.
};

// File name → text: the product, a contract of each port, and SQL where columns get other names than they have.
std::map<std::string, std::string> Descriptors(const Scaffold& scaffold);

// The same of a product that begins as another product's port is: `contract` is that port's.
std::map<std::string, std::string> DescriptorsFrom(const std::string& domain, const std::string& product,
                                                   const model::Address& port, const Json& contract);

// "order-lines" for "order_lines": how addresses are written.
std::string PortName(const std::string& table);

}  // namespace weft::app
