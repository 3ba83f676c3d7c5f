// One call of the command line: its global options, its node, and what it prints.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "apps/weft/failure.h"
#include "apps/weft/terminal.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/http/client.h"
#include "model/address.h"

namespace weft::app {

struct GlobalOptions {
  std::string node;
  std::string environment;   // The node refuses what is meant for another one; empty: for any.
  bool node_given = false;   // On the command line, and so are
  bool token_given = false;  // the token or its file.
  std::string token;
  std::string token_file;
  std::string purpose;
  std::string ca_file;
  bool json = false;
  bool no_color = false;
  bool quiet = false;
  // Uploads of a large file and plans of a large mesh take their time.
  std::chrono::milliseconds timeout{10 * 60 * 1000};
};

// Used by one thread. Connects on first need, so that what needs no node works without one.
class Session {
 public:
  using Query = std::map<std::string, std::string>;

  explicit Session(GlobalOptions options)
      : options_(std::move(options)), screen_(Screen::Of(options_.no_color || options_.json)) {}

  // The node's answer as JSON; its problem as the Error that it was.
  Result<Json> Get(const std::string& path, const Query& query = {});
  Result<std::string> GetText(const std::string& path, const Query& query = {});  // As it is.
  Result<Json> Post(const std::string& path, const Json& body);
  Result<Json> Delete(const std::string& path, const Query& query = {});
  Status PutFile(const std::string& path, const std::string& file);

  // What a Flight client needs.
  struct Flight {
    std::string url;
    std::string bearer;
  };
  Result<Flight> FlightDoor();

  // Asks the node at this URL from now on. A token that the variables of the shell have is for the node before: it goes
  // to no other.
  void TurnTo(const std::string& url);

  // kNotFound where the address is of another mesh than the node's.
  Status Serves(const model::Address& address);

  const GlobalOptions& options() const { return options_; }
  const Screen& screen() const { return screen_; }
  bool json() const { return options_.json; }

  void Print(std::string_view text) const;  // As it is: what came from data must be Safe already.
  void PrintJson(const Json& json) const;
  // "name     value" on lines of the terminal's width; nothing where there is no value. `value` must be Safe already.
  void Fact(std::string_view name, const std::string& value, size_t indent = 0) const;
  void Note(std::string_view text) const;  // Dim, on standard error; not with --quiet.
  // Says on standard error how the command is used instead; its exit code is that of bad usage.
  int Misused(std::string_view command, std::string_view what) const {
    return app::Misused(options_.json, what, "weft " + std::string(command) + " --help");
  }
  std::string Paint(Style style, std::string_view text) const { return app::Paint(screen_, style, text); }

 private:
  Status Connect();
  Status FindToken();
  Result<std::string> Ask(const http::Request& request);
  Result<Json> Send(const http::Request& request);

  GlobalOptions options_;
  Screen screen_;
  std::string bearer_;
  std::string bearer_origin_;
  std::unique_ptr<http::Client> client_;
};

// The node that serves on this loopback URL, as it wrote itself down; null where there is none.
Json LocalNode(const std::string& url);

// "ports/operations/flights/flights" and {"version": "2"}; kInvalid where the address names no port.
struct Place {
  std::string path;
  Session::Query query;
};
Result<Place> PortPlace(const model::Address& address);

}  // namespace weft::app
