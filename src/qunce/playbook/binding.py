"""Bind YAML to the schema, and find every mistake in one pass.

msgspec stops at the first mistake and knows no lines. This walks the YAML nodes beside the annotations of the same structs,
so that each mistake carries file, line, path and a mend, and the rest is still checked.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml
from msgspec import NODEFAULT, Meta

from qunce.playbook.errors import Problem
from qunce.playbook.units import format_duration, parse_duration

_SCALAR_NAMES: Final = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_BAD: Final = object()
"""Stands for a value that could not be bound; its problem has been noted."""


class Place(NamedTuple):
    """Where a node stands."""

    file: str
    path: str

    def at(self, step: str | int) -> Place:
        """Return the place of a key or an index below this one."""
        if isinstance(step, int):
            return Place(self.file, f"{self.path}[{step}]")
        return Place(self.file, f"{self.path}.{step}" if self.path else step)


class Binder:
    """Bind nodes to types; collect problems and the line of every path."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[tuple[str, str], int] = {}

    def problem(self, node: yaml.Node | None, place: Place, message: str, fix: str, code: str = "invalid") -> object:
        """Note a mistake and return the mark of a value that could not be bound."""
        line = node.start_mark.line + 1 if node is not None else 0
        self.problems.append(Problem(file=place.file, line=line, path=place.path, message=message, fix=fix, code=code))
        return _BAD

    def bind(self, node: yaml.Node, kind: object, place: Place) -> object:
        """Return the value of `node` as `kind`, or the mark of a bad value."""
        self.lines[place] = node.start_mark.line + 1
        if get_origin(kind) is Annotated:
            base, *extras = get_args(kind)
            metas = [extra for extra in extras if isinstance(extra, Meta)]
            notation = (metas[-1].extra or {}).get("kind") if metas else None
            if notation == "duration":
                value = self._duration(node, place)
            elif notation == "date":
                value = self._date(node, place)
            elif notation in ("condition", "words"):
                value = self._written(node, place, always_list=notation == "words")
            else:
                value = self.bind(node, base, place)
            for meta in metas:
                if value is not _BAD:
                    value = self._bounded(node, value, meta, place)
            return value
        origin = get_origin(kind)
        if origin in (Union, types.UnionType):
            return self._union(node, get_args(kind), place)
        if origin is Literal:
            return self._choice(node, get_args(kind), place)
        if origin is tuple:
            return self._sequence(node, get_args(kind)[0], place)
        if origin is dict:
            return self._table(node, get_args(kind)[1], place)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(node, kind, place)
        return self._scalar(node, kind, place)

    def _scalar(self, node: yaml.Node, kind: object, place: Place) -> object:
        value = _plain(node)
        wanted = _SCALAR_NAMES[kind]  # type: ignore[index]  # the schema uses no other scalars; a test binds every key
        if kind is str and isinstance(value, str):
            return value
        if kind is float and type(value) in (int, float):
            return float(value)  # type: ignore[arg-type]  # checked one line above
        if kind in (int, bool) and type(value) is kind:
            return value
        found = _describe(node)
        fix = f'put it in quotes: "{node.value}"' if kind is str and isinstance(node, yaml.ScalarNode) else f"write {wanted}"
        return self.problem(node, place, f"expected {wanted}, found {found}", fix, "type")

    def _duration(self, node: yaml.Node, place: Place) -> object:
        try:
            return parse_duration(node.value if isinstance(node, yaml.ScalarNode) else "")
        except ValueError as error:
            return self.problem(node, place, f"not a duration: {_describe(node)}", f"{error}", "duration")

    def _date(self, node: yaml.Node, place: Place) -> object:
        # YAML reads an unquoted 2026-10-01 as a date of its own kind; quoted or not, it is kept as written.
        try:
            return date.fromisoformat(node.value if isinstance(node, yaml.ScalarNode) else "").isoformat()
        except ValueError:
            return self.problem(node, place, f"not a date: {_describe(node)}", "write it as 2026-10-01", "date")

    def _written(self, node: yaml.Node, place: Place, *, always_list: bool) -> object:
        """Keep one value or a list of values as they were written, for a notation of its own."""
        if isinstance(node, yaml.SequenceNode):
            values = [self._written(item, place.at(index), always_list=False) for index, item in enumerate(node.value)]
            if _BAD in values or any(isinstance(value, tuple) for value in values):
                return _BAD if _BAD in values else self.problem(node, place, "a list in a list", "write one list", "type")
            return tuple(values)
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            return self.problem(node, place, f"expected a value, found {_describe(node)}", "write a value or a list", "type")
        return (node.value,) if always_list else node.value

    def _bounded(self, node: yaml.Node, value: object, meta: Meta, place: Place) -> object:
        problem = _out_of_bounds(value, meta)
        return self.problem(node, place, *problem, "bounds") if problem else value

    def _choice(self, node: yaml.Node, choices: tuple[str, ...], place: Place) -> object:
        value = _plain(node)
        if value in choices:
            return value
        return self.problem(node, place, f"unknown value {_describe(node)}", _suggest(str(value), choices), "choice")

    def _union(self, node: yaml.Node, members: tuple[object, ...], place: Place) -> object:
        if type(None) in members:
            if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
                return self.problem(node, place, "empty value", "give it a value or leave the key out", "empty")
            members = tuple(member for member in members if member is not type(None))
        if len(members) == 1:
            return self.bind(node, members[0], place)
        structs = [m for m in members if isinstance(m, type) and issubclass(m, msgspec.Struct)]
        if isinstance(node, yaml.MappingNode):
            return self._tagged(node, structs, place) if len(structs) > 1 else self._struct(node, structs[0], place)
        others = [m for m in members if m not in structs]
        if others:
            return self.bind(node, others[0], place)
        return self.problem(node, place, f"expected a mapping, found {_describe(node)}", "write key: value pairs", "type")

    def _tagged(self, node: yaml.MappingNode, structs: list[type], place: Place) -> object:
        by_tag = {cls.__struct_config__.tag: cls for cls in structs}  # type: ignore[attr-defined]  # all are msgspec structs
        field = structs[0].__struct_config__.tag_field  # type: ignore[attr-defined]
        tag = next((value for name, value in node.value if name.value == field), None)
        if tag is None:
            return self.problem(node, place, f"no {field!r} key", f"say what to look for: {_any_of(by_tag)}", "missing")
        if tag.value not in by_tag:
            return self.problem(
                tag, place.at(field), f"unknown value {tag.value!r}", _suggest(str(tag.value), by_tag), "choice"
            )
        return self._struct(node, by_tag[tag.value], place)

    def _sequence(self, node: yaml.Node, kind: object, place: Place) -> object:
        if not isinstance(node, yaml.SequenceNode):
            return self.problem(node, place, f"expected a list, found {_describe(node)}", "write each item after “- ”", "type")
        values = [self.bind(item, kind, place.at(index)) for index, item in enumerate(node.value)]
        return _BAD if _BAD in values else tuple(values)

    def _table(self, node: yaml.Node, kind: object, place: Place) -> object:
        if not isinstance(node, yaml.MappingNode):
            return self.problem(node, place, f"expected a mapping, found {_describe(node)}", "write key: value pairs", "type")
        values = {
            str(name.value): self.bind(value, kind, place.at(str(name.value))) for name, value in self._pairs(node, place)
        }
        return _BAD if _BAD in values.values() else values

    def _struct(self, node: yaml.Node, cls: type, place: Place) -> object:
        if not isinstance(node, yaml.MappingNode):
            return self.problem(node, place, f"expected a mapping, found {_describe(node)}", "write key: value pairs", "type")
        known = fields_of(cls)
        tag_field = cls.__struct_config__.tag_field  # type: ignore[attr-defined]  # all are msgspec structs
        values: dict[str, object] = {}
        for name, value in self._pairs(node, place):
            key = str(name.value)
            if key == tag_field:
                continue
            if key not in known:
                self.problem(name, place.at(key), f"unknown key {key!r}", _suggest(key, known), "unknown_key")
                continue
            values[known[key].name] = self.bind(value, known[key].type, place.at(key))
        for key, field in known.items():
            if field.required and field.name not in values:
                self.problem(node, place.at(key), f"missing key {key!r}", f"add “{key}:”{_example(field.type)}", "missing")
                values[field.name] = _BAD
        return _BAD if _BAD in values.values() else cls(**values)

    def _pairs(self, node: yaml.MappingNode, place: Place) -> Iterable[tuple[yaml.Node, yaml.Node]]:
        seen: set[str] = set()
        for name, value in node.value:
            key = str(name.value)
            if key in seen:
                self.problem(name, place.at(key), f"key {key!r} stands here twice", "keep one of them", "duplicate_key")
                continue
            seen.add(key)
            yield name, value


