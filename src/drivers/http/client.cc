#include "drivers/http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cstdio>
#include <filesystem>
#include <mutex>

#include "base/owned.h"
#include "base/text.h"
#include "drivers/http/target.h"

namespace weft::http {
namespace {

using Easy = Owned<CURL, curl_easy_cleanup>;
using HeaderList = Owned<curl_slist, curl_slist_free_all>;
using File = Owned<std::FILE, std::fclose>;

// What one transfer reads and writes while curl runs it.
struct Transfer {
  Response response;
  size_t limit = 0;
  bool too_large = false;
};

size_t TakeBody(char* data, size_t, size_t size, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  transfer.too_large = transfer.response.body.size() + size > transfer.limit;
  if (transfer.too_large) return 0;
  transfer.response.body.append(data, size);
  return size;
}

size_t TakeHeader(char* data, size_t, size_t size, void* to) {
  auto& response = static_cast<Transfer*>(to)->response;
  std::string_view line = Trim(std::string_view(data, size));
  if (line.starts_with("HTTP/")) response.headers.clear();  // What came before was "100 Continue".
  const size_t colon = line.find(':');
  if (colon != line.npos) response.headers[Lower(line.substr(0, colon))] = Trim(line.substr(colon + 1));
  return size;
}

size_t GiveFile(char* to, size_t, size_t room, void* file) {
  return std::fread(to, 1, room, static_cast<std::FILE*>(file));
}

// Asked about each address before it is connected to, so that no name that resolves to another is a way around it.
curl_socket_t OpenPublic(void*, curlsocktype, curl_sockaddr* to) {
  if (!IsPublic(to->addr)) return CURL_SOCKET_BAD;
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

int RewindFile(void* file, curl_off_t offset, int) {
  return ::fseeko(static_cast<std::FILE*>(file), offset, SEEK_SET) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

class CurlClient : public Client {
 public:
  CurlClient(ClientOptions options, bool direct, CURL* easy)
      : options_(std::move(options)), direct_(direct), easy_(easy) {
    while (options_.url.ends_with('/')) options_.url.pop_back();
  }

  Result<Response> Send(const Request& request) override {
    Transfer transfer;
    transfer.limit = options_.answer_limit;
    char reason[CURL_ERROR_SIZE] = "";
    File file;
    curl_easy_reset(easy_.get());  // Keeps the connections.
    HeaderList headers = HeadersOf(request);
    const std::string url = options_.url + WriteTarget(request);
    Set(CURLOPT_URL, url.c_str());
    Set(CURLOPT_ERRORBUFFER, reason);
    Set(CURLOPT_HTTPHEADER, headers.get());
    Set(CURLOPT_WRITEFUNCTION, &TakeBody);
    Set(CURLOPT_WRITEDATA, &transfer);
    Set(CURLOPT_HEADERFUNCTION, &TakeHeader);
    Set(CURLOPT_HEADERDATA, &transfer);
    SetConnection();
    if (request.body_file.empty()) {
      Set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
      if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        Set(CURLOPT_POSTFIELDS, request.body.data());
      }
    } else {
      file = TRY(SetUpload(request.body_file));
    }
    if (request.method == "HEAD") Set(CURLOPT_NOBODY, 1L);
    Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    const CURLcode outcome = curl_easy_perform(easy_.get());
    if (outcome != CURLE_OK) return Failure(outcome, reason, transfer);
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    transfer.response.content_type = transfer.response.headers["content-type"];
    return std::move(transfer.response);
  }

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  HeaderList HeadersOf(const Request& request) const {
    std::map<std::string, std::string> all = options_.headers;
    if (!options_.bearer.empty()) all["authorization"] = "Bearer " + options_.bearer;
    for (const auto& [name, value] : request.headers) all[name] = value;
    all.try_emplace("content-type", request.body_file.empty() ? "application/json" : "application/octet-stream");
    HeaderList list;
    for (const auto& [name, value] : all) {
      curl_slist* longer = curl_slist_append(list.get(), (name + ": " + value).c_str());
      if (longer != list.get()) {
        static_cast<void>(list.release());
        list.reset(longer);
      }
    }
    return list;
  }

  void SetConnection() {
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_CONNECTTIMEOUT_MS, 5'000L);
    Set(CURLOPT_TCP_KEEPALIVE, 1L);
    // The folder of the system's authorities stays trusted beside this file.
    if (!options_.ca_file.empty()) Set(CURLOPT_CAINFO, options_.ca_file.c_str());
    if (direct_ || options_.public_only) Set(CURLOPT_NOPROXY, "*");
    if (options_.public_only) Set(CURLOPT_OPENSOCKETFUNCTION, &OpenPublic);
  }

  // A large file has no limit in all, but is given up when it stands still.
  Result<File> SetUpload(const std::string& path) {
    std::error_code failure;
    const uintmax_t bytes = std::filesystem::file_size(path, failure);
    File file(failure ? nullptr : std::fopen(path.c_str(), "rbe"));
    if (!file) return Error{Code::kNotFound, "cannot read " + path + " to send it"};
    Set(CURLOPT_UPLOAD, 1L);
    Set(CURLOPT_READFUNCTION, &GiveFile);
    Set(CURLOPT_READDATA, file.get());
    Set(CURLOPT_SEEKFUNCTION, &RewindFile);
    Set(CURLOPT_SEEKDATA, file.get());
    Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(bytes));
    Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    Set(CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options_.timeout.count() / 1'000)));
    return file;
  }

  Error Failure(CURLcode outcome, const char* reason, const Transfer& transfer) const {
    const std::string why = *reason ? reason : curl_easy_strerror(outcome);
    switch (outcome) {
      case CURLE_COULDNT_CONNECT:
      case CURLE_COULDNT_RESOLVE_HOST:
        return {Code::kUnavailable,
                fmt::format("cannot reach the node at {}: {}", options_.url, curl_easy_strerror(outcome))};
      case CURLE_OPERATION_TIMEDOUT:
        return {Code::kUnavailable, fmt::format("the node at {} did not answer in time: {}", options_.url, why)};
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
        return {Code::kUnavailable,
                fmt::format("the certificate of the node at {} is not trusted: {}; name the file of its authority",
                            options_.url, why)};
      case CURLE_SSL_CONNECT_ERROR:
        return {Code::kUnavailable, fmt::format("no TLS with the node at {}: {}; where it serves without TLS, write "
                                                "http:// in place of https://",
                                                options_.url, why)};
      case CURLE_URL_MALFORMAT:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return {Code::kInvalid, fmt::format("'{}' is no address of a node: {}; write it like http://127.0.0.1:7470",
                                            options_.url, why)};
      default:
        if (transfer.too_large) {
          return {Code::kUnavailable, fmt::format("the answer of {} is larger than {}", options_.url,
                                                  HumanBytes(static_cast<int64_t>(options_.answer_limit)))};
        }
        return {Code::kUnavailable, fmt::format("the node at {} gave no answer: {}", options_.url, why)};
    }
  }

  ClientOptions options_;
  const bool direct_;  // This machine is never reached through a proxy.
  Easy easy_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::Open(ClientOptions options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const bool direct = IsLoopback(TRY(OriginOf(options.url)).host);
  for (const auto& [name, value] : options.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) {
      return Error{Code::kInvalid, "the header " + name + " has a line break"};
    }
  }
  if (options.bearer.find_first_of("\r\n") != std::string::npos) {
    return Error{Code::kInvalid, "the token has a line break"};
  }
  CURL* easy = curl_easy_init();
  if (!easy) return Error{Code::kInternal, "cannot start the HTTP client"};
  return std::unique_ptr<Client>(std::make_unique<CurlClient>(std::move(options), direct, easy));
}

}  // namespace weft::http
