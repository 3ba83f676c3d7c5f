#include "base/yaml.h"

#include <fmt/format.h>
#include <yaml.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "base/text.h"

namespace weft::yaml {
namespace {

constexpr size_t kMaxBytes = size_t{16} << 20;
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxNodes = 1'000'000;
constexpr size_t kMaxKey = 1024;  // Of a key, in bytes: it is quoted in messages.

const Node kNone;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// How many digits `text` begins with.
size_t Digits(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && IsDigit(text[n])) ++n;
  return n;
}

bool All(std::string_view text, std::string_view of) {
  return !text.empty() && text.find_first_not_of(of) == text.npos;
}

// The core schema's float: [-+]? ( \.[0-9]+ | [0-9]+(\.[0-9]*)? ) ([eE][-+]?[0-9]+)?
bool IsFloat(std::string_view text) {
  size_t whole = Digits(text);
  text.remove_prefix(whole);
  if (!text.empty() && text[0] == '.') {
    size_t fraction = Digits(text.substr(1));
    if (whole + fraction == 0) return false;
    text.remove_prefix(1 + fraction);
  } else if (whole == 0) {
    return false;
  }
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && Digits(text) == text.size();
}

std::string_view Unsigned(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
}

Node::Kind KindOfPlain(std::string_view text) {
  using Kind = Node::Kind;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Kind::kNull;
  if (text == "true" || text == "True" || text == "TRUE") return Kind::kBool;
  if (text == "false" || text == "False" || text == "FALSE") return Kind::kBool;
  if (text.starts_with("0x") && All(text.substr(2), "0123456789abcdefABCDEF")) return Kind::kInt;
  if (text.starts_with("0o") && All(text.substr(2), "01234567")) return Kind::kInt;
  std::string_view bare = Unsigned(text);
  if (!bare.empty() && Digits(bare) == bare.size()) return Kind::kInt;
  if (IsFloat(bare) || bare == ".inf" || bare == ".Inf" || bare == ".INF") return Kind::kDouble;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return Kind::kDouble;
  return Kind::kText;
}

Json ParseInt(const std::string& text) {
  std::string_view digits = text;
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
  } else if (text[0] == '+') {
    digits.remove_prefix(1);
  }
  int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc()) return value;
  if (base == 10) return std::strtod(text.c_str(), nullptr);  // Too wide for 64 bits.
  double wide = 0;
  for (char c : digits) wide = wide * base + (IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  return wide;
}

double ParseDouble(const std::string& text) {
  std::string_view bare = Unsigned(text);
  if (bare.size() > 1 && (bare[1] == 'n' || bare[1] == 'N')) return std::nan("");
  double sign = text[0] == '-' ? -1 : 1;
  if (bare.size() > 1 && (bare[1] == 'i' || bare[1] == 'I')) return sign * HUGE_VAL;
  return std::strtod(text.c_str(), nullptr);
}

// Of a number in digits; infinity has names of its own.
bool TooLarge(Node::Kind kind, const std::string& text) {
  if (kind == Node::Kind::kInt) return std::isinf(ParseInt(text).Double());
  return kind == Node::Kind::kDouble && text.find_first_of("nN") == text.npos && std::isinf(ParseDouble(text));
}

// What libyaml says, in words that say what to do; `at` is the text from the place of the fault.
std::string Explain(std::string_view problem, std::string_view at) {
  static constexpr struct {
    std::string_view said, better;
  } kBetter[] = {
      {"mapping values are not allowed in this context",
       "a ':' stands where no key can: check the indentation, and put a text that contains ': ' in quotes"},
      {"could not find expected ':'", "a key without its ':': write 'key: value', or put a long text in quotes"},
      {"did not find expected key", "no key was found here: check the indentation of this line and the one before"},
      {"did not find expected '-' indicator",
       "an item of the list was expected: begin it with '- ', or check the indentation"},
      {"did not find expected ',' or ']'", "the list in [ ] goes on without a ',' or is never closed by ']'"},
      {"did not find expected ',' or '}'", "the map in { } goes on without a ',' or is never closed by '}'"},
      {"did not find expected node content", "a value was expected here"},
      {"did not find expected <document start>", "the text goes on after its end: check the indentation of this line"},
      {"found unexpected end of stream", "the text ends inside a quoted value: close the quote"},
      {"found unexpected document indicator", "the document ends inside a quoted value: close the quote"},
      {"found unknown escape character",
       "an unknown escape after '\\': write '\\\\' for a backslash, or use single quotes"},
      {"block sequence entries are not allowed in this context",
       "a '- ' stands where no list can: put it on a line of its own, indented under its key"},
      {"found undefined tag handle", "tags ('!') are not allowed: remove it, or put the text in quotes"},
      {"control characters are not allowed", "a control character is not allowed: remove it"},
  };
  if (problem == "found character that cannot start any token" && !at.empty()) {
    if (at[0] == '\t') return "a tab cannot indent: use spaces";
    return fmt::format("'{}' cannot begin a value: put the text in quotes", at[0]);
  }
  if (problem.find("tab character") != problem.npos) return "a tab cannot indent: use spaces";
  for (const auto& [said, better] : kBetter) {
    if (problem == said) return std::string(better);
  }
  return std::string(problem);
}

