#include "apps/weft/former_version.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "model/compat.h"
#include "model/repository.h"

namespace weft::app {
namespace {

using model::Step;
using model::Version;

Result<model::Bundle> BundleOf(const std::vector<model::TextFile>& files) {
  model::Repository repository = model::ReadRepository(files, {}, false);
  if (repository.bundles.size() == 1) return std::move(repository.bundles.front());
  return Error{Code::kInternal, "the node's files of this product cannot be read", std::move(repository.problems)};
}

// The first `version: FROM` from a place in the text on, as `to`; false where there is none.
bool Renumber(std::string* text, size_t from, const std::string& was, const std::string& to) {
  for (const std::string& quote : {std::string(), std::string("\""), std::string("'")}) {
    const std::string written = "version: " + quote + was + quote;
    const size_t at = text->find(written, from);
    if (at == text->npos) continue;
    text->replace(at, written.size(), "version: " + to);
    return true;
  }
  return false;
}

size_t OffsetOf(const std::string& text, int line) {
  size_t at = 0;
  for (int i = 1; i < line && at != text.npos; ++i) at = text.find('\n', at) + 1;
  return at;
}

class Renewal {
 public:
  Renewal(std::vector<model::TextFile> files, model::Bundle former, model::Bundle newest)
      : files_(std::move(files)), former_(std::move(former)), newest_(std::move(newest)) {}

  Status Run() {
    for (const model::OutputPort& port : former_.product.outputs) TRY(Port(port));
    const Version version = TRY(Version::Parse(newest_.product.version));
    product_ = model::Bumped(version, step_).Text();
    // The product's own stands before those of its ports, or behind them: it is no list's.
    const size_t at =
        std::min(FileOf(former_.product.file)->find("\nversion: ") + 1, FileOf(former_.product.file)->size());
    return Put(former_.product.file, at, former_.product.version, product_);
  }

  const std::vector<model::TextFile>& files() const { return files_; }
  const std::string& product() const { return product_; }
  const std::vector<std::string>& ports() const { return ports_; }

 private:
  std::string* FileOf(const std::string& name) {
    for (model::TextFile& file : files_) {
      if (file.path == name) return &file.text;
    }
    return nullptr;
  }

  Status Put(const std::string& file, size_t from, const std::string& was, const std::string& to) {
    std::string* text = FileOf(file);
    if (text && Renumber(text, from, was, to)) return {};
    return Error{Code::kUnsupported, fmt::format("{} says its version in a way that is not found: publish it by hand, "
                                                 "with the number {}",
                                                 file, to)};
  }

  // A port whose contract is what it was keeps its number.
  Status Port(const model::OutputPort& port) {
    const model::Contract* was = former_.ContractOf(port);
    const model::OutputPort* now_port = newest_.product.Output(port.name);
    const model::Contract* now = now_port ? newest_.ContractOf(*now_port) : nullptr;
    if (!was || !now || was->bytes == now->bytes) return {};
    const Step step = model::StepOf(model::Differences(*now, *was));
    step_ = std::max(step_, step);
    const Version version = TRY(Version::Parse(now->version));
    const std::string next = model::Bumped(version, step).Text();
    const std::string* product = FileOf(former_.product.file);
    TRY(Put(former_.product.file, product ? OffsetOf(*product, port.place.line) : 0, port.version, next));
    const std::string* contract = FileOf(was->file);
    const size_t at = contract && contract->starts_with("version: ") ? 0 : contract ? contract->find("\nversion: ") : 0;
    TRY(Put(was->file, at == std::string::npos ? 0 : at, was->version, next));
    ports_.push_back(fmt::format("{} {} → {}", port.name, now->version, next));
    return {};
  }

  std::vector<model::TextFile> files_;
  const model::Bundle former_, newest_;
  Step step_ = Step::kPatch;
  std::string product_;
  std::vector<std::string> ports_;
};

}  // namespace

Result<std::vector<model::TextFile>> FilesOfVersion(Session& session, const std::string& product,
                                                    const std::string& version) {
  const std::string path = "/v1/files/" + product;
  Session::Query query;
  if (!version.empty()) query["version"] = version;
  const Json listed = TRY(session.Get(path, query));
  std::vector<model::TextFile> files;
  for (const std::string& name : listed["files"].Texts()) {
    query["name"] = name;
    files.push_back({name, TRY(session.GetText(path, query))});
  }
  return files;
}

Result<int> WriteFormerVersion(Session& session, const model::Address& product, const std::string& version,
                               const std::string& folder) {
  const std::string name = product.domain + "/" + product.product;
  const std::vector<model::TextFile> files = TRY(FilesOfVersion(session, name, version));
  model::Bundle newest = TRY(BundleOf(TRY(FilesOfVersion(session, name, ""))));
  const std::string before = newest.product.version;
  if (before == version)
    return Error{Code::kConflict, fmt::format("{} {} is the newest version: it is in force already", name, version)};
  Renewal renewal(files, TRY(BundleOf(files)), std::move(newest));
  TRY(renewal.Run());
  std::error_code failure;
  if (fs::exists(folder, failure) && !fs::is_empty(folder, failure))
    return Error{Code::kConflict, fmt::format("the folder {} is not empty: name a new one with --into", folder)};
  TRY(MakeFolders(folder));
  for (const model::TextFile& file : renewal.files()) {
    const fs::path path = fs::path(folder) / file.path;
    TRY(MakeFolders(path.parent_path()));
    TRY(WriteFileAtomically(path, file.text));
  }
  if (session.json()) {
    session.PrintJson(Json::Map({{"folder", folder}, {"version", renewal.product()}, {"ports", renewal.ports()}}));
    return 0;
  }
  session.Print(fmt::format("{} {} is written as {} into {}, to follow {}\n", Safe(name), Safe(version),
                            Safe(renewal.product()), Safe(folder), Safe(before)));
  for (const std::string& port : renewal.ports()) session.Print("  port " + Safe(port) + "\n");
  session.Print(fmt::format("Put its data files beside it, if it has any; then: weft plan {0} && weft apply {0}\n",
                            Safe(folder)));
  return 0;
}

}  // namespace weft::app
