// A running node: the rooms in the order in which they stand on each other; destroyed from the roof down.
#pragma once

#include <memory>
#include <string>

#include "apps/weft/settings.h"
#include "base/json.h"
#include "base/result.h"
#include "base/threads.h"

namespace weft::app {

class Node {
 public:
  static Result<std::unique_ptr<Node>> Start(const Settings& settings);
  virtual ~Node() = default;
  virtual std::string Greeting() const = 0;  // "weft is ready: …"
  virtual Json About() const = 0;            // The same: {url, flight, data, token_file, pid}
  virtual void TakeCertificate() = 0;        // Where its files have changed; soon.
  // Accepts nothing more, lets what runs end until `deadline`.
  virtual void Stop(Deadline deadline) = 0;
};

}  // namespace weft::app
