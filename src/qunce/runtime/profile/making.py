"""Make the events that change attributes and tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from msgspec.structs import replace

from qunce.domain.events import TYPE_CODES, AttributeSet, Conv, Event, Kept, MemberJoined, Party, Source, TagPut, TagTaken
from qunce.domain.keys import native_key
from qunce.readmodels.models import Group, Happening, Identity

_KEPT: Final[dict[str, Kept]] = {word: word for word in get_args(Kept)}
Change = AttributeSet | TagPut | TagTaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom an event is about, as its platform names it."""

    id: int
    connector: str
    account: str
    platform_id: str
    kind: str = ""
    """Of groups: what the conversation is."""


def accounts(identity_ids: Iterable[int]) -> Mapping[int, Account]:
    """Return accounts by id, with one query; unknown ones are left out."""
    rows = Identity.objects.filter(pk__in=list(identity_ids)).values_list("pk", "connector", "account", "platform_id")
    return {pk: Account(id=pk, connector=c, account=a, platform_id=p) for pk, c, a, p in rows}


def groups(group_ids: Iterable[int]) -> Mapping[int, Account]:
    """Return groups by id, with one query; unknown ones are left out."""
    rows = Group.objects.filter(pk__in=list(group_ids)).values_list("pk", "connector", "account", "platform_id", "kind")
    return {pk: Account(id=pk, connector=c, account=a, platform_id=p, kind=k) for pk, c, a, p, k in rows}


def event(body: Change, ts_ms: int, key: str, *, person: Account | None = None, group: Account | None = None) -> Event:
    """Return what happened to a person, a group, or a person in a group. `key` names the action: done twice it happens once.

    Raises ValueError when it is about nobody.
    """
    place = person or group
    if place is None:
        raise ValueError("an attribute or a tag is of somebody")
    # An encoder leaves a default out only when it is the very same object: a word read from a table is not, and what is folded
    # from the journal again would be written in other words.
    body = replace(body, kept=_KEPT[body.kept])
    name = body.attribute if isinstance(body, AttributeSet) else f"{body.tag}/{body.rule_id}"
    where = (person.platform_id if person else "", group.platform_id if group else "")
    conv = Conv(platform_id=group.platform_id, kind=group.kind) if group else None  # type: ignore[arg-type]  # stored from a ConvKind
    return Event(
        ts_ms=ts_ms,
        source=Source(connector=place.connector, account=place.account, origin="self"),
        body=body,
        dedupe_key=native_key("known", key, type(body).__name__, name, body.kept, *where),
        conv=conv,
        subject=Party(platform_id=person.platform_id) if person else None,
        confidence="derived" if body.kept in ("rule", "model") else "reported",
    )


def joins(keys: Iterable[tuple[int, int]]) -> Mapping[tuple[int, int], int]:
    """Return for memberships (member, group) the journal position of the newest join, with one query."""
    wanted = frozenset(keys)
    rows = Happening.objects.filter(
        type=TYPE_CODES[MemberJoined], identity__member_id__in={member for member, _group in wanted},
        group_id__in={group for _member, group in wanted},
    ).order_by("ts_ms", "seq")  # fmt: skip
    found = rows.values_list("identity__member_id", "group_id", "seq")
    return {(member, group): seq for member, group, seq in found if (member, group) in wanted}
