#include "work/run/remote.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "drivers/database/database.h"
#include "drivers/http/target.h"
#include "model/glob.h"
#include "model/incremental.h"
#include "model/own.h"
#include "work/run/objects.h"

namespace weft::run {
namespace {

using Headers = std::map<std::string, std::string>;

constexpr std::string_view kEtag = "etag ", kModified = "modified ";

std::string PlainUrl(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

// What an answer is told by when it is asked for again; of another URL it is another one.
std::string StampOf(const std::string& url, const Headers& headers) {
  const std::string of = Sha256(url).substr(0, 16) + " ";
  if (const auto etag = headers.find("etag"); etag != headers.end()) return of + std::string(kEtag) + etag->second;
  const auto modified = headers.find("last-modified");
  return modified == headers.end() ? "" : of + std::string(kModified) + modified->second;
}

// The condition under which an answer that was stamped so is wanted.
Headers UnlessStill(const std::string& url, const std::string& stamp) {
  const std::string of = Sha256(url).substr(0, 16) + " ";
  if (!stamp.starts_with(of)) return {};
  const std::string rest = stamp.substr(of.size());
  if (rest.starts_with(kEtag)) return {{"If-None-Match", rest.substr(kEtag.size())}};
  if (rest.starts_with(kModified)) return {{"If-Modified-Since", rest.substr(kModified.size())}};
  return {};
}

constexpr size_t kMostObjects = 1'000'000;  // Of one source.

// What an answer without a file means for whoever wrote the source.
Error Refused(const std::string& url, const http::Downloaded& answer) {
  const int status = answer.status;
  const std::string plain = PlainUrl(url), said = ReadObjectError(answer.text);
  const std::string why = said.empty() ? "" : " (" + said + ")";
  if (status >= 300 && status < 400) {
    const auto to = answer.headers.find("location");
    return {
        Code::kInvalid,
        fmt::format("{} is elsewhere, says its server: {}. Nobody is followed to another address: write that one in "
                    "the source, if sources may go to its host",
                    plain, to == answer.headers.end() ? std::to_string(status) : PlainUrl(to->second))};
  }
  if (status == 401 || status == 403) {
    return {Code::kInvalid, fmt::format("its server does not let the node read {}: {}{}. What helps: the secrets that "
                                        "the source names, and what their owner may read there",
                                        plain, status, why)};
  }
  if (status == 404 || status == 410) {
    return {Code::kNotFound, fmt::format("there is no {}, says its server: {}{}", plain, status, why)};
  }
  const bool passes = status == 408 || status == 429 || status >= 500;
  return {passes ? Code::kUnavailable : Code::kInvalid,
          fmt::format("{} cannot be read: its server answers {}{}", plain, status, why)};
}

std::string PlaceOf(const model::Source& source) { return PlainUrl(source.options["url"].Text()); }

}  // namespace

struct Remote::Server {
  std::unique_ptr<http::Downloader> downloader;
  Headers headers;
};

Remote::~Remote() {
  for (const std::string& file : files_) {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
}

Result<std::string> HostOf(const model::Source& source) {
  std::string url = source.options["url"].Text();
  if (source.kind == "object") url = TRY(ObjectPlaceOf(source)).endpoint;
  std::string host = TRY(http::OriginOf(url)).host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

Result<Remote::Server> Remote::Open(const Pinned& input) {
  const model::Source& source = *input.port->source;
  http::DownloadOptions to;
  to.addresses = TRY(database::AllowedAddresses(TRY(HostOf(source)), options_.source_hosts));
  to.ca_file = options_.source_ca_file;
  to.limit = options_.source_file_limit;
  to.silence = options_.source_timeout;
  to.stop = stop_;
  Server server;
  auto secret = [&](const Json& value) {
    const auto at = input.secrets.find(value["secret"].Text());
    return at == input.secrets.end() ? Secret() : at->second.Copy();
  };
  for (const auto& [name, value] : source.options["headers"].Members()) {
    server.headers[name] = value.is_text() ? value.Text() : std::string(secret(value).bytes());
  }
  if (source.kind == "object" && !source.options["access_key"].is_null()) {
    to.signature = std::make_shared<http::Signature>(http::Signature{
        TRY(ObjectPlaceOf(source)).region, secret(source.options["access_key"]), secret(source.options["secret_key"])});
  }
  server.downloader = TRY(http::Downloader::Open(std::move(to)));
  return server;
}

Status Remote::Find(std::vector<Pinned>& inputs, const std::stop_token& stop) {
  stop_ = stop;
  for (Pinned& input : inputs) {
    const model::Source& source = *input.port->source;
    if (source.kind != "http" && source.kind != "object") continue;
    if (Status found = FindOne(input); !found) {
      return found.TakeError().With(fmt::format("the input '{}'", input.port->name));
    }
    input.lineage = {input.port->name, "", "", PlaceOf(source), input.files->version};
  }
  return {};
}

Status Remote::FindOne(Pinned& input) {
  const model::Source& source = *input.port->source;
  Server server = TRY(Open(input));
  std::vector<Found> found = TRY(source.kind == "http" ? File(input, server) : Objects(input, server));
  if (found.empty() && (input.progress->seen.empty() || !model::ReadsOnlyNew(source))) {
    return Error{Code::kNotFound, fmt::format("no object matches '{}'", source.options["url"].Text())};
  }
  std::ranges::sort(found, {}, &Found::name);
  return model::ReadsOnlyNew(source) ? OnlyNew(input, server, std::move(found)) : All(input, server, std::move(found));
}

// One file, unless the server says that it is the one that was read last.
Result<std::vector<Found>> Remote::File(const Pinned& input, Server& server) {
  const std::string& url = input.port->source->options["url"].Text();
  Found file{"", PlainUrl(url), "", "", url};
  const auto before = std::ranges::find(input.progress->seen, file.name, &runs::Piece::name);
  Headers headers = server.headers;
  if (before != input.progress->seen.end() && !input.progress->whole) headers.merge(UnlessStill(url, before->stamp));
  files_.push_back((fs::path(options_.temp_folder) / fmt::format("{}-{}.fetched", run_, files_.size())).string());
  const http::Downloaded got = TRY(server.downloader->Get(url, headers, files_.back()));
  if (got.status == 304 && before != input.progress->seen.end()) {
    file.sha256 = before->sha256;
    file.stamp = before->stamp;
  } else if (got.status == 200) {
    file.path = files_.back();
    file.sha256 = got.sha256;
    file.stamp = StampOf(url, got.headers);
  } else {
    return Refused(url, got);
  }
  return std::vector<Found>{std::move(file)};
}

// The list, all of it; nothing is fetched.
Result<std::vector<Found>> Remote::Objects(const Pinned& input, Server& server) {
  const ObjectPlace place = TRY(ObjectPlaceOf(*input.port->source));
  std::vector<Found> found;
  std::string token;
  do {
    const std::string url = place.ListUrl(token);
    const http::Downloaded got = TRY(server.downloader->Get(url, server.headers, ""));
    if (got.status != 200) return Refused(url, got);
    ListPage page = TRY(ReadListPage(got.text));
    for (const ListedObject& object : page.objects) {
      // What stands for a folder has a key that ends so.
      if (object.key.ends_with('/') || !model::GlobMatches(place.pattern, object.key)) continue;
      const std::string stamp = object.etag.empty() ? "" : fmt::format("{} {}", object.etag, object.bytes);
      found.push_back({"", object.key, "", stamp, place.UrlOf(object.key)});
    }
    if (!page.next.empty() && (page.next == token || found.size() > kMostObjects)) {
      return Error{Code::kInvalid,
                   fmt::format("the list of {} does not end: {} objects match, and there are more. Name fewer by a "
                               "longer prefix",
                               PlainUrl(url), found.size())};
    }
    token = std::move(page.next);
  } while (!token.empty());
  return found;
}

// Its bytes as they are now.
Status Remote::Fetch(Server& server, Found& file) {
  files_.push_back((fs::path(options_.temp_folder) / fmt::format("{}-{}.fetched", run_, files_.size())).string());
  const http::Downloaded got = TRY(server.downloader->Get(file.url, server.headers, files_.back()));
  if (got.status != 200) return Refused(file.url, got);
  file.path = files_.back();
  file.sha256 = got.sha256;
  return {};
}

Status Remote::OnlyNew(Pinned& input, Server& server, std::vector<Found> found) {
  Progress& progress = *input.progress;
  const model::Source& source = *input.port->source;
  std::map<std::string, std::string> fetched;  // By name.
  const Hash hash = [&](const Found& file) -> Result<std::string> {
    Found one = file;
    TRY(Fetch(server, one));
    fetched[one.name] = one.path;
    return one.sha256;
  };
  static const std::vector<runs::Piece> kNone;
  Choice choice = TRY(ChooseNew(std::move(found), progress.whole ? kNone : progress.seen,
                                source.options["changed"].Text() == "read", hash));
  for (Found& file : choice.fresh) {
    file.path = fetched[file.name];
    progress.now.pieces.push_back({file.name, file.sha256, file.stamp});
  }
  progress.told = ToldOf(choice, "object");
  progress.now.again = std::move(choice.again);
  const std::string version = VersionOf(progress.seen, choice.fresh);
  Files files;
  files.columns_only = choice.fresh.empty();
  if (!files.columns_only) {
    files = TRY(FilesOf(std::move(choice.fresh), source.format));
  } else {
    files.format = source.format.empty() ? model::own::KindOf(source.options["url"].Text()).format : source.format;
  }
  files.version = version;
  input.paths = files.paths;
  input.files = std::move(files);
  return {};
}

// What the input comes to, as far as it is fetched.
Status Remote::Settle(Pinned& input) {
  const std::string& said = input.port->source->format;
  runs::Position& now = input.progress->now;
  now.all = true;
  now.pieces.clear();
  for (const Found& file : input.fetched) now.pieces.push_back({file.name, file.sha256, file.stamp});
  Files files;
  if (std::ranges::none_of(input.fetched, [](const Found& file) { return file.path.empty(); })) {
    files = TRY(FilesOf(input.fetched, said));
  } else {
    files.format = said.empty() ? model::own::KindOf(input.fetched[0].name).format : said;
    files.version = VersionOf(input.fetched);
  }
  input.paths = files.paths;
  input.files = std::move(files);
  return {};
}

Status Remote::All(Pinned& input, Server& server, std::vector<Found> found) {
  std::map<std::pair<std::string, std::string>, std::string> known;
  for (const runs::Piece& piece : input.progress->seen) {
    if (!piece.stamp.empty()) known[{piece.name, piece.stamp}] = piece.sha256;
  }
  for (Found& file : found) {
    const auto at = known.find({file.name, file.stamp});
    if (file.sha256.empty() && at != known.end() && !input.progress->whole) file.sha256 = at->second;
    if (file.sha256.empty()) TRY(Fetch(server, file));
  }
  input.fetched = std::move(found);
  return Settle(input);
}

Result<bool> Remote::Complete(std::vector<Pinned>& inputs) {
  bool changed = false;
  for (Pinned& input : inputs) {
    if (std::ranges::none_of(input.fetched, [](const Found& file) { return file.path.empty(); })) continue;
    auto complete = [&]() -> Status {
      Server server = TRY(Open(input));
      for (Found& file : input.fetched) {
        if (file.path.empty()) TRY(Fetch(server, file));
      }
      return Settle(input);
    };
    const std::string version = input.files->version;
    if (Status done = complete(); !done) return done.TakeError().With(fmt::format("the input '{}'", input.port->name));
    changed = changed || version != input.files->version;
    input.lineage.version = input.files->version;
  }
  return changed;
}

}  // namespace weft::run
