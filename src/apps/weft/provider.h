// The identity provider that the settings name, and how its keys come.
#pragma once

#include <memory>
#include <string>

#include "apps/weft/settings.h"
#include "base/clock.h"
#include "base/result.h"
#include "drivers/token/provider.h"

namespace weft::app {

// None where no oidc-issuer is set.
Result<std::unique_ptr<token::Provider>> OpenProvider(const Settings& settings, Clock& clock);
// How often its keys are asked for again.
Millis KeyRefreshPeriod(const Settings& settings);

}  // namespace weft::app
