"""Give a trial the past that a replay would have folded: who joined when, who had spoken how often, what was said just before.

A trial reads the newest messages only. Folding everything before them would take as long as a replay, so the state is made of
three things: the joins, leaves, roles and flags before them; the messages right before them, for rules that count within a
window; and, from the read model, when each of the people in them joined and how often they had spoken since. What a replay
knows beyond that is sanctions: a trial takes each offence for the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
from django.db.models import F

from qunce.domain.events import MemberUpdated, MessageCreated
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.engine.moderation.state import FIRST_MESSAGES, GroupState, Person
from qunce.readmodels.models import Identity, Membership, Message

MESSAGES_BEFORE: Final = 2_000
"""So many messages before the window are folded, for floods, repetitions and quarrels that began there."""
_PLAIN_KINDS: Final = ("unknown", "member")
Place = tuple[GroupId, IdentityId]


def warmed(before: Iterable[Happening], window: Sequence[Happening], *, playing: Collection[GroupId]) -> core.State:
    """Return the state in which a window begins; `before` is what happened before it, `playing` the groups in it.

    Four queries, whatever there is to fold.
    """
    state = core.State()
    for flag in _flags(window):
        core.fold_people(state, flag)
    for happening in before:
        core.fold(state, happening)
    _seat(state, window, playing)
    return state


def _flags(window: Sequence[Happening]) -> Iterable[Happening]:
    """Yield, for everybody in the window who is no ordinary member, that they were flagged so before."""
    first = {one.person: one for one in reversed(window) if one.person is not None}
    people = Identity.objects.filter(pk__in=first).exclude(kind__in=_PLAIN_KINDS)
    for person, kind, name in people.values_list("pk", "kind", "name"):
        shown = first[IdentityId(person)]
        party = shown.event.subject or shown.event.actor
        told = msgspec.structs.replace(
            shown.event, body=MemberUpdated(field="kind", new=kind),
            subject=msgspec.structs.replace(party, name=party.name or name) if party else None,
        )  # fmt: skip
        yield Happening(0, told, group=shown.group, actor=shown.actor, subject=shown.person)


def _seat(state: core.State, window: Sequence[Happening], playing: Collection[GroupId]) -> None:
    """Set when people of the window joined and how often they had spoken since, where that was before the window."""
    spoken: Counter[Place] = Counter()
    begins: dict[GroupId, tuple[int, int]] = {}
    for one in window:
        if one.group is None or one.person is None or not isinstance(one.event.body, MessageCreated):
            continue
        spoken[one.group, one.person] += 1
        begins.setdefault(one.group, (one.seq, one.event.ts_ms))
    people = {person for _group, person in spoken}
    rows = Membership.objects.filter(group_id__in=playing, identity_id__in=people)
    again = _spoken_again(rows.filter(first_ms__lt=F("joined_ms")).values_list("group_id", "identity_id", "joined_ms"), begins)
    for group_id, person_id, joined_ms, role, count in rows.values_list(
        "group_id", "identity_id", "joined_ms", "role", "message_count"
    ):
        place = GroupId(group_id), IdentityId(person_id)
        if place not in spoken:
            continue
        person = state.moderation.groups.setdefault(place[0], GroupState()).people.setdefault(place[1], Person())
        person.role = role
        if joined_ms is None or joined_ms > begins[place[0]][1]:
            # They joined within the window, where the join is read, or nobody told us: then they are no newcomers.
            continue
        person.joined_ms = joined_ms
        person.messages = min(FIRST_MESSAGES, again.get(place, max(0, count - spoken[place])))


def _spoken_again(rows: Iterable[tuple[int, int, int | None]], begins: dict[GroupId, tuple[int, int]]) -> dict[Place, int]:
    """Return how often those had spoken since their newest join, before the window, who had been there before that join."""
    since = {(GroupId(group), IdentityId(person)): joined for group, person, joined in rows if joined is not None}
    found = dict.fromkeys(since, 0)
    said = Message.objects.filter(
        group_id__in={group for group, _person in since}, identity_id__in={person for _group, person in since},
        ts_ms__gte=min(since.values(), default=0),
    )  # fmt: skip
    for group, person, seq, ts_ms in said.values_list("group_id", "identity_id", "seq", "ts_ms") if since else ():
        place = GroupId(group), IdentityId(person)
        if place in since and ts_ms >= since[place] and seq < begins.get(place[0], (0, 0))[0]:
            found[place] += 1
    return found
