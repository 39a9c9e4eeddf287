"""Fold happenings, decisions and what people say about decisions into the state. Changes the state in place and returns it."""

from __future__ import annotations

import re
from typing import Final

from qunce.domain.decisions import Approved, Decision, Undone
from qunce.domain.events import (
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MemberUpdated,
    MessageCreated,
    PartyKind,
)  # fmt: skip
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.happening import Happening
from qunce.engine.moderation import fingerprint, links
from qunce.engine.moderation.state import (
    FIRST_MESSAGES,
    MAX_JOINS,
    MAX_RECENT,
    RECENT_MS,
    Finding,
    GroupState,
    Person,
    Reported,
    Sent,
    State,
    Strike,
)  # fmt: skip
from qunce.engine.text.views import views_of

REPORT: Final = re.compile(r"(?:@\S{1,30}\s{0,3})?/?(?:举报|舉報|report\b|投诉这|广告狗)", re.IGNORECASE)
"""How a reply that reports a message begins."""
FOREVER_MS: Final = 1 << 60
JOINS_MS: Final = 3_600_000
REJOIN_MS: Final = 90 * 86_400_000
MAX_FINDINGS: Final = 200
SPARE: Final = 50
"""Forgetting is done for this many messages, or an hour, at a time."""
MAX_PERSON_JOINS: Final = 20
_ORDINARY: Final = frozenset({"unknown", "member"})
_PRESENCE: Final = (MessageCreated, MemberJoined, MemberLeft, GroupUpdated)
_KINDS: Final[dict[str, PartyKind]] = {
    "member": "member", "staff": "staff", "bot": "bot", "house_persona": "house_persona", "system": "system",
}  # fmt: skip


def fold(state: State, item: Happening | Decision | Approved | Undone) -> State:
    """Return the state after `item`. Unknown ids are not an error: the decision they name may be older than the state."""
    if isinstance(item, Happening):
        fold_happening(state, item)
    elif isinstance(item, Decision):
        _fold_decision(state, item)
    elif isinstance(item, Approved):
        _make_real(state, item)
    else:
        _take_back(state, item)
    return state


def fold_happening(state: State, item: Happening) -> None:
    """Fold a happening: what `fold` does with one, for those who know that it is one."""
    event, person_id = item.event, item.person
    body = event.body
    if isinstance(body, MemberUpdated) and body.field == "kind":
        _flag(state, item, _KINDS.get(body.new or "", "unknown"))
        return
    if item.group is None:
        return
    group = state.groups.get(item.group)
    if group is None:
        group = state.groups[item.group] = GroupState()
    conv = event.conv
    if conv is not None:
        group.platform_id = conv.platform_id
        group.name = conv.name or group.name
    if isinstance(body, GroupUpdated):
        _fold_group(state, group, item.group, body)
    if person_id is None:
        return
    party = event.subject or event.actor
    if party is not None and party.kind not in _ORDINARY and state.kinds.get(person_id) != party.kind:
        _flag(state, item, party.kind)
    person = group.people.get(person_id)
    if person is None:
        person = group.people[person_id] = Person()
    if isinstance(body, MessageCreated):
        if person.left_ms:
            _fold_place(person, item)
        _fold_message(group, person_id, person, item, body)
    else:
        if isinstance(body, MemberJoined | MemberLeft):
            _fold_place(person, item)
        _fold_other(group, person_id, person, item)


def fold_presence(state: State, item: Happening) -> None:
    """Fold only where people are, of a happening in a group that somebody else decides on: sister groups are looked at."""
    body, person_id = item.event.body, item.person
    if item.group is None or not isinstance(body, _PRESENCE):
        return
    group = state.groups.get(item.group)
    if group is None:
        group = state.groups[item.group] = GroupState()
    conv = item.event.conv
    if conv is not None and conv.name:
        group.name = conv.name
    if isinstance(body, GroupUpdated):
        _fold_group(state, group, item.group, body)
    elif person_id is not None:
        person = group.people.get(person_id)
        if person is None:
            person = group.people[person_id] = Person()
        _fold_place(person, item)


def _fold_group(state: State, group: GroupState, group_id: GroupId, body: GroupUpdated) -> None:
    if body.field == "name":
        group.name = body.new
    elif body.field == "community":
        if group.community is not None:
            state.communities[group.community].remove(group_id)
            if not state.communities[group.community]:
                del state.communities[group.community]
        group.community = body.new or None
        if group.community is not None:
            state.communities.setdefault(group.community, []).append(group_id)


def _fold_place(person: Person, item: Happening) -> None:
    """Note whether somebody is in the group. Whoever speaks after going has come back unseen."""
    body, ts = item.event.body, item.event.ts_ms
    if isinstance(body, MemberLeft):
        if ts >= person.left_ms:
            person.left_ms, person.removed = ts, body.reason in ("kicked", "banned")
    elif person.left_ms and ts >= person.left_ms:
        person.left_ms, person.removed = 0, False


def _fold_other(group: GroupState, person_id: IdentityId, person: Person, item: Happening) -> None:
    body, ts = item.event.body, item.event.ts_ms
    if isinstance(body, MemberJoined):
        person.joined_ms = ts
        person.messages = 0
        person.joins = [*(known for known in person.joins if known > ts - REJOIN_MS), ts][-MAX_PERSON_JOINS:]
        group.joins = [*(known for known in group.joins if known[0] > ts - JOINS_MS), (ts, item.seq, person_id)][-MAX_JOINS:]
    elif isinstance(body, MemberRestricted):
        person.muted_until_ms = body.until_ms if body.until_ms is not None else FOREVER_MS
    elif isinstance(body, MemberUnrestricted):
        person.muted_until_ms = 0
    elif isinstance(body, MemberUpdated) and body.field == "role":
        person.role = body.new or "member"


