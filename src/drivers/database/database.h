// Tables of databases that are not ours: what they are declared to be, and their rows as exact texts.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/span.h"

namespace weft::database {

struct Column {
  std::string name;
  std::string declared;  // As the database says it: "numeric(10,2)".
  // The engine's name of the type that its values have, as far as they keep to what is declared, which SQLite does not
  // make them do; empty where none holds them all exactly.
  std::string type;
  bool required = false;
  std::string comment;
  std::vector<std::string> words;  // All that its type allows, where it lists them.
};

struct Reference {
  std::vector<std::string> columns;
  std::string table;  // As Table::name.
  std::vector<std::string> keys;
};

// What a table is declared to be; of a query only the columns are known.
struct Table {
  std::string name;  // "public.orders"; empty of a query.
  std::string comment;
  std::vector<Column> columns;
  std::vector<std::string> key;
  std::vector<std::string> unique;  // Columns whose every value is there once.
  std::vector<Reference> references;
  bool loose = false;  // Values need not be of the types that are declared.
  std::string select;  // The database's own text that gives the rows.
};

// How the copied rows lie in their file: CSV without a header, each value between quotes, kNull where there is none,
// lists as JSON arrays of texts, bytes as \x1F each.
inline constexpr std::string_view kNull = "\\N";
struct Copied {
  int64_t rows = 0;
  int64_t longest = 0;     // Bytes of a row.
  bool multiline = false;  // Some value has a line break.
};

// The rows of a table that come after others, in the order of one of its columns.
struct Window {
  std::string column;
  std::string after;          // A value as Newest gave it; empty: from the first row on.
  std::string until;          // The same, itself included.
  std::optional<Span> again;  // How much before `after` it begins: of dates and times alone.
};

// How long it is waited for, each time, and what ends all waiting.
struct Patience {
  Millis connect{10'000};
  Millis silence{300'000};
  std::stop_token stop = {};
};

// A database, opened; everything that is read of it is of one state of it. Nothing is written. Used by one thread.
// kInvalid for what whoever names it can mend, kUnavailable where it does not answer.
class Database {
 public:
  virtual ~Database() = default;
  // The tables of a schema by name; empty: its usual one. No views.
  virtual Result<std::vector<std::string>> Tables(const std::string& schema) = 0;
  // kNotFound with the nearest name.
  virtual Result<Table> OfTable(const std::string& name) = 0;
  // One statement that gives rows.
  virtual Result<Table> OfQuery(const std::string& sql) = 0;
  // The greatest value of a column, in words that a Window takes; empty where there is no row. kInvalid where it has no
  // order, or a row has none or one that nothing comes after.
  virtual Result<std::string> Newest(const Table& table, const Column& column) = 0;
  // Writes every row, or those of the window, of these columns, which are some of the table's, into a new file.
  virtual Result<Copied> Copy(const Table& table, const std::string& file, const Window& window) = 0;
  Result<Copied> Copy(const Table& table, const std::string& file) { return Copy(table, file, {}); }
};

struct Server {
  std::string host;
  int port = 5432;
  std::string database;
  std::string user;      // Empty: as libpq finds one, which only a person's own program does.
  std::string ssl_mode;  // disable, require, verify-ca, verify-full; empty: require, but on this machine.
};

// As whom, and how the server is known.
struct Login {
  std::optional<Secret> password;
  bool own = false;                    // What libpq finds of this process's user may be used: a certificate, a ticket.
  std::string ca_file;                 // For verify-ca and verify-full; empty: as libpq finds it.
  std::vector<std::string> addresses;  // Of the host, the only ones that are gone to; empty: any.
};

Result<std::unique_ptr<Database>> OpenPostgres(const Server& server, const Login& login, Patience patience);
// What the person who types this would connect as and with, by libpq's own habits.
Server WithOwnUser(Server server);
std::optional<Secret> OwnPassword(const Server& server);

// Read only; `still`: nobody writes to it while it is read.
Result<std::unique_ptr<Database>> OpenSqlite(const std::string& path, bool still, Patience patience);

// The addresses of a host that one may go to where `hosts` are allowed: names, "*.example.com", addresses. An address
// of this machine or of its link counts only where it is allowed itself. kDenied where there is none, kUnavailable
// where the name is not known. kInvalid for what is no name of one host.
Result<std::vector<std::string>> AllowedAddresses(const std::string& host, const std::vector<std::string>& hosts);

}  // namespace weft::database
