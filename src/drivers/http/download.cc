#include "drivers/http/download.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "base/id.h"
#include "base/owned.h"
#include "base/text.h"
#include "drivers/http/target.h"

namespace weft::http {
namespace {

using Easy = Owned<CURL, curl_easy_cleanup>;
using List = Owned<curl_slist, curl_slist_free_all>;
using File = Owned<std::FILE, std::fclose>;

constexpr int64_t kTextLimit = int64_t{64} << 20;
constexpr size_t kWhyLimit = 2'000;  // Of the text that comes in place of a file.

void Append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == list.get()) return;
  static_cast<void>(list.release());
  list.reset(longer);
}

// What one answer becomes while curl takes it.
struct Taking {
  CURL* easy = nullptr;
  std::FILE* file = nullptr;  // Null: the text.
  int64_t limit = 0;
  Hasher hasher = {};
  Downloaded got = {};
  bool too_large = false, disk_full = false;
};

size_t TakeBody(char* data, size_t, size_t size, void* to) {
  auto& taking = *static_cast<Taking*>(to);
  long status = 0;
  curl_easy_getinfo(taking.easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    taking.got.text.append(data, std::min(size, kWhyLimit - std::min(kWhyLimit, taking.got.text.size())));
    return size;
  }
  taking.got.bytes += static_cast<int64_t>(size);
  taking.too_large = taking.got.bytes > taking.limit;
  if (taking.too_large) return 0;
  if (!taking.file) {
    taking.got.text.append(data, size);
    return size;
  }
  taking.hasher.Add({data, size});
  taking.disk_full = std::fwrite(data, 1, size, taking.file) != size;
  return taking.disk_full ? 0 : size;
}

size_t TakeHeader(char* data, size_t, size_t size, void* to) {
  auto& headers = static_cast<Taking*>(to)->got.headers;
  const std::string_view line = Trim(std::string_view(data, size));
  if (line.starts_with("HTTP/")) headers.clear();  // What came before was "100 Continue".
  const size_t colon = line.find(':');
  if (colon != line.npos) headers[Lower(line.substr(0, colon))] = Trim(line.substr(colon + 1));
  return size;
}

