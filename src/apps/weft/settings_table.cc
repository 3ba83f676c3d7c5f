#include <fmt/format.h>

#include "apps/weft/settings.h"

namespace weft::app {
namespace {

using Kind = Setting::Kind;

constexpr Setting kTable[] = {
    {"config", Kind::kText, "", "The settings' file; without it weft.yaml in the data folder, where there is one."},
    {"data", Kind::kText, "$XDG_DATA_HOME/weft", "The folder of all that the node keeps. One node a folder."},
    {"listen", Kind::kText, "127.0.0.1", "The IP address of both listeners. Beyond loopback TLS is needed."},
    {"http-port", Kind::kInt, "7470", "The port of the REST API; 0 takes any free one.", 0, 65'535},
    {"flight-port", Kind::kInt, "7471", "The port of Flight SQL; 0 takes any free one.", 0, 65'535},
    {"tls-certificate", Kind::kText, "", "PEM file of the certificate chain that both listeners show."},
    {"tls-key", Kind::kText, "", "PEM file of the certificate's private key."},
    {"environment", Kind::kText, "",
     "Of which environment of mesh.yaml this mesh is, such as dev or prod; its store keeps the name, so that a start "
     "without the setting takes it from there and one with another name is refused. None if empty."},
    {"store", Kind::kText, "sqlite:<data>/weft.db",
     "The control store: what the mesh knows. sqlite:PATH of one node, or "
     "postgres://USER@HOST/DATABASE?sslmode=verify-full "
     "of one or several, as libpq takes it; its password lies in a file that passfile= in the URL or PGPASSFILE "
     "names."},
    {"shared", Kind::kText, "<data>",
     "The folder of what all nodes over one store have in common: keys, data files that were sent, and, unless they "
     "are "
     "set, the seal key and the warehouse. Each node has its own data folder beside it."},
    {"node-timeout", Kind::kDuration, "20s",
     "How long a node of several over one store may say nothing before others take its runs from it."},
    {"seal-key", Kind::kText, "<shared>/seal.key",
     "The file of the key that secrets in the store are sealed with; made when first needed. Kept elsewhere than the "
     "store, a copy of the store tells none of them."},
    {"warehouse", Kind::kText, "<shared>/warehouse", "The folder of the lake's tables."},
    {"compression", Kind::kText, "zstd",
     "How the lake's Parquet files are compressed: zstd (smallest), snappy, or uncompressed (quickest to read)."},
    {"source-roots", Kind::kList, "", "Folders outside a product's own from which file sources may read."},
    {"source-hosts", Kind::kList, "",
     "Hosts where sources may read databases, files and objects: names, *.example.com, addresses. None if empty. This "
     "machine and its "
     "link "
     "only where their address is named."},
    {"source-ca-file", Kind::kText, "/etc/ssl/certs/ca-certificates.crt",
     "PEM file of the authorities that vouch for databases whose source says sslmode: verify-ca or verify-full, and "
     "for servers."},
    {"source-timeout", Kind::kDuration, "5m", "How long a database or a server may be silent while a run reads it."},
    {"source-file-limit", Kind::kBytes, "16GiB",
     "The largest file that a run fetches from a server or an object store."},
    {"memory", Kind::kMemory, "60%",
     "What all engines may use together: bytes, or a share of what the process may use."},
    {"threads", Kind::kInt, "0", "Threads of an engine; 0 is one for each processor.", 0, 1'024},
    {"query-concurrency", Kind::kInt, "4", "Consumers' queries that run at once; further ones wait a little.", 1,
     1'000},
    {"query-timeout", Kind::kDuration, "60s",
     "How long a consumer's query may work; the time that its client takes to read does not count."},
    {"query-idle-timeout", Kind::kDuration, "5m",
     "How long a query's client may take no rows before the query is ended and another has its turn."},
    {"statement-idle-timeout", Kind::kDuration, "10m", "How long a prepared statement that nobody uses stays open."},
    {"query-memory", Kind::kBytes, "512MB", "Memory of each consumer's query; beyond it spills to disk."},
    {"query-row-limit", Kind::kInt, "0", "Rows that a consumer's query may return; 0 is no limit."},
    {"run-parallel", Kind::kInt, "1", "Runs that execute at once.", 1, 64},
    {"run-domain-parallel", Kind::kInt, "0", "Runs of one domain that execute at once; 0: as many as of all.", 0, 64},
    {"scheduler", Kind::kFlag, "true",
     "Whether the node starts runs when schedules and triggers say so; of several nodes, one does at a time."},
    {"upkeep-every", Kind::kDuration, "10m",
     "How often the node looks which tables have too many small files, or snapshots that are kept no longer, and tends "
     "them where no run waits; of several nodes, one does. 0s is never: weft upkeep does it by hand."},
    {"upkeep-window", Kind::kText, "",
     "When it tends them by itself: a time of the day such as 22:00-06:00, in UTC. Always if empty."},
    {"upkeep-parallel", Kind::kInt, "1", "Tables that are tended at once.", 1, 64},
    {"upkeep-memory", Kind::kBytes, "512MB", "Memory of each table that is tended; at most what memory gives."},
    {"file-size", Kind::kBytes, "128MB",
     "How large a table's files should be: those under half of that are small, and upkeep makes one of them; of tables "
     "that are upserted 8MiB at most."},
    {"small-files", Kind::kInt, "16", "So many small files of a table are none too many.", 1, 100'000},
    {"snapshot-age", Kind::kDuration, "0s",
     "For how long former snapshots of a table are kept whose contract states no retention; 0s is for ever."},
    {"run-memory", Kind::kBytes, "2GB", "Memory of each run; at most what memory gives."},
    {"token-lifetime", Kind::kDuration, "90d", "How long a token lives that is made without --expires."},
    {"public-url", Kind::kText, "",
     "How this node is called from outside, as the issuer of its sign-in; where it listens if empty."},
    {"access-token-lifetime", Kind::kDuration, "1h",
     "How long an access token of a sign-in lives; it is renewed by itself."},
    {"sign-in-lifetime", Kind::kDuration, "30d", "How long a sign-in holds that nobody uses."},
    {"sign-in-tries", Kind::kInt, "100",
     "How many sign-ins from one network address may fail before it waits; one is forgiven every 6 s. 0: any number.",
     0, 1'000'000},
    {"signing-key-lifetime", Kind::kDuration, "90d", "How long the node signs id tokens with one key."},
    {"oidc-issuer", Kind::kText, "",
     "The OpenID provider whose tokens are taken besides the node's own; none if empty."},
    {"oidc-audience", Kind::kText, "", "The audience that such a token must name: what this node is called there."},
    {"oidc-principal-claim", Kind::kText, "preferred_username",
     "The claim that names the principal; a token without it is refused."},
    {"oidc-groups-claim", Kind::kText, "groups",
     "The claim whose values mesh.yaml may list among a group's members, as claim:VALUE."},
    {"oidc-algorithms", Kind::kList, "", "Of RS256, PS256, ES256, EdDSA those that are taken; all if empty."},
    {"oidc-keys-max-age", Kind::kDuration, "24h",
     "How long the provider's keys hold when they cannot be fetched again; then its tokens are refused."},
    {"oidc-ca-file", Kind::kText, "", "PEM file of an authority to trust for the provider, besides the system's."},
    {"log-level", Kind::kText, "info", "The least that is logged: debug, info, warn or error."},
    {"log-json", Kind::kFlag, "false", "Log one JSON object a line."},
    {"upload-limit", Kind::kBytes, "1GiB", "The largest data file that may travel with a product."},
    {"request-threads", Kind::kInt, "8", "Threads that answer REST requests.", 1, 256},
    {"request-timeout", Kind::kDuration, "30s", "How long a silent or slow client keeps its connection."},
    {"denial-window", Kind::kDuration, "60s",
     "How long a denial stands for its like: those are counted, and one row at its end tells how many; 0s writes "
     "each."},
    {"webhook-hosts", Kind::kList, "",
     "Hosts that webhooks may call: hooks.example.com, *.example.com, with :PORT for one port alone. None if empty."},
    {"webhook-private", Kind::kFlag, "false",
     "Let webhooks call this machine, private and link-local networks, and by http without TLS."},
    {"webhook-retry", Kind::kDuration, "5s",
     "How long after a failed delivery it is tried again; twice as long after each that follows, an hour at most."},
    {"webhook-attempts", Kind::kInt, "8", "How often a delivery is tried before its webhook is given up.", 1, 100},
    {"webhook-ca-file", Kind::kText, "", "PEM file of an authority to trust for webhooks, besides the system's."},
    {"sweep-every", Kind::kDuration, "1h",
     "How often files that neither a snapshot nor a product names are removed; 0s is never."},
    {"sweep-age", Kind::kDuration, "24h", "How old such a file is at least before it is removed."},
};

}  // namespace

std::span<const Setting> SettingTable() { return kTable; }

std::string_view KindName(Kind kind) {
  constexpr std::string_view kNames[] = {"text", "number", "bytes", "bytes or share", "duration", "flag", "list"};
  return kNames[static_cast<int>(kind)];
}

std::string Setting::Environment() const {
  std::string variable = "WEFT_";
  for (char c : name) variable += c == '-' ? '_' : static_cast<char>(c - ('a' - 'A'));
  return variable;
}

std::string SettingsMarkdown() {
  std::string text =
      "# Settings\n\n"
      "Written by `weft settings --markdown`. Each setting is a flag of `weft serve` (`--http-port 7470`), an "
      "environment "
      "variable (`WEFT_HTTP_PORT=7470`) and a key of the file (`http-port: 7470`); a flag wins over the environment, "
      "the "
      "environment over the file. Bytes are written like `512MB` or `2GiB`, durations like `250ms`, `5s`, `24h` or "
      "`7d`. "
      "A list is a YAML list in the file, a repeated flag, or parts between colons in the environment.\n\n"
      "| setting | kind | default | what it does |\n|---|---|---|---|\n";
  for (const Setting& setting : kTable) {
    std::string otherwise = setting.otherwise.empty() ? "" : fmt::format("`{}`", setting.otherwise);
    text +=
        fmt::format("| `{}` | {} | {} | {} |\n", setting.name, KindName(setting.kind), otherwise, setting.description);
  }
  return text;
}

}  // namespace weft::app
