"""Say in a sentence what a part does, also while the rest of the playbook, or the part itself, still has mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import yaml

from qunce.playbook.binding import Binder, Place, is_bad
from qunce.playbook.check import ID_FIELDS
from qunce.playbook.explain import explain_answers, explain_ladder, explain_response, explain_rule
from qunce.playbook.explain_people import (
    explain_attribute,
    explain_holidays,
    explain_scheme,
    explain_segment,
    explain_tag_group,
)
from qunce.playbook.forms.fields import Titles, sections
from qunce.playbook.parts import parts
from qunce.playbook.schema import AnswerRule, Duty, Holidays, Info, Ladder, Lexicon, Playbook, Rule
from qunce.playbook.schema.profile import Attribute, TagGroup
from qunce.playbook.schema.replies import Response
from qunce.playbook.schema.segments import Segment
from qunce.playbook.schema.tiers import Scheme
from qunce.playbook.splice import lay_out

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def bind_part(section: str, values: object) -> msgspec.Struct | None:
    """Return a part as its record; None = it has mistakes, or the section is a plain list."""
    record = sections()[section].record
    if record is None:
        return None
    node = yaml.compose(lay_out(values, 0), Loader=_LOADER)
    if node is None:
        return None
    value = Binder().bind(node, record, Place("", ""))
    return None if is_bad(value) else value  # type: ignore[return-value]  # bound to this very record


def bound(files: Mapping[str, str]) -> Playbook:
    """Return a playbook of the parts that hold on their own; nothing says that they hold together."""
    found: dict[str, list[msgspec.Struct]] = {}
    for part in parts(files):
        record = bind_part(part.section, part.plain)
        if record is not None:
            found.setdefault(part.section, []).append(record)
    single = {section: records[0] for section, records in found.items() if section not in ID_FIELDS}
    single.setdefault("playbook", Info(playbook_id="draft", title="draft"))
    many = {section: tuple(records) for section, records in found.items() if section in ID_FIELDS}
    return Playbook(**single, **many)  # type: ignore[arg-type]  # by section, bound to these very records


def say(record: msgspec.Struct | None, book: Playbook) -> Titles:
    """Return what a part does in Chinese and English; empty = there is no sentence for its kind, or it has mistakes.

    `book` gives the names of the lexicons, ladders and rosters it uses.
    """
    match record:
        case Rule():
            return explain_rule(record, book, "zh"), explain_rule(record, book, "en")
        case AnswerRule():
            return explain_answers(record, book, "zh"), explain_answers(record, book, "en")
        case Ladder():
            return explain_ladder(record, "zh"), explain_ladder(record, "en")
        case Lexicon():
            names = [rule.title for rule in book.rules if any(record.lexicon_id in _lexicons(check) for check in rule.when)]
            used = "、".join(f"「{name}」" for name in names)
            return (
                f"{len(record.terms)} 个词，{len(record.allow)} 个放行词；" + (f"用在规则{used}" if used else "还没有规则用它"),
                f"{len(record.terms)} terms, {len(record.allow)} allowed; "
                + (f"used by {used}" if used else "no rule uses it yet"),
            )
        case Segment():
            return explain_segment(record, book, "zh"), explain_segment(record, book, "en")
        case Scheme():
            return explain_scheme(record, book, "zh"), explain_scheme(record, book, "en")
        case TagGroup():
            return explain_tag_group(record, book, "zh"), explain_tag_group(record, book, "en")
        case Attribute():
            return explain_attribute(record, "zh"), explain_attribute(record, "en")
        case Holidays():
            return explain_holidays(record, "zh"), explain_holidays(record, "en")
        case Response():
            return explain_response(record, "zh"), explain_response(record, "en")
        case Duty():
            shifts = "、".join(f"{shift.title} {shift.hours}" for shift in record.shifts)
            return shifts, shifts.replace("、", ", ")
    return "", ""


def _lexicons(check: msgspec.Struct) -> tuple[str, ...]:
    return getattr(check, "lexicons", ())
