"""Fold happenings and the desk's own decisions into its state. Changes the state in place and returns it."""

from __future__ import annotations

from typing import Final

from qunce.domain.desk import DeskDecision
from qunce.domain.events import (
    Event,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    MessageCreated,
    MessageDeleted,
    PartyKind,
    TagChanged,
)  # fmt: skip
from qunce.domain.ids import IdentityId
from qunce.engine.desk.state import MAX_AUTHORS, MAX_EARLY, MAX_SPEAKERS, Early, GroupDesk, State, Thread
from qunce.engine.desk.threads import add_line, after, opened, put
from qunce.engine.happening import Happening

MAX_NEWCOMERS: Final = 500
"""Most newcomers remembered of a group; in a raid the oldest are forgotten first."""
PEER_TAG: Final = "koc"
_ORDINARY: Final = frozenset({"unknown", "member"})
_KINDS: Final[dict[str, PartyKind]] = {
    "member": "member", "staff": "staff", "bot": "bot", "house_persona": "house_persona", "system": "system",
}  # fmt: skip


def fold(state: State, item: Happening | DeskDecision) -> State:
    """Return the state after `item`. A decision about a thread that is not there changes nothing."""
    if isinstance(item, DeskDecision):
        _fold_decision(state, item)
    else:
        fold_happening(state, item)
    return state


def staff_key(event: Event, platform_id: str) -> str:
    """Return the key of a colleague in `State.staff`: platform ids are unique in their source only."""
    return f"{event.source.connector}:{event.source.account}:{platform_id}"


def fold_people(state: State, item: Happening) -> None:
    """Fold only what a happening tells about who somebody is, which counts in all groups."""
    body = item.event.body
    person = item.person
    if person is None:
        return
    if isinstance(body, MemberUpdated) and body.field == "kind":
        _flag(state, item, _KINDS.get(body.new or "", "unknown"))
        return
    if isinstance(body, TagChanged):
        _tag(state, person, body)
        return
    party = item.event.subject or item.event.actor
    if party is None:
        return
    kind = state.kinds.get(person)
    if party.kind != kind and party.kind not in _ORDINARY:
        _flag(state, item, party.kind)
        kind = party.kind
    if kind == "staff" and party.name and isinstance(body, MessageCreated):
        state.staff[f"@{party.name}"] = person


def _fold_decision(state: State, decision: DeskDecision) -> None:
    if decision.verdict == "pass":
        return
    group = state.groups.setdefault(decision.group_id, GroupDesk())
    thread = group.threads.get(decision.subject)
    if thread is not None and thread.seq == decision.thread:
        put(group, decision.subject, after(thread, decision))
    elif decision.verdict == "awaits":
        put(group, decision.subject, opened(decision))


def fold_happening(state: State, item: Happening) -> None:
    """Fold a happening: what `fold` does with one, for those who know that it is one."""
    fold_people(state, item)
    event = item.event
    body = event.body
    if item.group is None:
        return
    group = state.groups.get(item.group)
    if group is None:
        group = state.groups[item.group] = GroupDesk()
    ts = event.ts_ms
    if ts > group.clock_ms:
        group.clock_ms = ts
        if group.sweep_ms < ts:
            _sweep(group, ts)
    conv = event.conv
    if conv is not None:
        group.platform_id = conv.platform_id
        group.name = conv.name or group.name
    person = item.person
    if isinstance(body, MessageCreated):
        if person is not None:
            _fold_message(group, item, body, person)
    elif isinstance(body, GroupUpdated):
        if body.field == "name":
            group.name = body.new
    elif person is not None:
        _fold_other(group, item, person)


def _fold_other(group: GroupDesk, item: Happening, person: IdentityId) -> None:
    body = item.event.body
    if isinstance(body, MemberJoined):
        group.newcomers.pop(person, None)
        group.newcomers[person] = item.event.ts_ms
        if len(group.newcomers) > MAX_NEWCOMERS:
            del group.newcomers[next(iter(group.newcomers))]
    elif isinstance(body, MemberLeft):
        group.newcomers.pop(person, None)
    elif isinstance(body, MemberUpdated) and body.field == "role":
        if body.new in (None, "member"):
            group.roles.pop(person, None)
        else:
            group.roles[person] = body.new
    elif isinstance(body, MessageDeleted):
        for thread in group.threads.values():
            if body.message_id in thread.lines:
                thread.lines = tuple(line for line in thread.lines if line != body.message_id)


def _fold_message(group: GroupDesk, item: Happening, body: MessageCreated, person: IdentityId) -> None:
    party, message_id = item.event.actor, body.message_id
    if group.newcomers:
        group.newcomers.pop(person, None)
    if message_id is not None:
        authors = group.authors
        authors[message_id] = person
        if len(authors) > MAX_AUTHORS:
            del authors[next(iter(authors))]
        if group.early:
            group.early.pop(message_id, None)
    if party is not None:
        _remember(group, party.platform_id, person)
        if party.name:
            _remember(group, f"@{party.name}", person)
    if group.threads:
        _note(group, item, body, person)
    if body.reply_to is not None and body.reply_to not in group.authors:
        group.early[body.reply_to] = Early(seq=item.seq, ts_ms=item.event.ts_ms, person=person)
        if len(group.early) > MAX_EARLY:
            del group.early[next(iter(group.early))]


def _note(group: GroupDesk, item: Happening, body: MessageCreated, person: IdentityId) -> None:
    """Note what the message means for those who wait: one more line of theirs, or somebody speaking to them."""
    own = group.threads.get(person)
    if own is not None and own.waits:
        add_line(own, body.message_id)
    spoken_to = [group.authors.get(body.reply_to)] if body.reply_to is not None else []
    spoken_to += [group.speakers.get(name) for name in body.mentions]
    for other in spoken_to:
        thread = group.threads.get(other) if other is not None and other != person else None
        if thread is not None:
            thread.helped = True


def _remember(group: GroupDesk, key: str, person: IdentityId) -> None:
    speakers = group.speakers
    speakers.pop(key, None)
    speakers[key] = person
    if len(speakers) > MAX_SPEAKERS:
        oldest = next(iter(speakers))
        known = speakers.pop(oldest)
        if known in group.threads:
            speakers[oldest] = known  # who waits moves to the end instead of being forgotten


def _sweep(group: GroupDesk, ts_ms: int) -> None:
    over = [person for person, thread in group.threads.items() if _is_over(thread, ts_ms)]
    for person in over:
        put(group, person, None)


def _is_over(thread: Thread, ts_ms: int) -> bool:
    return not thread.waits and thread.timer_ms < ts_ms


def _flag(state: State, item: Happening, kind: PartyKind) -> None:
    person = item.person
    party = item.event.subject or item.event.actor
    if person is None or party is None:
        return
    keys = [staff_key(item.event, party.platform_id), *([f"@{party.name}"] if party.name else [])]
    if kind in ("member", "unknown"):
        state.kinds.pop(person, None)
    else:
        state.kinds[person] = kind
    for key in keys:
        if kind == "staff":
            state.staff[key] = person
        elif state.staff.get(key) == person:
            del state.staff[key]


def _tag(state: State, person: IdentityId, body: TagChanged) -> None:
    if body.target != "contact":
        return
    if any(tag.casefold() == PEER_TAG for tag in body.added):
        state.peers[person] = True
    if any(tag.casefold() == PEER_TAG for tag in body.removed):
        state.peers.pop(person, None)
