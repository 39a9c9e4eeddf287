"""Decide what the answer clock says: about a happening, and about moments that pass. Reads the state, never changes it."""

from __future__ import annotations

from typing import Final

from qunce.domain.decisions import Evidence, Span
from qunce.domain.desk import DeskDecision
from qunce.domain.events import GroupDismissed, MemberLeft, MessageCreated, MessageDeleted, ReplyGiven
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.desk import needs
from qunce.engine.desk.answering import answered, early_answer, from_console
from qunce.engine.desk.look import Address, Look, Side, side_of
from qunce.engine.desk.making import awaits, passed, released
from qunce.engine.desk.program import ORDER, Clock, DeskProgram
from qunce.engine.desk.state import GroupDesk, State, Thread
from qunce.engine.desk.timers import dismissed, fire
from qunce.engine.happening import Happening

UNASKED: Final = 0.15
"""At this score or less, marks have taught that a message needs no answer although its words ask."""
_NO_LESS: Final = frozenset(ORDER[: ORDER.index("question") + 1])
"""Needs that a question does not outweigh."""
NEWCOMER_MS: Final = 7 * 86_400_000
"""First words later than this after joining are no introduction."""


def decide(
    state: State, happening: Happening, program: DeskProgram, now_ms: int, *, suspect: bool = False, ask_pass: bool = False
) -> tuple[DeskDecision, ...]:
    """Return what follows from a happening that is not folded yet: first the moments that passed before it, then itself.

    `now_ms` marks the decisions and guards against clocks that run ahead: no moment after it has passed. `suspect` = the
    message was found to break a rule, so its questions need no answer. With `ask_pass` messages that need nothing say so too.
    """
    if happening.group is None:
        return ()
    group = state.groups.get(happening.group)
    if group is None:
        group = _new_group(happening)
    clock = program.clock(group.platform_id, group.name)
    if clock is None:
        return ()
    event = happening.event
    body, person, until = event.body, happening.person, min(event.ts_ms, now_ms)
    side: Side = "other"
    fires = group.timer_ms < until
    if isinstance(body, MessageCreated):
        if person is not None:
            side = side_of(state, group, program, clock, person, event.actor)
        if not fires and side == "other":
            return ()
        if not (fires or ask_pass or suspect) and _is_plain(group, program, clock, happening, body, side):
            return ()
    elif not fires and not group.threads:
        return ()
    look = Look(state, group, happening, program, clock, now_ms)
    decisions: list[DeskDecision] = []
    if fires:
        decisions, look.threads = fire(group, happening.group, program, clock, until, now_ms)
    if not isinstance(body, MessageCreated):
        decisions += _goes(look) if look.threads else []
    elif person is not None:
        decisions += _message(look, body, person, side, suspect=suspect, ask_pass=ask_pass)
    return tuple(decisions)


def tick(state: State, program: DeskProgram, now_ms: int, group_id: GroupId | None = None) -> tuple[DeskDecision, ...]:
    """Return the moments before `now_ms` that passed unnoticed, in one group or (None) in all, oldest first."""
    groups = state.groups if group_id is None else {group_id: state.groups[group_id]} if group_id in state.groups else {}
    decisions: list[DeskDecision] = []
    for known, group in groups.items():
        if group.timer_ms < now_ms:
            clock = program.clock(group.platform_id, group.name)
            if clock is not None:
                decisions += fire(group, known, program, clock, now_ms, now_ms)[0]
    decisions.sort(key=lambda decision: (decision.ts_ms, decision.thread, decision.decision_id))
    return tuple(decisions)


def settle(
    state: State, group_id: GroupId, person: IdentityId, thread: int, program: DeskProgram, now_ms: int
) -> tuple[DeskDecision, ...]:
    """Return what a colleague's word that a matter needs no answer means; nothing when it does not wait any more."""
    group = state.groups.get(group_id)
    waiting = group.threads.get(person) if group is not None else None
    if group is None or waiting is None or waiting.seq != thread or not waiting.waits:
        return ()
    clock = program.clock(group.platform_id, group.name)
    return (dismissed(waiting, group_id, program, clock, now_ms),) if clock is not None else ()


def _new_group(happening: Happening) -> GroupDesk:
    conv = happening.event.conv
    return GroupDesk(name=conv.name if conv else None, platform_id=conv.platform_id if conv else None)


def _goes(look: Look) -> list[DeskDecision]:
    """Return what happens to who waits when a message, a person or the group goes away."""
    body = look.event.body
    if isinstance(body, ReplyGiven):
        return from_console(look, body)
    if isinstance(body, MessageDeleted):
        gone = [thread for thread in look.threads.values() if thread.waits and thread.lines == (body.message_id,)]
        return [released(look, thread, "retracted") for thread in gone]
    if isinstance(body, MemberLeft):
        own = look.waiting(look.happening.person)
        return [released(look, own, "left")] if own is not None else []
    if isinstance(body, GroupDismissed):
        return [released(look, thread, "dismissed") for thread in look.threads.values() if thread.waits]
    return []