def _flag(state: State, item: Happening, kind: PartyKind) -> None:
    person = item.person
    if person is None:
        return
    party = item.event.subject or item.event.actor
    state.kinds[person] = kind
    state.staff_names.pop(person, None)
    if kind in ("staff", "house_persona", "bot") and party is not None and party.name:
        state.staff_names[person] = party.name


def _fold_message(group: GroupState, person_id: IdentityId, person: Person, item: Happening, body: MessageCreated) -> None:
    ts = item.event.ts_ms
    if person.messages < FIRST_MESSAGES:
        person.messages += 1
    if body.reply_to is not None and REPORT.match(body.text):
        _note_report(group, person_id, item, body.reply_to)
    squeezed = item.views.squeezed
    same, near = fingerprint.same(squeezed), fingerprint.later(squeezed)
    media, chars = beside_text(body) if body.content or "." in body.text else ((), len(squeezed))
    recent = group.recent
    recent.append(Sent(item.seq, ts, person_id, body.message_id, chars, same, near, media))
    if len(recent) >= MAX_RECENT + SPARE or recent[0].ts_ms <= ts - RECENT_MS - JOINS_MS:
        group.recent = [sent for sent in recent[-MAX_RECENT:] if sent.ts_ms > ts - RECENT_MS]


def beside_text(body: MessageCreated) -> tuple[tuple[str, ...], int]:
    """Return the kinds of content a message has beside text, and how many characters are written beside them.

    The title of a card is none of them. A text that is nothing but links counts as one, and as no text.
    """
    media = tuple([part.type for part in body.content if part.type != "text"])
    written = views_of(body.text)
    if "." in body.text and links.is_nothing_else(written):
        return (*media, "link"), 0
    return media, len(written.squeezed)


def _note_report(group: GroupState, reporter: IdentityId, item: Happening, message_id: str) -> None:
    target = next((sent for sent in reversed(group.recent) if sent.message_id == message_id), None)
    if target is None or target.person == reporter:
        return
    ts = item.event.ts_ms
    report = Reported(ts_ms=ts, seq=item.seq, reporter=reporter, author=target.person, target=target.seq)
    group.replies = [*(known for known in group.replies if known.ts_ms > ts - RECENT_MS), report][-MAX_FINDINGS:]


def _fold_decision(state: State, decision: Decision) -> None:
    if decision.verdict == "pass" or decision.subject is None:
        return
    group = state.groups.setdefault(decision.group_id, GroupState())
    finding = Finding(
        decision_id=decision.decision_id,
        ts_ms=decision.ts_ms,
        seq=decision.event,
        person=decision.subject,
        category=decision.category,
    )
    horizon = decision.ts_ms - RECENT_MS
    group.findings = [*(known for known in group.findings if known.ts_ms > horizon), finding][-MAX_FINDINGS:]
    if decision.offence and decision.ladder is not None:
        _strike(state, group, decision, decision.subject)


def _strike(state: State, group: GroupState, decision: Decision, subject: IdentityId) -> None:
    person = group.people.setdefault(subject, Person())
    mute = next((action.duration_s for action in decision.actions if action.do == "mute"), None)
    strike = Strike(
        decision_id=decision.decision_id,
        ts_ms=decision.ts_ms,
        ladder=decision.ladder or "",
        real=decision.mode == "act",
        muted_until_ms=decision.ts_ms + mute * 1_000 if mute else 0,
        blocks=decision.verdict == "ban",
    )
    person.strikes = [*(known for known in person.strikes if known.decision_id != strike.decision_id), strike]
    if strike.real and strike.blocks:
        _block(state, subject, strike.decision_id)


def _block(state: State, subject: IdentityId, decision_id: str) -> None:
    reasons = state.blocked.setdefault(subject, [])
    if decision_id not in reasons:
        reasons.append(decision_id)


def _holders(state: State, group_id: GroupId, decision_id: str) -> list[tuple[IdentityId, Person]]:
    group = state.groups.get(group_id, GroupState())
    return [
        (person_id, person)
        for person_id, person in group.people.items()
        if any(strike.decision_id == decision_id for strike in person.strikes)
    ]


def _make_real(state: State, approved: Approved) -> None:
    for person_id, person in _holders(state, approved.group_id, approved.decision_id):
        for strike in person.strikes:
            if strike.decision_id == approved.decision_id:
                strike.real = True
                if strike.blocks:
                    _block(state, person_id, strike.decision_id)


def _take_back(state: State, undone: Undone) -> None:
    for person_id, person in _holders(state, undone.group_id, undone.decision_id):
        person.strikes = [strike for strike in person.strikes if strike.decision_id != undone.decision_id]
        reasons = state.blocked.get(person_id)
        if reasons and undone.decision_id in reasons:
            reasons.remove(undone.decision_id)
            if not reasons:
                del state.blocked[person_id]
    group = state.groups.get(undone.group_id)
    if group is not None:
        group.findings = [finding for finding in group.findings if finding.decision_id != undone.decision_id]
