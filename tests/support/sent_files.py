"""Files as people really send them, each with what becomes of it: the rows that a run makes, or what it says."""
import bz2
import dataclasses
import gzip
import io
import json
import lzma
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

# Columns of a port by a short name: what most files here are to be.
SHAPES = {
    "n": [("n", "integer", "bigint")],
    "int": [("n", "integer", "int")],
    "d": [("d", "number", "decimal(9,2)")],
    "f": [("f", "number", "double")],
    "b": [("b", "boolean", "")],
    "day": [("day", "date", "")],
    "at": [("at", "timestamp", "timestamp")],
    "zoned": [("at", "timestamp", "timestamptz")],
    "time": [("time", "time", "")],
    "s": [("s", "string", "")],
    "ab": [("a", "integer", "bigint"), ("b", "string", "")],
    "list": [("l", "array", "", [("n", "integer", "bigint")])],
    "object": [("o", "object", "", [("x", "integer", "bigint"), ("y", "string", "")])],
}


@dataclasses.dataclass
class Case:
    """`rows`: of the port, as text, one string a row, cells parted by `|`, `-` where nothing is; else `says`: parts of the message."""
    name: str
    data: bytes
    shape: str = "ab"
    rows: list[str] | None = None
    says: tuple[str, ...] = ()
    file: str = "rows.csv"
    options: dict = dataclasses.field(default_factory=dict)


CASES: list[Case] = []


def good(name: str, data: str | bytes, shape: str, rows: list[str], file: str = "rows.csv", **options):
    CASES.append(Case(name, data.encode() if isinstance(data, str) else data, shape, rows, (), file, options))


def bad(name: str, data: str | bytes, shape: str, *says: str, file: str = "rows.csv", **options):
    CASES.append(Case(name, data.encode() if isinstance(data, str) else data, shape, None, says, file, options))


def values(shape: str, column: str, right: dict[str, str], wrong: list[str]):
    """One value a file, in CSV: `right` ones with how they read, `wrong` ones are quoted back with their line."""
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text

    for i, (text, reads) in enumerate(right.items()):
        good(f"{shape}-right-{i}", f"{column},k\n{cell(text)},1\n", shape + "+k", [f"{reads}|1"])
    for i, text in enumerate(wrong):
        bad(f"{shape}-wrong-{i}", f"{column},k\n,0\n{cell(text)},1\n", shape + "+k", "line 3", f"column {column}", text.split("\n")[0])


def encodings():
    good("utf-8-mark", b"\xef\xbb\xbfa,b\n1,x\n", "ab", ["1|x"])
    good("utf-16-le", "a,b\n1,é\n".encode("utf-16"), "ab", ["1|é"], encoding="utf-16")
    bad("utf-16-larger-byte-first", b"\xfe\xff" + "a,b\n1,é\n".encode("utf-16-be"), "ab", "rows.csv", "convert it", encoding="utf-16")
    bad("utf-16-unsaid", "a,b\n1,é\n".encode("utf-16"), "ab", "rows.csv", "encoding: utf-16")
    bad("utf-16-without-mark-unsaid", "a,b\n1,x\n".encode("utf-16-le"), "ab", "utf-16")
    bad("utf-32", "a,b\n1,x\n".encode("utf-32"), "ab", "is UTF-32")
    good("latin-1", "a,b\n1,é\n".encode("latin-1"), "ab", ["1|é"], encoding="latin-1")
    bad("latin-1-unsaid", "a,b\n1,é\n".encode("latin-1"), "ab", "line 2", "encoding: latin-1")
    bad("windows-1252-as-latin-1", "a,b\n1,€\n".encode("cp1252"), "ab", "latin-1", encoding="latin-1")
    bad("mixed-encodings", "a,b\n1,é\n".encode() + "2,é\n".encode("latin-1"), "ab", "line 3", "encoding: latin-1")
    bad("overlong-utf-8", b"a,b\n1,\xc0\xaf\n", "ab", "line 2", "encoding: latin-1")
    bad("surrogates-in-utf-8", b"a,b\n1,\xed\xa0\x80\n", "ab", "line 2", "encoding: latin-1")
    bad("utf-8-cut-short", b"a,b\n1,\xe2\x82", "ab", "line 2", "encoding: latin-1")
    bad("nul-in-a-value", b"a,b\n1,x\x00y\n", "ab", "NUL", "line 2")
    bad("nul-at-the-end", b"a,b\n1,x\n\x00\x00\x00", "ab", "NUL", "line 3")
    bad("nothing-but-nul", b"\x00" * 4096, "ab", "NUL", "line 1")
    bad("ebcdic", "a,b\n1,x\n".encode("cp500"), "ab", "rows.csv")
    good("emoji-and-rtl", "a,b\n1,👩‍🚀\n2,שלום\n", "ab", ["1|👩‍🚀", "2|שלום"])
    good("decomposed-accents-stay", "a,b\n1,e\u0301\n", "ab", ["1|e\u0301"])
    bad("not-an-encoding", "a,b\n1,x\n", "ab", "encoding", encoding="shift-jis")


