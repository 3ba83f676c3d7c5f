#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "work/run/profile.h"

namespace weft::run {
namespace {

using Kind = model::Type::Kind;

// Four of five values that are `like` it make it so, whatever the column is called.
struct ByValue {
  std::string_view like;
  std::string_view what;
  std::string_view plural;
};
constexpr ByValue kByValue[] = {
    {"email", "an e-mail address", "e-mail addresses"},
    {"iban", "a bank account", "bank accounts"},
    {"ipv4", "a network address", "network addresses"},
};

// Words of a name, in snake case and in this order somewhere in it.
struct ByName {
  std::string_view words;
  std::string_view what;
};
constexpr ByName kByName[] = {
    {"email", "an e-mail address"},
    {"e_mail", "an e-mail address"},
    {"mail", "an e-mail address"},
    {"phone", "a telephone number"},
    {"mobile", "a telephone number"},
    {"telephone", "a telephone number"},
    {"cell", "a telephone number"},
    {"fax", "a telephone number"},
    {"first_name", "a person's name"},
    {"firstname", "a person's name"},
    {"given_name", "a person's name"},
    {"forename", "a person's name"},
    {"last_name", "a person's name"},
    {"lastname", "a person's name"},
    {"surname", "a person's name"},
    {"family_name", "a person's name"},
    {"middle_name", "a person's name"},
    {"maiden_name", "a person's name"},
    {"full_name", "a person's name"},
    {"fullname", "a person's name"},
    {"customer_name", "a person's name"},
    {"contact_name", "a person's name"},
    {"user_name", "a person's name"},
    {"username", "a person's name"},
    {"employee_name", "a person's name"},
    {"patient_name", "a person's name"},
    {"passenger_name", "a person's name"},
    {"birth", "a date of birth"},
    {"birthdate", "a date of birth"},
    {"birthday", "a date of birth"},
    {"born", "a date of birth"},
    {"dob", "a date of birth"},
    {"street", "a postal address"},
    {"address", "a postal address"},
    {"address1", "a postal address"},
    {"address2", "a postal address"},
    {"postcode", "a postal address"},
    {"zip", "a postal address"},
    {"zipcode", "a postal address"},
    {"postal_code", "a postal address"},
    {"zip_code", "a postal address"},
    {"ssn", "an official number"},
    {"social_security", "an official number"},
    {"passport", "an official number"},
    {"national_id", "an official number"},
    {"tax_id", "an official number"},
    {"driving_licence", "an official number"},
    {"driver_license", "an official number"},
    {"iban", "a bank account"},
    {"account_number", "a bank account"},
    {"card_number", "a payment card"},
    {"credit_card", "a payment card"},
    {"ip", "a network address"},
    {"ip_address", "a network address"},
    {"gender", "a person's sex"},
    {"sex", "a person's sex"},
    {"salary", "a person's income"},
};

bool Says(std::string_view name, std::string_view words) {
  for (size_t at = name.find(words); at != name.npos; at = name.find(words, at + 1)) {
    const size_t end = at + words.size();
    if ((at == 0 || name[at - 1] == '_') && (end == name.size() || name[end] == '_')) return true;
  }
  return false;
}

// Of the first field that is named so, however deep.
std::optional<Personal> Within(const model::Type& type) {
  for (const model::Field& field : type.fields) {
    ColumnProfile inner;
    inner.name = field.name;
    inner.type = field.type;
    auto personal = PersonalOf(inner);
    if (!personal) continue;
    if (field.type.IsPrimitive())
      personal->evidence = fmt::format("by the name of its field '{}'", SnakeCase(field.name));
    return personal;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Personal> PersonalOf(const ColumnProfile& column) {
  auto count = [&](std::string_view like) {
    const auto at = column.like.find(std::string(like));
    return at == column.like.end() ? int64_t{0} : at->second;
  };
  const int64_t filled = column.looked - count("empty");
  for (const ByValue& kind : kByValue) {
    const int64_t are = count(kind.like);
    if (are == 0 || are * 10 < filled * 8) continue;
    return Personal{std::string(kind.what),
                    fmt::format("{} of {} values are {}", HumanCount(are), HumanCount(filled), kind.plural)};
  }
  if (!column.type.IsPrimitive()) return Within(column.type);
  if (column.type.kind == Kind::kBoolean) return std::nullopt;
  const std::string name = SnakeCase(column.name);
  for (const ByName& kind : kByName) {
    if (!Says(name, kind.words)) continue;
    if (const int64_t are = count("phone"); kind.what == "a telephone number" && filled > 0) {
      if (are * 2 < filled) continue;  // "phone_model"
      return Personal{std::string(kind.what), fmt::format("by its name, and {} of {} values could be one",
                                                          HumanCount(are), HumanCount(filled))};
    }
    return Personal{std::string(kind.what), "by its name"};
  }
  return std::nullopt;
}

}  // namespace weft::run
