"""Make what a form shows: every field with its value as text, its rows, its choices and the mistakes that stand at it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from qunce.playbook.errors import Problem
from qunce.playbook.forms.fields import Choice, FormField, Titles, fields_of_form, kinds_of, tag_field
from qunce.playbook.forms.lines import twice
from qunce.playbook.forms.posted import Keys, line_keys, shown, unit_of

MANY_OPTIONAL: Final = 6
"""A record without a required key and with more optional ones than this hides those that are not used."""
RARE: Final = frozenset({
    "Rule.title_en", "Rule.modes", "Rule.groups", "Rule.free_hours", "Rule.stale_after", "Rule.severity", "Rule.announced",
    "Rule.applies_to", "AnswerRule.title_en", "AnswerRule.groups", "AnswerRule.brands", "AnswerRule.staff_roles",
    "AnswerRule.peers", "AnswerRule.peer_members", "AnswerRule.follow_up", "AnswerRule.give_up_after", "Step.private",
    "Step.notice", "Step.clear", "Info.title_en", "Info.version", "Ladder.grace", "Duplicate.similarity", "Duplicate.min_chars",
    "Report.daily_limit", "Segment.title_en", "Scheme.title_en", "Level.title_en", "Level.advice_en",
    "Attribute.title_en", "TagGroup.title_en", "Tag.title_en",
})  # fmt: skip
"""Keys that most people leave as they are: shown behind “more” until they are used. Presentation only."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a form may offer beside the schema."""

    ids: Mapping[str, tuple[tuple[str, str], ...]]
    """Parts that may be named: (id, title) by section."""
    suggestions: Mapping[str, tuple[str, ...]] = {}
    """Values in use by the name of a key, offered while typing."""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One choice, and whether it is taken."""

    choice: Choice
    on: bool
    unknown: bool = False
    """Whether it is taken although nothing of that name exists."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a list."""

    path: str
    title: Titles
    """Of a kind of a union; empty for others."""
    about: Titles
    tag: str
    tag_name: str
    fields: tuple[FieldView, ...]
    text: str
    """Of lists of words: the words one a line. Of tables: the name."""
    problems: tuple[Problem, ...]


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """One field as it is shown."""

    field: FormField
    path: str
    text: str
    unit: str
    on: bool
    options: tuple[Option, ...]
    rows: tuple[Row, ...]
    keys: str
    """The rows as the form sends them back."""
    given: bool
    """Whether the record says something here."""
    hidden: bool
    """Whether it stands behind “more”."""
    problems: tuple[Problem, ...]
    """Mistakes at this very field; those of its rows stand in them."""
    count: int
    """Of words and lines: how many there are."""
    twice: tuple[str, ...]
    """Of words and lines: those that stand more than once."""
    suggestions: tuple[str, ...]


