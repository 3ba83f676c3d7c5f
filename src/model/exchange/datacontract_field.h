// Models and fields of the Data Contract Specification as the schema of a contract.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/exchange/part.h"
#include "model/exchange/settle.h"

namespace weft::model::exchange::datacontract {

class FieldReader {
 public:
  // `ports`: model → the port that it becomes. `origins` learns where each part of the schema came from.
  FieldReader(Document& document, Part definitions, const std::map<std::string, std::string>& ports, Origins& origins)
      : document_(document), definitions_(std::move(definitions)), ports_(ports), origins_(origins) {}

  // The schema object. kInvalid: a $ref that names nothing of this text, or itself.
  Result<Json> Model(const std::string& name, const Part& model);

 private:
  // A field and the definitions that it refers to: what the first does not say, the next may.
  struct Layers {
    std::vector<Part> parts;
    Part Get(std::string_view key) const;
  };

  Result<Layers> Resolved(const Part& field);
  Result<Json> Field(const std::string& name, const Part& part, const std::string& place, int depth);
  Status Inside(const Layers& field, const std::string& place, int depth, Json& property);
  void Type(const Layers& field, Json& property);
  void Limits(const Layers& field, Json& property);
  void Words(const Layers& field, Json& property);
  void Reference(const Layers& field, Json& property);
  void Config(const Part& config, Json& property);
  Json Rules(const Part& quality);

  Document& document_;
  const Part definitions_;
  const std::map<std::string, std::string>& ports_;
  Origins& origins_;
  std::string model_;
};

// links: {type: url} as authoritative definitions.
Json LinksOf(const Part& links);

}  // namespace weft::model::exchange::datacontract
