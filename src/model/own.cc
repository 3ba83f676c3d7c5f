#include "model/own.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/span.h"
#include "base/text.h"
#include "model/cel/time.h"
#include "model/cron.h"
#include "model/glob.h"
#include "model/reading.h"
#include "model/repository.h"

namespace weft::model {
namespace own {
namespace {

using namespace shape;  // The tables below are made of its words.
using yaml::Node;

// ---- source

// The kinds that a descriptor may name; kafka, adbc and singer are not done by this version.
constexpr Word kSourceKinds[] = {{"kafka"}, {"adbc"},   {"singer"},   {"object"}, {"http"},
                                 {"file"},  {"sqlite"}, {"postgres"}, {"product"}};
constexpr Type kSourceKind{.kinds = kIsText, .words = kSourceKinds};
constexpr Word kFormats[] = {{"csv"}, {"json"}, {"parquet"}};
constexpr Type kFormat{.kinds = kIsText, .words = kFormats};
constexpr Type kTextOrTexts{.kinds = kIsText | kIsList, .items = &kText};

constexpr Word kDecimals[] = {{"."}, {","}};
constexpr Type kDecimal{.kinds = kIsText, .words = kDecimals};

constexpr Word kReads[] = {{"all"}, {"new"}};
constexpr Type kRead{.kinds = kIsText, .words = kReads};
constexpr Word kChanges[] = {{"refuse"}, {"read"}};
constexpr Type kChanged{.kinds = kIsText, .words = kChanges};

constexpr Key kSourceKeys[] = {{"kind", &kSourceKind, kRequired}};
constexpr Key kFileKeys[] = {
    {"path", &kText, kRequired},  {"format", &kFormat},    {"delimiter", &kText},   {"quote", &kText},
    {"escape", &kText},           {"header", &kBool},      {"null", &kTextOrTexts}, {"encoding", &kText},
    {"timestamp_format", &kText}, {"date_format", &kText}, {"decimal", &kDecimal},  {"read", &kRead},
    {"changed", &kChanged},
};
constexpr Key kProductKeys[] = {{"address", &kText, kRequired}};
constexpr Key kSqliteKeys[] = {
    {"path", &kText, kRequired}, {"table", &kText, kRequired}, {"cursor", &kText}, {"lag", &kText}};
constexpr Key kSecretKeys[] = {{"secret", &kText, kRequired}};
constexpr Shape kSecret{"a password", kSecretKeys};
constexpr Type kPassword{.shape = &kSecret};  // What is no map is told without being quoted.
constexpr Type kHeader{.kinds = kIsText | kIsMap, .shape = &kSecret};
constexpr Key kHttpKeys[] = {
    {"url", &kText, kRequired}, {"headers", &kAnyMap},  {"format", &kFormat},    {"delimiter", &kText},
    {"quote", &kText},          {"escape", &kText},     {"header", &kBool},      {"null", &kTextOrTexts},
    {"encoding", &kText},       {"decimal", &kDecimal}, {"date_format", &kText}, {"timestamp_format", &kText},
};
constexpr Key kObjectKeys[] = {
    {"url", &kText, kRequired}, {"endpoint", &kText},    {"region", &kText},           {"access_key", &kPassword},
    {"secret_key", &kPassword}, {"format", &kFormat},    {"delimiter", &kText},        {"quote", &kText},
    {"escape", &kText},         {"header", &kBool},      {"null", &kTextOrTexts},      {"encoding", &kText},
    {"decimal", &kDecimal},     {"date_format", &kText}, {"timestamp_format", &kText}, {"read", &kRead},
    {"changed", &kChanged},
};
constexpr Word kSslModes[] = {{"disable"}, {"require"}, {"verify-ca"}, {"verify-full"}};
constexpr Type kSslMode{.kinds = kIsText, .words = kSslModes};
constexpr Type kPort{.kinds = kIsInteger, .minimum = 1};
constexpr Key kPostgresKeys[] = {
    {"host", &kText, kRequired},
    {"port", &kPort},
    {"database", &kText, kRequired},
    {"user", &kText, kRequired},
    {"password", &kPassword},
    {"table", &kText},
    {"query", &kText},
    {"sslmode", &kSslMode},
    {"cursor", &kText},
    {"lag", &kText},
};
// Of a source that is read piece by piece.
void RuleOfPieces(Checker& checker, const Node& map, const std::string& path) {
  const bool only_new = reading::Text(map["read"]) == "new";
  if (map["changed"].is_scalar() && !only_new) {
    checker.Fail(map["changed"], Child(path, "changed"),
                 "says what becomes of a file that changed since it was read, and is for read: new alone: add that, or "
                 "remove this");
  }
  if (only_new && map["path"].is_scalar() && !IsGlob(map["path"].scalar)) {
    checker.Fail(
        map["read"], Child(path, "read"),
        fmt::format("read: new takes each file of a folder once, and '{}' is one file: write a pattern such as "
                    "data/*.csv, or remove it",
                    map["path"].scalar));
  }
}

void RuleOfCursor(Checker& checker, const Node& map, const std::string& path) {
  const Node& lag = map["lag"];
  if (!lag.is_scalar()) return;
  if (!map["cursor"].is_scalar()) {
    checker.Fail(lag, Child(path, "lag"),
                 "says how far before the cursor's last value rows are read again: add cursor: a column that grows, or "
                 "remove this");
  } else if (auto span = Span::Parse(lag.scalar); !span) {
    checker.Fail(lag, Child(path, "lag"), span.error().message);
  }
}

// Where a source on another's server is, and that nothing that is sealed goes there in the clear.
void RuleOfHttp(Checker& checker, const Node& map, const std::string& path) {
  const std::string url = reading::Text(map["url"]);
  static const RE2 kUrl(R"((https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]+)?(/[^\s#]*)?)");
  std::string scheme, host;
  if (map["url"].is_scalar() && !RE2::FullMatch(url, kUrl, &scheme, &host)) {
    // One with a user in it is not quoted.
    const std::string said = url.find('@') == url.npos ? url : "…" + url.substr(url.rfind('@'));
    return checker.Fail(map["url"], Child(path, "url"),
                        fmt::format("'{}' is no address of a file: write https://HOST/PATH", said));
  }
  for (const Node::Entry& header : map["headers"].entries) {
    const std::string at = Child(Child(path, "headers"), header.key);
    checker.Check(header.value, kHeader, at);
    static const RE2 kOfTheNode(
        R"((?i)(host|range|connection|te|trailer|upgrade|expect|transfer-encoding|content-.*|if-.*|proxy-.*))");
    if (RE2::FullMatch(header.key, kOfTheNode)) {
      checker.Fail(header.value, at, fmt::format("the header '{}' is the node's to send: leave it out", header.key));
    }
    const bool here = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
    if (scheme != "http" || header.value.kind != Node::Kind::kMap || here) continue;
    checker.Fail(header.value, at, "a secret does not go over http, where everybody on the way reads it: write https");
  }
}

void RuleOfObject(Checker& checker, const Node& map, const std::string& path) {
  RuleOfPieces(checker, map, path);
  static const RE2 kUrl(R"(s3://[a-z0-9][a-z0-9.-]+/\S+)"), kEndpoint(R"(https?://[A-Za-z0-9._:\[\]-]+/?)");
  if (map["url"].is_scalar() && !RE2::FullMatch(map["url"].scalar, kUrl)) {
    checker.Fail(map["url"], Child(path, "url"),
                 fmt::format("'{}' names no objects: write s3://BUCKET/PREFIX*.csv", map["url"].scalar));
  }
  if (map["endpoint"].is_scalar() && !RE2::FullMatch(map["endpoint"].scalar, kEndpoint)) {
    checker.Fail(map["endpoint"], Child(path, "endpoint"),
                 "is no address of an object store: write https://HOST, without a path");
  }
  for (const auto& [key, other] : {std::pair("access_key", "secret_key"), std::pair("secret_key", "access_key")}) {
    const Node& value = map[key];
    const bool there = value.kind != Node::Kind::kMissing;
    if (there && value.kind != Node::Kind::kMap) {
      checker.Fail(value, Child(path, key),
                   fmt::format("a key stands in no file: write {}: {{secret: NAME}}, and seal it with weft secret put "
                               "NAME --domain DOMAIN",
                               key));
    } else if (there && map[other].kind == Node::Kind::kMissing) {
      checker.Fail(value, Child(path, key), fmt::format("goes with {}: add that, or remove this", other));
    }
  }
}

constexpr Shape kHttp{"a source of HTTP", kHttpKeys, 0, nullptr, RuleOfHttp};
constexpr Shape kObject{"a source of objects", kObjectKeys, 0, nullptr, RuleOfObject};
constexpr Shape kFile{"a file source", kFileKeys, 0, nullptr, RuleOfPieces};
constexpr Shape kSqlite{"a source of SQLite", kSqliteKeys, 0, nullptr, RuleOfCursor};
constexpr Shape kProduct{"a product source", kProductKeys};
constexpr Shape kLater{"a source", {}, kOpen};  // Of a kind that is not done yet: its keys are not judged.

// The table or the query; a host and nothing beside it: users and ports have keys of their own.
void RuleOfPostgres(Checker& checker, const Node& map, const std::string& path) {
  RuleOfCursor(checker, map, path);
  if (!map["table"].is_scalar() && !map["query"].is_scalar()) {
    checker.Fail(map, path, "a source of PostgreSQL reads a table or a query: add table: public.orders, or query");
  } else if (map["table"].is_scalar() && map["query"].is_scalar()) {
    checker.Fail(map["query"], Child(path, "query"), "a source reads a table or a query: remove one of them");
  }
  const Node& password = map["password"];
  if (password.kind != Node::Kind::kMissing && password.kind != Node::Kind::kMap) {
    checker.Fail(password, Child(path, "password"),
                 "a password stands in no file: write password: {secret: NAME}, and seal it with weft secret put NAME "
                 "--domain DOMAIN");
  }
  const std::string host = reading::Text(map["host"]);
  const bool address = host.find("::") != host.npos || std::ranges::count(host, ':') > 1;
  if (host.find_first_of("/@,= ") == host.npos && (address || host.find(':') == host.npos)) return;
  checker.Fail(map["host"], Child(path, "host"),
               fmt::format("'{}' is no host: write its name or address alone, and port, user and password as keys of "
                           "their own",
                           host.find('@') == host.npos ? host : "…" + host.substr(host.rfind('@'))));
}

constexpr Shape kPostgres{"a source of PostgreSQL", kPostgresKeys, 0, nullptr, RuleOfPostgres};

void AlsoSource(const Node& map, int, std::vector<const Shape*>& shapes) {
  const std::string kind = reading::Text(map["kind"]);
  shapes.push_back(kind == "file"       ? &kFile
                   : kind == "sqlite"   ? &kSqlite
                   : kind == "postgres" ? &kPostgres
                   : kind == "http"     ? &kHttp
                   : kind == "object"   ? &kObject
                   : kind == "product"  ? &kProduct
                                        : &kLater);
}

constexpr std::string_view kCsvKeys[] = {"delimiter",        "quote",       "escape", "header", "null", "encoding",
                                         "timestamp_format", "date_format", "decimal"};

void OnlyCsvHasOptions(Checker& checker, const Node& map, const std::string& path) {
  const std::string kind = reading::Text(map["kind"]);
  const std::string_view at = kind == "file" ? "path" : "url";
  if ((kind != "file" && kind != "http" && kind != "object") || !map[at].is_scalar()) return;
  std::string format = reading::Text(map["format"]);
  const std::string& place = map[at].scalar;
  if (format.empty()) format = KindOf(kind == "http" ? place.substr(0, place.find('?')) : place).format;
  if (format.empty()) {
    return checker.Fail(map[at], Child(path, at),
                        fmt::format("'{}' does not tell its format: add format: csv, json or parquet", place));
  }
  for (std::string_view key : kCsvKeys) {
    if (format == "csv" || map[key].kind == Node::Kind::kMissing) continue;
    checker.Fail(map[key], Child(path, key),
                 fmt::format("'{}' is for csv, and this file is {}: remove it", key, format));
  }
}

constexpr Shape kSourceShape{"a source", kSourceKeys, 0, AlsoSource, OnlyCsvHasOptions};

// ---- build

constexpr Word kEngines[] = {{"duckdb"}, {"spark"}, {"trino"}};
constexpr Type kEngine{.kinds = kIsText, .words = kEngines};
constexpr Word kModes[] = {{"replace"}, {"append"}, {"upsert"}, {"snapshot"}};
constexpr Type kMode{.kinds = kIsText, .words = kModes};

constexpr Word kTriggers[] = {{"inputs"}, {"freshness"}};
constexpr Type kTrigger{.kinds = kIsText, .words = kTriggers};
constexpr Word kPriorities[] = {{"low"}, {"normal"}, {"high"}};
constexpr Type kPriority{.kinds = kIsText, .words = kPriorities};
constexpr Type kRetries{.kinds = kIsInteger, .minimum = 0};

constexpr Key kBuildKeys[] = {
    {"sql", &kText},
    {"engine", &kEngine},
    {"mode", &kMode},
    {"schedule", &kText},
    {"trigger", &kTrigger},
    {"cluster_by", &kTexts},
    {"nondeterministic", &kBool},
    {"snapshot_column", &kText},
    {"event_time", &kText},
    {"arrival_time", &kText},
    {"late", &kText},
    {"timezone", &kText},
    {"priority", &kPriority},
    {"timeout", &kText},
    {"retries", &kRetries},
};

void RuleOfSchedule(Checker& checker, const Node& map, const std::string& path) {
  const Node& schedule = map["schedule"];
  const Node& zone = map["timezone"];
  if (schedule.is_scalar() && map["trigger"].is_scalar()) {
    checker.Fail(map["trigger"], Child(path, "trigger"), "a build has a schedule or a trigger: remove one of them");
  }
  if (zone.is_scalar() && !schedule.is_scalar()) {
    checker.Fail(zone, Child(path, "timezone"), "is of a schedule, and the build has none: add one, or remove this");
  }
  auto hold = [&](const Node& value, std::string_view key, const Result<Cron>& cron) {
    if (value.is_scalar() && !cron) checker.Fail(value, Child(path, key), cron.error().message);
  };
  hold(schedule, "schedule", Cron::Parse(reading::Text(schedule)));
  hold(zone, "timezone", Cron::Parse("@daily", reading::Text(zone)));
  const Node& timeout = map["timeout"];
  const auto time = cel::ParseDuration(reading::Text(timeout));
  if (timeout.is_scalar() && (!time || time->nanos < 1'000'000'000)) {
    checker.Fail(timeout, Child(path, "timeout"),
                 fmt::format("'{}' is no time that a run could take: write one such as 30m or 2h", timeout.scalar));
  }
}

constexpr Shape kBuildShape{"a build", kBuildKeys, 0, nullptr, RuleOfSchedule};

// ---- storage

constexpr Word kCodecs[] = {{"zstd"}, {"snappy"}, {"uncompressed"}};
constexpr Type kCodec{.kinds = kIsText, .words = kCodecs};
constexpr Key kStorageKeys[] = {{"compression", &kCodec}};
constexpr Shape kStorageShape{"a storage", kStorageKeys};

// ---- quarantine, of a contract's schema object

constexpr Type kRows{.kinds = kIsInteger, .minimum = 0};
constexpr Key kQuarantineKeys[] = {{"max_rows", &kRows}, {"max_share", &kText}};

void RuleOfQuarantine(Checker& checker, const Node& map, const std::string& path) {
  const Node& share = map["max_share"];
  static const RE2 kPercent(R"(([0-9]{1,3}(?:\.[0-9]+)?) ?%)");
  double percent = 0;
  if (!share.is_scalar() || (RE2::FullMatch(share.scalar, kPercent, &percent) && percent <= 100)) return;
  checker.Fail(share, Child(path, "max_share"),
               fmt::format("'{}' is no share of the rows: write one such as 1% or 0.5%", share.scalar));
}

constexpr Shape kQuarantineShape{"a quarantine", kQuarantineKeys, 0, nullptr, RuleOfQuarantine};

// ---- env/<name>.yaml

// By port: what stands there is judged once it is laid over the port's own.
constexpr Key kOverlayKeys[] = {{"sources", &kAnyMap}, {"schedules", &kAnyMap}, {"storage", &kAnyMap}};
constexpr Shape kOverlayShape{"an environment's file", kOverlayKeys};

// ---- mesh.yaml

constexpr Key kDomainKeys[] = {{"name", &kText, kRequired},
                               {"description", &kText},
                               {"owners", &kTexts},
                               {"stewards", &kTexts},
                               {"engineers", &kTexts}};
constexpr Shape kDomainShape{"a domain", kDomainKeys};
constexpr Type kDomain = MapOf(kDomainShape);
constexpr Type kDomains = ListOf(kDomain);
constexpr Key kEnvironmentKeys[] = {{"name", &kText, kRequired}, {"node", &kText}, {"description", &kText}};
constexpr Shape kEnvironmentShape{"an environment", kEnvironmentKeys};
constexpr Type kEnvironment = MapOf(kEnvironmentShape);
constexpr Type kEnvironments = ListOf(kEnvironment);
constexpr Key kMeshKeys[] = {{"id", &kText, kRequired}, {"description", &kText},  {"domains", &kDomains, kRequired},
                             {"groups", &kAnyMap},      {"attributes", &kAnyMap}, {"environments", &kEnvironments}};

// Groups are lists of principals, attributes maps of a principal's or group's texts.
void KeysOfTheirOwn(Checker& checker, const Node& map, const std::string& path) {
  for (const Node::Entry& group : map["groups"].entries) {
    checker.Check(group.value, kTexts, Child(Child(path, "groups"), group.key));
  }
  for (const Node::Entry& holder : map["attributes"].entries) {
    const std::string place = Child(Child(path, "attributes"), holder.key);
    checker.Check(holder.value, kAnyMap, place);
    for (const Node::Entry& attribute : holder.value.entries) {
      checker.Check(attribute.value, kTextOrTexts, Child(place, attribute.key));
    }
  }
}

constexpr Shape kMeshShape{"mesh.yaml", kMeshKeys, 0, nullptr, KeysOfTheirOwn};

// One value that a descriptor may have and this version does not do; what is misspelt is told elsewhere.
void Unsupported(Checker& checker, const Node& node, const std::string& path, std::string_view key, const Type& type,
                 std::initializer_list<std::string_view> done, std::string_view advice) {
  const Node& value = node[key];
  if (!value.is_scalar() || std::ranges::find(done, value.scalar) != done.end()) return;
  bool known = type.words.empty() || std::ranges::find(type.words, value.scalar, &Word::text) != type.words.end();
  if (!known) return;
  checker.Fail(value, Child(path, key), fmt::format("{} '{}' is not supported yet; {}", key, value.scalar, advice));
}

}  // namespace

constexpr Type kSource = MapOf(kSourceShape);
constexpr Type kBuild = MapOf(kBuildShape);
constexpr Type kStorage = MapOf(kStorageShape);
constexpr Type kQuarantine = MapOf(kQuarantineShape);
constexpr Type kOverlay{.kinds = kIsMap | kIsNull, .shape = &kOverlayShape};  // Of nothing but remarks: as it is.
constexpr Type kMesh = MapOf(kMeshShape);

void UnsupportedOfSource(Checker& checker, const Node& source, const std::string& path) {
  Unsupported(checker, source, path, "kind", kSourceKind, {"file", "sqlite", "postgres", "http", "object", "product"},
              "the kinds file, sqlite, postgres, http, object and product are");
  if (reading::Text(source["path"]).find("://") != std::string::npos) {
    checker.Fail(source["path"], Child(path, "path"),
                 fmt::format("path '{}' is a URL, which is not supported yet; a path in the product's folder, or an "
                             "absolute one under a root of the node, is",
                             source["path"].scalar));
  }
  Unsupported(checker, source, path, "encoding", kText, {"utf-8", "utf-16", "latin-1"},
              "utf-8, utf-16 and latin-1 are");
}

void UnsupportedOfBuild(Checker& checker, const Node& build, const std::string& path) {
  Unsupported(checker, build, path, "engine", kEngine, {"duckdb"}, "the engine duckdb is");
}

bool ReadsFiles(std::string_view kind) { return kind == "file" || kind == "sqlite"; }

FileKind KindOf(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kPacked[] = {
      {".gz", "gzip"}, {".zst", "zstd"}, {".zstd", "zstd"}};
  static constexpr std::pair<std::string_view, std::string_view> kEndings[] = {
      {".csv", "csv"},    {".tsv", "csv"},     {".txt", "csv"},        {".json", "json"},
      {".jsonl", "json"}, {".ndjson", "json"}, {".parquet", "parquet"}};
  const std::string lowered = Lower(path);
  std::string_view lower = lowered;
  FileKind kind{{}, "none", {}};
  for (const auto& [ending, compression] : kPacked) {
    if (!lower.ends_with(ending)) continue;
    kind.compression = compression;
    lower.remove_suffix(ending.size());
    break;
  }
  for (const auto& [ending, format] : kEndings) {
    if (lower.ends_with(ending)) kind.format = format, kind.ending = ending;
  }
  return kind;
}

}  // namespace own

Result<Mesh> Mesh::Parse(std::string_view text, const std::string& file) {
  const yaml::Node node = TRY(yaml::Parse(text, file));
  shape::Checker checker(file, "weft.mesh", 0);
  checker.Check(node, own::kMesh, "");
  std::vector<Problem> problems = checker.TakeProblems();
  if (!problems.empty()) return shape::AsError(std::move(problems));
  Mesh mesh;
  mesh.id = reading::Text(node["id"]);
  mesh.description = reading::Text(node["description"]);
  for (const yaml::Node::Entry& domain : node["domains"].entries) {
    const Team team = {reading::Texts(domain.value["owners"]), reading::Texts(domain.value["stewards"]),
                       reading::Texts(domain.value["engineers"])};
    mesh.domains.push_back({team, reading::Text(domain.value["name"]), reading::Text(domain.value["description"])});
  }
  for (const yaml::Node::Entry& group : node["groups"].entries) mesh.groups[group.key] = reading::Texts(group.value);
  for (const yaml::Node::Entry& holder : node["attributes"].entries) {
    for (const yaml::Node::Entry& attribute : holder.value.entries) {
      auto& values = mesh.attributes[holder.key][attribute.key];
      values = reading::Texts(attribute.value);
      if (attribute.value.is_scalar()) values.push_back(reading::Text(attribute.value));
    }
  }
  for (const yaml::Node::Entry& each : node["environments"].entries) {
    mesh.environments.push_back({reading::Text(each.value["name"]), reading::Text(each.value["node"]),
                                 reading::Text(each.value["description"])});
  }
  mesh.bytes = text;
  return mesh;
}

}  // namespace weft::model
