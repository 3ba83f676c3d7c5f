// What a client asks for: the fields of its form, and its scope as limits of the tokens that it gets.
#pragma once

#include <string>
#include <vector>

#include "model/access.h"
#include "work/signin/signin.h"

namespace weft::signin {

// Tokens that a sign-in gave, by name; those of people as a pattern.
inline constexpr const char* kSignedInTokens = "signed in by %";
inline constexpr const char* kServiceTokens = "client credentials";

// Revokes the access token of each, where it is still known.
Status RevokeTokensOf(store::Txn& txn, Clock& clock, const std::vector<accounts::Refresh>& sign_ins);

std::string FieldOf(const Form& form, const std::string& name);  // Empty where there is none.
// Whether the scope has this word.
bool Asks(const std::string& scope, const std::string& word);
// The words of a scope that are not OpenID's own.
std::vector<std::string> ActionWords(const std::string& scope);
// `scope` names actions beside OpenID's own words; kInvalid for others. Where it names none, `all` says whether the
// tokens may whatever their principal may, or see the catalogue alone.
Result<model::Limits> LimitsOf(const std::string& scope, bool all);

}  // namespace weft::signin
