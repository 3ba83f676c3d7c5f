#include "base/json.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

namespace weft {
namespace {

using Ordered = nlohmann::ordered_json;

const Json kNone;
const std::string kNoText;
const Json::Array kNoItems;
const Json::Object kNoMembers;
constexpr size_t kMaxDepth = 512;
constexpr int kOutOfRange = 406;  // The library's number for a number beyond a double.

// Builds a Json from the parser's events, with no intermediate tree.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Place(Json()); }
  bool boolean(bool value) override { return Place(value); }
  bool number_integer(number_integer_t value) override { return Place(int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    return value <= INT64_MAX ? Place(static_cast<int64_t>(value)) : Place(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return Place(value); }
  bool string(string_t& value) override { return Place(Json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Json(Json::Object())); }
  bool key(string_t& value) override {
    keys_.back() = std::move(value);
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(Json(Json::Array())); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t position, const std::string& token, const nlohmann::detail::exception& e) override {
    std::string what = e.what();
    if (e.id == kOutOfRange) {
      error_ = "the number " + token + " is larger than any that can be read, at byte " + std::to_string(position);
    } else {
      // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …"
      if (size_t end = what.find(": "); end != what.npos) what.erase(0, end + 2);
      error_ = "not JSON, at byte " + std::to_string(position) + ": " + what;
    }
    return false;
  }

  Json root_;
  std::string error_;

 private:
  bool Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().Push(std::move(value));
    } else {
      members_.back().emplace_back(std::move(keys_.back()), std::move(value));
    }
    return true;
  }
  bool Open(Json value) {
    if (open_.size() >= kMaxDepth) {
      error_ = "JSON is nested deeper than " + std::to_string(kMaxDepth) + " levels";
      return false;
    }
    open_.push_back(std::move(value));
    members_.emplace_back();
    keys_.emplace_back();
    return true;
  }
  bool Close() {
    Json done = open_.back().is_array() ? std::move(open_.back()) : Json(Unique(std::move(members_.back())));
    open_.pop_back();
    members_.pop_back();
    keys_.pop_back();
    return Place(std::move(done));
  }

  // Of members with one key the last value, at the first one's place. Once for each object: a look at all the others
  // with each member would let a few megabytes keep a thread busy for minutes.
  static Json::Object Unique(Json::Object members) {
    std::unordered_map<std::string_view, size_t> places;
    std::vector<size_t> kept;
    for (size_t i = 0; i < members.size(); ++i) {
      auto [at, fresh] = places.emplace(members[i].first, kept.size());
      if (fresh) {
        kept.push_back(i);
      } else {
        members[kept[at->second]].second = std::move(members[i].second);
      }
    }
    if (kept.size() == members.size()) return members;
    Json::Object unique;
    for (size_t i : kept) unique.push_back(std::move(members[i]));
    return unique;
  }

  std::vector<Json> open_;
  std::vector<Json::Object> members_;  // Of each open value, where it is an object.
  std::vector<std::string> keys_;
};

Ordered ToLibrary(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return nullptr;
    case Json::Kind::kBool:
      return value.Bool();
    case Json::Kind::kInt:
      return value.Int();
    case Json::Kind::kDouble:
      return value.Double();
    case Json::Kind::kText:
      return value.Text();
    case Json::Kind::kArray: {
      Ordered array = Ordered::array();
      for (const Json& item : value.Items()) array.push_back(ToLibrary(item));
      return array;
    }
    case Json::Kind::kObject: {
      Ordered object = Ordered::object();
      // Appended, since operator[] looks through all that is there.
      auto& members = object.get_ref<Ordered::object_t&>();
      for (const auto& [key, member] : value.Members()) members.emplace_back(key, ToLibrary(member));
      return object;
    }
  }
  return nullptr;
}

}  // namespace

const std::string& Json::Text() const {
  const auto* text = std::get_if<std::string>(&value_);
  return text ? *text : kNoText;
}
std::string Json::Text(std::string_view otherwise) const { return is_text() ? Text() : std::string(otherwise); }
int64_t Json::Int(int64_t otherwise) const {
  if (kind() == Kind::kInt) return std::get<int64_t>(value_);
  if (kind() != Kind::kDouble) return otherwise;
  const double value = std::get<double>(value_);
  return value >= -0x1p63 && value < 0x1p63 ? static_cast<int64_t>(value) : otherwise;
}
double Json::Double(double otherwise) const {
  if (kind() == Kind::kDouble) return std::get<double>(value_);
  if (kind() == Kind::kInt) return static_cast<double>(std::get<int64_t>(value_));
  return otherwise;
}
bool Json::Bool(bool otherwise) const { return kind() == Kind::kBool ? std::get<bool>(value_) : otherwise; }
const Json::Array& Json::Items() const { return is_array() ? std::get<Array>(value_) : kNoItems; }
const Json::Object& Json::Members() const { return is_object() ? std::get<Object>(value_) : kNoMembers; }

const Json& Json::operator[](std::string_view key) const {
  for (const auto& [name, member] : Members()) {
    if (name == key) return member;
  }
  return kNone;
}
const Json& Json::operator[](size_t index) const { return index < Items().size() ? Items()[index] : kNone; }
bool Json::Has(std::string_view key) const {
  for (const auto& [name, member] : Members()) {
    if (name == key) return true;
  }
  return false;
}
size_t Json::size() const { return is_array() ? Items().size() : Members().size(); }

std::vector<std::string> Json::Texts() const {
  std::vector<std::string> texts;
  for (const Json& item : Items()) {
    if (item.is_text()) texts.push_back(item.Text());
  }
  return texts;
}

Json& Json::Set(std::string_view key, Json value) {
  if (!is_object()) value_ = Object();
  auto& members = std::get<Object>(value_);
  for (auto& [name, member] : members) {
    if (name != key) continue;
    member = std::move(value);
    return *this;
  }
  members.emplace_back(key, std::move(value));
  return *this;
}
Json& Json::Push(Json value) {
  if (!is_array()) value_ = Array();
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

Result<Json> Json::Parse(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) {
    return Error{Code::kInvalid, builder.error_.empty() ? "not JSON" : builder.error_};
  }
  return std::move(builder.root_);
}
std::string Json::Dump() const { return ToLibrary(*this).dump(-1, ' ', false, Ordered::error_handler_t::replace); }
std::string Json::Pretty() const { return ToLibrary(*this).dump(2, ' ', false, Ordered::error_handler_t::replace); }

}  // namespace weft
