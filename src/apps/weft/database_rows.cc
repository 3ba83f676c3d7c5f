#include "apps/weft/database_rows.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "apps/weft/typing.h"
#include "base/text.h"
#include "drivers/database/database.h"

namespace weft::app {
namespace {

constexpr std::string_view kSchemes[] = {"postgres://", "postgresql://"};
constexpr std::string_view kSqliteHead = "SQLite format 3";

// "%40" as "@".
std::string Decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ptr == text.data() + i + 3) {
      plain += static_cast<char>(code);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

struct Url {
  database::Server server;
  std::vector<std::string> tables;
};

// The URL's parts; never quoted where it may hold a password.
Result<Url> ParseUrl(const std::string& text) {
  Url url;
  std::string_view rest = text;
  for (const std::string_view scheme : kSchemes) {
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  }
  std::string_view query;
  if (const size_t at = rest.find('?'); at != rest.npos) query = rest.substr(at + 1), rest = rest.substr(0, at);
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view place = rest.substr(0, slash);
  if (slash < rest.size()) url.server.database = Decoded(rest.substr(slash + 1));
  if (const size_t at = place.rfind('@'); at != place.npos) {
    const std::string_view user = place.substr(0, at);
    if (user.find(':') != user.npos) {
      return Error{
          Code::kInvalid,
          "a password in a URL is seen by other users of this machine, and is kept by the shell: leave it out, "
          "and give it by PGPASSWORD, ~/.pgpass, or when it is asked for"};
    }
    url.server.user = Decoded(user);
    place.remove_prefix(at + 1);
  }
  const size_t bracket = place.rfind(']'), colon = place.rfind(':');
  if (colon != place.npos && (bracket == place.npos || colon > bracket)) {
    const std::string_view port = place.substr(colon + 1);
    const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), url.server.port);
    if (bad != std::errc() || end != port.data() + port.size() || url.server.port < 1 || url.server.port > 65'535) {
      return Error{Code::kInvalid, fmt::format("'{}' is no port of a server", port)};
    }
    place = place.substr(0, colon);
  }
  if (place.starts_with('[') && place.ends_with(']')) place = place.substr(1, place.size() - 2);
  url.server.host = Decoded(place);
  for (const std::string& piece : query.empty() ? std::vector<std::string>{} : Split(query, '&')) {
    const size_t equals = std::min(piece.find('='), piece.size());
    const std::string name = piece.substr(0, equals), value = Decoded(piece.substr(std::min(equals + 1, piece.size())));
    if (name == "table") {
      url.tables.push_back(value);
    } else if (name == "sslmode") {
      url.server.ssl_mode = value;
    } else {
      return Error{Code::kInvalid,
                   fmt::format("'{}' cannot be said in the URL of a source: table and sslmode can", name)};
    }
  }
  if (!url.server.host.empty() && !url.server.database.empty()) return url;
  return Error{Code::kInvalid, "the URL names no host and database: write postgres://USER@HOST/DATABASE"};
}

// A name that a secret may have.
std::string SecretName(const std::string& database) { return PortName(run::SnakeCase(database)) + "-password"; }

// Every table that is meant, in the database's own names.
Result<std::vector<std::string>> Meant(database::Database& database, const std::vector<std::string>& wanted) {
  if (wanted.empty()) {
    std::vector<std::string> all = TRY(database.Tables(""));
    if (!all.empty()) return all;
    return Error{
        Code::kNotFound,
        "the database has no table in its usual schema that you may read: name some with --table SCHEMA.TABLE, "
        "or all of a schema with --table 'SCHEMA.*'"};
  }
  std::vector<std::string> meant;
  for (const std::string& name : wanted) {
    if (!name.ends_with(".*")) {
      meant.push_back(name);
      continue;
    }
    const std::string schema = name.substr(0, name.size() - 2);
    const std::vector<std::string> tables = TRY(database.Tables(schema));
    if (tables.empty()) {
      return Error{Code::kNotFound, fmt::format("the schema '{}' has no table that you may read", schema)};
    }
    meant.insert(meant.end(), tables.begin(), tables.end());
  }
  return meant;
}

struct Opened {
  std::unique_ptr<database::Database> database;
  Json source;  // Of every table, but its name.
};

