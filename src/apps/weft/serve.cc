#include "apps/weft/serve.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "apps/weft/node.h"
#include "base/log.h"

namespace weft::app {
namespace {

constexpr auto kGrace = Millis(8'000);  // For requests and reads; what is left of ten seconds ends the runs.
constexpr unsigned kForceSeconds = 10;

void EndNow(int) { ::_exit(130); }

// Many systems allow 1,024 files at first, fewer than the listener alone holds connections: strangers who hold them all
// would leave none for the store.
void AllowAllFiles() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Status Serve(const Settings& settings, bool json) {
  log::Configure(TRY(log::ParseLevel(settings.Text("log-level"))), settings.Flag("log-json"));
  ::umask(0077);  // The folder holds the mesh's data and keys.
  ::signal(SIGPIPE, SIG_IGN);
  AllowAllFiles();
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGINT);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // Every thread made from here on leaves them to this one.
  std::unique_ptr<Node> node = TRY(Node::Start(settings));
  std::printf("%s\n", (json ? node->About().Dump() : node->Greeting()).c_str());
  std::fflush(stdout);
  int number = SIGHUP;
  while (::sigwait(&ends, &number) == 0 && number == SIGHUP) node->TakeCertificate();
  log::Info("node stopping", {{"signal", number}});
  for (int again : {SIGINT, SIGTERM, SIGALRM}) ::signal(again, EndNow);
  ::pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
  ::alarm(kForceSeconds);  // The store survives it; runs that it cuts are marked at the next start.
  node->Stop(Deadline::After(kGrace));
  node.reset();
  ::alarm(0);
  log::Info("node stopped");
  return {};
}

}  // namespace weft::app
