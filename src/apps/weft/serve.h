// `weft serve`: the node, every room put together floor by floor, from start to a signal.
#pragma once

#include "apps/weft/settings.h"
#include "base/result.h"

namespace weft::app {

// Runs until SIGTERM or SIGINT, then ends what runs within 10 s; a second signal ends the process at once. Call it
// before any thread was made. Prints one line on standard output when the node is ready: where it is, with
// `json` as an object.
Status Serve(const Settings& settings, bool json);

}  // namespace weft::app
