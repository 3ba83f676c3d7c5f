#include "apps/weft/typing.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/text.h"

namespace weft::app {
namespace {

// Keeps what is typed off the terminal while it lives. What would end or stop the program ends the reading, so that
// there is always somebody to put the terminal right.
class Unseen {
 public:
  static Result<std::unique_ptr<Unseen>> Begin() {
    std::unique_ptr<Unseen> unseen(new Unseen());
    if (::tcgetattr(STDIN_FILENO, &unseen->before_) != 0) {
      return Error{Code::kInvalid, "standard input is no terminal that one could type on unseen"};
    }
    struct sigaction interrupt {};
    interrupt.sa_handler = [](int) {};
    sigset_t ending;
    ::sigemptyset(&ending);
    for (const int signal : kEnding) ::sigaddset(&ending, signal);
    ::pthread_sigmask(SIG_BLOCK, &ending, &unseen->mask_);
    for (size_t i = 0; i < kEnding.size(); ++i) ::sigaction(kEnding[i], &interrupt, &unseen->usual_[i]);
    termios silent = unseen->before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    unseen->begun_ = true;
    return unseen;
  }
  ~Unseen() {
    if (!begun_) return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    for (size_t i = 0; i < kEnding.size(); ++i) ::sigaction(kEnding[i], &usual_[i], nullptr);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

  // Under which to wait: signals come then and at no other moment, so that none is missed.
  const sigset_t& mask() const { return mask_; }

 private:
  static constexpr std::array kEnding = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};

  Unseen() = default;

  termios before_{};
  std::array<struct sigaction, kEnding.size()> usual_{};
  sigset_t mask_{};
  bool begun_ = false;
};

// Up to the end of the line, or of the input; the line's end with it. Byte by byte: what follows is for others.
std::string ReadUpToLine(const sigset_t* mask = nullptr) {
  std::string line;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char c = 0;
  while (!line.ends_with('\n') && ::ppoll(&input, 1, nullptr, mask) == 1 && ::read(STDIN_FILENO, &c, 1) == 1) line += c;
  return line;
}

}  // namespace

std::string WithoutLineEnd(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Result<std::string> ReadUnseen(const std::string& prompt) {
  std::string line;
  {
    const auto unseen = TRY(Unseen::Begin());
    std::fprintf(stderr, "%s ", prompt.c_str());
    line = ReadUpToLine(&unseen->mask());
    std::fputc('\n', stderr);
  }
  if (!line.ends_with('\n')) return Error{Code::kInvalid, "nothing was typed, and nothing was changed"};
  return WithoutLineEnd(std::move(line));
}

Result<std::string> ReadLine() {
  std::string line = ReadUpToLine();
  if (line.empty()) return Error{Code::kInvalid, "standard input has no line to read"};
  return WithoutLineEnd(std::move(line));
}

Result<std::string> ReadAll(size_t limit) {
  std::string text;
  char piece[4096];
  while (text.size() <= limit + 2) {
    const ssize_t got = ::read(STDIN_FILENO, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Code::kUnavailable, "standard input cannot be read"};
    if (got == 0) break;
    text.append(piece, static_cast<size_t>(got));
  }
  text = WithoutLineEnd(std::move(text));
  if (text.size() <= limit) return text;
  return Error{Code::kInvalid, fmt::format("standard input has more than {}", HumanBytes(limit))};
}

}  // namespace weft::app