int Look(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

class CurlDownloader final : public Downloader {
 public:
  CurlDownloader(DownloadOptions options, CURL* easy) : options_(std::move(options)), easy_(easy) {}

  Result<Downloaded> Get(const std::string& url, const std::map<std::string, std::string>& headers,
                         const std::string& file) override {
    const Origin origin = TRY(OriginOf(url));
    curl_easy_reset(easy_.get());  // Keeps the connection.
    List lines = TRY(LinesOf(headers)), pinned;
    if (options_.signature) Append(lines, "x-amz-content-sha256: " + Sha256(""));  // Stores ask for it; curl signs it.
    std::vector<std::string> addresses;
    for (const std::string& each : options_.addresses) {
      addresses.push_back(each.find(':') == each.npos ? each : "[" + each + "]");
    }
    if (!origin.host.starts_with('[')) {
      Append(pinned, fmt::format("{}:{}:{}", origin.host, origin.port, Join(addresses, ",")));
    }
    File to;
    if (!file.empty()) {
      to.reset(std::fopen(file.c_str(), "wbx"));
      if (!to) return Unwritten(file);
    }
    Taking taking{easy_.get(), to.get(), file.empty() ? kTextLimit : options_.limit};
    char reason[CURL_ERROR_SIZE] = "";
    Set(CURLOPT_URL, url.c_str());
    Set(CURLOPT_ERRORBUFFER, reason);
    Set(CURLOPT_HTTPHEADER, lines.get());
    Set(CURLOPT_RESOLVE, pinned.get());
    Set(CURLOPT_WRITEFUNCTION, &TakeBody);
    Set(CURLOPT_WRITEDATA, &taking);
    Set(CURLOPT_HEADERFUNCTION, &TakeHeader);
    Set(CURLOPT_HEADERDATA, &taking);
    Set(CURLOPT_XFERINFOFUNCTION, &Look);
    Set(CURLOPT_XFERINFODATA, static_cast<const void*>(&options_.stop));
    SetConnection();
    const CURLcode outcome = curl_easy_perform(easy_.get());
    long status = 0, version = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_VERSION, &version);
    taking.got.status = static_cast<int>(status);
    const bool flushed = !to || std::fflush(to.get()) == 0;
    to.reset();
    Status whole =
        outcome == CURLE_OK && flushed ? Whole(taking, url, version) : Failure(outcome, reason, taking, url, file);
    if (!file.empty() && (!whole || status != 200)) {
      std::error_code ignored;
      std::filesystem::remove(file, ignored);
    }
    TRY(std::move(whole));
    taking.got.sha256 = taking.hasher.Hex();
    return std::move(taking.got);
  }

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  static Result<List> LinesOf(const std::map<std::string, std::string>& headers) {
    List lines;
    for (const auto& [name, value] : headers) {
      if ((name + value).find_first_of("\r\n") != std::string::npos || name.find(':') != name.npos) {
        return Error{Code::kInvalid, fmt::format("the header '{}' has a line break, or a colon in its name", name)};
      }
      Append(lines, name + ": " + value);
    }
    return lines;
  }

  void SetConnection() {
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_NOPROXY, "*");
    Set(CURLOPT_FOLLOWLOCATION, 0L);
    Set(CURLOPT_PATH_AS_IS, 1L);
    Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    Set(CURLOPT_NOPROGRESS, 0L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
    Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    Set(CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options_.silence.count() / 1'000)));
    if (!options_.ca_file.empty()) Set(CURLOPT_CAINFO, options_.ca_file.c_str());
    if (!options_.signature) return;
    const Signature& signature = *options_.signature;
    Set(CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:s3", signature.region).c_str());
    Set(CURLOPT_USERNAME, std::string(signature.key_id.bytes()).c_str());
    Set(CURLOPT_PASSWORD, std::string(signature.key.bytes()).c_str());
  }

  static Error Unwritten(const std::string& file) {
    return {Code::kUnavailable, fmt::format("it cannot be written to '{}': {}", file, std::strerror(errno))};
  }

  // Whether the answer said where it ends, and ended there.
  static Status Whole(const Taking& taking, const std::string& url, long version) {
    const auto& headers = taking.got.headers;
    const auto encoding = headers.find("transfer-encoding");
    const bool chunked = encoding != headers.end() && Lower(encoding->second).find("chunked") != std::string::npos;
    if (taking.got.status != 200 || chunked || headers.contains("content-length") || version >= CURL_HTTP_VERSION_2_0) {
      return {};
    }
    return Error{Code::kUnavailable,
                 fmt::format("the server does not say how long {} is, so that one that was cut off could not be told "
                             "from a whole one",
                             url)};
  }

  Error Failure(CURLcode outcome, const char* reason, const Taking& taking, const std::string& url,
                const std::string& file) const {
    const std::string why = *reason ? reason : curl_easy_strerror(outcome);
    if (options_.stop.stop_requested()) return {Code::kUnavailable, "it was stopped"};
    if (taking.too_large) {
      const int64_t limit = file.empty() ? kTextLimit : options_.limit;
      return {Code::kInvalid,
              fmt::format("{} is larger than {}, the most that this node takes", url, HumanBytes(limit))};
    }
    if (taking.disk_full || outcome == CURLE_OK) return Unwritten(file);
    if (outcome == CURLE_PARTIAL_FILE || outcome == CURLE_RECV_ERROR || outcome == CURLE_GOT_NOTHING) {
      return {Code::kUnavailable, fmt::format("{} was cut off after {}: {}", url, HumanBytes(taking.got.bytes), why)};
    }
    if (outcome == CURLE_PEER_FAILED_VERIFICATION || outcome == CURLE_SSL_CACERT_BADFILE) {
      return {Code::kUnavailable, fmt::format("the certificate of {} is not trusted: {}. What helps: the setting "
                                              "source-ca-file, with its authority",
                                              url, why)};
    }
    return {Code::kUnavailable, fmt::format("{} cannot be fetched: {}", url, why)};
  }

  const DownloadOptions options_;
  Easy easy_;
};

}  // namespace

Result<std::unique_ptr<Downloader>> Downloader::Open(DownloadOptions options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (options.addresses.empty()) return Error{Code::kInternal, "a download goes to addresses that are known"};
  CURL* easy = curl_easy_init();
  if (!easy) return Error{Code::kInternal, "cannot start the HTTP client"};
  return std::unique_ptr<Downloader>(std::make_unique<CurlDownloader>(std::move(options), easy));
}

}  // namespace weft::http
