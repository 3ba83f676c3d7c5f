// Descriptors of other formats, read into Weft's and written from them; what could not be carried over is told.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/repository.h"

namespace weft::model::exchange {

struct Format {
  std::string_view name;   // "datacontract"
  std::string_view title;  // "Data Contract Specification"
};
std::span<const Format> Formats();
// The format that a text says it is of, by its own words; empty: none of them.
std::string_view FormatOf(std::string_view text);

// A part of the one descriptor that has no word in the other.
struct Told {
  std::string path;  // In the text that was read: "models.orders.fields.id.lineage".
  int line = 0;      // 0 where its format has no lines that a person wrote.
  int column = 0;
  std::string value;  // What stands there; a long one is cut.
  std::string why;
  std::string kept;       // Where it went instead; empty: nowhere, it is lost.
  std::string file = {};  // Of an export: the descriptor that it stands in.

  bool operator==(const Told&) const = default;
};

struct ImportOptions {
  std::string domain;               // Empty: the descriptor's own, or none.
  std::string product;              // Empty: named by the descriptor.
  std::vector<std::string> select;  // dbt: the models that become ports; empty: see docs/exchange.md.
  std::string catalog;              // dbt: the text of catalog.json; empty: there is none.
  // The tables that SQL reads, or why it may be no build: publishing's own judgement of it.
  std::function<Result<std::vector<std::string>>(const std::string& sql)> judge = nullptr;
};

struct Imported {
  std::string domain;
  std::string product;
  std::map<std::string, std::string> files;   // Of the product's folder, by name.
  std::map<std::string, std::string> copies;  // Data files: where they stand beside the source → name in the folder.
  std::vector<Told> told;
};

// Reads `text` whole or not at all. kInvalid where it is no such descriptor, or has nothing to make a port of.
Result<Imported> Import(std::string_view format, const std::string& text, const std::string& file,
                        const ImportOptions& options);

struct Exported {
  std::string text;
  std::vector<Told> told;
};

// `port`: the one that is written, where the format describes one contract; null: the whole product.
Result<Exported> Export(std::string_view format, const Bundle& bundle, const OutputPort* port);

}  // namespace weft::model::exchange
