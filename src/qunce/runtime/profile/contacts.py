"""Take lists of contacts (好友) from a table: who was added by which employee, and since when.

A cell of the column says 是 or 否, or names the employee. 否 ends what stands; what stands already is not told again, so the
same list may be imported every week.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings

from qunce.domain.events import ContactAdded, ContactRemoved, Event, Party, Source
from qunce.domain.keys import native_key
from qunce.readmodels.models import Identity
from qunce.readmodels.selectors import contacts
from qunce.runtime.profile import making

TARGETS: Final = ("contact", "contact_time")
GUESSES: Final = {
    "contact": ("好友", "是否已加好友", "已加好友", "添加人", "所属员工", "跟进人", "跟进员工", "所属客服", "added by"),
    "contact_time": ("添加时间", "加好友时间", "添加好友时间", "好友时间", "added at", "add time"),
}  # fmt: skip
YES: Final = frozenset(("是", "已添加", "已加", "yes", "y", "true", "1", "有"))
NO: Final = frozenset(("否", "未添加", "未加", "no", "n", "false", "0", "无", "-"))
MAX_STAFF: Final = 100
_FORMS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")
EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01; nobody was added before."""


class BadContact(Exception):
    """A row that says nothing usable about a contact; with the mend."""

    def __init__(self, text: str, fix: str) -> None:
        super().__init__(text)
        self.text = text
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a row says. `staff` None = is no contact, empty = of somebody; `since_ms` None = nobody says since when."""

    staff: str | None
    since_ms: int | None


def read(cells: Mapping[str, str], moment: int) -> Told | None:
    """Return what a row says about the contact; None = nothing. Raises BadContact."""
    word = cells.get("contact", "").strip()
    if not word:
        return None
    since_ms = _time(cells.get("contact_time", ""), moment)
    if word.casefold() in NO:
        return Told(staff=None, since_ms=since_ms)
    if word.casefold() in YES:
        return Told(staff="", since_ms=since_ms)
    if len(word) > MAX_STAFF or word[0] in "=+@＝＋＠":
        raise BadContact("the employee is no name", "write 是, 否, or the name or id of the employee")
    return Told(staff=word, since_ms=since_ms)


def _time(text: str, moment: int) -> int | None:
    text = text.strip().replace("/", "-")
    if not text:
        return None
    for form in _FORMS:
        try:
            found = datetime.strptime(text[:19], form).replace(tzinfo=ZoneInfo(settings.TIME_ZONE))
        except ValueError:
            continue
        since_ms = int(found.timestamp() * 1_000)
        if EARLIEST_MS <= since_ms <= moment:
            return since_ms
        raise BadContact(f"the time {text[:20]} lies in the future, or before 2000", "correct it, or leave it empty")
    raise BadContact(f"no time: {text[:20]}", "write it as 2026-05-31 or 2026-05-31 09:30")


def events(
    told: Mapping[int, Told], persons: Mapping[int, making.Account], batch_id: str, moment: int
) -> Iterator[Event]:  # fmt: skip
    """Yield what changes by what rows say of members; `persons` are the accounts to write it to. Three queries."""
    accounts: dict[int, list[int]] = {}
    for account, member in Identity.objects.filter(member_id__in=told).order_by("pk").values_list("pk", "member_id"):
        accounts.setdefault(member, []).append(account)
    stands = contacts.standing([account for some in accounts.values() for account in some])
    people = making.accounts(stands)
    for member, said in told.items():
        person = persons[member]
        known = [(account, staff) for account in accounts.get(member, ()) for staff in stands.get(account, ())]
        if said.staff is None:
            for account, staff in known:
                body = ContactRemoved(by="list", staff=staff, batch_id=batch_id)
                yield _event(body, people[account], staff, batch_id, moment)
        elif said.staff not in {staff for _account, staff in known} and not (known and not said.staff):
            added = ContactAdded(staff=said.staff, way="import", batch_id=batch_id)
            yield _event(added, person, said.staff, batch_id, said.since_ms if said.since_ms is not None else moment)


def undoing(batch_id: str, moment: int) -> Iterator[Event]:
    """Yield what takes an imported list back: what it added never was, what it ended stands again. Newer changes stay."""
    rows = list(contacts.of_batch(batch_id).order_by("pk"))
    people = making.accounts(row.identity_id for row in rows)
    for row in rows:
        person, key = people[row.identity_id], f"undo/{batch_id}"
        if row.state == "added":
            yield _event(ContactRemoved(by="correction", staff=row.staff), person, row.staff, key, moment)
        else:
            yield _event(ContactAdded(staff=row.staff), person, row.staff, key, moment)


def _event(body: ContactAdded | ContactRemoved, person: making.Account, staff: str, key: str, ts_ms: int) -> Event:
    return Event(
        ts_ms=ts_ms, source=Source(connector=person.connector, account=person.account, origin="import"), body=body,
        subject=Party(platform_id=person.platform_id), dedupe_key=native_key("contact", person.platform_id, staff, key),
    )  # fmt: skip
