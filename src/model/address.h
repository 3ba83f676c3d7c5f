// Where a thing of the mesh is: weft://<mesh>/<domain>/<product>/<port>[@<version>], and its names on each port.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/version.h"

namespace weft::model {

// [a-z][a-z0-9-]{0,62}, not ending in -v<digits>, not a name that DuckDB reserves for catalogues or schemas
// (memory, system, temp, main, pg_catalog, information_schema). The error says which rule is broken.
Status CheckSlug(std::string_view name, std::string_view what);
std::string SqlNameOf(std::string_view slug);  // Hyphens as underscores.

struct Address {
  std::string mesh;  // Empty: this mesh.
  std::string domain;
  std::string product;             // Empty: the domain itself.
  std::string port;                // Empty: the product itself.
  std::optional<int> major;        // "@2"
  std::optional<Version> version;  // "@2.1.0"; `major` is set with it. Neither: the newest active.

  // The full form, or the short one that people type: domain[/product[/port]][@version].
  static Result<Address> Parse(std::string_view text);
  std::string Text() const;   // The full form where `mesh` is known, else the short one.
  std::string Short() const;  // "operations/flights/flights@1"
  bool operator==(const Address&) const = default;
};

// An output port's major version: the unit of tables, grants and runs.
struct PortKey {
  std::string domain;
  std::string product;
  std::string port;
  int major = 0;

  std::string Text() const;      // "operations/flights/flights@1": key of state tables.
  std::string SqlTable() const;  // operations.flights.flights_v1, each part quoted where SQL needs it.
  std::string Folder() const;    // "operations/flights/flights_v1", under the warehouse.
  static Result<PortKey> Parse(std::string_view text);
  Address ToAddress() const;  // Of its newest version.
  auto operator<=>(const PortKey&) const = default;
};

}  // namespace weft::model
