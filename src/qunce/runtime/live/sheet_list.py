"""List the parts of a draft section by section, each with its sentence and how many mistakes it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qunce.playbook import parts
from qunce.playbook.check import ID_FIELDS
from qunce.playbook.errors import Problem
from qunce.playbook.forms.fields import fields_of_form, sections
from qunce.playbook.forms.saying import bind_part, bound, say
from qunce.playbook.forms.words import section_about
from qunce.playbook.schema import Playbook

Titles = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part in the list of its section."""

    key: str
    title: Titles
    words: Titles
    mode: str
    enabled: bool | None
    """None = it has no switch."""
    problems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRows:
    """A section of the draft with its parts."""

    name: str
    about: Titles
    many: bool
    rows: tuple[PartRow, ...]


def overview(files: Mapping[str, str], problems: Sequence[Problem]) -> tuple[SectionRows, ...]:
    """Return every section with its parts, in the order of the schema; sections without parts too. No query."""
    book = bound(files)
    rows: dict[str, list[PartRow]] = {name: [] for name in sections()}
    for part in parts.parts(files):
        rows[part.section].append(_row(part, book, problems))
    return tuple(
        SectionRows(name=name, about=section_about(name), many=form.many, rows=tuple(rows[name]))
        for name, form in sections().items()
    )


def part_of(files: Mapping[str, str], problem: Problem) -> tuple[str, str] | None:
    """Return section and key of the part a mistake is in; None = it is in none."""
    for part in parts.parts(files):
        if _within(part, problem):
            return part.section, part.key
    return None


def broken_files(files: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files that are no YAML, so that no form can show them."""
    return parts.broken_files(files)


def _row(part: parts.Part, book: Playbook, problems: Sequence[Problem]) -> PartRow:
    values = part.values
    record = sections()[part.section].record
    title = str(values.get("title") or ("" if part.section not in ID_FIELDS else part.key))
    has_switch = record is not None and any(field.name == "enabled" for field in fields_of_form(record))
    return PartRow(
        key=part.key, title=(title, str(values.get("title_en") or title)),
        words=say(bind_part(part.section, part.plain), book), mode=str(values.get("mode") or ""),
        enabled=values.get("enabled") is not False if has_switch else None,
        problems=sum(_within(part, one) for one in problems),
    )  # fmt: skip


def _within(part: parts.Part, problem: Problem) -> bool:
    inside = problem.path == part.path or problem.path.startswith((f"{part.path}.", f"{part.path}["))
    return problem.file == part.file and inside
