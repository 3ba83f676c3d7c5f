// Certificates: what a listener shows, and for development an authority of one's own that vouches for it.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weft::http {

// As PEM: a certificate, with those that vouch for it after it, and its private key.
struct Certificate {
  std::string chain;
  std::string key;
};

// kInvalid, of either file, or where the key is another's; the files are named in the message.
Result<Certificate> ReadCertificate(const std::string& chain_file, const std::string& key_file);

// A new authority for development (ECDSA P-256), which vouches for hosts alone.
Result<Certificate> MakeAuthority(Instant now);
// What it vouches for: names and addresses, from now on for 397 days, the most that clients take. kInvalid for a host
// that is neither.
Result<Certificate> MakeHostCertificate(const Certificate& authority, const std::vector<std::string>& hosts,
                                        Instant now);
Result<Instant> EndOf(const Certificate& certificate);

}  // namespace weft::http
