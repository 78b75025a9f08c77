"""The answer of a view-counter script: the one number it writes. Pure.

Such a script answers JavaScript that writes the number (`document.writeln('102')`), assigns it, or the bare number.
"""

from __future__ import annotations

import re

# A longer answer is a page, not a counter's.
LONGEST = 2000
_WRITE = re.compile(r"document\s*\.\s*write(?:ln)?\s*\(([^;]*?)\)\s*(?:;|\Z|\n|<)", re.I)
_LITERAL = re.compile(r"\"([^\"]*)\"|'([^']*)'|(?<![\w.])(\d+)(?![\w.])")
_COMMENT = re.compile(r"/\*.*?\*/|(?:^|(?<=[\s;]))//[^\n]*|<!--|-->", re.S)
_TAG = re.compile(r"<[^<>]*>")
# Not part of a name, a fraction, a date or a longer run of digits.
_NUMBER = re.compile(r"(?<![A-Za-z0-9_#.:/-])(\d{1,3}(?:,\d{3})+|\d{1,12})(?![A-Za-z0-9_:/年月日-]|\.\d)")
_FAILURE = re.compile(r"错误|出错|不存在|找不到|禁止|error|exception|ADODB|not found|denied|alert\s*\(|location\s*[.=]", re.I)


def read_count(text: str) -> int | None:
    """Return the number a counter script writes; None when the answer writes none, more than one, or is something else."""
    if len(text) > LONGEST or _FAILURE.search(text):
        return None
    text = _COMMENT.sub(" ", text)
    written = "".join("".join(literal) for call in _WRITE.findall(text) for literal in _LITERAL.findall(call))
    numbers = _NUMBER.findall(_TAG.sub(" ", written or text))
    return int(numbers[0].replace(",", "")) if len(numbers) == 1 else None
