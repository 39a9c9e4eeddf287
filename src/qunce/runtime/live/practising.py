"""Practise: open a practice room, let its people say something, and see what the rules in force make of each line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db import connection, transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.decisions import Decision, Evidence
from qunce.domain.events import Event, PartyKind
from qunce.engine import core
from qunce.journal.store import Journal
from qunce.outbox.models import Delivery, State
from qunce.playbook.load import parse
from qunce.readmodels.models import Group, Membership
from qunce.readmodels.rows import Database
from qunce.readmodels.selectors import transcript
from qunce.readmodels.selectors.transcript import Line
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.happenings import Resolver
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import drafts, marks, memory, practice
from qunce.runtime.live.memory import REACT
from qunce.runtime.models import Case, Channel

Clock = Callable[[], int]
ACCOUNT: Final = "演练"
LONGEST: Final = 20_000
"""Characters of one line; a longer one is cut."""
MAX_ROOMS: Final = 20
REGULARS: Final[tuple[tuple[str, PartyKind], ...]] = (("小林", "member"), ("阿珍", "member"), ("客服小丽", "staff"))
"""Who is in every room from the start."""
NEWCOMER: Final = "新人"
"""Newcomers are called so, and a number."""
SOON_MS: Final = 5_000
_UNDER_WAY: Final = (State.READY, State.SENDING, State.RETRYING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Somebody in a room who can be made to speak."""

    name: str
    kind: str
    newcomer: bool
    muted_until_ms: int
    """0 = may speak."""
    gone: str
    """Why they are no longer in the room: `kicked`, `banned`; empty = they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one rule said about a line."""

    case_id: str
    """Empty for what the answer clock said, which is no case."""
    rule_id: str
    verdict: str
    mode: str
    state: str
    evidence: tuple[Evidence, ...]
    covered: bool
    """A graver rule acts in its place."""
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A line with what the rules made of it."""

    line: Line
    judged: tuple[Judged, ...]
    draft: tuple[Judged, ...]
    """What the draft would say; empty where it was not asked."""
    waits: bool
    """Not looked at yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A practice room as its page shows it."""

    name: str
    group_id: int | None
    """None = nothing was said in it yet."""
    lines: tuple[Spoken, ...]
    players: tuple[Player, ...]
    waits: bool
    """Something in it was not looked at yet, or is being done."""


def channel() -> Channel | None:
    """Return the channel of the practice rooms; None = they were not opened yet."""
    rows = Channel.objects.filter(connector=practice.KIND).defer("settings")
    return rows.filter(account=ACCOUNT).first() or rows.order_by("pk").first()


def rooms() -> tuple[str, ...]:
    """Return the names of the rooms, the one spoken in last first."""
    rows = Group.objects.filter(connector=practice.KIND).order_by("-last_ms", "-pk")
    return tuple(rows.values_list("platform_id", flat=True)[:MAX_ROOMS])


def room(name: str, clock: Clock = now_ms, *, with_draft: bool = False) -> Room:
    """Return a room with its newest lines; one nobody has spoken in yet is empty. Twelve queries at most.

    `with_draft`: also with what the draft would say. Raises InvalidPlaybook when it does not hold.
    """
    found = Group.objects.filter(connector=practice.KIND, platform_id=name).values_list("pk", flat=True).first()
    if found is None:
        return Room(name=name, group_id=None, lines=(), players=_regulars(), waits=False)
    lines = transcript.newest(found).lines
    looked_at = Journal(connection).cursor_position(REACT)
    judged = _judged(found, [line.seq for line in lines])
    drafted = _by_draft([line.seq for line in lines]) if with_draft else {}
    spoken = tuple(
        Spoken(
            line=line,
            judged=tuple(judged.get(line.seq, ())),
            draft=tuple(drafted.get(line.seq, ())),
            waits=line.seq > looked_at and not _is_ours(line),
        )
        for line in lines
    )
    waits = any(one.waits for one in spoken) or _is_acting(found, clock())
    return Room(name=name, group_id=found, lines=spoken, players=_players(found, name), waits=waits)


def do_open_practice(*, actor: Staff | None, clock: Clock = now_ms) -> int:
    """Open the practice rooms and return their channel's id; opening them again does nothing."""
    known = channel()
    if known is not None:
        return int(known.pk)
    with transaction.atomic():
        made = Channel.objects.create(
            connector=practice.KIND, account=ACCOUNT, name=ACCOUNT, mode="live", created_ms=clock(),
            settings=json.dumps({"name": ACCOUNT}, ensure_ascii=False),
        )  # fmt: skip
        audit.record(
            actor=actor, action="channel.add", target_type="channel", target_id=made.pk,
            after={"connector": practice.KIND, "account": ACCOUNT, "mode": "live"},
        )  # fmt: skip
    return int(made.pk)