def quotes():
    good("doubled-quotes", 'a,b\n1,"say ""hi"""\n', "ab", ['1|say "hi"'])
    good("newline-in-quotes", 'a,b\n1,"x\ny"\n2,z\n', "ab", ["1|x\ny", "2|z"])
    good("crlf-in-quotes", 'a,b\r\n1,"x\r\ny"\r\n', "ab", ["1|x\r\ny"])
    good("delimiter-in-quotes", 'a,b\n1,"x,y"\n', "ab", ["1|x,y"])
    bad("quote-never-closed", 'a,b\n1,"x\n2,y\n', "ab", "line 2", "quote")
    bad("quote-within-a-value", 'a,b\n1,x"y\n2,"z" w\n', "ab", "line 3")
    bad("text-after-a-quote", 'a,b\n1,"x"y\n', "ab", "line 2")
    good("backslash-escapes", 'a,b\n1,"x\\"y"\n', "ab", ['1|x"y'], escape="\\")
    bad("backslash-escapes-unsaid", 'a,b\n1,"x\\"y"\n2,z\n', "ab", "line 2")
    good("single-quotes", "a,b\n1,'x,y'\n", "ab", ["1|x,y"], quote="'")
    bad("single-quotes-unsaid", "a,b\n1,'x,y'\n", "ab", "line 2", "3")
    good("quoted-header", '"a","b"\n1,x\n', "ab", ["1|x"])
    good("empty-quotes-are-nothing", 'a,b\n1,""\n', "ab", ["1|-"])
    good("smart-quotes-are-text", "a,b\n1,“x”\n", "ab", ["1|“x”"])


