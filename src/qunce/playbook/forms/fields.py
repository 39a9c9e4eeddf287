"""Describe the form of every record of the schema: one field a key, each with its widget, names, help, bounds and default.

No record has a form of its own: a section that is added to `Playbook` has one as soon as its keys are described. A key whose
type no widget fits raises UnknownShape; a test walks all records.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta

from qunce.playbook.check import ID_FIELDS
from qunce.playbook.forms import words
from qunce.playbook.schema import Playbook
from qunce.playbook.units import format_duration
from qunce.playbook.write import to_plain

Widget = Literal[
    "text", "long", "number", "duration", "date", "hours", "switch", "choice", "many", "reference", "references", "words",
    "lines", "lists", "table", "record", "records", "union",
]  # fmt: skip
"""`words`: one text a line; `lines`: texts that may carry a number; `lists`: several lists of words; `table`: names with a
value each; `record`: one record or none; `union`: a list of records of several kinds."""
Titles = tuple[str, str]
"""The same in Chinese and English."""
LONG: Final = 120
"""Texts that may be longer than this many characters are written in a field of several lines."""


class UnknownShape(TypeError):
    """A key of the schema whose type has no widget; `str()` names it."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the values a key may have."""

    code: str
    title: Titles
    about: Titles = ("", "")


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a record, as a form shows it."""

    name: str
    """The key in YAML."""
    widget: Widget
    title: Titles
    help: Titles
    required: bool
    default: object = None
    """What holds without it, as plain YAML values; None = nothing."""
    optional: bool = False
    """Whether leaving it empty means that the key is absent, not an empty list."""
    examples: tuple[str, ...] = ()
    whole: bool = False
    """Of numbers: no fractions."""
    ge: float | None = None
    le: float | None = None
    max_length: int | None = None
    choices: tuple[Choice, ...] = ()
    """Of `choice` and `many`, and the kinds of a `union` by their tag."""
    section: str = ""
    """Of references: the section whose ids may be named."""
    single: bool = False
    """Of words: one of them is written as a value, not as a list."""
    record: type[msgspec.Struct] | None = None
    """Of `record`, `records` and `lines`."""
    item: FormField | None = None
    """Of a table: the value beside each name."""


class SectionForm(msgspec.Struct, frozen=True, kw_only=True):
    """A section of a playbook: a list of parts with ids, or a single part."""

    name: str
    record: type[msgspec.Struct] | None
    """None = a plain list of words."""
    id_field: str
    """Key that names a part; empty for single parts."""
    field: FormField | None = None
    """Of a plain list: its only field."""

    @property
    def many(self) -> bool:
        """Whether there may be several parts."""
        return bool(self.id_field)


@cache
def sections() -> dict[str, SectionForm]:
    """Return the sections of a playbook in the order of the schema. Raises UnknownShape for one that has no form."""
    hints = get_type_hints(Playbook, include_extras=True)
    found: dict[str, SectionForm] = {}
    for field in msgspec.structs.fields(Playbook):
        if field.name == "schema_version":
            continue
        kind, _metas = _strip(hints[field.name])
        if _is_struct(kind):
            found[field.name] = SectionForm(name=field.name, record=kind, id_field="")
        elif get_origin(kind) is tuple and _is_struct(inner := _strip(get_args(kind)[0])[0]) and field.name in ID_FIELDS:
            found[field.name] = SectionForm(name=field.name, record=inner, id_field=ID_FIELDS[field.name])
        else:
            words_field = _field(Playbook, field, hints[field.name])
            found[field.name] = SectionForm(name=field.name, record=None, id_field="", field=words_field)
    return found


@cache
def fields_of_form(record: type[msgspec.Struct]) -> tuple[FormField, ...]:
    """Return the fields of a record in the order of the schema. Raises UnknownShape."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(_field(record, field, hints[field.name]) for field in msgspec.structs.fields(record))


@cache
def kinds_of(field: FormField) -> dict[str, type[msgspec.Struct]]:
    """Return the records of a union by the tag that names them."""
    return _KINDS[field.choices]


_KINDS: Final[dict[tuple[Choice, ...], dict[str, type[msgspec.Struct]]]] = {}


def tag_field(record: type[msgspec.Struct]) -> str:
    """Return the key that names the kind of a record; empty = it has none."""
    return record.__struct_config__.tag_field or ""


def _field(owner: type[msgspec.Struct], field: msgspec.structs.FieldInfo, annotation: object) -> FormField:
    kind, metas = _strip(annotation)
    optional = _is_optional(annotation)
    place = f"{owner.__name__}.{field.encode_name}"
    default = _default(field)
    required = field.default is NODEFAULT and field.default_factory is NODEFAULT
    meta = metas[-1] if metas else Meta()
    shape = _shape(field.encode_name, kind, metas, place)
    return FormField(
        name=field.encode_name,
        title=(next((one.title for one in reversed(metas) if one.title), field.encode_name), words.english(field.encode_name)),
        help=(words.HELP.get(place, ""), next((one.description for one in reversed(metas) if one.description), "")),
        required=required,
        default=format_duration(default) if isinstance(default, int) and shape["widget"] == "duration" else to_plain(default),
        optional=optional and not required,
        examples=tuple(_example(example) for one in reversed(metas) for example in one.examples or ())[:3],
        ge=meta.ge, le=meta.le,
        max_length=next((one.max_length for one in reversed(metas) if one.max_length is not None), None),
        **shape,
    )  # fmt: skip