Result<Opened> OpenServer(const Url& url, std::vector<std::string>& next, const std::string& domain) {
  database::Server server = database::WithOwnUser(url.server);
  database::Login login{.password = database::OwnPassword(server), .own = true, .ca_file = {}, .addresses = {}};
  auto opened = database::OpenPostgres(server, login, {});
  if (!opened && opened.error().code == Code::kInvalid && ::isatty(STDIN_FILENO) != 0) {
    const std::string place = fmt::format("{}@{}/{}", server.user, server.host, server.database);
    login.password = Secret(TRY(ReadUnseen(fmt::format("Password of {}:", Safe(place)))));
    opened = database::OpenPostgres(server, login, {});
  }
  if (!opened) {
    Error error = opened.TakeError();
    if (error.code == Code::kInvalid) error.message += ". Your password is taken from PGPASSWORD or ~/.pgpass";
    return error;
  }
  Json source = Json::Map({{"kind", "postgres"}, {"host", server.host}});
  if (server.port != 5432) source.Set("port", server.port);
  source.Set("database", server.database).Set("user", server.user);
  if (login.password) {
    const std::string secret = SecretName(server.database);
    source.Set("password", Json::Map({{"secret", secret}}));
    next.push_back(fmt::format("the node reads it as {}: seal the password with weft secret put {} --domain {}",
                               server.user, secret, domain));
  }
  if (!server.ssl_mode.empty()) source.Set("sslmode", server.ssl_mode);
  next.push_back(fmt::format("its administrator allows the host: weft serve --source-hosts {}", server.host));
  return Opened{opened.TakeValue(), std::move(source)};
}

Result<Opened> OpenFile(const std::string& path, const fs::path& home, std::vector<std::string>& next) {
  std::error_code failure;
  const fs::path real = fs::canonical(path, failure);
  if (failure) return Error{Code::kNotFound, fmt::format("there is no file '{}'", path)};
  auto opened = database::OpenSqlite(real.string(), false, {});
  if (!opened) return opened.TakeError().With(fmt::format("'{}'", path));
  const fs::path inside = real.lexically_relative(fs::weakly_canonical(home, failure));
  const bool travels = !inside.empty() && *inside.begin() != "..";
  if (!travels) {
    next.push_back(fmt::format("the node reads the file where it is, when it is started with --source-roots {}",
                               real.parent_path().string()));
  }
  return Opened{opened.TakeValue(),
                Json::Map({{"kind", "sqlite"}, {"path", travels ? inside.string() : real.string()}})};
}

}  // namespace

Result<ScratchFolder> ScratchFolder::Make() {
  std::error_code failure;
  std::string path = (fs::temp_directory_path(failure) / "weft-XXXXXX").string();
  if (failure || !::mkdtemp(path.data())) {
    return Error{Code::kUnavailable,
                 fmt::format("no folder can be made under '{}' (TMPDIR)", fs::path(path).parent_path().string())};
  }
  return ScratchFolder(path);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

bool IsDatabase(const std::string& from) {
  if (std::ranges::any_of(kSchemes, [&](std::string_view scheme) { return from.starts_with(scheme); })) return true;
  char head[kSqliteHead.size()] = "";
  std::ifstream file(from, std::ios::binary);
  return file.read(head, sizeof head) && std::string_view(head, sizeof head) == kSqliteHead;
}

Status ProfileDatabase(Session& session, run::Profiler& profiler, const std::string& from,
                       std::vector<std::string> tables, const fs::path& home, const fs::path& scratch,
                       Scaffold& scaffold, std::vector<std::string>& next) {
  Opened opened;
  if (from.find("://") != from.npos) {
    const Url url = TRY(ParseUrl(from));
    tables.insert(tables.end(), url.tables.begin(), url.tables.end());
    opened = TRY(OpenServer(url, next, scaffold.domain));
  } else {
    opened = TRY(OpenFile(from, home, next));
  }
  for (const std::string& name : TRY(Meant(*opened.database, tables))) {
    if (!session.json()) session.Note(fmt::format("reading {}", Safe(name)));
    const fs::path copy = scratch / fmt::format("{}.rows", scaffold.tables.size());
    run::TableProfile table = TRY(profiler.Profile(*opened.database, name, copy.string()));
    if (scaffold.sources.contains(table.name)) {
      return Error{Code::kConflict, fmt::format("'{}' would be the port '{}', which another table is already: make a "
                                                "product of its own of it",
                                                name, PortName(table.name))};
    }
    scaffold.sources[table.name] = Json(opened.source).Set("table", table.declared->name);
    scaffold.tables.push_back(std::move(table));
  }
  return {};
}

}  // namespace weft::app
