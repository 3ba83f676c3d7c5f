#include <gtest/gtest.h>

#include "model/cel/testing.h"

namespace weft::cel {
namespace {

void Hold(const Table& table) {
  for (const auto& [text, wanted] : table) EXPECT_EQ(Outcome(text), wanted) << text;
}

// Each fails as an evaluation, and its message begins so; types are not checked first.
void Fail(const Table& table) {
  for (const auto& [text, wanted] : table) {
    EXPECT_EQ(Outcome(text, false).substr(0, wanted.size() + 6), "error " + wanted) << text;
  }
}

TEST(CelFunctions, Texts) {
  Hold({
      {"size('')", "0"},
      {"size('é😀a')", "3"},
      {"'é'.size()", "1"},
      {"size(b'é')", "2"},
      {"size([1, 2]) + [].size() + size({1: 2}) + {}.size()", "3"},
      {"'hello'.contains('ell') && !'hello'.contains('le') && 'a'.contains('')", "true"},
      {"'hello'.startsWith('he') && !'hello'.startsWith('hello!') && 'a'.startsWith('')", "true"},
      {"'hello'.endsWith('lo') && !'hello'.endsWith('la')", "true"},
      {"'TacoCÆt'.lowerAscii()", "\"tacocÆt\""},
      {"'tacocæt[{'.upperAscii()", "\"TACOCæT[{\""},
      {"' \\t\\u00a0\\u3000a b\\u2003\\n'.trim()", "\"a b\""},
      {"'\\u200ba'.trim()", "\"\u200ba\""},
      {"''.trim() + ' '.trim()", "\"\""},
      {"'aéb'.charAt(1) + 'aéb'.charAt(3)", "\"é\""},
      {"'aéba'.indexOf('b')", "2"},
      {"'aéba'.indexOf('a', 1)", "3"},
      {"'aéba'.indexOf('x')", "-1"},
      {"'aé'.indexOf('')", "0"},
      {"'aé'.indexOf('', 2)", "2"},
      {"'abab'.lastIndexOf('ab')", "2"},
      {"'abab'.lastIndexOf('ab', 1)", "0"},
      {"'éb'.lastIndexOf('')", "2"},
      {"'aba'.replace('a', 'cc')", "\"ccbcc\""},
      {"'aba'.replace('a', 'c', 1)", "\"cba\""},
      {"'aba'.replace('a', 'c', 0)", "\"aba\""},
      {"'aé'.replace('', '-')", "\"-a-é-\""},
      {"'aé'.replace('', '-', 2)", "\"-a-é\""},
      {"''.replace('', 'x')", "\"x\""},
      {"'a,b,'.split(',')", "[\"a\", \"b\", \"\"]"},
      {"'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]"},
      {"'a,b'.split(',', 0)", "[]"},
      {"'a,b'.split(',', 1)", "[\"a,b\"]"},
      {"'aéb'.split('')", "[\"a\", \"é\", \"b\"]"},
      {"'aéb'.split('', 2)", "[\"a\", \"éb\"]"},
      {"''.split('') + ''.split(',')", "[\"\"]"},
      {"'aéb'.substring(1)", "\"éb\""},
      {"'aéb'.substring(1, 2) + 'a'.substring(1)", "\"é\""},
      {"['a', 'b'].join() + ['a', 'b'].join('-') + [].join('-')", "\"aba-b\""},
      {"'aé😀'.reverse()", "\"😀éa\""},
      {"strings.quote('a\"\\n\\\\')", "\"\\\"a\\\\\\\"\\\\n\\\\\\\\\\\"\""},
  });
  Fail({
      {"'a'.charAt(2)", "1:5: charAt(2) is outside the text"},
      {"'a'.charAt(-1)", "1:5: charAt(-1) is outside the text"},
      {"'a'.indexOf('a', 2)", "1:5: indexOf from 2 is outside the text"},
      {"'a'.lastIndexOf('a', -1)", "1:5: lastIndexOf from -1 is outside the text"},
      {"'abc'.substring(4)", "1:7: substring from 4 is outside the text"},
      {"'abc'.substring(2, 1)", "1:7: substring up to 1 is outside the text, or before its start"},
      {"'abc'.substring(-1)", "1:7: substring from -1 is outside the text"},
      {"'abc'.substring(0, 4)", "1:7: substring up to 4 is outside the text"},
      {"['a', 1].join()", "1:10: join() takes a list of strings, and 1 is none"},
      {"size(1)", "1:1: size does not take (int)"},
      {"'a'.contains(1)", "1:5: contains does not take (string, int)"},
      {"cel.error('no')", "1:5: no"},
  });
}

TEST(CelFunctions, Matches) {
  Hold({
      {"'hubba'.matches('ubb')", "true"},
      {"matches('abc', '^b')", "false"},
      {"'x'.matches('')", "true"},
      {"'mañana'.matches('a+ñ+a+')", "true"},
      {"principal.id.matches('^' + principal.id + '$')", "true"},
  });
  EXPECT_EQ(Outcome("'a'.matches('(')").substr(0, 49), "error 1:13: '(' is no regular expression of RE2: ");
  Fail({{"'a'.matches(principal.id + '(')", "1:5: \"ana(\" is no regular expression of RE2"},
        {"'a'.matches('(')", "1:5: \"(\" is no regular expression"},
        {"1.matches('a')", "1:3: matches does not take (int, string)"}});
}

TEST(CelFunctions, Conversions) {
  Hold({
      {"int(1u) + int(2.9) + int(-2.9) + int('-7') + int('+1')", "-5"},
      {"int(timestamp('2009-02-13T23:31:30Z'))", "1234567890"},
      {"uint(1) + uint(2.9) + uint('3')", "6u"},
      {"double(1) + double(2u) + double('.5') + double('1e1') + double('+1')", "14.5"},
      {"double('NaN') == double('nan')", "false"},
      {"double('-Infinity')", "double(\"-Infinity\")"},
      {"double('1e-400')", "0.0"},
      {"bool('t') && bool('1') && bool('TRUE') && !bool('False')", "true"},
      {"string(1) + string(-1) + string(2u) + string(true)", "\"1-12true\""},
      {"string(1.0) + ' ' + string(-4.5e-3) + ' ' + string(1e21) + ' ' + string(1e20) + ' ' + string(1e-5)",
       "\"1 -0.0045 1e+21 100000000000000000000 1e-05\""},
      {"string(double('inf')) + string(double('nan'))", "\"InfinityNaN\""},
      {"string(b'\\xc3\\xa9')", "\"é\""},
      {"bytes('é')", "b\"\\xc3\\xa9\""},
      {"string(timestamp('2009-02-13T23:31:30.120+01:00'))", "\"2009-02-13T22:31:30.12Z\""},
      {"string(duration('1m1ms')) + string(duration('-1.5h'))", "\"60.001s-5400s\""},
      {"timestamp(0)", "timestamp(\"1970-01-01T00:00:00Z\")"},
      {"timestamp('9999-12-31T23:59:59.999999999Z')", "timestamp(\"9999-12-31T23:59:59.999999999Z\")"},
      {"timestamp('0001-01-01T00:00:00Z')", "timestamp(\"0001-01-01T00:00:00Z\")"},
      {"timestamp('2024-02-29T00:00:00-23:59')", "timestamp(\"2024-02-29T23:59:00Z\")"},
      {"duration('1h2m3s4ms5us6ns')", "duration(\"3723.004005006s\")"},
      {"duration('0') == duration('-0s')", "true"},
      {"type(1) == int && type(1u) == uint && type(1.0) == double && type('') == string", "true"},
      {"type(b'') == bytes && type([]) == list && type({}) == map && type(null) == null_type", "true"},
      {"type(type(1)) == type && type(now) == google.protobuf.Timestamp", "true"},
      {"type(principal) == map", "true"},
      {"dyn(1)", "1"},
  });
  Fail({
      {"int('1.5')", "1:1: \"1.5\" is no int: write digits"},
      {"int('')", "1:1: \"\" is no int"},
      {"int('9223372036854775808')", "1:1: \"9223372036854775808\" is no int"},
      {"int(9223372036854775808u)", "1:1: 9223372036854775808u is out of the range of int"},
      {"int(9223372036854775807.0)", "1:1: 9223372036854775808.0 is out of the range of int"},
      {"int(-9223372036854775808.0)", "1:1: -9223372036854775808.0 is out of the range of int"},
      {"int(double('nan'))", "1:1: double(\"NaN\") is out of the range of int"},
      {"uint(-1)", "1:1: -1 is out of the range of uint"},
      {"uint(-0.5)", "1:1: -0.5 is out of the range of uint"},
      {"uint('-1')", "1:1: \"-1\" is no uint"},
      {"double('1,5')", "1:1: \"1,5\" is no double"},
      {"double('0x1p3')", "1:1: \"0x1p3\" is no double"},
      {"bool('yes')", "1:1: \"yes\" is no bool"},
      {"bool(1)", "1:1: bool does not take (int)"},
      {"string(b'\\xff')", "1:1: b\"\\xff\" is not UTF-8"},
      {"string([1])", "1:1: string does not take (list)"},
      {"timestamp('2023-02-29T00:00:00Z')", "1:1: \"2023-02-29T00:00:00Z\" is no timestamp"},
      {"timestamp('2023-01-01')", "1:1: \"2023-01-01\" is no timestamp"},
      {"timestamp('2023-01-01T24:00:00Z')", "1:1: \"2023-01-01T24:00:00Z\" is no timestamp"},
      {"timestamp('0000-12-31T00:00:00Z')", "1:1: \"0000-12-31T00:00:00Z\" is no timestamp"},
      {"timestamp(253402300800)", "1:1: timestamp(253402300800) is out of range"},
      {"duration('1d')", "1:1: \"1d\" is no duration"},
      {"duration('320000000000s')", "1:1: \"320000000000s\" is no duration"},
      {"duration('')", "1:1: \"\" is no duration"},
      {"duration('1')", "1:1: \"1\" is no duration"},
  });
}

TEST(CelFunctions, TimesInZones) {
  Hold({
      {"row.at.getFullYear() * 10000 + row.at.getMonth() * 100 + row.at.getDate()", "20260031"},
      {"row.at.getDayOfMonth()", "30"},
      {"row.at.getDayOfWeek()", "6"},
      {"row.at.getDayOfYear()", "30"},
      {"timestamp('2024-12-31T00:00:00Z').getDayOfYear()", "365"},
      {"timestamp('2026-01-31T09:08:07.654Z').getHours()", "9"},
      {"timestamp('2026-01-31T09:08:07.654Z').getMinutes()", "8"},
      {"timestamp('2026-01-31T09:08:07.654Z').getSeconds()", "7"},
      {"timestamp('2026-01-31T09:08:07.654Z').getMilliseconds()", "654"},
      {"timestamp('1969-12-31T23:59:59.5Z').getMilliseconds()", "500"},
      {"timestamp('1969-12-31T23:59:59.5Z').getSeconds()", "59"},
      {"timestamp('2026-01-01T00:30:00Z').getFullYear('-01:00')", "2025"},
      {"timestamp('2009-02-13T23:31:30Z').getHours('02:00')", "1"},
      {"timestamp('2009-02-13T23:31:30Z').getHours('+09:30')", "9"},
      {"timestamp('2009-02-13T23:31:30Z').getMinutes('Asia/Kathmandu')", "16"},
      {"timestamp('2026-07-01T12:00:00Z').getHours('Europe/Paris')", "14"},
      {"timestamp('2026-01-01T12:00:00Z').getHours('Europe/Paris')", "13"},
      {"timestamp('2026-01-01T12:00:00Z').getHours('UTC')", "12"},
      {"timestamp('2026-01-01T12:00:00.25Z').getMilliseconds('UTC')", "250"},
      {"duration('10000s').getHours()", "2"},
      {"duration('3730s').getMinutes()", "62"},
      {"duration('-3730.5s').getSeconds()", "-3730"},
      {"duration('1.234s').getMilliseconds()", "234"},
  });
  Fail({
      {"now.getHours('Mars/Olympus')", "1:5: \"Mars/Olympus\" is no time zone"},
      {"now.getHours('../../etc/passwd')", "1:5: \"../../etc/passwd\" is no time zone"},
      {"now.getHours('/etc/localtime')", "1:5: \"/etc/localtime\" is no time zone"},
      {"now.getHours('file:/etc/localtime')", "1:5: \"file:/etc/localtime\" is no time zone"},
      {"now.getMilliseconds('25:00')", "1:5: \"25:00\" is no time zone"},
  });
}

TEST(CelFunctions, Format) {
  Hold({
      {"'%s is %d, %%'.format(['a', 5])", "\"a is 5, %\""},
      {"'%s'.format([['a', 1.5, null, b'x', {'b': 1, 'a': duration('1m')}]])", "\"[a, 1.5, null, x, {a: 60s, b: 1}]\""},
      {"'%s %s'.format([now, type(1)])", "\"2026-02-01T00:00:00Z int\""},
      {"'%s'.format([b'a\\xff\\xfeb'])", "\"a\uFFFDb\""},
      {"'%f %.1f %.0f %f'.format([1, 2.25, 2.5, 1u])", "\"1.000000 2.2 2 1.000000\""},
      {"'%e %.2e'.format([1052.032911275, -3.14159])", "\"1.052033e+03 -3.14e+00\""},
      {"'%x %X %x %X'.format([255, -255, 'Hi', b'\\xff'])", "\"ff -FF 4869 FF\""},
      {"'%o %b %b %d'.format([8, 5, true, -9223372036854775808])", "\"10 101 1 -9223372036854775808\""},
      {"'%d %f'.format([double('nan'), double('-inf')])", "\"NaN -Infinity\""},
  });
  Fail({
      {"'%a'.format([1])", "1:6: \"%a\" has a conversion that there is not"},
      {"'%'.format([1])", "1:5: \"%\" has a conversion that there is not"},
      {"'%.9999f'.format([1])", "1:11: \"%.9999f\" has a conversion that there is not"},
      {"'%d %d'.format([1])", "1:9: format() has 1 values, and the text has more conversions"},
      {"'%d'.format(['a'])", "1:6: format() cannot write \"a\" with that conversion"},
      {"'%b'.format([1.5])", "1:6: format() cannot write 1.5 with that conversion"},
  });
}

}  // namespace
}  // namespace weft::cel