def lines():
    good("crlf", "a,b\r\n1,x\r\n2,y\r\n", "ab", ["1|x", "2|y"])
    good("cr-alone", "a,b\r1,x\r2,y\r", "ab", ["1|x", "2|y"])
    good("no-newline-at-the-end", "a,b\n1,x", "ab", ["1|x"])
    good("blank-lines-at-the-end", "a,b\n1,x\n\n\n", "ab", ["1|x"])
    good("blank-line-between", "a,b\n1,x\n\n2,y\n", "ab", ["1|x", "2|y"])
    good("header-alone", "a,b\n", "ab", [])
    bad("empty", "", "ab", "is empty")
    bad("spaces-alone", "   \n  \n", "ab", "rows.csv")
    bad("too-few-cells", "a,b\n1,x\n2\n", "ab", "line 3", "2 columns")
    bad("too-many-cells", "a,b\n1,x\n2,y,z\n", "ab", "line 3", "2 columns", "3 found")
    good("delimiter-at-each-end", "a,b\n1,x,\n2,y,\n", "ab", ["1|x", "2|y"])
    bad("a-cell-after-the-last", "a,b\n1,x,\n2,y,z\n", "ab", "line 3", "3 found")
    bad("delimiter-at-each-end-and-in-the-header", "a,b,\n1,x,\n", "ab", "rows.csv")
    bad("a-total-below", "a,b\n1,x\nTotal: 1\n", "ab", "line 3")
    bad("a-title-above", "Report of May\na,b\n1,x\n", "ab", "Report of May")
    bad("a-comment-above", "# made by a tool\na,b\n1,x\n", "ab", "made by a tool")
    bad("no-header", "1,x\n2,y\n", "ab", "rows.csv")
    good("text-that-begins-as-parquet", "PAR10\nBZh\n", "s", ["PAR10", "BZh"], header=False)
    good("text-that-begins-as-bzip2", "BZhang\nPAR1\n", "s", ["BZhang", "PAR1"], header=False)
    good("no-header-said", "1,x\n2,y\n", "ab", ["1|x", "2|y"], header=False)
    bad("header-twice", "a,b\n1,x\na,b\n2,y\n", "ab", "line 3", "column a", '"a"')
    bad("column-twice", "a,a\n1,x\n", "ab", "'a' twice")
    bad("column-missing", "a,c\n1,x\n", "ab", "lacks b")
    good("column-of-another-case", "A,b\n1,x\n", "ab", ["1|x"])
    good("column-with-spaces", "a, b\n1,x\n", "ab", ["1|x"])
    good("columns-in-another-order", "b,a\nx,1\n", "ab", ["1|x"])
    bad("semicolons-unsaid", "a;b\n1;x\n", "ab", "delimiter: ';'")
    good("semicolons", "a;b\n1;x\n", "ab", ["1|x"], delimiter=";")
    good("tabs", "a\tb\n1\tx\n", "ab", ["1|x"], file="rows.tsv")
    bad("tabs-unsaid", "a\tb\n1\tx\n", "ab", "delimiter: tab")
    good("pipes", "a|b\n1|x\n", "ab", ["1|x"], delimiter="|")
    good("long-delimiter", "a||b\n1||x\n", "ab", ["1|x"], delimiter="||")
    bad("delimiter-too-long", "a,b\n1,x\n", "ab", "delimiter", delimiter=",,,,,")
    good("words-for-nothing", "a,b\nNA,x\n2,n/a\n", "ab", ["-|x", "2|-"], null=["NA", "n/a"])
    bad("words-for-nothing-unsaid", "a,b\nNA,x\n", "ab", "line 2", "column a", "NA")
    bad("a-cell-of-three-megabytes-in-a-number", "a,b\n" + "9" * 3_000_000 + ",x\n", "ab", "line 2")
    good("a-cell-of-a-megabyte", "a,b\n1," + "x" * 1_000_000 + "\n", "ab", ["1|" + "x" * 1_000_000])
    bad("ten-thousand-columns-too-many", "a,b\n" + ",".join("1" * 10_000) + "\n", "ab", "line 2")
    bad("unknown-option", "a,b\n1,x\n", "ab", "skip", skip=1)


def numbers():
    values("n", "n", {"1": "1", "-5": "-5", "+5": "5", " 7 ": "7", "007": "7", "9223372036854775807": "9223372036854775807", "-0": "0", "1.0": "1", "1e3": "1000"},
           ["9223372036854775808", "1.5", "1,000", "1 000", "1'000", "0x10", "1_000", "٣", "１２", "NaN", "one", "-", "1-", "(5)", "5%", "$5", "1e400", "TRUE", "2024-01-01", "1e-1", "--1", "1\u00a0000", "²", "½", "0b11", "1e", "1 2", "5,", "1/2", "∞", "#REF!", "#N/A", "nil", "1\u200b", "O5"])
    values("int", "n", {"2147483647": "2147483647"}, ["2147483648", "-2147483649"])
    values("d", "d", {"1.5": "1.50", "-.5": "-0.50", "1e2": "100.00", "9999999.99": "9999999.99", "5": "5.00", "1.500": "1.50"},
           ["1.555", "10000000", "1,5", "1.234,50", "1,234.50", "€5", "5 EUR", "NaN", "inf", "1e-3", "12.3.4"])
    values("f", "f", {"1.5": "1.5", "1e10": "10000000000.0", "-0.0": "-0.0", "inf": "inf", "NaN": "nan", "1e-320": "1e-320"},
           ["1,5", "1e400", "0x1p3", "1.5.5", "one", "1e", "∞", "1.0f", "1 000.5", "--1", "1e5.5"])
    values("b", "b", {"true": "true", "FALSE": "false", "True": "true"}, ["2", "maybe", "on ", "wahr", "ja", "x", "-1", "truee", "✓", "tru e"])


