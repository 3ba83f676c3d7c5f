#include "apps/weft/promote_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/applying.h"
#include "apps/weft/completion.h"
#include "apps/weft/environments.h"
#include "apps/weft/former_version.h"
#include "base/id.h"
#include "base/text.h"
#include "model/repository.h"

namespace weft::app {
namespace {

Result<Json> ReceiptOf(Session& session, const std::string& product) { return session.Get("/v1/receipts/" + product); }

class PromoteCommand : public Command {
 public:
  explicit PromoteCommand(CLI::App& app) {
    app.add_option("product", product_, "A product: domain/product")->required()->type_name(kAddress);
    app.add_option("--to", to_, "The environment that it goes to, as mesh.yaml names it, or its node's URL")
        ->required()
        ->type_name(kNodeOrEnvironment);
    app.add_option("--to-token-file", token_file_, "The token for that node; else your sign-in there")
        ->type_name(kFile);
    app.add_option("--from", folder_, "The product's folder, where it has data files")->type_name(kFolder);
    app.add_flag("--plan", plan_, "Only show what it would change there");
  }

  Result<int> Run(Session& session) override {
    const model::Address address = TRY(model::Address::Parse(product_));
    if (address.product.empty() || !address.port.empty())
      return session.Misused("promote", "a product is promoted, with all of its ports: domain/product");
    const std::string product = address.domain + "/" + address.product;
    const Json receipt = TRY(ReceiptOf(session, product));
    TRY(Passed(receipt));
    const Folder folder = TRY(FolderOf(session, product, receipt));
    GlobalOptions there = session.options();
    const bool url = to_.find("://") != to_.npos;
    there.node = url ? to_ : TRY(NodeOfEnvironment(session, to_, folder_));
    there.environment = url ? "" : to_;
    there.token.clear();
    there.token_file = token_file_;
    Session target(there);
    if (TRY(target.Get("/v1/node"))["started_at"] == TRY(session.Get("/v1/node"))["started_at"])
      return Error{Code::kConflict, Safe(to_) + " is the node that it comes from: name another one with --to"};
    const int code = TRY(plan_ ? PlanFolder(target, folder) : ApplyFolder(target, folder));
    if (code != 0 || plan_) return code;
    const Json arrived = TRY(ReceiptOf(target, product));
    TRY(Note(target, "from", session.options().node, receipt));
    const Json noted = TRY(Note(session, "to", there.node, arrived));
    if (session.json()) return 0;
    session.Print(fmt::format("{} {} is at {} as it is here: descriptors {}, row {} here and {} there\n", product,
                              Safe(noted["version"].Text()), Safe(to_), Safe(noted["digest"].Text().substr(0, 12)),
                              noted["row"].Int(), noted["other_row"].Int()));
    return 0;
  }

  std::string MeshFolder() const override { return folder_; }

 private:
  static Status Passed(const Json& receipt) {
    std::vector<std::string> why;
    for (const Json& port : receipt["ports"].Items()) {
      if (!port["passed"].Bool()) why.push_back(fmt::format("{}: {}", port["address"].Text(), port["why"].Text()));
    }
    if (why.empty()) return {};
    return Error{Code::kConflict,
                 fmt::format("{} {} has not passed here: {}. What helps: weft run {}", receipt["address"].Text(),
                             receipt["version"].Text(), Join(why, "; "), receipt["address"].Text())};
  }

  // What the node has; of a folder, only where that is the same to the byte.
  Result<Folder> FolderOf(Session& session, const std::string& product, const Json& receipt) const {
    Folder folder;
    if (folder_.empty()) {
      if (receipt["data_files"].Int() > 0) {
        return Error{Code::kInvalid,
                     fmt::format("{} has {}, which a node gives to nobody: name the product's folder with --from",
                                 product, Count(static_cast<size_t>(receipt["data_files"].Int()), "data file"))};
      }
      folder.files = TRY(FilesOfVersion(session, product, ""));
      return folder;
    }
    folder = TRY(ReadFolder(session, folder_, true));
    const model::Repository repository = model::ReadRepository(folder.files, folder.data, false);
    const bool one = repository.bundles.size() == 1 && !repository.mesh && repository.policies.empty() &&
                     repository.entities.empty();
    if (!one || repository.bundles[0].product.domain + "/" + repository.bundles[0].product.name != product)
      return Error{Code::kInvalid,
                   fmt::format("'{}' is not the folder of {} alone: name that", Safe(folder_), product)};
    if (repository.bundles[0].Digest() != receipt["digest"].Text()) {
      return Error{Code::kConflict,
                   fmt::format("what is in '{}' is not what passed here as {} {}: apply it and run it first",
                               Safe(folder_), product, receipt["version"].Text())};
    }
    if (DataDigest(repository.bundles[0]) != receipt["data_digest"].Text()) {
      return Error{Code::kConflict, fmt::format("the data files in '{}' are not those that {} {} passed with: apply "
                                                "them and run it first",
                                                Safe(folder_), product, receipt["version"].Text())};
    }
    return folder;
  }

  // As a node's receipt has it.
  static std::string DataDigest(const model::Bundle& bundle) {
    std::map<std::string, std::string> files;
    const std::string within = bundle.folder.empty() ? "" : bundle.folder + "/";
    for (const model::DataFile& file : bundle.data) {
      files[file.path.starts_with(within) ? file.path.substr(within.size()) : file.path] = file.sha256;
    }
    Hasher hasher;
    for (const auto& [path, sha256] : files) hasher.AddNamed(path, sha256);
    return hasher.Hex();
  }

  static Result<Json> Note(Session& session, std::string_view way, const std::string& node, const Json& receipt) {
    return session.Post(
        "/v1/promotions",
        Json::Map({{"address", receipt["address"]}, {"way", way}, {"node", node}, {"receipt", receipt}}));
  }

  std::string product_, to_, token_file_, folder_;
  bool plan_ = false;
};

}  // namespace

std::unique_ptr<Command> MakePromote(CLI::App& app) { return std::make_unique<PromoteCommand>(app); }

}  // namespace weft::app
