// The node's certificate while it runs: taken anew when its files change.
#pragma once

#include <string>

#include "drivers/http/server.h"
#include "ports/flight/flight.h"

namespace weft::app {

// Used by one thread at a time.
class CertificateWatch {
 public:
  // Before the listeners read the files, so that no change falls between.
  CertificateWatch(std::string chain_file, std::string key_file);

  // Shows what the files hold on both listeners, where that has changed and can be used; says in the log what was done.
  // What cannot be used changes nothing.
  void Look(http::Server& http, flight::Server& flight);

 private:
  std::string Seen() const;  // Hash of both files.

  const std::string chain_file_, key_file_;
  std::string seen_;  // What was last shown, or could not be used.
};

}  // namespace weft::app