def times():
    values("day", "day", {"2024-01-05": "2024-01-05", "2024-02-29": "2024-02-29", "1582-10-10": "1582-10-10", "9999-12-31": "9999-12-31",
                          "2024/01/05": "2024-01-05", "2024-1-5": "2024-01-05"},
           ["2024-02-30", "2023-02-29", "2024-13-01", "0000-00-00", "31.12.2024", "12/31/2024", "20240105", "45292", "2024-01-05T10:00:00", "Jan 5, 2024", "today", "2024-W01-1", "05-01-2024", "2024-01", "2024", "24-01-05", "2024-01-05 BC", "--"])
    values("at", "at", {"2024-01-05 10:00:00": "2024-01-05 10:00:00", "2024-01-05T10:00:00": "2024-01-05 10:00:00", "2024-01-05 10:00:00.123456": "2024-01-05 10:00:00.123456",
                        "2024-01-05": "2024-01-05 00:00:00", "2024-01-05 10:00": "2024-01-05 10:00:00"},
           ["2024-01-05 25:00:00", "2024-01-05 10:60:00", "2024-01-05 10:00:60", "2024-01-05 10:00:00.1234567", "1704448800000", "05.01.2024 10:00", "2024-01-05 10:00 PM", "2024-02-30 10:00:00", "now", "2024-01-05 10:00:00,5"])
    values("zoned", "at", {"2024-01-05 10:00:00Z": "2024-01-05 10:00:00+00", "2024-01-05T10:00:00+02:00": "2024-01-05 08:00:00+00", "2024-01-05 10:00:00-0530": "2024-01-05 15:30:00+00"},
           ["2024-01-05 10:00:00 CET", "2024-01-05 10:00:00+25:00", "1704448800"])
    values("time", "time", {"10:00:00": "10:00:00", "23:59:59.999999": "23:59:59.999999", "10:00": "10:00:00"},
           ["25:00:00", "10:60:00", "10:00 PM", "10h", "10", "2024-01-05 10:00:00"])
    good("date-format", "day\n05.01.2024\n", "day", ["2024-01-05"], date_format="%d.%m.%Y")
    bad("date-of-another-format", "day\n05.01.2024\n01/05/2024\n", "day", "line 3", date_format="%d.%m.%Y")
    bad("date-format-that-is-none", "day\n05.01.2024\n", "day", "%Q", date_format="%Q")


