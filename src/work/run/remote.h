// Sources on other people's servers: files over HTTP and objects of stores that speak S3, fetched only where they are
// not what they were.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/http/download.h"
#include "work/run/resolve.h"

namespace weft::run {

// The host that a source of kind http or object goes to; kInvalid where it names none.
Result<std::string> HostOf(const model::Source& source);

// The files that one run fetches, removed with it.
class Remote {
 public:
  Remote(const Options& options, std::string run) : options_(options), run_(std::move(run)) {}
  ~Remote();
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  // Asks what there is, and fetches what no run that counts has read as it is now.
  Status Find(std::vector<Pinned>& inputs, const std::stop_token& stop);
  // Fetches the rest: what is as it was, and is needed all the same. Whether something of it is not as it was after
  // all, and the inputs with it.
  Result<bool> Complete(std::vector<Pinned>& inputs);

 private:
  struct Server;
  Result<Server> Open(const Pinned& input);
  Status FindOne(Pinned& input);
  Result<std::vector<Found>> File(const Pinned& input, Server& server);
  Result<std::vector<Found>> Objects(const Pinned& input, Server& server);
  Status Fetch(Server& server, Found& file);
  Status OnlyNew(Pinned& input, Server& server, std::vector<Found> found);
  static Status Settle(Pinned& input);
  Status All(Pinned& input, Server& server, std::vector<Found> found);

  const Options& options_;
  const std::string run_;
  std::vector<std::string> files_;
  std::stop_token stop_;
};

}  // namespace weft::run
