"""Fold what we know of people and groups: tags with who put them, attributes with where they come from.

A row is what one source says. A change that comes late (an import, a slow platform) does not replace a newer one; of two of one
moment the later in the journal counts. Each row remembers the states before, so that undoing a batch makes it exactly what it
was, and does nothing where somebody else has changed it since.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

import msgspec

from qunce.domain import events as ev
from qunce.domain.localtime import LocalClock, date_day
from qunce.readmodels.projector.state import AttributeRow, GroupRow, HoldingRow, IdentityRow, Rows
from qunce.readmodels.rows import Database

HoldingKey = tuple[int, int, str, str, str, str]
"""Identity, group, tag, target, kept, rule."""
AttributeKey = tuple[int, str, str]
"""Identity, attribute, kept."""
Body = ev.TagPut | ev.TagTaken | ev.TagChanged | ev.AttributeSet
TYPES: Final = (ev.TagPut, ev.TagTaken, ev.TagChanged, ev.AttributeSet)
DEPTH: Final = 4
"""States a row remembers."""
LONGEST_WORD: Final = 80
_HOLDING_STATE: Final = (
    "version", "reason", "confidence", "evidence", "put_ms", "until_ms", "taken_ms", "colleague", "batch_id", "changed_ms",
)  # fmt: skip
_ATTRIBUTE_STATE: Final = ("value", "number", "word", "confidence", "evidence", "set_ms", "colleague", "batch_id")
_encode = msgspec.json.Encoder().encode


class Knowledge:
    """The tags and attributes a batch touches."""

    def __init__(self, database: Database, clock: LocalClock) -> None:
        self._clock = clock
        self.holdings: Rows[HoldingKey, HoldingRow] = Rows(
            database, HoldingRow,
            lambda row: (row.identity_id, row.group_id, row.tag, row.target, row.kept, row.rule_id),
            lambda keys: database.in_rows(HoldingRow.key, keys, ("bigint", "bigint", "text", "text", "text", "text")), 40_000,
        )  # fmt: skip
        self.attributes: Rows[AttributeKey, AttributeRow] = Rows(
            database, AttributeRow, lambda row: (row.identity_id, row.attribute, row.kept),
            lambda keys: database.in_rows(AttributeRow.key, keys, ("bigint", "text", "text")), 40_000,
        )  # fmt: skip

    def load(self, found: Iterable[tuple[Body, GroupRow | None, IdentityRow | None]]) -> None:
        """Load the rows of these bodies, each with its group and its person."""
        holdings: dict[HoldingKey, None] = {}
        attributes: dict[AttributeKey, None] = {}
        for body, group, person in found:
            if isinstance(body, ev.AttributeSet):
                if person is not None:
                    attributes[person.id, body.attribute, body.kept] = None
            else:
                holdings.update(dict.fromkeys(key for key, _ in _changes(body, group, person)))
        self.holdings.load(holdings)
        self.attributes.load(attributes)

    def fold(self, seq: int, ts_ms: int, body: Body, group: GroupRow | None, person: IdentityRow | None) -> None:
        """Fold one event. What names nobody changes nothing."""
        if not isinstance(body, ev.AttributeSet):
            for key, change in _changes(body, group, person):
                self._tag(seq, ts_ms, key, change)
        elif person is not None:
            self._attribute(seq, ts_ms, person.id, body)

    def write(self) -> None:
        """Write what changed."""
        self.holdings.write()
        self.attributes.write()

    def forget(self) -> None:
        """Drop the caches, after a transaction was rolled back."""
        self.holdings.forget()
        self.attributes.forget()

    def _tag(self, seq: int, ts_ms: int, key: HoldingKey, body: ev.TagPut | ev.TagTaken) -> None:
        row = self.holdings.peek(key)
        if body.undoes:
            if row is not None and row.batch_id == body.undoes:
                self.holdings.get(key)
                _restore(row, _HOLDING_STATE, seq)
                if row.put_ms is None:
                    row.taken_ms, row.changed_ms, row.colleague = ts_ms, ts_ms, body.colleague
            return
        if row is not None and ts_ms < row.changed_ms:
            return
        if row is None:
            row = self.holdings.add(HoldingRow((*key, "", "", 1.0, "", None, None, None, "", "", ts_ms, seq, "")))
            before = None
        else:
            self.holdings.get(key)
            before = _state(row, _HOLDING_STATE)
        if isinstance(body, ev.TagPut):
            row.version, row.reason, row.confidence = body.version, body.reason, body.confidence
            row.evidence = _positions(body.evidence)
            row.put_ms, row.until_ms, row.taken_ms = ts_ms, body.until_ms, None
        else:
            row.taken_ms = ts_ms
        if row.batch_id != body.batch_id or not body.batch_id:
            row.earlier = _remember(row.earlier, before)
        row.colleague, row.batch_id, row.changed_ms, row.seq = body.colleague, body.batch_id, ts_ms, seq

    def _attribute(self, seq: int, ts_ms: int, identity_id: int, body: ev.AttributeSet) -> None:
        key = (identity_id, body.attribute, body.kept)
        row = self.attributes.peek(key)
        if body.undoes:
            if row is not None and row.batch_id == body.undoes:
                self.attributes.get(key)
                _restore(row, _ATTRIBUTE_STATE, seq)
            return
        if row is not None and ts_ms < row.set_ms:
            return
        if row is None:
            row = self.attributes.add(AttributeRow((*key, None, None, "", 1.0, "", ts_ms, "", "", seq, "")))
            before = None
        else:
            self.attributes.get(key)
            before = _state(row, _ATTRIBUTE_STATE)
        if row.batch_id != body.batch_id or not body.batch_id:
            row.earlier = _remember(row.earlier, before)
        row.value = None if body.value is None else _encode(body.value).decode()
        row.number, row.word = self._coded(body.value)
        row.confidence, row.evidence = body.confidence, _positions(body.evidence)
        row.set_ms, row.colleague, row.batch_id, row.seq = ts_ms, body.colleague, body.batch_id, seq

    def _coded(self, value: str | float | bool | None) -> tuple[int | None, str]:
        """Return a value as a number or as a word, as far as it is one of them."""
        if isinstance(value, bool):
            return None, "yes" if value else "no"
        if isinstance(value, str):
            date_ms = self._date(value)
            return date_ms, value if date_ms is None and len(value) <= LONGEST_WORD else ""
        if value is None or value != int(value) or abs(value) >= 1 << 62:
            return None, ""
        return int(value), ""

    def _date(self, text: str) -> int | None:
        if len(text) != len("2026-01-31") or text[4] != "-":
            return None
        try:
            return self._clock.start_ms(date_day(date.fromisoformat(text)))
        except ValueError:
            return None


def _changes(
    body: ev.TagPut | ev.TagTaken | ev.TagChanged, group: GroupRow | None, person: IdentityRow | None
) -> Iterator[tuple[HoldingKey, ev.TagPut | ev.TagTaken]]:
    """Yield the holdings an event changes, each with what happens to it; a platform's report speaks of several."""
    if isinstance(body, ev.TagChanged):
        if person is None:
            return
        reports: list[ev.TagPut | ev.TagTaken] = [
            *(ev.TagTaken(target="member", tag=tag, kept="connector") for tag in body.removed),
            *(ev.TagPut(target="member", tag=tag, kept="connector") for tag in body.added),
        ]
        for report in reports:
            yield (person.id, 0, report.tag, "member", "connector", ""), report
        return
    identity_id = person.id if person is not None and body.target != "group" else 0
    group_id = group.id if group is not None and body.target != "member" else 0
    if bool(identity_id) is (body.target != "group") and bool(group_id) is (body.target != "member"):
        yield (identity_id, group_id, body.tag, body.target, body.kept, body.rule_id), body


