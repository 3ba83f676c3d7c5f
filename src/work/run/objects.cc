#include "work/run/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "drivers/http/target.h"

namespace weft::run {
namespace {

// As signatures have it: everything but letters, digits and "-._~", and in a path the slash.
std::string Escaped(std::string_view text, bool path) {
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || std::string_view("-._~").find(c) != std::string_view::npos || (path && c == '/')) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// The text between <name> and </name>, from `at` on, which is moved behind it; none where there is no such element.
std::optional<std::string_view> Element(std::string_view xml, std::string_view name, size_t* at) {
  const std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const size_t begin = xml.find(open, *at);
  const size_t end = begin == xml.npos ? xml.npos : xml.find(close, begin);
  if (end == xml.npos) return std::nullopt;
  *at = end + close.size();
  return xml.substr(begin + open.size(), end - begin - open.size());
}

std::string Text(std::string_view xml, std::string_view name) {
  size_t at = 0;
  std::string text(Element(xml, name, &at).value_or(""));
  for (const auto& [entity, is] : {std::pair("&quot;", "\""), std::pair("&lt;", "<"), std::pair("&gt;", ">"),
                                   std::pair("&apos;", "'"), std::pair("&#34;", "\""), std::pair("&amp;", "&")}) {
    text = ReplaceAll(text, entity, is);
  }
  return text;
}

}  // namespace

std::string ObjectPlace::Prefix() const { return pattern.substr(0, pattern.find_first_of("*?[")); }

std::string ObjectPlace::UrlOf(const std::string& key) const {
  return fmt::format("{}/{}/{}", endpoint, bucket, Escaped(key, true));
}

// In the order of names, as signatures have them.
std::string ObjectPlace::ListUrl(const std::string& token) const {
  const std::string go_on = token.empty() ? "" : "continuation-token=" + Escaped(token, false) + "&";
  return fmt::format("{}/{}?{}encoding-type=url&list-type=2&prefix={}", endpoint, bucket, go_on,
                     Escaped(Prefix(), false));
}

Result<ObjectPlace> ObjectPlaceOf(const model::Source& source) {
  constexpr std::string_view kScheme = "s3://";
  const std::string& url = source.options["url"].Text();
  const size_t slash = url.find('/', kScheme.size());
  if (!url.starts_with(kScheme) || slash == url.npos || slash == kScheme.size() || slash + 1 == url.size()) {
    return Error{Code::kInvalid, fmt::format("'{}' names no objects: write s3://BUCKET/PREFIX*.csv", url)};
  }
  ObjectPlace place;
  place.bucket = url.substr(kScheme.size(), slash - kScheme.size());
  place.pattern = url.substr(slash + 1);
  place.region = source.options["region"].Text("us-east-1");
  place.endpoint = source.options["endpoint"].Text(fmt::format("https://s3.{}.amazonaws.com", place.region));
  while (place.endpoint.ends_with('/')) place.endpoint.pop_back();
  if (auto origin = http::OriginOf(place.endpoint); !origin) return origin.TakeError();
  return place;
}

Result<ListPage> ReadListPage(std::string_view xml) {
  if (xml.find("<ListBucketResult") == xml.npos || xml.find("</ListBucketResult>") == xml.npos) {
    return Error{Code::kUnavailable, "the object store's answer is no list of objects"};
  }
  ListPage page;
  size_t at = 0;
  while (const auto contents = Element(xml, "Contents", &at)) {
    ListedObject object;
    object.key = TRY(http::ReadFormText(Text(*contents, "Key")));
    object.etag = Text(*contents, "ETag");
    const std::string size = Text(*contents, "Size");
    const auto read = std::from_chars(size.data(), size.data() + size.size(), object.bytes);
    if (object.key.empty() || read.ec != std::errc()) {
      return Error{Code::kUnavailable, "the object store lists an object without a key or a size"};
    }
    page.objects.push_back(std::move(object));
  }
  if (Text(xml, "IsTruncated") != "true") return page;
  page.next = Text(xml, "NextContinuationToken");
  if (!page.next.empty()) return page;
  return Error{Code::kUnavailable, "the object store's list is cut off and does not say how to go on"};
}

std::string ReadObjectError(std::string_view xml) {
  const std::string code = Text(xml, "Code");
  const bool word = code.size() < 64 && std::ranges::all_of(code, [](unsigned char c) { return std::isalnum(c); });
  return word ? code : "";
}

}  // namespace weft::run