def packed():
    rows = b"a,b\n" + b"".join(b"%d,row %d\n" % (i, i) for i in range(20_000))
    squeezed = gzip.compress(rows)
    good("gzip", gzip.compress(b"a,b\n1,x\n"), "ab", ["1|x"], file="rows.csv.gz")
    bad("gzip-cut-short", squeezed[: len(squeezed) // 2], "ab", "rows.csv.gz", file="rows.csv.gz")
    bad("gzip-without-its-end", squeezed[:-4], "ab", "rows.csv.gz", file="rows.csv.gz")
    bad("gzip-with-a-flipped-bit", squeezed[:200] + bytes([squeezed[200] ^ 64]) + squeezed[201:], "ab", "rows.csv.gz", file="rows.csv.gz")
    bad("plain-text-called-gzip", b"a,b\n1,x\n", "ab", "rows.csv.gz", file="rows.csv.gz")
    bad("gzip-called-plain", squeezed, "ab", "rows.csv", "gzip")
    bad("gzip-of-nothing", gzip.compress(b""), "ab", "is empty", file="rows.csv.gz")
    good("two-gzips-in-one", gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n"), "ab", ["1|x", "2|y"], file="rows.csv.gz")
    bad("rubbish-after-gzip", gzip.compress(b"a,b\n1,x\n") + b"rubbish", "ab", "rows.csv.gz", file="rows.csv.gz")
    bad("zstd-cut-short", b"\x28\xb5\x2f\xfd\x04\x58\x41", "ab", "rows.csv.zst", file="rows.csv.zst")
    bad("plain-text-called-zstd", b"a,b\n1,x\n", "ab", "rows.csv.zst", file="rows.csv.zst")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("rows.csv", "a,b\n1,x\n")
    bad("zip-called-csv", archive.getvalue(), "ab", "rows.csv", "ZIP")
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("xl/workbook.xml", "<workbook/>")
    bad("spreadsheet-called-csv", sheet.getvalue(), "ab", "rows.csv", "spreadsheet")
    bad("old-spreadsheet-called-csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "ab", "rows.csv", ".xls")
    bad("bzip2-called-csv", bz2.compress(b"a,b\n1,x\n"), "ab", "rows.csv", "bzip2")
    bad("xz-called-csv", lzma.compress(b"a,b\n1,x\n"), "ab", "rows.csv", "xz")
    bad("database-called-csv", b"SQLite format 3\x00" + b"\x00" * 84, "ab", "rows.csv", "sqlite")
    bad("xml-called-csv", '<?xml version="1.0"?>\n<rows><row a="1"/></rows>\n', "ab", "rows.csv", "XML")
    bad("pdf-called-csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "ab", "rows.csv")
    bad("page-called-csv", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "ab", "rows.csv", "web page")
    bad("json-called-csv", '[{"a": 1, "b": "x"}]', "ab", "rows.csv")
    bad("parquet-called-csv", parquet(pa.table({"a": [1], "b": ["x"]})), "ab", "rows.csv", "Parquet")


def parquet(table: pa.Table, **how) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    return out.getvalue()


def parquets():
    def one(name: str, shape: str, values: pa.Array, *says: str, **how):
        bad(name, parquet(pa.table({SHAPES[shape][0][0]: values}), **how), shape, *says, file="rows.parquet")

    whole = parquet(pa.table({"a": [1, 2], "b": ["x", "y"]}))
    good("parquet", whole, "ab", ["1|x", "2|y"], file="rows.parquet")
    good("parquet-of-no-rows", parquet(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})), "ab", [], file="rows.parquet")
    bad("parquet-cut-short", whole[:-20], "ab", "rows.parquet", file="rows.parquet")
    bad("parquet-without-its-head", whole[20:], "ab", "rows.parquet", file="rows.parquet")
    bad("parquet-empty", b"", "ab", "rows.parquet", file="rows.parquet")
    bad("parquet-with-a-wrong-foot", whole[:-8] + struct.pack("<i", 2**30) + b"PAR1", "ab", "rows.parquet", file="rows.parquet")
    bad("parquet-with-a-broken-foot", whole[:-60] + b"\xff" * 52 + whole[-8:], "ab", "rows.parquet", file="rows.parquet")
    bad("csv-called-parquet", b"a,b\n1,x\n", "ab", "rows.parquet", file="rows.parquet")
    bad("parquet-lacks-a-column", parquet(pa.table({"a": [1]})), "ab", "b", file="rows.parquet")
    good("parquet-with-one-more", parquet(pa.table({"a": [1], "b": ["x"], "c": [2]})), "ab", ["1|x"], file="rows.parquet")
    one("parquet-text-in-a-number", "n", pa.array(["1", "many"]), "many")
    one("parquet-number-too-large", "int", pa.array([2**40]), "1099511627776")
    one("parquet-unsigned-too-large", "n", pa.array([2**63], pa.uint64()), "9223372036854775808")
    one("parquet-fraction-in-a-whole-number", "n", pa.array([1.5]), "1.5")
    one("parquet-list-for-a-number", "n", pa.array([[1]]), "n")
    one("parquet-text-for-a-date", "day", pa.array(["31.12.2024"]), "31.12.2024")
    good("parquet-narrower-number", parquet(pa.table({"n": pa.array([7], pa.int16())})), "n", ["7"], file="rows.parquet")
    good("parquet-int96-times", parquet(pa.table({"at": pa.array([0], pa.timestamp("us"))}), use_deprecated_int96_timestamps=True), "at",
         ["1970-01-01 00:00:00"], file="rows.parquet")
    good("parquet-dictionaries", parquet(pa.table({"s": pa.array(["x", "x"]).dictionary_encode()})), "s", ["x", "x"], file="rows.parquet")


def jsons():
    def lined(name: str, text: str, shape: str, *says: str):
        bad(name, text, shape, *says, file="rows.jsonl")

    good("json-lines", '{"a": 1, "b": "x"}\n{"b": "y", "a": 2}\n', "ab", ["1|x", "2|y"], file="rows.jsonl")
    good("json-array", '[{"a": 1, "b": "x"},\n {"a": 2, "b": "y"}]', "ab", ["1|x", "2|y"], file="rows.json")
    good("json-with-a-mark", b'\xef\xbb\xbf{"a": 1, "b": "x"}\n', "ab", ["1|x"], file="rows.jsonl")
    good("json-lacks-a-key", '{"a": 1}\n', "ab", ["1|-"], file="rows.jsonl")
    good("json-null", '{"a": null, "b": null}\n', "ab", ["-|-"], file="rows.jsonl")
    good("json-number-as-text", '{"a": "5", "b": "x"}\n', "ab", ["5|x"], file="rows.jsonl")
    good("json-number-for-text", '{"a": 1, "b": 12}\n', "ab", ["1|12"], file="rows.jsonl")
    good("json-large-whole-number", '{"a": 9007199254740993, "b": "x"}\n', "ab", ["9007199254740993|x"], file="rows.jsonl")
    good("json-decimal-to-the-digit", '{"d": 1234567.89}\n', "d", ["1234567.89"], file="rows.jsonl")
    good("json-escapes", '{"s": "\\u00e9\\n\\ud83d\\ude00"}\n', "s", ["é\n😀"], file="rows.jsonl")
    good("json-list", '{"l": [1, null, 3]}\n', "list", ["[1, NULL, 3]"], file="rows.jsonl")
    good("json-object", '{"o": {"x": 1, "y": "z"}}\n', "object", ["{'x': 1, 'y': z}"], file="rows.jsonl")
    good("json-of-no-rows", "[]", "ab", [], file="rows.json")
    lined("json-fraction", '{"a": 1.5, "b": "x"}\n', "ab", "1.5")
    lined("json-number-too-large", '{"a": 9223372036854775808, "b": "x"}\n', "ab", "9223372036854775808")
    lined("json-word-in-a-number", '{"a": 1, "b": "x"}\n{"a": "many", "b": "x"}\n', "ab", "many")
    lined("json-truth-in-a-number", '{"a": true, "b": "x"}\n', "ab", "true")
    lined("json-object-in-a-number", '{"a": {"x": 1}, "b": "x"}\n', "ab", "a")
    lined("json-list-in-a-number", '{"a": [1], "b": "x"}\n', "ab", "a")
    good("json-comma-at-the-end", '{"a": 1, "b": "x",}\n', "ab", ["1|x"], file="rows.jsonl")
    lined("json-single-quotes", "{'a': 1}\n", "ab", "line 1")
    lined("json-nan", '{"a": NaN}\n', "ab", "line 1")
    lined("json-comment", '// rows\n{"a": 1}\n', "ab", "line 1")
    lined("json-cut-short", '{"a": 1, "b": "x"}\n{"a": 2, "b', "ab", "line 2")
    lined("json-half-a-surrogate", '{"s": "\\ud83d"}\n', "s", "line 1")
    lined("json-key-twice", '{"a": 1, "a": 2, "b": "x"}\n', "ab", "line 1", 'duplicate key "a"')
    bad("json-latin-1", '{"a": 1, "b": "é"}\n'.encode("latin-1"), "ab", "line 1", file="rows.jsonl")
    bad("json-array-cut-short", '[{"a": 1, "b": "x"}, {"a": 2', "ab", "rows.json", file="rows.json")
    bad("json-array-with-a-comma-at-the-end", '[{"a": 1, "b": "x"},]', "ab", "rows.json", file="rows.json")
    bad("json-one-value", "42\n", "ab", "rows.json", file="rows.json")
    bad("json-list-of-lists", "[[1, 2]]", "ab", "rows.json", file="rows.json")
    bad("json-empty", "", "ab", "empty", file="rows.json")
    bad("json-spaces-alone", "  \n ", "ab", "rows.json", "empty", file="rows.json")
    bad("csv-called-json", "a,b\n1,x\n", "ab", "rows.json", file="rows.json")
    bad("page-called-json", "<html></html>", "ab", "rows.json", "web page", file="rows.json")
    good("json-in-two-thousand-levels-as-text", '{"a": 1, "b": ' + "[" * 2000 + "]" * 2000 + "}\n", "ab", ["1|" + "[" * 2000 + "]" * 2000], file="rows.jsonl")
    bad("json-in-two-thousand-levels", '{"a": ' + "[" * 2000 + "]" * 2000 + "}\n", "ab", "a", file="rows.jsonl")
    bad("json-keys-of-another-case", '{"A": 1, "B": "x"}\n', "ab", "A, B", file="rows.jsonl")
    bad("json-wrapped-in-an-object", json.dumps({"data": [{"a": 1, "b": "x"}]}), "ab", "rows.json", "has data", file="rows.json")


for made in (encodings, quotes, lines, numbers, times, packed, parquets, jsons):
    made()
