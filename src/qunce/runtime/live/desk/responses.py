"""Offer the canned responses of the playbook in force: fitting ones for a question, or by search; how often each was used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, get_args

from django.db.models import Count

from qunce.engine.desk.responses import Index, Scored
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.explain import group_rules
from qunce.playbook.load import parse
from qunce.playbook.responses import KINDS, MATERIALS, STYLES, filled
from qunce.playbook.schema.replies import TalkStyle
from qunce.runtime import organisation
from qunce.runtime.live import playbooks
from qunce.runtime.live.desk.views import ThreadRow
from qunce.runtime.models import DeskReply

COUNTED_MS: Final = 30 * 86_400_000
"""Uses are counted over so long."""
SUGGESTED: Final = 3
FOUND: Final = 12
Titles = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialRow:
    """What goes with a response."""

    kind: Titles
    ref: str
    is_link: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRow:
    """A canned response, ready to be said to somebody."""

    response_id: str
    title: Titles
    kind: Titles
    business: bool
    styles: tuple[Titles, ...]
    text: str
    """With its variables put in."""
    materials: tuple[MaterialRow, ...]
    used: int
    """Answers that began with it, over 30 days."""


@dataclass(frozen=True, slots=True)
class _Book:
    index: Index
    rules: str


def suggested(row: ThreadRow, tags: Collection[str], staff: str, now_ms: int) -> tuple[ResponseRow, ...]:
    """Return what to answer a matter with, best first; `tags` of the member tell the talk style. Four queries."""
    book = _book()
    if book is None or not row.person:
        return ()
    styles: list[TalkStyle] = [code for code in get_args(TalkStyle) if STYLES[code][0] in tags]
    scored = book.index.suggest(row.text, row.need, group=(row.group_platform_id, row.group), styles=styles, limit=SUGGESTED)
    return _rows(scored, row, staff, book.rules, now_ms)


def search(row: ThreadRow, words: str, staff: str, now_ms: int) -> tuple[ResponseRow, ...]:
    """Return the responses that hold or resemble `words`, best first; the first ones by id when it is blank. Four queries."""
    book = _book()
    if book is None:
        return ()
    return _rows(
        book.index.search(words, group=(row.group_platform_id, row.group), limit=FOUND), row, staff, book.rules, now_ms
    )


def count() -> int:
    """Return how many canned responses the playbook in force has."""
    book = _book()
    return len(book.index.responses) if book is not None else 0


def _rows(scored: Iterable[Scored], row: ThreadRow, staff: str, rules: str, now_ms: int) -> tuple[ResponseRow, ...]:
    found = [one.response for one in scored]
    if not found:
        return ()
    used = _used([one.response_id for one in found], now_ms)
    values = {
        "name": row.person.name if row.person else "", "group": row.group, "staff": staff, "rules": rules.strip(),
        "organisation": organisation.name(),
    }  # fmt: skip
    return tuple(
        ResponseRow(
            response_id=one.response_id, title=(one.title, one.title_en or one.title), kind=KINDS[one.kind],
            business=one.business, styles=tuple(STYLES[style] for style in one.styles), text=filled(one.text, values),
            materials=tuple(
                MaterialRow(kind=MATERIALS[item.kind], ref=item.ref, is_link=item.kind == "link", note=item.note)
                for item in one.materials
            ),
            used=used.get(one.response_id, 0),
        )
        for one in found
    )  # fmt: skip


def _used(ids: Collection[str], now_ms: int) -> Mapping[str, int]:
    rows = DeskReply.objects.filter(response_id__in=ids, created_ms__gt=now_ms - COUNTED_MS)
    return dict(rows.order_by().values_list("response_id").annotate(n=Count("pk")))


def _book() -> _Book | None:
    number = playbooks.standing()[0]
    return read(number) if number else None


@lru_cache(maxsize=4)
def read(number: int) -> _Book | None:
    """Return the responses of a published version, which never changes; None = it cannot be used."""
    version = playbooks.get(number)
    try:
        book = parse(version.files).playbook if version is not None else None
    except InvalidPlaybook:
        return None
    return _Book(Index(book.replies), group_rules(book)) if book is not None else None
