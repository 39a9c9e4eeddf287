"""Write lists of texts one a line, so that nobody needs quotes, and read them back exactly.

A text that a line cannot hold as it is (empty, with blanks outside, with line breaks, or one that would be read as something
else) stands in double quotes as JSON writes it. A term with a number is `加*微信 | 4`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

_NUMBERED: Final = re.compile(r"(.*\S)\s*\|\s*(\d{1,3})", re.DOTALL)


def write_lines(values: Sequence[object], text_key: str = "", number_key: str = "", number: int = 0) -> str:
    """Return values one a line. With keys, a value may be a record of a text and a number, `number` without one."""
    return "\n".join(_line(value, text_key, number_key, number) for value in values)


def read_lines(text: str, text_key: str = "", number_key: str = "", number: int = 0) -> list[object]:
    """Return the values of lines; empty lines are none."""
    lines = (line.strip() for line in text.replace("\r\n", "\n").split("\n"))
    return [_value(line, text_key, number_key, number) for line in lines if line]


def twice(values: Sequence[object], text_key: str = "") -> list[str]:
    """Return the texts that stand more than once, in the order in which they do again."""
    seen: set[str] = set()
    found: dict[str, None] = {}
    for value in values:
        text = str(value.get(text_key, "")) if isinstance(value, dict) else str(value)
        if text in seen:
            found[text] = None
        seen.add(text)
    return list(found)


def _line(value: object, text_key: str, number_key: str, number: int) -> str:
    if isinstance(value, str):
        return _quoted(value, numbered=bool(number_key))
    if isinstance(value, dict) and number_key and isinstance(value.get(text_key), str):
        graded = value.get(number_key, number)
        if value.keys() <= {text_key, number_key} and type(graded) is int and 0 <= graded <= 999:
            return f"{_quoted(value[text_key], numbered=True)} | {graded}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _quoted(text: str, *, numbered: bool) -> str:
    strange = text != text.strip() or not text or "\n" in text or "\r" in text or text[0] in '"{['
    if strange or (numbered and _NUMBERED.fullmatch(text)):
        return json.dumps(text, ensure_ascii=False)
    return text


def _value(line: str, text_key: str, number_key: str, number: int) -> object:
    found = _NUMBERED.fullmatch(line) if number_key and line[0] != "{" else None
    plain = _unquoted(line)
    if plain is not None:
        return plain
    if found:
        text = _unquoted(found[1])
        graded = int(found[2])
        record: dict[str, object] = {text_key: text if text is not None else found[1]}
        return record if graded == number else {**record, number_key: graded}
    return line


def _unquoted(line: str) -> object:
    """Return what JSON in a line says; None = it is none."""
    if line[0] not in '"{[':
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None
