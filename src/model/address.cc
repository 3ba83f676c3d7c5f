#include "model/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace weft::model {
namespace {

constexpr std::string_view kScheme = "weft://";
constexpr size_t kMaxSlug = 63;

constexpr std::string_view kReserved[] = {"memory", "system", "temp", "main", "pg_catalog", "information_schema"};

// Words that DuckDB or a standard SQL engine takes for its own at the place of a table's name; sorted.
// clang-format off
constexpr std::string_view kSqlWords[] = {
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asof", "asymmetric", "at",
    "authorization", "between", "binary", "both", "by", "case", "cast", "check", "collate", "collation", "column",
    "concurrently", "constraint", "create", "cross", "default", "deferrable", "desc", "describe", "distinct", "do",
    "else", "end", "except", "exists", "false", "fetch", "for", "foreign", "freeze", "from", "full", "generated",
    "glob", "group", "having", "ilike", "in", "initially", "inner", "intersect", "into", "is", "isnull", "join",
    "lambda", "lateral", "leading", "left", "like", "limit", "map", "natural", "not", "notnull", "null", "offset",
    "on", "only", "or", "order", "outer", "overlaps", "pivot", "pivot_longer", "pivot_wider", "placing",
    "positional", "primary", "qualify", "references", "returning", "right", "row", "select", "semi", "show",
    "similar", "some", "struct", "summarize", "symmetric", "table", "tablesample", "then", "to", "trailing", "true",
    "try_cast", "union", "unique", "unpack", "unpivot", "using", "values", "variadic", "when", "where", "window",
    "with"};
// clang-format on
static_assert(std::ranges::is_sorted(kSqlWords));

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string QuotedWhereNeeded(const std::string& name) {
  return std::ranges::binary_search(kSqlWords, std::string_view(name)) ? SqlName(name) : name;
}

Error Bad(std::string_view text, std::string_view why) {
  return {Code::kInvalid, fmt::format("'{}' is not an address: {}", text, why)};
}

// "2" or "2.1.0", after the '@'.
Status ReadVersion(std::string_view text, std::string_view whole, Address& address) {
  if (IsDigits(text) && text.size() <= 9 && (text.size() == 1 || text[0] != '0')) {
    address.major = std::stoi(std::string(text));
    return {};
  }
  auto version = Version::Parse(text);
  if (!version) return Bad(whole, "after '@' write a major such as @2 or a whole version such as @2.1.0");
  address.version = *version;
  address.major = version->major;
  return {};
}

}  // namespace

Status CheckSlug(std::string_view name, std::string_view what) {
  auto bad = [&](std::string_view why) -> Status {
    return Error{Code::kInvalid, fmt::format("'{}' cannot be the name of {}: {}", name, what, why)};
  };
  if (name.empty()) return bad("it is empty");
  if (name[0] < 'a' || name[0] > 'z') return bad("it must begin with a lower-case letter a-z");
  bool plain =
      std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (std::ranges::find(kReserved, name) != std::end(kReserved))
    return bad("SQL engines keep that name for themselves");
  if (!plain) return bad("only a-z, 0-9 and '-' are allowed");
  if (name.size() > kMaxSlug) return bad("at most 63 characters are allowed");
  size_t last = name.rfind("-v");
  if (last != name.npos && IsDigits(name.substr(last + 2))) {
    return bad("it ends like a version; the version belongs into the version field");
  }
  return {};
}

std::string SqlNameOf(std::string_view slug) { return ReplaceAll(slug, "-", "_"); }

Result<Address> Address::Parse(std::string_view text) {
  Address address;
  std::string_view rest = text;
  const bool full = rest.starts_with(kScheme);
  if (full) rest.remove_prefix(kScheme.size());
  if (rest.find("://") != rest.npos) return Bad(text, "it must begin with weft:// or with the domain");
  if (size_t at = rest.find('@'); at != rest.npos) {
    TRY(ReadVersion(rest.substr(at + 1), text, address));
    rest = rest.substr(0, at);
  }
  std::vector<std::string> names = Split(rest, '/');
  if (names.size() > (full ? 4u : 3u)) {
    return Bad(text, full ? "write weft://mesh/domain/product/port@major" : "write domain/product/port@major");
  }
  if (full && names.size() < 2) return Bad(text, "after the mesh, name a domain: weft://mesh/domain/product/port");
  constexpr std::string_view kWhat[] = {"a mesh", "a domain", "a product", "a port"};
  std::string* const fields[] = {&address.mesh, &address.domain, &address.product, &address.port};
  for (size_t i = 0; i < names.size(); ++i) {
    const size_t field = full ? i : i + 1;
    Status slug = CheckSlug(names[i], kWhat[field]);
    if (!slug) return Bad(text, slug.error().message);
    *fields[field] = names[i];
  }
  if (address.major && address.product.empty()) return Bad(text, "a domain has no version");
  return address;
}

std::string Address::Short() const {
  std::string text = domain;
  if (!product.empty()) text += "/" + product;
  if (!port.empty()) text += "/" + port;
  if (version) return text + "@" + version->Text();
  if (major) return fmt::format("{}@{}", text, *major);
  return text;
}

std::string Address::Text() const { return mesh.empty() ? Short() : fmt::format("{}{}/{}", kScheme, mesh, Short()); }

std::string PortKey::Text() const { return fmt::format("{}/{}/{}@{}", domain, product, port, major); }

std::string PortKey::SqlTable() const {
  return fmt::format("{}.{}.{}_v{}", QuotedWhereNeeded(SqlNameOf(domain)), QuotedWhereNeeded(SqlNameOf(product)),
                     SqlNameOf(port), major);
}

std::string PortKey::Folder() const { return fmt::format("{}/{}/{}_v{}", domain, product, SqlNameOf(port), major); }

Address PortKey::ToAddress() const { return {"", domain, product, port, major, {}}; }

Result<PortKey> PortKey::Parse(std::string_view text) {
  Address address = TRY(Address::Parse(text));
  if (address.port.empty() || !address.major || address.version) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' does not name a port's major version: write domain/product/port@major, such as "
                             "operations/flights/flights@1",
                             text)};
  }
  return PortKey{address.domain, address.product, address.port, *address.major};
}

}  // namespace weft::model
