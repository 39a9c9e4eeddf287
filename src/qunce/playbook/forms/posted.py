"""Read what a form sent over what a record said: a key that was not sent keeps its value, whatever the form left out.

Names are paths: `when.0.lexicons`. A list sends which rows it has as `when.#` (`0,2,n1`): rows that were there keep the number
they had, so that what is not sent of a row is taken from the same row. Values stay as they were written: the binder says what
is wrong with them, at the same place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from qunce.playbook.forms.fields import FormField, fields_of_form, kinds_of, tag_field
from qunce.playbook.forms.lines import read_lines, write_lines

Posted = Mapping[str, Sequence[str]]
Keys = dict[str, tuple[str, ...]]
"""The rows of each list by its path, in order."""
MOST_ROWS: Final = 500

_ABSENT: Final = object()
_EMPTY: Final = object()
_DURATION: Final = re.compile(r"\s*(.*?)\s*((?<=[\d\s])[smhd]|)\s*", re.DOTALL)
_ROW: Final = re.compile(r"n?\d{1,6}")


class Reader:
    """Reads one form; `keys` then holds the rows of its lists."""

    def __init__(self, posted: Posted) -> None:
        self._posted = posted
        self.keys: Keys = {}

    def record(self, fields: Sequence[FormField], base: Mapping[str, object], prefix: str = "") -> dict[str, object]:
        """Return the record: what was sent, else what it said. Keys without a field are kept; defaults are left out."""
        result = dict(base)
        before: str | None = None
        for field in fields:
            old = base.get(field.name, _ABSENT)
            value = self.value(field, old, prefix + field.name)
            if value is _ABSENT:
                pass
            elif value is _EMPTY or (value == field.default and not field.required and value != old):
                result.pop(field.name, None)
            elif field.name in result:
                result[field.name] = value
            else:
                result = _put_after(result, before, field.name, value)
            before = field.name if field.name in result else before
        return result

    def value(self, field: FormField, old: object, path: str) -> object:
        """Return the value of one key, or that nothing was sent or nothing is written."""
        known = None if old is _ABSENT else old
        match field.widget:
            case "records" | "union" | "record":
                return self._rows(field, known, path)
            case "lists":
                return self._lists(known, path)
            case "table":
                return self._table(field, known, path)
        sent = self._posted.get(path)
        if not sent:
            return _ABSENT
        match field.widget:
            case "switch":
                return sent[-1] == "on"
            case "many" | "references":
                return _chosen([one for one in sent if one], known)
            case "words" | "lines":
                return _words(field, sent[-1], known)
            case "duration":
                return _duration(sent[-1], self._posted.get(f"{path}.unit"), known)
            case "number":
                return _number(sent[-1], known, whole=field.whole)
        return _text(sent[-1], known, several_lines=field.widget == "long")

    def _rows(self, field: FormField, old: object, path: str) -> object:
        known = [old] if field.widget == "record" and old is not None else old if isinstance(old, list) else []
        keys = self._row_keys(path, len(known))
        if keys is None:
            return _ABSENT
        rows = [self._row(field, _at(known, key), f"{path}.{key}") for key in keys]
        if field.widget == "record":
            return rows[0] if rows else _EMPTY
        return rows if rows or not field.optional else _EMPTY

    def _row(self, field: FormField, old: object, path: str) -> object:
        if old is not None and not isinstance(old, dict):
            return old
        base = dict(old or {})
        record = field.record
        if field.widget == "union":
            kinds = kinds_of(field)
            name = tag_field(next(iter(kinds.values())))
            tag = base.get(name) or next(iter(self._posted.get(f"{path}.{name}", ())), "")
            record = kinds.get(str(tag))
            base = {name: tag, **base}
        return self.record(fields_of_form(record), base, f"{path}.") if record is not None else base

    def _lists(self, old: object, path: str) -> object:
        known = old if isinstance(old, list) else []
        keys = self._row_keys(path, len(known))
        if keys is None:
            return _ABSENT
        found = []
        for key in keys:
            sent = self._posted.get(f"{path}.{key}")
            found.append(read_lines(sent[-1]) if sent else _at(known, key) or [])
        return found

    def _table(self, field: FormField, old: object, path: str) -> object:
        known = list(old.items()) if isinstance(old, dict) else []
        keys = self._row_keys(path, len(known))
        if keys is None or field.item is None:
            return _ABSENT
        found: dict[str, object] = {}
        for key in keys:
            name, value = _pair(_at(known, key))
            sent = self._posted.get(f"{path}.{key}.key")
            name = _text(sent[-1], name, several_lines=False) if sent else name
            read = self.value(field.item, value, f"{path}.{key}.value")
            read = value if read is _ABSENT else "" if read is _EMPTY else read
            if name is not _EMPTY and isinstance(name, str) and read is not _ABSENT:
                found[name] = read
        return found if found or not field.optional else _EMPTY

    def _row_keys(self, path: str, known: int) -> tuple[str, ...] | None:
        """Return the rows of a list, None when nothing of it was sent. A list that sent no rows has those it had."""
        sent = self._posted.get(f"{path}.#")
        if sent is None:
            if not any(name.startswith(f"{path}.") for name in self._posted):
                return None
            keys = tuple(str(at) for at in range(known))
        else:
            keys = tuple(dict.fromkeys(key for key in sent[-1].split(",") if _ROW.fullmatch(key)))[:MOST_ROWS]
        self.keys[path] = keys
        return keys


def shown(field: FormField, value: object) -> str:
    """Return how a value stands in its field: the number of a duration, words one a line."""
    if value is None:
        return ""
    if field.widget == "duration":
        return _split(value)[0]
    if field.widget in ("words", "lines"):
        values = value if isinstance(value, list) else [value]
        return write_lines(values, *line_keys(field))
    return str(value)


def unit_of(value: object) -> str:
    """Return the unit of a duration as it is written; minutes without one."""
    return _split(value)[1] or "m"


def line_keys(field: FormField) -> tuple[str, str, int]:
    """Return the keys of the record behind a line (its text, its number) and the number it has without one."""
    if field.widget != "lines" or field.record is None:
        return "", "", 0
    first, second = fields_of_form(field.record)[:2]
    return first.name, second.name, second.default if isinstance(second.default, int) else 0


def _split(value: object) -> tuple[str, str]:
    found = _DURATION.fullmatch(str(value or ""))
    return (found[1], found[2]) if found else (str(value), "")


def _at(known: Sequence[object], key: str) -> object:
    return known[int(key)] if key.isdecimal() and int(key) < len(known) else None


def _pair(row: object) -> tuple[object, object]:
    return row if isinstance(row, tuple) else ("", _ABSENT)


def _put_after(record: Mapping[str, object], before: str | None, name: str, value: object) -> dict[str, object]:
    """Return the record with one more key, behind the one it follows in the schema."""
    if before is None or before not in record:
        return {**record, name: value}
    found: dict[str, object] = {}
    for key, known in record.items():
        found[key] = known
        if key == before:
            found[name] = value
    return found


def _text(sent: str, old: object, *, several_lines: bool) -> object:
    text = sent.replace("\r\n", "\n").replace("\x00", "")
    kept = str(old) if isinstance(old, str) else ""
    if text == kept or (not several_lines and text.replace("\n", "") == kept.replace("\n", "").replace("\r", "")):
        return old if isinstance(old, str) and old else _EMPTY
    text = text.rstrip() if several_lines else text.strip()
    return text or _EMPTY


def _number(sent: str, old: object, *, whole: bool) -> object:
    text = sent.strip()
    if not text:
        return _EMPTY
    if old is not None and text == str(old) and not isinstance(old, str | bool):
        return old
    try:
        return int(text) if whole or re.fullmatch(r"[+-]?\d+", text) else _finite(text)
    except ValueError:
        return text


def _finite(text: str) -> float | str:
    value = float(text)
    return value if abs(value) < 1e12 else text


def _duration(sent: str, unit: Sequence[str] | None, old: object) -> object:
    number, own = _split(sent.strip())
    if not number:
        return _EMPTY
    # Only a number takes the unit beside it: what is no number comes back as it was typed.
    return f"{number}{own or (unit[-1] if unit else _split(old)[1])}" if number[-1].isdigit() else sent.strip()


def _chosen(sent: Sequence[str], old: object) -> list[object]:
    kept = [one for one in old if str(one) in sent] if isinstance(old, list) else []
    return kept + [one for one in dict.fromkeys(sent) if one not in map(str, kept)]


def _words(field: FormField, sent: str, old: object) -> object:
    keys = line_keys(field)
    values = read_lines(sent, *keys)
    before = old if isinstance(old, list) else [old] if isinstance(old, str) else []
    if before and values == read_lines(write_lines(before, *keys), *keys) and _as_written(before):
        return old
    if not values and field.optional:
        return _EMPTY
    return values[0] if field.single and len(values) == 1 else values


def _as_written(values: Sequence[object]) -> bool:
    return all(isinstance(value, str | dict) for value in values)


def record_of(record: type[msgspec.Struct], base: Mapping[str, object], posted: Posted) -> tuple[dict[str, object], Keys]:
    """Return a record with what a form sent, and the rows of its lists."""
    reader = Reader(posted)
    return reader.record(fields_of_form(record), base), reader.keys
