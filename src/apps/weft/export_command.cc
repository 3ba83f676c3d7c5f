#include "apps/weft/exchange_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>

#include "apps/weft/completion.h"
#include "apps/weft/folder.h"
#include "apps/weft/told.h"
#include "base/file.h"
#include "base/text.h"
#include "model/exchange/exchange.h"
#include "model/version.h"

namespace weft::app {
namespace {

using model::Address;
using model::Bundle;
using model::OutputPort;
namespace exchange = model::exchange;

std::string FormatNames() {
  std::vector<std::string> names;
  for (const exchange::Format& format : exchange::Formats()) names.emplace_back(format.name);
  return Join(names, ", ");
}

class ExportCommand : public Command {
 public:
  explicit ExportCommand(CLI::App& app) {
    app.add_option("format", format_, FormatNames())->required();
    app.add_option("what", what_, "A product or an output port of the mesh, or a product's folder")
        ->required()
        ->type_name(kAddress);
    app.add_option("--port", port_, "Of a folder's ports, the one to write: NAME, or NAME@MAJOR");
    app.add_option("-o,--output", output_, "The file to write; standard output if none is named")->type_name(kFile);
  }

  Result<int> Run(Session& session) override {
    std::error_code ignored;
    const Bundle bundle = fs::is_directory(what_, ignored) ? TRY(FromFolder(session)) : TRY(FromNode(session));
    const OutputPort* port = TRY(Port(bundle));
    const exchange::Exported exported = TRY(exchange::Export(format_, bundle, port));
    if (!output_.empty()) TRY(WriteFileAtomically(output_, exported.text));
    if (session.json()) {
      Json answer = Json::Map({{"lost", ToldJson(exported.told, true)}, {"kept", ToldJson(exported.told, false)}});
      if (output_.empty()) answer.Set("text", exported.text);
      return session.PrintJson(answer), 0;
    }
    if (output_.empty()) session.Print(session.screen().out_terminal ? Safe(exported.text, true) : exported.text);
    const std::string told = ToldText(session, what_, exported.told);
    std::fputs(told.c_str(), stderr);
    if (!output_.empty()) session.Note(fmt::format("written to {}", Safe(output_)));
    return 0;
  }

 private:
  Result<Bundle> FromFolder(Session& session) const {
    const Folder folder = TRY(ReadFolder(session, what_, false));
    model::Repository repository = model::ReadRepository(folder.files, folder.data, false);
    if (repository.bundles.size() == 1) return std::move(repository.bundles[0]);
    if (repository.bundles.empty()) {
      return Error{Code::kInvalid,
                   fmt::format("'{}' holds no product that can be read: see weft check {}", Safe(what_), Safe(what_))};
    }
    return Error{Code::kInvalid, fmt::format("'{}' holds {}: name the folder of one, such as {}", Safe(what_),
                                             Count(repository.bundles.size(), "product"),
                                             Safe(folder.root + repository.bundles[0].folder))};
  }

  // The product as it was applied, with the contracts of its ports.
  Result<Bundle> FromNode(Session& session) {
    const Address address = TRY(Address::Parse(what_));
    TRY(session.Serves(address));
    if (address.product.empty()) {
      return Error{Code::kInvalid, fmt::format("'{}' is a domain: name a product or a port of it", Safe(what_))};
    }
    const std::string path = fmt::format("/v1/products/{}/{}", address.domain, address.product);
    if (!address.port.empty()) {
      port_ = address.port;
      if (address.version) port_ += "@" + address.version->Text();
      if (address.major && !address.version) port_ += fmt::format("@{}", *address.major);
    }
    Bundle bundle;
    const std::string files = fmt::format("/v1/files/{}/{}", address.domain, address.product);
    const Json listed = TRY(session.Get(files));
    for (const std::string& name : listed["files"].Texts()) {
      const std::string environment = model::EnvironmentOfFile(name);
      if (environment.empty()) continue;
      bundle.overlays.push_back({environment, name, TRY(session.GetText(files, {{"name", name}}))});
    }
    bundle.product = TRY(model::Product::Parse(TRY(session.GetText(path + "/descriptor")), "product.odps.yaml"));
    for (const OutputPort& port : bundle.product.outputs) {
      Address of{address.mesh, address.domain, address.product, port.name, {}, {}};
      Place place = TRY(PortPlace(of));
      place.query["version"] = port.version;
      const std::string text = TRY(session.GetText(place.path + "/descriptor", place.query));
      bundle.contracts.push_back(TRY(model::Contract::Parse(text, port.name + ".odcs.yaml")));
    }
    return bundle;
  }

  // The one that was named, of its newest version that fits; null where none was and the product has several.
  Result<const OutputPort*> Port(const Bundle& bundle) const {
    const size_t at = port_.find('@');
    const std::string name = port_.substr(0, at), version = at == port_.npos ? "" : port_.substr(at + 1);
    const OutputPort* found = nullptr;
    std::vector<std::string> names;
    for (const OutputPort& port : bundle.product.outputs) {
      names.push_back(port.name + "@" + port.version);
      const bool fits = version.empty() || port.version == version || port.version.starts_with(version + ".");
      if ((!name.empty() && port.name != name) || !fits) continue;
      const auto known = model::Version::Parse(found ? found->version : "0.0.0"),
                 other = model::Version::Parse(port.version);
      if (!found || (known && other && *known < *other)) found = &port;
    }
    if (found) {
      const bool several =
          std::ranges::any_of(bundle.product.outputs, [&](const OutputPort& port) { return port.name != found->name; });
      return name.empty() && several ? nullptr : found;
    }
    return Error{Code::kNotFound, fmt::format("{} has no port '{}': it has {}", bundle.product.name, Safe(port_),
                                              Safe(Join(names, ", ")))};
  }

  std::string format_, what_, port_, output_;
};

}  // namespace

std::unique_ptr<Command> MakeExport(CLI::App& app) { return std::make_unique<ExportCommand>(app); }

}  // namespace weft::app
