// The product that imported contracts become: its descriptor, with the ports, the inputs and who owns it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "model/exchange/exchange.h"

namespace weft::model::exchange {

struct ProductDraft {
  struct Port {
    std::string name;
    Json contract;
    std::string sql;  // Empty: it has no build.
    Json more = {};   // Members of the port besides those that follow from the contract.
  };
  struct Input {
    std::string name;
    Json source;
    Json contract = {};  // Null: none.
    Json more = {};
  };
  std::string domain;
  std::string product;
  std::string version = "1.0.0";
  std::string status = "draft";
  std::string purpose;
  std::string owner;  // The name of its team, which makes nobody an owner; empty: none.
  Json more = {};     // Members of the product besides: tags, customProperties, support, team…
  std::vector<Port> ports;
  std::vector<Input> inputs;
};

// Files of the product's folder; nothing is told.
Imported DraftedProduct(const ProductDraft& draft);

}  // namespace weft::model::exchange