// Builds the tree from libyaml's events; containers that are still open stand in `open_`.
class Builder {
 public:
  Builder(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Result<Node> Run() {
    if (text_.size() > kMaxBytes) {
      return Fail(0, 0, fmt::format("the text has {}; at most {} are read", HumanBytes(text_.size()), "16 MiB"));
    }
    if (!IsUtf8(text_)) return Fail(0, 0, "the text is not UTF-8: save it in that encoding");
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return Error{Code::kUnavailable, "out of memory while reading " + file_};
    std::unique_ptr<yaml_parser_t, decltype(&yaml_parser_delete)> owner(&parser, yaml_parser_delete);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text_.data()), text_.size());
    while (true) {
      yaml_event_t event;
      if (!yaml_parser_parse(&parser, &event)) return ParserFault(parser);
      std::unique_ptr<yaml_event_t, decltype(&yaml_event_delete)> event_owner(&event, yaml_event_delete);
      if (event.type == YAML_STREAM_END_EVENT) return std::move(root_);
      TRY(Take(event));
    }
  }

 private:
  struct Open {
    Node node;
    bool key_next = false;                 // Of a map: the next scalar is a key.
    std::unordered_set<std::string> keys;  // Of a map: those seen.
  };

  Error Fail(int line, int column, std::string message) const {
    Problem problem{file_, line, column, "", "yaml", std::move(message)};
    std::string text = problem.Text();
    return Error{Code::kInvalid, std::move(text), {std::move(problem)}};
  }
  Error Fail(const yaml_mark_t& mark, std::string message) const {
    return Fail(static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1, std::move(message));
  }

  // Line and column of a byte, from 1.
  std::pair<int, int> PlaceOf(size_t offset) const {
    int line = 1, column = 1;
    for (char c : text_.substr(0, offset)) {
      if (c == '\n') {
        ++line;
        column = 1;
      } else if ((c & 0xC0) != 0x80) {
        ++column;
      }
    }
    return {line, column};
  }

  // The rest of the text from a mark, whose index counts characters.
  std::string_view From(const yaml_mark_t& mark) const {
    size_t characters = 0;
    for (size_t i = 0; i < text_.size(); ++i) {
      if ((text_[i] & 0xC0) != 0x80 && characters++ == mark.index) return text_.substr(i);
    }
    return {};
  }

  Error ParserFault(const yaml_parser_t& parser) const {
    std::string_view problem = parser.problem ? parser.problem : "not YAML";
    if (parser.error == YAML_MEMORY_ERROR) return Error{Code::kUnavailable, "out of memory while reading " + file_};
    if (parser.error == YAML_READER_ERROR) {
      auto [line, column] = PlaceOf(parser.problem_offset);
      return Fail(line, column, Explain(problem, {}));
    }
    std::string message = Explain(problem, From(parser.problem_mark));
    std::string_view context = parser.context ? parser.context : "";
    if (context.find("flow") != context.npos || context.find("quoted") != context.npos) {
      message += fmt::format(" (it begins in line {})", parser.context_mark.line + 1);
    }
    return Fail(parser.problem_mark, std::move(message));
  }

  Status Take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (documents_++ > 0) {
          return Fail(event.start_mark, "a second document begins here: write one document in each file");
        }
        root_.kind = Node::Kind::kNull;
        root_.line = root_.column = 1;
        return {};
      case YAML_ALIAS_EVENT:
        return Fail(event.start_mark, "aliases ('*') are not allowed: write the value out");
      case YAML_SCALAR_EVENT:
        return Scalar(event);
      case YAML_SEQUENCE_START_EVENT: {
        const auto& start = event.data.sequence_start;
        return Begin(event.start_mark, Node::Kind::kList, start.anchor, start.tag);
      }
      case YAML_MAPPING_START_EVENT: {
        const auto& start = event.data.mapping_start;
        return Begin(event.start_mark, Node::Kind::kMap, start.anchor, start.tag);
      }
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: {
        Node done = std::move(open_.back().node);
        open_.pop_back();
        Place(std::move(done));
        return {};
      }
      default:
        return {};
    }
  }

  Status CheckNode(const yaml_mark_t& mark, const yaml_char_t* anchor, const yaml_char_t* tag) {
    if (anchor) return Fail(mark, "anchors ('&') are not allowed: write the value out where it is used");
    if (tag) return Fail(mark, "tags ('!') are not allowed: remove it, or put the text in quotes");
    if (++nodes_ > kMaxNodes) return Fail(mark, fmt::format("more than {} values", HumanCount(kMaxNodes)));
    return {};
  }

  Status Begin(const yaml_mark_t& mark, Node::Kind kind, const yaml_char_t* anchor, const yaml_char_t* tag) {
    TRY(CheckNode(mark, anchor, tag));
    if (!open_.empty() && open_.back().key_next) return Fail(mark, "a key must be one text, not a list or a map");
    if (open_.size() >= kMaxDepth) return Fail(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
    if (!open_.empty() && open_.back().node.kind == Node::Kind::kList) open_.back().node.entries.emplace_back();
    Open open;
    open.node = NewNode(mark, kind);
    open.key_next = kind == Node::Kind::kMap;
    open_.push_back(std::move(open));
    return {};
  }

  Status Scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    TRY(CheckNode(event.start_mark, scalar.anchor, scalar.tag));
    std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (!open_.empty() && open_.back().key_next) return Key(event.start_mark, std::move(text));
    bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    Node node = NewNode(event.start_mark, plain ? KindOfPlain(text) : Node::Kind::kText);
    if (TooLarge(node.kind, text)) {
      return Fail(event.start_mark, fmt::format("the number {} is larger than any that can be read: write a smaller "
                                                "one, or put it in quotes where it is a text",
                                                text.substr(0, kMaxKey)));
    }
    node.scalar = std::move(text);
    if (!open_.empty() && open_.back().node.kind == Node::Kind::kList) open_.back().node.entries.emplace_back();
    Place(std::move(node));
    return {};
  }

  Status Key(const yaml_mark_t& mark, std::string key) {
    Open& map = open_.back();
    if (key.size() > kMaxKey) return Fail(mark, fmt::format("a key of {} bytes; at most {}", key.size(), kMaxKey));
    if (!map.keys.insert(key).second) {
      return Fail(mark, fmt::format("the key '{}' stands twice in this map: remove one", key));
    }
    Node::Entry entry;
    entry.key = std::move(key);
    entry.line = static_cast<int>(mark.line) + 1;
    entry.column = static_cast<int>(mark.column) + 1;
    map.node.entries.push_back(std::move(entry));
    map.key_next = false;
    return {};
  }

  static Node NewNode(const yaml_mark_t& mark, Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.line = static_cast<int>(mark.line) + 1;
    node.column = static_cast<int>(mark.column) + 1;
    return node;
  }

  // Fills the entry that its list or map has made ready.
  void Place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    parent.node.entries.back().value = std::move(node);
    parent.key_next = parent.node.kind == Node::Kind::kMap;
  }

  std::string_view text_;
  const std::string& file_;
  Node root_ = NewNode({0, 0, 0}, Node::Kind::kNull);
  std::vector<Open> open_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

const Node& Node::operator[](std::string_view key) const {
  if (kind != Kind::kMap) return kNone;
  for (const Entry& entry : entries) {
    if (entry.key == key) return entry.value;
  }
  return kNone;
}
const Node& Node::operator[](size_t index) const { return index < entries.size() ? entries[index].value : kNone; }

Json Node::ToJson() const {
  switch (kind) {
    case Kind::kMissing:
    case Kind::kNull:
      return nullptr;
    case Kind::kBool:
      return scalar[0] == 't' || scalar[0] == 'T';
    case Kind::kInt:
      return ParseInt(scalar);
    case Kind::kDouble:
      return ParseDouble(scalar);
    case Kind::kText:
      return scalar;
    case Kind::kList: {
      Json::Array items;
      items.reserve(entries.size());
      for (const Entry& entry : entries) items.push_back(entry.value.ToJson());
      return items;
    }
    case Kind::kMap: {
      Json::Object members;
      members.reserve(entries.size());
      for (const Entry& entry : entries) members.emplace_back(entry.key, entry.value.ToJson());
      return members;
    }
  }
  return nullptr;
}

Result<Node> Parse(std::string_view text, const std::string& file) { return Builder(text, file).Run(); }

}  // namespace weft::yaml
