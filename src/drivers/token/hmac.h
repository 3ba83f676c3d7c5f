// HMAC-SHA256 (RFC 2104): a message's seal under a secret that its reader shares.
#pragma once

#include <string>
#include <string_view>

namespace weft::token {

std::string HmacSha256(std::string_view key, std::string_view message);  // 32 bytes.

}  // namespace weft::token