def do_practise(*, actor: Staff | None, group: str, who: str, text: str, clock: Clock = now_ms) -> int:
    """Let somebody say something in a practice room; return its position in the journal.

    Who is not one of the regulars joins first, as a newcomer. Raises CommandRefused where no practice rooms were opened, and
    without a room, a name and a text.
    """
    place = channel()
    if place is None:
        raise CommandRefused("no practice room is open")
    group, who, text = group.strip()[:80], who.strip()[:40], text[:LONGEST]
    if not text.strip() or not who or not group:
        raise CommandRefused("a room, a name and a text are needed")
    moment = clock()
    kind = dict(REGULARS).get(who)
    events: list[Event] = []
    if kind is None and not _is_there(group, who):
        events.append(practice.joined(place.account, group, who, moment))
    events.append(practice.said(place.account, group, who, text, moment, kind=kind or "member"))
    ingest = Ingest(clock)
    with transaction.atomic():
        appended = ingest.take(events)
        audit.record(actor=actor, action="channel.practise", target_type="channel", target_id=place.pk)
    ingest.settle()
    return appended.events[-1].seq if appended.events else ingest.journal.head()


def _is_there(group: str, who: str) -> bool:
    return Membership.objects.filter(
        group__connector=practice.KIND, group__platform_id=group, identity__platform_id=practice.player_id(group, who),
        left_ms=None,
    ).exists()  # fmt: skip


def _is_ours(line: Line) -> bool:
    return line.author is None or line.author.kind == "bot" or line.happening in ("member.restricted", "member.unrestricted")


def _is_acting(group_id: int, moment: int) -> bool:
    """Tell whether something that follows from a decision is just being done."""
    due = Delivery.objects.filter(group_id=group_id, state__in=_UNDER_WAY, not_before_ms__lte=moment + SOON_MS)
    return due.exists()


def _judged(group_id: int, seqs: Sequence[int]) -> dict[int, list[Judged]]:
    found: dict[int, list[Judged]] = {}
    for case in Case.objects.filter(group_id=group_id, seq__in=seqs).order_by("id"):
        decision = memory.decoded(case.area, case.payload)
        moderated = isinstance(decision, Decision)
        found.setdefault(case.seq, []).append(
            Judged(
                case_id=case.decision_id if moderated else "", rule_id=case.rule_id, verdict=case.verdict, mode=case.mode,
                state=case.state, evidence=decision.evidence if isinstance(decision, Decision) else (),
                covered=isinstance(decision, Decision) and decision.covered_by is not None, score=case.score,
            )
        )  # fmt: skip
    return found


def _by_draft(seqs: Sequence[int]) -> dict[int, list[Judged]]:
    """Return what the draft would have said to the lines shown, as if the room began with the first of them."""
    known = drafts.draft()
    if known is None:
        return {}
    program = _program(known.saved_ms, marks.generation())
    stored = Journal(connection).at(seqs)
    state, found = core.State(), dict[int, list[Judged]]()
    for happening in Resolver(Database(connection)).happenings([stored[seq] for seq in sorted(stored)]):
        for decision in core.step(state, happening, program, happening.event.ts_ms):
            if isinstance(decision, Decision):
                found.setdefault(happening.seq, []).append(
                    Judged(
                        case_id="", rule_id=decision.rule_id, verdict=decision.verdict, mode=decision.mode, state="",
                        evidence=decision.evidence, covered=decision.covered_by is not None, score=decision.score,
                    )
                )  # fmt: skip
    return found


@lru_cache(maxsize=1)
def _program(saved_ms: int, generation: int) -> core.Program:
    """Return the draft made ready; the arguments say which draft and which lessons it is made of."""
    known = drafts.draft()
    files = known.files if known is not None else {}
    return core.Program(parse(files).playbook, "draft", marks.learnt())


def _regulars() -> tuple[Player, ...]:
    return tuple(Player(name=name, kind=kind, newcomer=False, muted_until_ms=0, gone="") for name, kind in REGULARS)


def _players(group_id: int, group: str) -> tuple[Player, ...]:
    """Return the regulars and the newcomers of a room as they stand."""
    known: dict[str, Player] = {player.name: player for player in _regulars()}
    prefix = practice.player_id(group, "")
    rows = Membership.objects.filter(group_id=group_id, identity__platform_id__startswith=prefix).order_by("pk")
    columns = ("identity__platform_id", "identity__kind", "muted_until_ms", "left_ms", "leave_reason")
    for platform_id, kind, muted, left, reason in rows.values_list(*columns):
        name = platform_id.removeprefix(prefix)
        known[name] = Player(
            name=name, kind=kind, newcomer=name not in dict(REGULARS), muted_until_ms=muted or 0,
            gone=(reason or "left") if left is not None else "",
        )  # fmt: skip
    return tuple(known.values())