def _message(
    look: Look, body: MessageCreated, person: IdentityId, side: Side, *, suspect: bool, ask_pass: bool
) -> list[DeskDecision]:
    if side == "other":
        return []
    if side == "staff":
        return answered(look, Address(look, body, person), person) if look.threads else []
    address = Address(look, body, person)
    decisions = _peer(look, address, person) if look.threads and address.people else []
    own, reason = _own(look, body, address, person, suspect=suspect)
    if own:
        return decisions + own
    return [*decisions, passed(look, person, reason)] if ask_pass else decisions


def _is_plain(
    group: GroupDesk, program: DeskProgram, clock: Clock, happening: Happening, body: MessageCreated, side: Side
) -> bool:
    """Tell cheaply that a message is talk that touches nobody's clock: most messages are.

    So does a further question of somebody who waits for an answer to one, or to something graver.
    """
    if side == "staff":
        return not group.threads
    if body.reply_to is not None or body.mentions or program.judge is not None or "@" in body.text:
        return False
    person = happening.person
    own = group.threads.get(person)  # type: ignore[arg-type]  # asked with a person only
    if own is None:
        return person not in group.newcomers and needs.asked(happening.views) is None
    if not own.waits or own.need not in _NO_LESS or "question" not in clock.needs:
        return False
    found = needs.asked(happening.views)
    return found is not None and found.need == "question"


def _peer(look: Look, address: Address, person: IdentityId) -> list[DeskDecision]:
    if not look.is_peer(person, look.event.actor) or needs.tone(look.happening.views) == "closing":
        return []
    return answered(look, address, person, role="peer")


def _own(
    look: Look, body: MessageCreated, address: Address, person: IdentityId, *, suspect: bool
) -> tuple[list[DeskDecision], str]:
    """Return what a member's message does to their own thread; without any, why not."""
    need = _need(look, body, address, suspect=suspect)
    waiting = look.waiting(person)
    if waiting is not None:
        if need is not None:
            return _hasten(look, waiting, need), "waits already"
        why = _settles(look, waiting)
        return ([released(look, waiting, why)], "") if why else ([], "waits already")
    if need is None and not suspect and _is_first(look, person):
        need = Evidence(check="first_post")
    if need is None:
        return [], "suspect" if suspect else "to_member" if address.to_member else "chatter"
    waits = awaits(look, person, need, look.talk(person), body.message_id)
    return [*waits, *early_answer(look, waits[0], body.message_id)], ""


def _is_first(look: Look, person: IdentityId) -> bool:
    """Tell whether these are the first words of somebody who joined lately."""
    joined_ms = look.group.newcomers.get(person)
    return joined_ms is not None and look.ts_ms - joined_ms <= NEWCOMER_MS and "first_post" in look.clock.needs


def _need(look: Look, body: MessageCreated, address: Address, *, suspect: bool) -> Evidence | None:
    """Return the gravest need of the message that the rule waits for, with its evidence."""
    views = look.happening.views
    wanted = look.clock.needs
    found = needs.asked(views)
    if found is not None and found.need != "question" and found.need in wanted:
        return _evidence(look, found)
    if suspect:
        return None
    if "question" in wanted and (address.to_staff or not address.to_member):
        question = _question(look, found)
        if question is not None:
            return question
    if address.to_staff and "mention" in wanted and not _comments(body) and needs.tone(views) == "other":
        return Evidence(check="mention")
    return None


def _question(look: Look, found: needs.Asked | None) -> Evidence | None:
    """Return the question in a message. What marks taught may add one that words do not show, or drop one they do."""
    judge = look.program.judge
    score = judge.score(look.happening.views) if judge is not None else 0.5
    if found is not None and score > UNASKED:
        return _evidence(look, found._replace(need="question"))
    if judge is not None and score >= look.program.judge_from:
        return Evidence(check="question", score=round(score, 4), note="learnt")
    return None


def _comments(body: MessageCreated) -> bool:
    """Tell whether a colleague is addressed by quoting them and not by name: that comments what they said."""
    return body.reply_to is not None and not body.mentions and "@" not in body.text


def _hasten(look: Look, waiting: Thread, need: Evidence) -> list[DeskDecision]:
    """A further message never moves the end of a clock back; a graver one may bring it forward."""
    if ORDER.index(need.check) >= ORDER.index(waiting.need):
        return []
    return awaits(look, waiting.person, need, waiting, None)


def _settles(look: Look, waiting: Thread) -> str:
    """Return why the words of who waits end the matter; empty when they do not.

    Thanks count only after somebody spoke to them: many thank in advance.
    """
    tone = needs.tone(look.happening.views)
    if tone == "withdrawn":
        return "withdrawn"
    # An emoji or dots alone may be thanks or despair.
    return "helped" if tone == "closing" and waiting.helped and look.happening.views.stripped else ""


def _evidence(look: Look, found: needs.Asked) -> Evidence:
    views = look.happening.views
    start, end = views.written("folded", found.start, found.end)
    return Evidence(check=found.need, spans=(Span(start=start, end=end, what=found.need),))