class Viewer:
    """Shows one record; `keys` are the rows that were read from a form, if one was sent."""

    def __init__(self, known: Known, problems: Iterable[tuple[str, Problem]] = (), keys: Keys | None = None) -> None:
        """`problems` come with their path below the record: `when[0].window`."""
        self._known = known
        self._problems = list(problems)
        self._keys = keys or {}

    def record(
        self, record: type[msgspec.Struct], value: Mapping[str, object], path: str = "", spot: str = ""
    ) -> tuple[FieldView, ...]:
        """Return the fields of a record; `path` and `spot` are its places in the form and in the document."""
        fields = fields_of_form(record)
        roomy = len(fields) > MANY_OPTIONAL and not any(field.required for field in fields)
        found = []
        for field in fields:
            view = self.field(field, value.get(field.name), f"{path}{field.name}", f"{spot}{field.name}")
            rare = roomy or f"{record.__name__}.{field.name}" in RARE
            hidden = rare and field.name not in value and not self._below(f"{spot}{field.name}")
            found.append(msgspec.structs.replace(view, hidden=hidden))
        return tuple(found)

    def field(self, field: FormField, value: object, path: str, spot: str) -> FieldView:
        """Return one field with its value, or with its default when nothing is said."""
        given = value is not None
        value = field.default if value is None else value
        rows = self._rows(field, value, path, spot)
        listed = value if isinstance(value, list) and field.widget in ("words", "lines") else []
        return FieldView(
            field=field, path=path, text=shown(field, value) if not rows else "",
            unit=unit_of(value) if field.widget == "duration" else "",
            on=value is True, options=self._options(field, value), rows=rows, keys=",".join(_last(row.path) for row in rows),
            given=given, hidden=False, problems=self._at(spot, inside=not rows), count=len(listed),
            twice=tuple(twice(listed, line_keys(field)[0])), suggestions=self._known.suggestions.get(field.name, ()),
        )  # fmt: skip

    def _options(self, field: FormField, value: object) -> tuple[Option, ...]:
        if field.widget not in ("choice", "many", "reference", "references"):
            return ()
        choices = field.choices or tuple(
            Choice(code=code, title=(title, title)) for code, title in self._known.ids.get(field.section, ())
        )
        taken = [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]
        codes = {choice.code for choice in choices}
        strange = tuple(
            Option(choice=Choice(code=code, title=(code, code)), on=True, unknown=True) for code in taken if code not in codes
        )
        return tuple(Option(choice=choice, on=choice.code in taken) for choice in choices) + strange

    def _rows(self, field: FormField, value: object, path: str, spot: str) -> tuple[Row, ...]:
        if field.widget not in ("records", "union", "record", "lists", "table"):
            return ()
        items: Sequence[object]
        if field.widget == "table":
            items = list(value.items()) if isinstance(value, dict) else []
        elif field.widget == "record":
            items = [value] if value is not None else []
        else:
            items = value if isinstance(value, list) else []
        keys = self._keys.get(path, ())
        keys = keys if len(keys) == len(items) else tuple(str(at) for at in range(len(items)))
        return tuple(
            self._row(field, item, f"{path}.{key}", spot if field.widget == "record" else f"{spot}[{at}]")
            for at, (key, item) in enumerate(zip(keys, items, strict=True))
        )

    def _row(self, field: FormField, item: object, path: str, spot: str) -> Row:
        fields: tuple[FieldView, ...] = ()
        title, about, tag, tag_name, text = ("", ""), ("", ""), "", "", ""
        if field.widget == "lists":
            text = shown(_WORDS, item)
        elif field.widget == "table" and isinstance(item, tuple) and field.item is not None:
            text, spot = str(item[0]), f"{spot[: spot.rfind('[')]}.{item[0]}"
            fields = (self.field(field.item, item[1], f"{path}.value", spot),)
        elif isinstance(item, dict):
            record = field.record
            if field.widget == "union":
                kinds = kinds_of(field)
                tag_name = tag_field(next(iter(kinds.values())))
                tag = str(item.get(tag_name, ""))
                record = kinds.get(tag)
                choice = next((one for one in field.choices if one.code == tag), None)
                title, about = (choice.title, choice.about) if choice else ((tag, tag), ("", ""))
            if record is not None:
                fields = self.record(record, item, f"{path}.", f"{spot}.")
        own = self._at(spot, inside=not fields) if field.widget != "table" else ()
        return Row(path=path, title=title, about=about, tag=tag, tag_name=tag_name, fields=fields, text=text, problems=own)

    def _at(self, spot: str, *, inside: bool) -> tuple[Problem, ...]:
        """Return the problems at a place, and those below it when no field of its own shows them."""
        return tuple(
            problem
            for path, problem in self._problems
            if path == spot or (inside and re.match(re.escape(spot) + r"[.\[]", path))
        )

    def _below(self, spot: str) -> bool:
        return bool(self._at(spot, inside=True))


_WORDS: Final = FormField(name="", widget="words", title=("", ""), help=("", ""), required=False)


def placed(views: Iterable[FieldView]) -> set[int]:
    """Return the ids of the problems that stand at some field, so that the others can be shown above."""
    found: set[int] = set()
    for view in views:
        found |= {id(problem) for problem in view.problems}
        for row in view.rows:
            found |= {id(problem) for problem in row.problems} | placed(row.fields)
    return found


def _last(path: str) -> str:
    return path.rpartition(".")[2]
