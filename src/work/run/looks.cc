#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

constexpr size_t kFirstBytes = 4096;

// How files begin that are none of rows, and what helps.
struct Look {
  std::string_view begins;
  std::string_view is;
  bool bytes = false;  // Text may begin so too: only where what follows is none.
};
constexpr Look kLooks[] = {
    {std::string_view("\xFF\xFE\0\0", 4), "is UTF-32: convert it, iconv -f utf-32 -t utf-8"},
    {std::string_view("\0\0\xFE\xFF", 4), "is UTF-32: convert it, iconv -f utf-32 -t utf-8"},
    {"\xFE\xFF", "is UTF-16 with the larger byte first: convert it, iconv -f utf-16 -t utf-8"},
    {"PK\x03\x04", "is a ZIP archive, as spreadsheets (.xlsx) are too: unpack it, or save the sheet as CSV"},
    {"\xD0\xCF\x11\xE0", "is a document of an office program (.xls): save the sheet as CSV"},
    {"\x1F\x8B", "is packed with gzip: give it a name that ends in .gz"},
    {"\x28\xB5\x2F\xFD", "is packed with zstd: give it a name that ends in .zst"},
    {"BZh", "is packed with bzip2: unpack it, or pack it with gzip or zstd", true},
    {"\xFD\x37zXZ", "is packed with xz: unpack it, or pack it with gzip or zstd"},
    {"PAR1", "is Parquet: give it a name that ends in .parquet, or say format: parquet", true},
    {"SQLite format 3", "is a database of SQLite: its source is kind: sqlite"},
    {"%PDF-", "is a PDF, which holds no rows"},
    {"<!doctype html", "is a web page: perhaps one that asks to sign in, instead of the file"},
    {"<html", "is a web page: perhaps one that asks to sign in, instead of the file"},
    {"<?xml", "is XML, which no source reads"},
};

std::string FirstBytes(const std::string& path) {
  std::string bytes(kFirstBytes, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

bool HasControl(std::string_view bytes) {
  return std::ranges::any_of(
      bytes, [](char byte) { return byte >= 0 && byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n'; });
}

std::string_view WhatItIs(std::string_view bytes, bool utf_16) {
  const std::string text = Lower(Trim(bytes.substr(0, 64)));
  for (const Look& look : kLooks) {
    if (look.bytes && !HasControl(bytes.substr(0, 64))) continue;
    if (bytes.starts_with(look.begins) || text.starts_with(look.begins)) return look.is;
  }
  if (bytes.starts_with("\xFF\xFE") && !utf_16) return "is UTF-16: add encoding: utf-16 to its source";
  return "";
}

}  // namespace

bool BeginsWithMark(const std::string& path) { return FirstBytes(path).starts_with("\xEF\xBB\xBF"); }

Status CheckLooks(const Files& files, const Json& options) {
  const bool utf_16 = Lower(options["encoding"].Text()) == "utf-16";
  for (size_t i = 0; files.compression == "none" && i < files.paths.size(); ++i) {
    const std::string bytes = FirstBytes(files.paths[i]);
    if (const std::string_view is = WhatItIs(bytes, utf_16); !is.empty()) {
      return Error{Code::kInvalid, fmt::format("'{}' cannot be read: it {}", files.names[i], is)};
    }
    if (files.format != "json" || bytes.size() == kFirstBytes || !Trim(bytes).empty()) continue;
    return Error{Code::kInvalid, fmt::format("'{}' is empty: if no rows are meant, write []", files.names[i])};
  }
  return {};
}

}  // namespace weft::run
