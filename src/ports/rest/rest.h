// The REST door: JSON over HTTP under /v1; the command line's one door but for SQL.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/clock.h"
#include "drivers/store/store.h"
#include "state/lake/lake.h"
#include "state/ledger/ledger.h"
#include "state/secrets/secrets.h"
#include "work/backup/backup.h"
#include "work/gate/gate.h"
#include "work/notify/webhooks.h"
#include "work/publish/publish.h"
#include "work/run/run.h"
#include "work/signin/signin.h"
#include "work/upkeep/upkeep.h"

namespace weft::rest {

// What the handlers may touch; built once, by the server.
struct Api {
  gate::Gate& gate;
  store::Store& store;
  Clock& clock;
  ledger::Ledger& ledger;
  lake::Lake& lake;
  publish::Context& publish;
  run::Runner& runner;
  secrets::Vault& vault;
  signin::SignIn& sign_in;
  std::function<std::string()> metrics;  // Prometheus text.
  std::function<Status()> ready;
  Millis token_lifetime;  // Of a token for which no end is asked.
  Json node;              // {version, http, flight, …}: what GET /v1/node answers to everyone.
  Json storage = {};      // {store, warehouse}: where the node keeps what it has; told to administrators.
  backup::Places places = {};
  notify::Reach reach = {};
  upkeep::Upkeep& upkeep;
};

std::span<const gate::Route<Api>> Routes();

}  // namespace weft::rest
