// Passwords, kept as Argon2id hashes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::token {

// Takes some 0.1 s and 64 MiB on purpose: callers bound how many run at once.
Result<std::string> HashPassword(std::string_view password);
// kUnavailable where there is no memory to find out.
Result<bool> PasswordMatches(const std::string& hash, std::string_view password);

}  // namespace weft::token
