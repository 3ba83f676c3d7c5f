#include "apps/weft/scratch_node.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "base/threads.h"

namespace weft::app {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr auto kStart = Millis(60'000);
constexpr auto kEnd = Millis(15'000);

// The environment without settings of Weft, and with these.
std::vector<std::string> EnvironmentWith(const std::map<std::string, std::string>& more) {
  std::vector<std::string> all;
  for (char** at = environ; *at; ++at) {
    if (!std::string_view(*at).starts_with("WEFT_")) all.emplace_back(*at);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// One end closes with its owner.
class Pipe {
 public:
  static Result<Pipe> Make() {
    Pipe made;
    if (::pipe2(made.ends_, O_CLOEXEC) != 0) return Error{Code::kUnavailable, "no pipe can be made"};
    return made;
  }
  Pipe(Pipe&& other) noexcept {
    std::swap(ends_[0], other.ends_[0]);
    std::swap(ends_[1], other.ends_[1]);
  }
  ~Pipe() { Close(0), Close(1); }
  void Close(int end) {
    if (ends_[end] >= 0) ::close(std::exchange(ends_[end], -1));
  }
  int read() const { return ends_[0]; }
  int write() const { return ends_[1]; }

 private:
  Pipe() = default;
  int ends_[2] = {-1, -1};
};

// Where a child's standard streams go; -1: where this process's do.
struct Streams {
  int in = -1, out = -1, error = -1;
};

// Starts this program anew; nothing but what is safe after a fork happens in the child before it is another program.
// `apart`: the terminal's signals are not for it, and it ends when this process does.
Result<pid_t> Start(std::vector<std::string> words, std::vector<std::string> environment, Streams streams, bool apart) {
  words.insert(words.begin(), "weft");
  const std::vector<char*> argv = Pointers(words), envp = Pointers(environment);
  const pid_t pid = ::fork();
  if (pid < 0) return Error{Code::kUnavailable, "no process can be started"};
  if (pid > 0) return pid;
  if (apart) ::setpgid(0, 0), ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (auto [from, to] : {std::pair(streams.in, 0), std::pair(streams.out, 1), std::pair(streams.error, 2)}) {
    if (from >= 0) ::dup2(from, to);
  }
  ::execve(kSelf, argv.data(), envp.data());
  ::_exit(127);
}

// All that comes until the other end closes, or with `line` the first line, or until the deadline.
std::string ReadFrom(int end, bool line, const Deadline& deadline) {
  std::string text;
  char piece[4096];
  while (!deadline.passed()) {
    pollfd ready{end, POLLIN, 0};
    if (::poll(&ready, 1, 100) <= 0) continue;
    const ssize_t got = ::read(end, piece, sizeof piece);
    if (got <= 0) break;
    text.append(piece, static_cast<size_t>(got));
    if (line && text.find('\n') != text.npos) break;
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<ScratchNode>> ScratchNode::Start(const std::vector<std::string>& settings) {
  std::unique_ptr<ScratchNode> node(new ScratchNode(TRY(ScratchFolder::Make())));
  const std::string log = (node->folder() / "node.log").string();
  Pipe answer = TRY(Pipe::Make());
  const int error = ::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  std::vector<std::string> words{"serve",       "--json", "--data",        (node->folder() / "data").string(),
                                 "--http-port", "0",      "--flight-port", "0"};
  words.insert(words.end(), settings.begin(), settings.end());
  node->pid_ =
      TRY(app::Start(std::move(words), EnvironmentWith({}), {.in = -1, .out = answer.write(), .error = error}, true));
  answer.Close(1);
  if (error >= 0) ::close(error);
  const auto about = Json::Parse(ReadFrom(answer.read(), true, Deadline::After(kStart)));
  if (!about || (*about)["url"].Text().empty()) {
    auto said = ReadFile(log, size_t{1} << 20);
    return Error{Code::kUnavailable, fmt::format("the scratch node did not start: {}", said ? Trim(*said) : "")};
  }
  node->url_ = (*about)["url"].Text();
  node->token_file_ = (*about)["token_file"].Text();
  return node;
}

ScratchNode::~ScratchNode() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const Deadline deadline = Deadline::After(kEnd);
  while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (deadline.passed()) ::kill(pid_, SIGKILL);
    std::this_thread::sleep_for(Millis(10));
  }
}

bool ScratchNode::Lives() const { return pid_ > 0 && ::kill(pid_, 0) == 0; }

Result<Called> ScratchNode::Call(const std::vector<std::string>& words, bool shown, const std::string& input) const {
  std::map<std::string, std::string> more{{"WEFT_NODE", url_}, {"WEFT_TOKEN_FILE", token_file_}};
  Pipe in = TRY(Pipe::Make()), out = TRY(Pipe::Make());
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const Streams streams =
      shown ? Streams{.in = in.read()} : Streams{.in = in.read(), .out = out.write(), .error = nowhere};
  auto started = app::Start(words, EnvironmentWith(more), streams, false);
  ::close(nowhere);
  const pid_t pid = TRY(std::move(started));
  in.Close(0), out.Close(1);
  // A secret or nothing: less than a pipe holds.
  if (::write(in.write(), input.data(), input.size()) < 0) return Error{Code::kUnavailable, "a command took no input"};
  in.Close(1);
  Called called;
  if (!shown) called.out = ReadFrom(out.read(), false, Deadline::Never());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  called.code = WIFEXITED(status) ? WEXITSTATUS(status) : 130;
  return called;
}

}  // namespace weft::app
