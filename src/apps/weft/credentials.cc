#include "apps/weft/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/weft/home.h"
#include "base/file.h"
#include "base/id.h"
#include "drivers/http/client.h"
#include "drivers/http/target.h"

namespace weft::app {
namespace {

constexpr int64_t kRenewBefore = int64_t{60} * 1'000'000;  // Microseconds.

std::string Folder() { return StateFolder() + "/credentials"; }

std::string FileOf(const std::string& node) {
  std::string plain = node;
  while (plain.ends_with('/')) plain.pop_back();
  return fmt::format("{}/{}.json", Folder(), Sha256(plain).substr(0, 16));
}

// Held while the file is read and written by one command.
class Turn {
 public:
  static Result<Turn> Take() {
    const std::string path = Folder() + "/lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::flock(fd, LOCK_EX) != 0) return Error{Code::kUnavailable, "cannot lock " + path};
    return Turn(fd);
  }
  Turn(Turn&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Turn() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit Turn(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace

std::optional<Credentials> FindCredentials(const std::string& node) {
  auto text = ReadFile(FileOf(node), size_t{1} << 16);
  auto json = text ? Json::Parse(*text) : Result<Json>(text.error());
  if (!json) return std::nullopt;
  auto ends = Instant::Parse((*json)["expires_at"].Text());
  if (!ends || (*json)["access_token"].Text().empty()) return std::nullopt;
  return Credentials{(*json)["node"].Text(), (*json)["access_token"].Text(), (*json)["refresh_token"].Text(), *ends};
}

Status SaveCredentials(const Credentials& credentials) {
  TRY(MakeFolders(Folder()));
  ::chmod(Folder().c_str(), 0700);
  return WriteFileAtomically(FileOf(credentials.node),
                             Json::Map({{"node", credentials.node},
                                        {"access_token", credentials.access_token},
                                        {"refresh_token", credentials.refresh_token},
                                        {"expires_at", credentials.expires_at.Text()}})
                                     .Pretty() +
                                 "\n",
                             0600);
}

Status RemoveCredentials(const std::string& node) {
  std::error_code failure;
  fs::remove(FileOf(node), failure);
  if (!failure) return {};
  return Error{Code::kUnavailable, fmt::format("cannot remove {}: {}", FileOf(node), failure.message())};
}

Result<Credentials> CredentialsOf(const std::string& node, const Json& answer) {
  if (answer["access_token"].Text().empty()) {
    return Error{Code::kUnavailable, fmt::format("what answers at {} gave no token; check --node", node)};
  }
  const Instant ends{SystemClock().Now().micros + answer["expires_in"].Int() * 1'000'000};
  return Credentials{node, answer["access_token"].Text(), answer["refresh_token"].Text(), ends};
}

Result<std::string> AccessToken(const std::string& node, const std::string& ca_file) {
  auto fresh = [](const std::optional<Credentials>& kept) {
    return kept && kept->expires_at.micros - kRenewBefore > SystemClock().Now().micros;
  };
  std::optional<Credentials> kept = FindCredentials(node);
  if (!kept) return std::string();
  if (fresh(kept)) return kept->access_token;
  const Turn turn = TRY(Turn::Take());
  kept = FindCredentials(node);  // Another command may have renewed it meanwhile.
  if (fresh(kept)) return kept->access_token;
  const Error over{Code::kUnauthenticated,
                   fmt::format("your sign-in at {} has ended; sign in again: weft login", node)};
  if (!kept) return over;
  const http::Response response = TRY(
      PostForm(node, ca_file, "/oauth/token",
               {{"grant_type", "refresh_token"}, {"client_id", "weft-cli"}, {"refresh_token", kept->refresh_token}}));
  if (response.status == 400 || response.status == 401) return over;
  if (response.status != 200) return http::FromResponse(response);
  const Credentials renewed = TRY(CredentialsOf(node, TRY(Json::Parse(response.body))));
  TRY(SaveCredentials(renewed));
  return renewed.access_token;
}

Result<http::Response> PostForm(const std::string& node, const std::string& ca_file, const std::string& path,
                                const std::map<std::string, std::string>& form) {
  http::ClientOptions options;
  options.url = node;
  options.ca_file = ca_file;
  options.answer_limit = size_t{1} << 20;
  http::Request request;
  request.method = "POST";
  request.path = path;
  request.headers["content-type"] = "application/x-www-form-urlencoded";
  request.body = http::WriteForm(form);
  return TRY(http::Client::Open(options))->Send(request);
}

}  // namespace weft::app
