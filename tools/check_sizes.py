"""Files of at most 500 lines and functions of at most 70 in src/: what is longer is asking to be split."""
import pathlib
import re
import sys

FILE_LINES = 500
FUNCTION_LINES = 70


def long_functions(lines: list[str]):
    """A function opens with a '{' at the end of a line that starts in column 0 (or 2, in a class) and is no type."""
    start = None
    for number, line in enumerate(lines, 1):
        opens = re.match(r"( {0,2})[A-Za-z~][^;]*\{$", line) or re.match(r"( {0,4})[^ ].*\) .*\{$", line)
        if start is None and opens and not re.match(r" *(namespace|class|struct|enum|extern|union|if|for|while|switch|constexpr|const|static const)", line):
            start, indent = number, len(opens.group(1))
        elif start is not None and re.match(r" {%d}\}" % indent, line):
            if number - start + 1 > FUNCTION_LINES:
                yield start, number - start + 1
            start = None


def main() -> int:
    faults = 0
    for file in sorted([*pathlib.Path("src").rglob("*.h"), *pathlib.Path("src").rglob("*.cc")]):
        lines = file.read_text().splitlines()
        if len(lines) > FILE_LINES:
            faults += 1
            print(f"{file}: {len(lines)} lines; at most {FILE_LINES}")
        for start, length in long_functions(lines):
            faults += 1
            print(f"{file}:{start}: a function of {length} lines; at most {FUNCTION_LINES}")
    return 1 if faults else 0


sys.exit(main())
