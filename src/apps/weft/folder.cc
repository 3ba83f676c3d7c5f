#include "apps/weft/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "model/folder_digest.h"
#include "model/glob.h"
#include "model/own.h"
#include "work/publish/publish.h"

namespace weft::app {
namespace {

constexpr size_t kTextLimit = size_t{16} << 20;
constexpr int64_t kBarFrom = int64_t{64} << 20;

bool IsText(const std::string& path) {
  return path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".sql");
}

// Every file under `root` that is not hidden, relative to it, sorted.
Result<std::vector<std::string>> Walk(const fs::path& root) {
  std::vector<std::string> found;
  std::error_code failure;
  fs::recursive_directory_iterator at(root, failure), end;
  for (; !failure && at != end; at.increment(failure)) {
    bool hidden = at->path().filename().string().starts_with('.');
    std::error_code ignored;
    if (hidden) {
      if (at->is_directory(ignored)) at.disable_recursion_pending();
    } else if (at->is_regular_file(ignored)) {
      found.push_back(at->path().lexically_relative(root).generic_string());
    }
  }
  if (failure) {
    return Error{Code::kNotFound, fmt::format("cannot read the folder '{}': {}", root.string(), failure.message())};
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<std::string> HashWithBar(const Session& session, const fs::path& path, int64_t bytes, const std::string& name) {
  if (bytes < kBarFrom || !session.screen().error_terminal) return HashFile(path);
  std::ifstream file(path, std::ios::binary);
  Hasher hasher;
  Progress progress(session.screen());
  std::string piece(size_t{4} << 20, '\0');
  for (int64_t done = 0; file;
       progress.Draw({fmt::format("reading {} {} {}", Safe(name), HumanBytes(done),
                                  Progress::Bar(100.0 * static_cast<double>(done) / static_cast<double>(bytes)))})) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    hasher.Add(std::string_view(piece).substr(0, static_cast<size_t>(file.gcount())));
    done += file.gcount();
  }
  if (file.bad()) return Error{Code::kUnavailable, fmt::format("cannot read '{}' to its end", path.string())};
  return hasher.Hex();
}

// "domains/operations/flights" of what is in there; empty of what is in no product's folder.
std::string HomeOf(const std::string& path) {
  if (!path.starts_with("domains/")) return "";
  const size_t domain = path.find('/', std::string_view("domains/").size());
  const size_t product = domain == path.npos ? path.npos : path.find('/', domain + 1);
  return product == path.npos ? "" : path.substr(0, product);
}

// The files that a source may read, as patterns within the product's folder: of the descriptor, and of each
// environment.
std::vector<std::string> Patterns(const Folder& folder, const model::Product& product, const std::string& home) {
  std::vector<std::string> patterns;
  auto add = [&](const model::Product& each) {
    for (const model::InputPort& input : each.inputs) {
      if (!input.source || !model::own::ReadsFiles(input.source->kind) || input.source->path.starts_with('/')) continue;
      patterns.push_back(fs::path(input.source->path).lexically_normal().string());
    }
  };
  add(product);
  for (const model::TextFile& text : folder.files) {
    if (!text.path.starts_with(home)) continue;
    const std::string environment = model::EnvironmentOfFile(std::string_view(text.path).substr(home.size()));
    if (!environment.empty()) add(model::LaidOver(product, {environment, text.path, text.text}));
  }
  return patterns;
}

// The paths of `files`, which are sorted, that input ports of products name, each relative to the root.
std::vector<std::string> NamedData(const Folder& folder, const std::vector<std::string>& files) {
  std::vector<std::string> named;
  for (const model::TextFile& text : folder.files) {
    if (!text.path.ends_with("product.odps.yaml")) continue;
    const std::string home = text.path.substr(0, text.path.size() - std::string_view("product.odps.yaml").size());
    const auto from = std::lower_bound(files.begin(), files.end(), home);
    const auto to =
        std::find_if_not(from, files.end(), [&](const std::string& path) { return path.starts_with(home); });
    if (std::all_of(from, to, IsText)) continue;  // Nothing that could be data: it need not be read.
    auto product = model::Product::Parse(text.text, text.path);
    if (!product) continue;  // The plan tells what is wrong with it.
    for (const std::string& pattern : Patterns(folder, *product, home)) {
      for (auto path = from; path != to; ++path) {
        if (model::GlobMatches(pattern, std::string_view(*path).substr(home.size()))) named.push_back(*path);
      }
    }
  }
  std::sort(named.begin(), named.end());
  named.erase(std::unique(named.begin(), named.end()), named.end());
  return named;
}

}  // namespace

std::map<std::string, std::string> Folder::Digests() const {
  struct Content {
    std::map<std::string, std::string> texts, data;
  };
  std::map<std::string, Content> folders;
  for (const model::TextFile& file : files) {
    const std::string home = HomeOf(file.path);
    if (!home.empty()) folders[home].texts[file.path.substr(home.size() + 1)] = file.text;
  }
  for (const model::DataFile& file : data) {
    const std::string home = HomeOf(file.path);
    if (!home.empty()) folders[home].data[file.path.substr(home.size() + 1)] = file.sha256;
  }
  std::map<std::string, std::string> digests;
  for (const auto& [home, content] : folders) digests[home] = model::FolderDigest(content.texts, content.data);
  return digests;
}

Json Folder::ToJson(const std::map<std::string, std::string>& kept) const {
  Json body = Json::Map({{"files", Json::Array()}, {"data", Json::Array()}});
  Json::Array texts, hashes, digests;
  for (const model::TextFile& file : files) {
    if (kept.contains(HomeOf(file.path))) continue;
    texts.push_back(Json::Map({{"path", file.path}, {"text", file.text}}));
  }
  for (const model::DataFile& file : data) {
    if (kept.contains(HomeOf(file.path))) continue;
    hashes.push_back(Json::Map({{"path", file.path}, {"sha256", file.sha256}, {"bytes", file.bytes}}));
  }
  for (const auto& [folder, digest] : kept) digests.push_back(Json::Map({{"folder", folder}, {"digest", digest}}));
  return body.Set("files", std::move(texts)).Set("data", std::move(hashes)).Set("kept", std::move(digests));
}

bool Folder::SendsData(const std::map<std::string, std::string>& kept) const {
  return std::ranges::any_of(data, [&](const model::DataFile& file) { return !kept.contains(HomeOf(file.path)); });
}

Problem Folder::Placed(Problem problem) const {
  if (!problem.file.ends_with(publish::kRegistered)) problem.file = root + problem.file;
  return problem;
}

Result<Folder> ReadFolder(const Session& session, const std::string& path, bool hash) {
  Folder folder;
  folder.root = path;
  while (folder.root.size() > 1 && folder.root.ends_with('/')) folder.root.pop_back();
  folder.root = folder.root == "." ? "" : folder.root.ends_with('/') ? folder.root : folder.root + "/";
  std::error_code failure;
  if (!fs::is_directory(path, failure)) {
    return Error{Code::kNotFound, fmt::format("there is no folder '{}'", Safe(path))};
  }
  const std::vector<std::string> files = TRY(Walk(path));
  for (const std::string& file : files) {
    if (IsText(file)) folder.files.push_back({file, TRY(ReadFile(fs::path(path) / file, kTextLimit))});
  }
  if (folder.files.empty()) {
    return Error{Code::kInvalid, fmt::format("'{}' holds no descriptor: a mesh's folder has a mesh.yaml and "
                                             "domains/<domain>/<product>/product.odps.yaml",
                                             Safe(path))};
  }
  for (const std::string& file : NamedData(folder, files)) {
    const fs::path place = fs::path(path) / file;
    auto bytes = static_cast<int64_t>(fs::file_size(place, failure));
    model::DataFile data{file, "", bytes};
    if (hash) {
      data.sha256 = TRY(HashWithBar(session, place, bytes, file));
      folder.places[data.sha256] = place.string();
    }
    folder.data.push_back(std::move(data));
  }
  return folder;
}

void TellMade(const Session& session, const std::string& path) {
  session.Print(fmt::format("{} {}\n", session.Paint(Style::kGood, "+"), Safe(path)));
}

FolderStamp StampOf(const std::vector<std::string>& paths) {
  FolderStamp stamp;
  auto add = [&](const fs::path& path) {
    std::error_code gone;
    const auto time = fs::last_write_time(path, gone);
    const auto size = fs::file_size(path, gone);
    if (!gone) stamp[path.string()] = {time, size};
  };
  for (const std::string& path : paths) {
    std::error_code failure;
    if (!fs::is_directory(path, failure)) {
      add(path);
    } else if (const auto files = Walk(path)) {
      for (const std::string& file : *files) {
        if (IsText(file)) add(fs::path(path) / file);
      }
    }
  }
  return stamp;
}

Result<Folder> ReadFiles(const std::vector<std::string>& paths) {
  Folder folder;
  fs::path shared = fs::path(paths.front()).parent_path();
  auto root_of = [](const fs::path& at) {
    const std::string text = at.string();
    return text.empty() || text.ends_with('/') ? text : text + "/";
  };
  for (const std::string& path : paths) {
    while (!path.starts_with(root_of(shared))) shared = shared == shared.root_path() ? "" : shared.parent_path();
  }
  // The folder says what these are.
  while (shared.filename() == "policies" || shared.filename() == "entities" || shared.filename() == "terms" ||
         shared.filename() == "env") {
    shared = shared.parent_path();
  }
  folder.root = root_of(shared);
  folder.named = true;
  for (const std::string& path : paths) {
    folder.files.push_back({path.substr(folder.root.size()), TRY(ReadFile(path, kTextLimit))});
  }
  return folder;
}

}  // namespace weft::app
