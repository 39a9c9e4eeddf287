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
from qunce.playbook.schema.replies import Response, TalkStyle
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
    """With its variables put in; in the library as it is written."""
    said: str
    """What goes into the field: the text, and below it the links that are not in it yet."""
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


def library(words: str, kind: str, now_ms: int, *, with_materials: bool = False) -> tuple[ResponseRow, ...]:
    """Return the responses of the playbook in force, as they are written: those of a kind (empty = any) that hold or resemble
    `words`, best first; by id when it is blank. Three queries.
    """
    book = _book()
    if book is None:
        return ()
    found = [one.response for one in book.index.search(words, limit=len(book.index.responses))]
    wanted = [one for one in found if kind in ("", one.kind) and (one.materials or not with_materials)]
    used = _used([one.response_id for one in wanted], now_ms)
    return tuple(_row(one, one.text, used.get(one.response_id, 0)) for one in wanted)


def to_add(response_ids: Collection[str]) -> dict[str, tuple[MaterialRow, ...]]:
    """Return what a colleague must add by hand to answers made of these responses: links go with the words."""
    book = _book()
    if book is None or not response_ids:
        return {}
    return {
        one.response_id: rows
        for one in book.index.responses
        if one.response_id in response_ids and (rows := tuple(item for item in _materials(one) if not item.is_link))
    }


def kinds() -> Mapping[str, Titles]:
    """Return the kinds of responses with what they are called."""
    return KINDS


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
    return tuple(_row(one, filled(one.text, values), used.get(one.response_id, 0)) for one in found)


def _row(one: Response, text: str, used: int) -> ResponseRow:
    materials = _materials(one)
    links = [item.ref for item in materials if item.is_link and item.ref not in text]
    return ResponseRow(
        response_id=one.response_id, title=(one.title, one.title_en or one.title), kind=KINDS[one.kind], business=one.business,
        styles=tuple(STYLES[style] for style in one.styles), text=text, said="\n".join([text, *links]), materials=materials,
        used=used,
    )  # fmt: skip


def _materials(one: Response) -> tuple[MaterialRow, ...]:
    return tuple(
        MaterialRow(kind=MATERIALS[item.kind], ref=item.ref, is_link=item.kind == "link", note=item.note)
        for item in one.materials
    )


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
