"""Read what single subjects are and did from the mirror, for the evaluator of one.

Plain rows in, records out: the rules of who counts are written here a second time, on purpose, so that tests can hold the
compiled segments against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from qunce.analytics.segments.tables import CREATED, PAID, PROFILE_SCHEMAS, REFUNDED
from qunce.analytics.tables import CLICKED, CONTACT_ADDED, CONTACT_REMOVED, JOINED, LEFT, MESSAGE, REACTION
from qunce.engine.segments.records import Happened, Held, History, SubjectRow, Value
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.catalogue import ATTRIBUTES, CODED
from qunce.readmodels.contents import CONTENT_NAMES

Row = Mapping[str, Any]
Rows = Mapping[str, Iterable[Row]]
"""Rows of `analytics.segments.tables.SCHEMAS`, by table; at least those about the subjects asked for."""
Key = tuple[int, int]
"""(subject, group of a membership or 0)."""
_ACTED: Final = {
    MESSAGE: "message", REACTION: "reaction", JOINED: "group_join", LEFT: "group_leave", CLICKED: "link_click",
    CONTACT_ADDED: "contact_added", CONTACT_REMOVED: "contact_removed",
}  # fmt: skip
_MET: Final = {MESSAGE: "got_reply", JOINED: "invite"}
_ORDERS: Final = {CREATED: "order_created", PAID: "order_paid", REFUNDED: "order_refunded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Subjects of one kind with what they did."""

    subjects: dict[Key, SubjectRow]
    histories: dict[Key, History]

    def history(self, key: Key) -> History:
        """Return the events of a subject."""
        return self.histories.get(key, History())


def read_subjects(of: Subject, rows: Rows, currency: str) -> Known:
    """Return all subjects of one kind in these rows."""
    reader = _Reader(rows)
    subjects = reader.subjects(of)
    events: dict[Key, list[Happened]] = {}
    for person, event in reader.events(currency):
        key = {"member": (person, 0), "membership": (person, event.group_id), "group": (event.group_id, 0)}[of]
        if key in subjects:
            events.setdefault(key, []).append(event)
    return Known(subjects=subjects, histories={key: History(found) for key, found in events.items()})


class _Reader:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._odd = {row["identity_id"]: row for row in rows["exceptions"]}
        self._direct = {row["group_id"] for row in rows["groups"] if row["kind"] != "group"}
        self._tags: dict[tuple[str, int, int], list[Held]] = {}
        for row in rows["tags"]:
            held = Held(row["tag"], row["from_ms"], row["to_ms"])
            self._tags.setdefault((row["of"], row["subject_id"], row["group_id"]), []).append(held)
        self._fields: dict[int, dict[str, Value]] = {}
        for row in rows["fields"]:
            value = row["number"] if row["is_number"] else row["word"]
            self._fields.setdefault(row["member_id"], {})[row["attribute"]] = value

    def _person(self, identity: int) -> int:
        """Return the member behind an account; 0 = nobody, or somebody who does not count."""
        odd = self._odd.get(identity)
        if odd is None:
            return identity
        return 0 if odd["excluded"] else int(odd["member_id"])

    def subjects(self, of: Subject) -> dict[Key, SubjectRow]:
        if of != "membership":
            table, column = ("member_profiles", "member_id") if of == "member" else ("group_profiles", "group_id")
            keys = {(row[column], 0): row for row in self._rows[table]}
            return {key: self._subject(of, key, row) for key, row in keys.items()}
        words = {row["group_id"]: row for row in self._rows["group_profiles"]}
        found: dict[Key, SubjectRow] = {}
        for row in self._rows["membership_profiles"]:
            key = (row["member_id"], row["group_id"])
            spelled = {name: choices[row[name] - 1] if row[name] else "" for name, choices in CODED.items()}
            found[key] = self._subject(of, key, {**words.get(key[1], {}), **row, **spelled})
        return found

    def _subject(self, of: Subject, key: Key, row: Row) -> SubjectRow:
        attributes: dict[str, Value] = {}
        for name, attribute in ATTRIBUTES[of].items():
            value = row.get(name)
            missing = value is None or value == "" or (attribute.kind == "moment" and value == 0)
            attributes[name] = None if missing else value
        tags = self._tags.get((of, *key), [])
        if of == "membership":
            tags = tags + self._tags.get(("member", key[0], 0), [])
        fields = {} if of == "group" else self._fields.get(key[0], {})
        return SubjectRow(of=of, subject_id=key[0], group_id=key[1], attributes=attributes, fields=fields, tags=tuple(tags))

    def events(self, currency: str) -> Iterable[tuple[int, Happened]]:
        """Yield each event with the member it is an event of."""
        for row in self._rows["facts"]:
            if row["group_id"] not in self._direct:
                yield from self._fact(row)
        for row in self._rows["order_events"]:
            person = self._person(row["identity_id"])
            if person:
                yield person, Happened(
                    event_id=row["order_id"], kind=_ORDERS[row["kind"]], ts_ms=row["ts_ms"], day=row["day"],
                    member_id=person, amount=row["amount"] if row["currency"] == currency else 0,
                )  # fmt: skip

    def _fact(self, row: Row) -> Iterable[tuple[int, Happened]]:
        actor, peer = self._person(row["actor"]), self._person(row["peer"])
        peer = 0 if peer == actor else peer
        fields: dict[str, Any] = {
            "event_id": row["seq"], "ts_ms": row["ts_ms"], "day": row["day"], "group_id": row["group_id"],
            "content": CONTENT_NAMES.get(row["content"], ""), "length": row["length"], "is_question": bool(row["is_question"]),
        }  # fmt: skip
        if actor and row["type"] in _ACTED:
            yield actor, Happened(kind=_ACTED[row["type"]], member_id=actor, peer=peer, **fields)
        if actor and peer and row["type"] in _MET:
            yield peer, Happened(kind=_MET[row["type"]], member_id=peer, peer=actor, **fields)


TABLES: Final = ("facts", "exceptions", "groups", *PROFILE_SCHEMAS)
"""Tables of the mirror that rows are read from."""
