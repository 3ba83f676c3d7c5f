// The few pages on which a person signs in: plain HTML, without script, style or anything from elsewhere.
#pragma once

#include <string>

#include "drivers/http/message.h"
#include "work/signin/signin.h"

namespace weft::rest {

// With headers that let it do nothing but send its form to this node, or on to `form_action`.
http::Response Page(const std::string& body, int status, const std::string& form_action = "");
std::string Notice(const std::string& title, const std::string& text);
// `secret` is what the form's cookie says.
std::string DeviceBody(const std::string& user_code, const std::string& problem, const std::string& secret);
std::string AuthorizeBody(const signin::Request& request, const std::string& problem, const std::string& secret);

}  // namespace weft::rest
