#include "model/exchange/exchange.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/exchange/datacontract.h"
#include "model/exchange/dbt.h"
#include "model/exchange/dpds.h"
#include "model/exchange/odps_lf.h"
#include "model/exchange/part.h"

namespace weft::model::exchange {
namespace {

struct Entry {
  Format format;
  Result<Imported> (*import_text)(const std::string& text, const std::string& file, const ImportOptions& options);
  Result<Exported> (*export_port)(const Bundle& bundle, const OutputPort& port);  // Of one port, or
  Result<Exported> (*export_product)(const Bundle& bundle);                       // of all.
};

constexpr Entry kEntries[] = {
    {{"datacontract", "Data Contract Specification"}, datacontract::Import, datacontract::Export, nullptr},
    {{"dbt", "dbt"}, dbt::Import, nullptr, dbt::Export},
    {{"odps-lf", "Open Data Product Specification of the Linux Foundation"}, odps_lf::Import, odps_lf::Export, nullptr},
    {{"dpds", "Data Product Descriptor Specification"}, dpds::Import, nullptr, dpds::Export},
};

Result<const Entry*> Find(std::string_view format) {
  std::vector<std::string_view> names;
  for (const Entry& entry : kEntries) {
    if (entry.format.name == format) return &entry;
    names.push_back(entry.format.name);
  }
  return Error{Code::kInvalid, fmt::format("'{}' is no format that Weft reads; {} are{}", format,
                                           fmt::join(names, ", "), DidYouMean(format, names))};
}

// No other format has environments.
Result<Exported> WithOverlays(const Bundle& bundle, Result<Exported> exported) {
  for (const Overlay& overlay : bundle.overlays) {
    if (!exported) break;
    const std::vector<std::string> lines = LinesOf(overlay);
    exported->told.push_back({"", 0, 0, Join(lines, "; "), "the format has no environments", "", overlay.ShortName()});
  }
  return exported;
}

}  // namespace

std::span<const Format> Formats() {
  static const std::vector<Format> kFormats = [] {
    std::vector<Format> formats;
    for (const Entry& entry : kEntries) formats.push_back(entry.format);
    return formats;
  }();
  return kFormats;
}

std::string_view FormatOf(std::string_view text) {
  auto starts = [&](std::string_view key) {
    return text.starts_with(key) || text.find("\n" + std::string(key)) != text.npos;
  };
  auto has = [&](std::string_view key) {
    return starts(std::string(key) + ":") || text.find("\"" + std::string(key) + "\"") != text.npos;
  };
  if (has("dataContractSpecification")) return "datacontract";
  if (has("dataProductDescriptor")) return "dpds";
  if (text.find("dbt_schema_version") != text.npos) return "dbt";
  if (has("schema") && has("product")) return "odps-lf";
  return "";
}

Result<Imported> Import(std::string_view format, const std::string& text, const std::string& file,
                        const ImportOptions& options) {
  const Entry* entry = TRY(Find(format));
  if (!entry->import_text) return Error{Code::kInvalid, fmt::format("{} is only written", entry->format.title)};
  return entry->import_text(text, file, options);
}

Result<Exported> Export(std::string_view format, const Bundle& bundle, const OutputPort* port) {
  const Entry* entry = TRY(Find(format));
  if (entry->export_product) return WithOverlays(bundle, entry->export_product(bundle));
  if (port) return WithOverlays(bundle, entry->export_port(bundle, *port));
  return Error{Code::kInvalid, fmt::format("a {} describes one output port: name it", entry->format.title)};
}

}  // namespace weft::model::exchange
