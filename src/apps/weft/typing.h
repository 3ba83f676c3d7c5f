// What a person types at a command, or gives it on standard input.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::app {

// A line that is typed at the terminal and shown nowhere. Ctrl-C ends it and gives the terminal back as it was, as
// does every end. kInvalid where standard input is no terminal, or nothing was typed.
Result<std::string> ReadUnseen(const std::string& prompt);

// Of standard input, without the line's end ("\n" or "\r\n"), which is no part of it. kInvalid where there is none.
Result<std::string> ReadLine();

// All of standard input, without the end of its last line; kInvalid where there is more than `limit` bytes.
Result<std::string> ReadAll(size_t limit);

std::string WithoutLineEnd(std::string text);

}  // namespace weft::app