def _positions(evidence: tuple[int, ...]) -> str:
    return json.dumps(evidence) if evidence else ""


def _state(row: HoldingRow | AttributeRow, names: tuple[str, ...]) -> list[Any]:
    return [getattr(row, name) for name in names]


def _remember(earlier: str, before: list[Any] | None) -> str:
    """Return the states before, with one more; the first change of a row has none, and a batch is one change."""
    if before is None:
        return ""
    states: list[Any] = [*json.loads(earlier or "[]"), before]
    if len(states) > DEPTH:
        states = [None, *states[len(states) - DEPTH + 1 :]]
    return json.dumps(states, ensure_ascii=False, separators=(",", ":"))


def _restore(row: HoldingRow | AttributeRow, names: tuple[str, ...], seq: int) -> None:
    """Make a row what it was before its newest change; a row without earlier states was not there."""
    states: list[Any] = json.loads(row.earlier or "[]")
    if states and states[-1] is None:
        return
    if states:
        for name, value in zip(names, states.pop(), strict=True):
            setattr(row, name, value)
    elif isinstance(row, AttributeRow):
        row.value, row.number, row.word, row.batch_id = None, None, "", ""
    else:
        row.put_ms, row.batch_id = None, ""
    row.earlier = json.dumps(states, ensure_ascii=False, separators=(",", ":")) if states else ""
    row.seq = seq