def _shape(name: str, kind: Any, metas: tuple[Meta, ...], place: str) -> dict[str, Any]:
    """Return the widget of a type and what belongs to it. Types are matched as the binder matches them."""
    notation = next((str((one.extra or {}).get("kind", "")) for one in reversed(metas) if one.extra), "")
    longest = next((one.max_length for one in reversed(metas) if one.max_length is not None), 0)
    origin, section = get_origin(kind), _section_of(name)
    if notation == "duration" or notation == "date":
        return {"widget": notation}
    if kind is bool:
        return {"widget": "switch"}
    if kind in (int, float):
        return {"widget": "number", "whole": kind is int}
    if kind is str:
        if section:
            return {"widget": "reference", "section": section}
        return {"widget": "hours" if notation == "hours" else "long" if longest > LONG else "text"}
    if origin is Literal:
        return {"widget": "choice", "choices": _choices(name, get_args(kind))}
    if origin is tuple:
        return _list_shape(name, _strip(get_args(kind)[0])[0], section, place)
    if origin is dict:
        value = msgspec.structs.fields(_table_of(get_args(kind)[1]))[0]
        item = _field(_table_of(get_args(kind)[1]), value, get_args(kind)[1])
        return {"widget": "table", "item": item}
    if _is_struct(kind):
        return {"widget": "record", "record": kind}
    if _is_written(kind):
        return {"widget": "words", "single": True}
    raise UnknownShape(f"{place}: no widget for {kind!r}")


def _list_shape(name: str, inner: Any, section: str, place: str) -> dict[str, Any]:
    if get_origin(inner) is Literal:
        return {"widget": "many", "choices": _choices(name, get_args(inner))}
    if inner is str:
        return {"widget": "references", "section": section} if section else {"widget": "words"}
    if get_origin(inner) is tuple and _strip(get_args(inner)[0])[0] is str:
        return {"widget": "lists"}
    if _is_struct(inner):
        return {"widget": "records", "record": inner}
    if get_origin(inner) in (Union, types.UnionType):
        members = [_strip(member)[0] for member in get_args(inner)]
        structs = [member for member in members if _is_struct(member)]
        if len(structs) == len(members) and all(tag_field(member) for member in structs):
            return {"widget": "union", "choices": _kinds(structs)}
        if members[0] is str and len(structs) == 1 == len(members) - 1:
            return {"widget": "lines", "record": structs[0]}
    raise UnknownShape(f"{place}: no widget for a list of {inner!r}")


def _kinds(structs: list[Any]) -> tuple[Choice, ...]:
    choices = tuple(
        Choice(code=str(one.__struct_config__.tag), title=words.kind_title(one), about=words.kind_about(one)) for one in structs
    )
    _KINDS[choices] = {str(one.__struct_config__.tag): one for one in structs}
    return choices


def _choices(name: str, codes: tuple[Any, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(code=str(code), title=words.choice(name, str(code))) for code in codes)


@cache
def _table_of(annotation: Any) -> type[msgspec.Struct]:
    """Return a record with one key `value` of this type, so that the values of a table are described like any other key."""
    return msgspec.defstruct("Value", [("value", annotation)])


def _strip(annotation: Any) -> tuple[Any, tuple[Meta, ...]]:
    """Return a type without `Annotated` and without None, and what it was annotated with, innermost first."""
    metas: tuple[Meta, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            metas = tuple(extra for extra in annotation.__metadata__ if isinstance(extra, Meta)) + metas
            annotation = get_args(annotation)[0]
            continue
        if get_origin(annotation) in (Union, types.UnionType):
            others = [member for member in get_args(annotation) if member is not type(None)]
            if len(others) == 1:
                annotation = others[0]
                continue
        return annotation, metas


def _is_optional(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_optional(get_args(annotation)[0])
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_written(kind: Any) -> bool:
    """Tell whether a type is one text or a list of them."""
    members = get_args(kind)
    return get_origin(kind) in (Union, types.UnionType) and len(members) == 2 and str in members


def _section_of(name: str) -> str:
    """Return the section whose ids a key names, known by its own name: `ladder` and `lexicons` name parts of theirs."""
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
    return next((one for one in (name, plural) if one in ID_FIELDS), "")


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return None if field.default is NODEFAULT else field.default


def _example(example: object) -> str:
    return "、".join(map(str, example)) if isinstance(example, list) else str(example)