class Field(NamedTuple):
    """A key of a struct: its Python name, its annotation, and whether it must be there."""

    name: str
    type: object
    required: bool


@cache
def fields_of(cls: type) -> dict[str, Field]:
    """Return the keys of a struct by the name they have in YAML."""
    hints = get_type_hints(cls, include_extras=True)
    return {
        field.encode_name: Field(
            field.name, hints[field.name], field.default is NODEFAULT and field.default_factory is NODEFAULT
        )
        for field in msgspec.structs.fields(cls)
    }


def is_bad(value: object) -> bool:
    """Tell whether binding failed."""
    return value is _BAD


def _plain(node: yaml.Node) -> object:
    if not isinstance(node, yaml.ScalarNode):
        return _BAD
    if node.tag == "tag:yaml.org,2002:str":
        return node.value
    return yaml.SafeLoader("").construct_object(node)


def _describe(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if node.value == "" else repr(node.value[:60])


def _out_of_bounds(value: object, meta: Meta) -> tuple[str, str] | None:
    if isinstance(value, int | float):
        show = format_duration if (meta.extra or {}).get("kind") == "duration" else str
        if meta.ge is not None and value < meta.ge:
            return f"{show(value)} is too little", f"write at least {show(meta.ge)}"  # type: ignore[arg-type]
        if meta.le is not None and value > meta.le:
            return f"{show(value)} is too much", f"write at most {show(meta.le)}"  # type: ignore[arg-type]
    if isinstance(value, str):
        if meta.max_length is not None and len(value) > meta.max_length:
            return f"{len(value)} characters are too many", f"write at most {meta.max_length}"
        if meta.min_length is not None and len(value) < meta.min_length:
            return "nothing is written here", "write something or leave the key out"
        if meta.pattern is not None and re.search(meta.pattern, value) is None:
            return f"{value!r} is not an id", "use lower-case letters, digits, _ and dots, starting with a letter: ads.bargain"
    return None


def _suggest(word: str, choices: Iterable[str]) -> str:
    close = get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"use {_any_of(choices)}"


def _any_of(choices: Iterable[str]) -> str:
    return " | ".join(sorted(map(str, choices)))


def _example(kind: object) -> str:
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.examples:
            return f" such as {meta.examples[0]}"
    return ""
