// What `weft login` keeps for a node: a file (0600) under the user's state folder, found by the node's address.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/http/message.h"

namespace weft::app {

struct Credentials {
  std::string node;
  std::string access_token;
  std::string refresh_token;
  Instant expires_at;  // Of the access token.
};

std::optional<Credentials> FindCredentials(const std::string& node);
Status SaveCredentials(const Credentials& credentials);
Status RemoveCredentials(const std::string& node);
// What the node's token endpoint answered, as credentials.
Result<Credentials> CredentialsOf(const std::string& node, const Json& answer);

// The access token that is kept, made new where it is about to end; empty where nobody is signed in. Commands that run
// at once take turns: a refresh token that came twice would end the sign-in. kUnauthenticated where it has ended.
Result<std::string> AccessToken(const std::string& node, const std::string& ca_file);

// A form as OAuth's endpoints take it.
Result<http::Response> PostForm(const std::string& node, const std::string& ca_file, const std::string& path,
                                const std::map<std::string, std::string>& form);

}  // namespace weft::app
