"""Fill the engine's state as far as it goes, and look at the memory it takes."""

from __future__ import annotations

from typing import Any

from qunce.domain.events import AnyBody, Conv, Event, MemberJoined, MessageCreated, Party, Source
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.engine.moderation.state import MAX_RECENT
from qunce.runtime.bench.child import resident_mb
from qunce.runtime.bench.work.chatter import CHARACTERS, SAID, START_MS
from qunce.runtime.bench.work.stopwatch import Stopwatch
from qunce.runtime.garbage import fewer_collections

SOURCE = Source(connector="state", origin="callback")


def fill(groups: int, members: int) -> dict[str, Any]:
    """Let every member join and speak, and every group speak until its windows are full within one day; write it all down once.

    Ids and names are as long as platforms make them: 18 characters and 4.
    """
    state, watch, seq = core.State(), Stopwatch(), 0
    before_mb = resident_mb()
    each = members // groups
    messages = max(each, MAX_RECENT)
    with fewer_collections(), watch.lap():
        for group in range(1, groups + 1):
            conv = Conv(platform_id=f"wrOgBwAAQ{group:09d}", name=f"宝妈{group}群")
            for number in range(each + messages):
                seq += 1
                person = (group - 1) * each + number % each + 1
                core.fold(state, _happening(seq, group, person, conv, joins=number < each))
    held_mb = resident_mb() - before_mb
    with watch.lap():
        size = len(core.dump(state))
    people = sum(len(known.people) for known in state.moderation.groups.values())
    return {
        **watch.figures(), "held_mb": held_mb, "events": seq, "groups": len(state.moderation.groups), "members": people,
        "checkpoint_mb": size / 2**20,
    }  # fmt: skip


def _happening(seq: int, group: int, person: int, conv: Conv, *, joins: bool) -> Happening:
    text = f"{SAID[seq % len(SAID)]}{CHARACTERS[seq % len(CHARACTERS)]}"
    body: AnyBody = MemberJoined() if joins else MessageCreated(message_id=f"msg{seq:015d}", text=text)
    event = Event(
        ts_ms=START_MS + seq, source=SOURCE, body=body, dedupe_key=str(seq), conv=conv,
        actor=Party(platform_id=f"wmOgBwAAQ{person:09d}", name=f"成员{person % 97}"),
    )  # fmt: skip
    return Happening(seq, event, group=GroupId(group), actor=IdentityId(person))
