// Text as values, without loss: scalar functions that DuckDB calls where its own casts would round or cut.
#include <duckdb.h>
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr size_t kQuoted = 60;  // Bytes of a value that a message shows.

enum class Flaw { kNone, kNoNumber, kFraction, kRange, kNoDate, kClock, kNoTime, kNoTimestamp, kZone, kFine };

// What a function reads text as.
struct Target {
  duckdb_type id = DUCKDB_TYPE_INVALID;
  int precision = 0;
  int scale = 0;
  Wide limit = 0;  // Above every decimal of that precision.
};

std::string_view Why(Flaw flaw, const Target& target) {
  const bool whole = target.id == DUCKDB_TYPE_INTEGER || target.id == DUCKDB_TYPE_BIGINT;
  switch (flaw) {
    case Flaw::kNone:
      return "";
    case Flaw::kNoNumber:
      return "is no number";
    case Flaw::kFraction:
      return whole ? "is no whole number" : "has more decimals than the column, which would be rounded away";
    case Flaw::kRange:
      return "is beyond what the column's type holds";
    case Flaw::kNoDate:
      return "is no date of the form 2024-01-31";
    case Flaw::kClock:
      return "has a time of day, which a date would lose";
    case Flaw::kNoTime:
      return "is no time of the form 12:30:00";
    case Flaw::kNoTimestamp:
      return "is no timestamp of the form 2024-01-31 12:30:00";
    case Flaw::kZone:
      return "has a time zone, which a timestamp without one would lose";
    case Flaw::kFine:
      return "is finer than a microsecond, which would be cut off";
  }
  return "";
}

// Reads from the front of a text.
struct Cursor {
  const char* at;
  const char* end;

