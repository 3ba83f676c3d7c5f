#include "model/lifecycle.h"

#include "model/repository.h"

namespace weft::model {

Json Deprecation::ToJson(Instant now) const {
  return Json::Map({{"sunset", sunset ? Json(DayText(*sunset)) : Json()},
                    {"message", message},
                    {"successor", successor},
                    {"overdue", overdue(now)}});
}

std::string OwnText(const Json& document, std::string_view name) {
  for (const Json& property : document["customProperties"].Items()) {
    const std::string& written = property["property"].Text();
    const bool prefixed = written.starts_with("weft.") && std::string_view(written).substr(5) == name;
    if (prefixed || (written == name && property["vendor"].Text() == "weft")) return property["value"].Text();
  }
  return "";
}

Deprecation DeprecationOf(const Bundle& bundle, const Contract* contract) {
  auto say = [&](std::string_view name) {
    std::string own = contract ? OwnText(contract->document, name) : "";
    return own.empty() ? OwnText(bundle.product.document, name) : own;
  };
  Deprecation says;
  if (auto sunset = Instant::Parse(say("sunset"))) says.sunset = *sunset;
  says.message = say("deprecation");
  says.successor = say("successor");
  return says;
}

std::string DayText(Instant time) {
  const std::string text = time.Text();
  return text.substr(10) == "T00:00:00.000000Z" ? text.substr(0, 10) : text;
}

}  // namespace weft::model
