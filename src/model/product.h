// A data product (ODPS 1.1.0): its input ports, builds and output ports.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/contract.h"
#include "model/team.h"

namespace weft::yaml {
struct Node;
}

namespace weft::model {

// Where an input port reads from: customProperties `source`.
struct Source {
  std::string file;     // The descriptor that it stands in.
  std::string overlay;  // Where an environment's is laid over it: "env/prod.yaml".
  std::string kind;     // file, sqlite, postgres, product now; object, http later.
  std::string path;     // file, sqlite: relative to the product's folder, or absolute under a root; of files a glob.
  std::string format;   // csv, json, parquet; from the file name where absent.
  std::string address;  // product
  Json options;  // What else the kind has, as own.cc lists it: delimiter, null… of csv, host, table… of postgres.
  Place place;

  static Source Of(const yaml::Node& node, const std::string& path, const std::string& file);
  std::string Digest() const;  // Of all that it says.
};

struct InputPort {
  std::string name;
  std::string version;
  std::string contract_id;
  std::optional<Source> source;
  Json document;
  Place place;

  std::string SqlName() const;  // The name by which build SQL reads it: hyphens as underscores.
};

// How an output port's rows come about: customProperties `build`.
struct Build {
  std::string sql_file;  // Empty: the single input projected onto the contract.
  std::string engine = "duckdb";
  std::string mode = "replace";     // replace, append, upsert, snapshot
  std::string schedule;             // A cron line; empty: none.
  std::string timezone;             // Of the schedule: "Europe/Berlin"; empty: UTC.
  std::string trigger;              // inputs, freshness; empty: none. Never beside a schedule.
  std::string priority = "normal";  // low, normal, high
  Millis timeout{0};                // How long a run may take; 0: any time.
  int retries = 3;                  // Of a run that nobody started by hand and that failed for what passes.
  std::vector<std::string> cluster_by;
  std::string snapshot_column;  // Of mode snapshot: filled by the run, it says of which state a row is.
  std::string event_time;       // Of mode append: when a row's event was,
  std::string arrival_time;     // the column that the run fills with its logical time,
  std::string late;             // and how much older than the newest event one may be: a Span.
  bool nondeterministic = false;
  Place place;
};

// How an output port's rows are kept: customProperties `storage`.
struct Storage {
  std::string compression;  // As the setting `compression`, which counts where it is empty.
  std::string overlay;      // As that of a source.

  static Storage Of(const yaml::Node& node);
};

struct OutputPort {
  std::string id;
  std::string name;
  std::string description;
  std::string type;
  std::string version;
  std::string contract_id;
  std::vector<std::string> tags;
  std::optional<Build> build;
  std::optional<Storage> storage;
  Json document;
  Place place;
};

// Its team: team.members whose role is owner, steward or engineer.
struct Product : Team {
  std::string id;
  std::string name;
  std::string domain;
  std::string version;
  std::string status;
  std::string type;         // sourceAligned, aggregate, consumerAligned
  std::string description;  // purpose, usage and limitations, as one text.
  std::vector<std::string> tags;
  std::string purpose;  // customProperties `purpose`: what its runs read their inputs for; empty: none.
  Place purpose_place;
  std::vector<InputPort> inputs;
  std::vector<OutputPort> outputs;
  Json document;
  std::string bytes;
  std::string file;

  // Judges by the standard alone, like its JSON Schema; kInvalid carries every problem, rule "odps".
  static Result<Product> Parse(std::string_view text, const std::string& file);
  // The same of a document that was read already; it has no bytes.
  static Result<Product> Of(const yaml::Node& document, const std::string& file);
  const InputPort* Input(std::string_view name) const;
  const OutputPort* Output(std::string_view name) const;
};

}  // namespace weft::model