  bool empty() const { return at == end; }
  bool Take(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  // A number of `least` to `most` digits.
  bool Digits(int least, int most, int& value) {
    value = 0;
    int taken = 0;
    for (; at != end && taken < most && *at >= '0' && *at <= '9'; ++at, ++taken) value = value * 10 + (*at - '0');
    return taken >= least;
  }
};

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

template <class U>
constexpr int kSafeDigits = std::numeric_limits<uint64_t>::digits10 - 1;  // 18: no overflow whatever the digits.
template <>
constexpr int kSafeDigits<Wide> = 38;

// |text| × 10^scale as a whole number. `U` holds the digits of the text, or the answer is kRange.
template <class U>
Flaw Scaled(Cursor text, int scale, U& value, bool& negative) {
  negative = text.Take('-');
  if (!negative) text.Take('+');
  value = 0;
  const char* const begin = text.at;
  while (!text.empty() && IsDigit(*text.at) && text.at - begin < kSafeDigits<U>)
    value = value * 10 + static_cast<U>(*text.at++ - '0');
  int digits = static_cast<int>(text.at - begin), significant = digits, behind = 0;
  if (text.empty() && digits > 0 && scale == 0) return Flaw::kNone;
  bool point = false, lost = false;
  for (; !text.empty(); ++text.at) {
    const char c = *text.at;
    if (IsDigit(c)) {
      ++digits;
      if (significant >= kSafeDigits<U>) {
        if (!point) return Flaw::kRange;
        lost = lost || c != '0';
        continue;
      }
      value = value * 10 + static_cast<U>(c - '0');
      if (value != 0) ++significant;
      behind += point;
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (digits == 0) return Flaw::kNoNumber;
  int exponent = 0;
  if (!text.empty()) {
    if (!text.Take('e') && !text.Take('E')) return Flaw::kNoNumber;
    const bool down = text.Take('-');
    if (!down) text.Take('+');
    if (!text.Digits(1, 5, exponent) || !text.empty()) return Flaw::kNoNumber;
    if (down) exponent = -exponent;
  }
  if (value == 0 && !lost) return Flaw::kNone;
  if (lost) return Flaw::kFraction;
  int shift = scale - behind + exponent;
  for (; shift < 0; ++shift) {
    if (value % 10 != 0) return Flaw::kFraction;
    value /= 10;
  }
  if (significant + shift > kSafeDigits<U>) return Flaw::kRange;
  for (; shift > 0; --shift) value *= 10;
  return Flaw::kNone;
}

// Most texts are short: a native word holds their digits.
template <class Narrow, class Broad>
Flaw ScaledEither(Cursor text, int scale, bool& negative, Narrow narrow, Broad broad) {
  Flaw flaw = Flaw::kRange;
  if (text.end - text.at <= kSafeDigits<uint64_t>) {
    uint64_t value = 0;
    flaw = Scaled(text, scale, value, negative);
    if (flaw == Flaw::kNone) return narrow(value);
  }
  Wide value = 0;
  if (flaw == Flaw::kRange) flaw = Scaled(text, scale, value, negative);
  return flaw == Flaw::kNone ? broad(value) : flaw;
}

template <class T>
T Signed(uint64_t magnitude, bool negative) {
  return static_cast<T>(negative ? uint64_t{0} - magnitude : magnitude);
}

template <class T>
Flaw ReadInteger(Cursor text, const Target&, T& out) {
  bool negative = false;
  auto keep = [&](auto value) {
    if (value > static_cast<uint64_t>(std::numeric_limits<T>::max()) + (negative ? 1 : 0)) return Flaw::kRange;
    out = Signed<T>(static_cast<uint64_t>(value), negative);
    return Flaw::kNone;
  };
  return ScaledEither(text, 0, negative, keep, keep);
}

constexpr Wide PowerOfTen(int exponent) {
  Wide power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

template <class T>
Flaw ReadDecimal(Cursor text, const Target& target, T& out) {
  bool negative = false;
  auto keep = [&](auto value) {
    if (value >= target.limit) return Flaw::kRange;
    if constexpr (std::is_same_v<T, duckdb_hugeint>) {
      const Wide bits = negative ? Wide{0} - value : Wide{value};
      out.lower = static_cast<uint64_t>(bits);
      out.upper = static_cast<int64_t>(static_cast<uint64_t>(bits >> 64));
    } else {
      out = Signed<T>(static_cast<uint64_t>(value), negative);
    }
    return Flaw::kNone;
  };
  return ScaledEither(text, target.scale, negative, keep, keep);
}

// Binary fractions are near what is written by nature; what is lost is only a number beyond their range. Infinity and
// NaN are values that may be written.
template <class T>
Flaw ReadFloat(Cursor text, const Target&, T& out) {
  if (!text.empty() && *text.at == '+') ++text.at;
  auto [end, failure] = std::from_chars(text.at, text.end, out);
  if (failure == std::errc::result_out_of_range) return Flaw::kRange;
  return failure == std::errc() && end == text.end ? Flaw::kNone : Flaw::kNoNumber;
}

constexpr int kDaysBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

// 2024-01-28 at the front of the text, as nearly every date is written.
bool TakePlainDate(Cursor& text, int& days) {
  if (text.end - text.at < 10 || text.at[4] != '-' || text.at[7] != '-') return false;
  const char* const at = text.at;
  auto digit = [at](int i) { return static_cast<unsigned>(at[i]) - '0'; };
  const unsigned a = digit(0), b = digit(1), c = digit(2), d = digit(3), m = digit(5), n = digit(6), x = digit(8),
                 y = digit(9);
  if (std::max({a, b, c, d}) > 9 || std::max({m, n, x, y}) > 9) return false;
  const int year = static_cast<int>(a * 1000 + b * 100 + c * 10 + d);
  const unsigned month = m * 10 + n, day = x * 10 + y;
  if (year < 1 || month - 1 > 11 || day - 1 > 27) return false;  // The days that every month has.
  const int before = year - 1;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  days = before * 365 + before / 4 - before / 100 + before / 400 - 719'162 + kDaysBefore[month - 1] +
         (leap && month > 2 ? 1 : 0) + static_cast<int>(day) - 1;
  text.at += 10;
  return true;
}

bool TakeDate(Cursor& text, int& days) {
  const Cursor whole = text;
  if (TakePlainDate(text, days)) return true;
  text = whole;
  int year = 0, month = 0, day = 0;
  if (!text.Digits(4, 4, year) || text.empty()) return false;
  const char between = *text.at++;
  if ((between != '-' && between != '/') || !text.Digits(1, 2, month) || !text.Take(between) ||
      !text.Digits(1, 2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  days = static_cast<int>(std::chrono::sys_days(date).time_since_epoch().count());
  return true;
}

// hh:mm, with seconds and their fraction where they are written.
Flaw TakeTime(Cursor& text, int64_t& micros, Flaw none) {
  int hour = 0, minute = 0, second = 0;
  if (!text.Digits(1, 2, hour) || !text.Take(':') || !text.Digits(2, 2, minute)) return none;
  int64_t fraction = 0;
  bool fine = false;
  if (text.Take(':')) {
    if (!text.Digits(2, 2, second)) return none;
    if (text.Take('.')) {
      int digits = 0;
      for (; !text.empty() && IsDigit(*text.at); ++text.at, ++digits) {
        if (digits < 6)
          fraction = fraction * 10 + (*text.at - '0');
        else
          fine = fine || *text.at != '0';
      }
      for (; digits < 6; ++digits) fraction *= 10;
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return none;
  micros = ((hour * int64_t{60} + minute) * 60 + second) * 1'000'000 + fraction;
  return fine ? Flaw::kFine : Flaw::kNone;
}

// Z, UTC, +02, +0200 or +02:00, as what has to be taken off; false where something else stands there.
bool TakeZone(Cursor& text, int64_t& micros) {
  micros = 0;
  text.Take(' ');
  if (text.Take('Z') || text.Take('z')) return text.empty();
  if (text.end - text.at == 3 && std::string_view(text.at, 3) == "UTC") return true;
  const bool west = text.Take('-');
  if (!west && !text.Take('+')) return false;
  int hours = 0, minutes = 0;
  if (!text.Digits(2, 2, hours)) return false;
  text.Take(':');
  if (!text.empty() && !text.Digits(2, 2, minutes)) return false;
  if (!text.empty() || hours > 15 || minutes > 59) return false;
  micros = (west ? -1 : 1) * (hours * int64_t{60} + minutes) * 60'000'000;
  return true;
}

Flaw ReadDate(Cursor text, const Target&, duckdb_date& out) {
  if (!TakeDate(text, out.days)) return Flaw::kNoDate;
  if (text.empty()) return Flaw::kNone;
  int64_t micros = 0, zone = 0;
  if ((!text.Take(' ') && !text.Take('T')) || TakeTime(text, micros, Flaw::kNoDate) == Flaw::kNoDate)
    return Flaw::kNoDate;
  if (!text.empty() && !TakeZone(text, zone)) return Flaw::kNoDate;
  return micros == 0 && zone == 0 ? Flaw::kNone : Flaw::kClock;
}

Flaw ReadTime(Cursor text, const Target&, duckdb_time& out) {
  const Flaw flaw = TakeTime(text, out.micros, Flaw::kNoTime);
  return flaw == Flaw::kNone && !text.empty() ? Flaw::kNoTime : flaw;
}

Flaw ReadTimestamp(Cursor text, const Target& target, duckdb_timestamp& out) {
  int days = 0;
  if (!TakeDate(text, days)) return Flaw::kNoTimestamp;
  int64_t micros = 0, zone = 0;
  if (!text.empty()) {
    if (!text.Take(' ') && !text.Take('T')) return Flaw::kNoTimestamp;
    if (Flaw flaw = TakeTime(text, micros, Flaw::kNoTimestamp); flaw != Flaw::kNone) return flaw;
    if (!text.empty() && !TakeZone(text, zone)) return Flaw::kNoTimestamp;
    if (zone != 0 && target.id == DUCKDB_TYPE_TIMESTAMP) return Flaw::kZone;
  }
  out.micros = days * int64_t{86'400'000'000} + micros - zone;
  return Flaw::kNone;
}

void Fail(duckdb_function_info info, const Target& target, Flaw flaw, Cursor text) {
  std::string_view value(text.at, static_cast<size_t>(text.end - text.at));
  const bool whole = value.size() <= kQuoted;
  if (!whole) value = value.substr(0, kQuoted);
  while (!whole && (static_cast<unsigned char>(value.back()) & 0xc0) == 0x80) value.remove_suffix(1);
  if (!whole && (value.back() & 0x80) != 0) value.remove_suffix(1);  // The first byte of a character that was cut.
  const std::string message = fmt::format("\"{}{}\" {}", value, whole ? "" : "…", Why(flaw, target));
  duckdb_scalar_function_set_error(info, message.c_str());
}

// One vector of texts into one of values; white space around a value is not its.
template <class T, Flaw (*kRead)(Cursor, const Target&, T&)>
void Convert(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& target = *static_cast<const Target*>(duckdb_scalar_function_get_extra_info(info));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  duckdb_vector texts = duckdb_data_chunk_get_vector(input, 0);
  auto* text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(texts));
  uint64_t* valid = duckdb_vector_get_validity(texts);
  auto* value = static_cast<T*>(duckdb_vector_get_data(output));
  uint64_t* nulls = nullptr;
  for (idx_t i = 0; i < rows; ++i) {
    if (valid && !duckdb_validity_row_is_valid(valid, i)) {
      if (!nulls) {
        duckdb_vector_ensure_validity_writable(output);
        nulls = duckdb_vector_get_validity(output);
      }
      duckdb_validity_set_row_invalid(nulls, i);
      continue;
    }
    const bool inlined = text[i].value.inlined.length <= 12;
    const char* data = inlined ? text[i].value.inlined.inlined : text[i].value.pointer.ptr;
    Cursor cursor{data, data + text[i].value.inlined.length};
    while (!cursor.empty() && *cursor.at == ' ') ++cursor.at;
    while (!cursor.empty() && cursor.end[-1] == ' ') --cursor.end;
    if (Flaw flaw = kRead(cursor, target, value[i]); flaw != Flaw::kNone) return Fail(info, target, flaw, cursor);
  }
}

duckdb_scalar_function_t FunctionOf(const Target& target) {
  switch (target.id) {
    case DUCKDB_TYPE_INTEGER:
      return Convert<int32_t, ReadInteger<int32_t>>;
    case DUCKDB_TYPE_BIGINT:
      return Convert<int64_t, ReadInteger<int64_t>>;
    case DUCKDB_TYPE_FLOAT:
      return Convert<float, ReadFloat<float>>;
    case DUCKDB_TYPE_DOUBLE:
      return Convert<double, ReadFloat<double>>;
    case DUCKDB_TYPE_DATE:
      return Convert<duckdb_date, ReadDate>;
    case DUCKDB_TYPE_TIME:
      return Convert<duckdb_time, ReadTime>;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return Convert<duckdb_timestamp, ReadTimestamp>;
    case DUCKDB_TYPE_DECIMAL:
      if (target.precision <= 4) return Convert<int16_t, ReadDecimal<int16_t>>;
      if (target.precision <= 9) return Convert<int32_t, ReadDecimal<int32_t>>;
      if (target.precision <= 18) return Convert<int64_t, ReadDecimal<int64_t>>;
      return Convert<duckdb_hugeint, ReadDecimal<duckdb_hugeint>>;
    default:
      return nullptr;
  }
}

Target TargetOf(std::string_view type) {
  constexpr std::pair<std::string_view, duckdb_type> kTypes[] = {
      {"INTEGER", DUCKDB_TYPE_INTEGER},     {"BIGINT", DUCKDB_TYPE_BIGINT},
      {"FLOAT", DUCKDB_TYPE_FLOAT},         {"DOUBLE", DUCKDB_TYPE_DOUBLE},
      {"DATE", DUCKDB_TYPE_DATE},           {"TIME", DUCKDB_TYPE_TIME},
      {"TIMESTAMP", DUCKDB_TYPE_TIMESTAMP}, {"TIMESTAMP WITH TIME ZONE", DUCKDB_TYPE_TIMESTAMP_TZ}};
  Target target;
  for (const auto& [name, id] : kTypes) {
    if (name == type) target.id = id;
  }
  if (sscanf(std::string(type).c_str(), "DECIMAL(%d,%d)", &target.precision, &target.scale) == 2) {
    target.id = DUCKDB_TYPE_DECIMAL;
    target.limit = PowerOfTen(target.precision);
  }
  return target;
}

}  // namespace

Result<std::string> DefineExact(duckdb_connection connection, std::string_view type) {
  Target target = TargetOf(type);
  const duckdb_scalar_function_t convert = FunctionOf(target);
  if (!convert) return std::string();
  std::string name = "weft_exact_" + Lower(type);
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type value =
      target.id == DUCKDB_TYPE_DECIMAL
          ? duckdb_create_decimal_type(static_cast<uint8_t>(target.precision), static_cast<uint8_t>(target.scale))
          : duckdb_create_logical_type(target.id);
  duckdb_scalar_function_set_name(function, name.c_str());
  duckdb_scalar_function_add_parameter(function, text);
  duckdb_scalar_function_set_return_type(function, value);
  duckdb_scalar_function_set_extra_info(function, new Target(target),
                                        [](void* kept) { delete static_cast<Target*>(kept); });
  duckdb_scalar_function_set_function(function, convert);
  // A second definition of a name fails, and the first is as good.
  duckdb_register_scalar_function(connection, function);
  duckdb_destroy_scalar_function(&function);
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_logical_type(&value);
  return name;
}

}  // namespace weft::engine
