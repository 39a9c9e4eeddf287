"""Write tests of decisions in the notation operators think in: who says what when, and what follows.

    group 宝妈一群
    community 宝妈                     the group belongs to it from here on
    小红 is also 小红的手机              two accounts of one person, from here on; 小红 is not 小红的手机 takes it back
    staff 小助理                       flags of people: staff, bot, persona; admin, owner
    09:00 小红 joins
    09:01 小红: 大家好
    09:02 小红: 代 购 返 现
      => warn ads.terms
    +30m                               the clock moves on
    小红: [image]                      parts: [image] [link https://…] [card 标题] [qr https://…] …
    小红 -> 2: 举报                     an answer to the message in line 2 of this group's chat
    小红 edits 2 to 加我微信            the message in line 2 of this group's chat
    小红 renames to 加微 abc123
    undo ads.terms                     takes back the last decision of that rule
    approve ads.terms                  accepts it
    小红 retracts 2                     takes back the message in line 2 of this group's chat
    小红 leaves
    小红 is removed
    小红 is tagged KOC
    小红 is answered by lili [with patience]
    delay 20s                          what follows reaches us that much later
    09:03 tick                         only the clock moves; moments that passed are told here

A message, join or tick is followed by the decisions expected on it, `=> VERDICT RULE_ID`, or by none. Marks behind them are
compared when they are there: `observe`, `suggest`, `covered`, `offence=2`, `delete=3` (how many messages), `for=30m`, `by=小红`
(whom it is about), `link=小红=小红的手机` (the links it rests on). Of the answer clock: `need=`, `due=09:03`, `stage=next`,
`waited=90s` (on duty), `clock=2h`, `from=小助理` (who answered), `role=peer`, `why=`, `at=09:03`, `level=1`, `delay=20s`,
`duty=`, and the words `late`, `holding`. `day 2` moves to the next day.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from qunce.domain.decisions import Approved, Decision, Undone
from qunce.domain.desk import DeskDecision
from qunce.domain.events import (
    Body,
    Conv,
    Event,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MemberUpdated,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    Part,
    Party,
    ReplyGiven,
    Source,
    TagChanged,
)  # fmt: skip
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import NO_OTHERS, Happening, Other
from qunce.engine.identity.ways import by_end, ways
from qunce.playbook.units import format_duration, parse_duration

START_MS: Final = 1_767_571_200_000
"""2026-01-05 00:00 UTC, a Monday."""
ZONE_MS: Final = 8 * 3_600_000
DAY_MS: Final = 86_400_000

_TIME: Final = re.compile(r"(\d\d):(\d\d)(?::(\d\d))? +(.*)")
_FLAG: Final = re.compile(r"(staff|bot|persona|admin|owner) (\S+)")
_ALSO: Final = re.compile(r"(\S+) is (also|not) (\S+)")
_SAYS: Final = re.compile(r"(\S+?)(?: -> (\d+))?: ?(.*)")
_PART: Final = re.compile(r"\[(image|voice|video|file|sticker|link|card|forward|red_packet|qr)(?: ([^\]]*))?\]")
_MENTION: Final = re.compile(r"@(\S+)")
_KINDS: Final = {"staff": "staff", "bot": "bot", "persona": "house_persona"}


class Expected(NamedTuple):
    """A line `=> …` and the line of the scenario it stands in."""

    line: int
    words: tuple[str, ...]


class Outcome(NamedTuple):
    """A happening of the scenario with what was decided and what was expected."""

    line: int
    text: str
    happening: Happening | None
    """None = only the clock moved."""
    decisions: tuple[core.AnyDecision, ...]
    expected: tuple[Expected, ...]


class ScenarioError(ValueError):
    """A line that is not in the notation."""


class Runner:
    """Play a scenario against a program; keeps the state, so that tests may look at it."""

    def __init__(self, program: core.Program) -> None:
        self.program = program
        self.state = core.State()
        self.now_ms = START_MS + 8 * 3_600_000 - ZONE_MS
        self.day = 1
        self.group = "群"
        self.groups: dict[str, GroupId] = {}
        self.people: dict[str, IdentityId] = {}
        self.kinds: dict[str, str] = {}
        self.links: dict[str, tuple[str, IdentityId, IdentityId]] = {}
        self.happenings: list[Happening] = []
        self.decisions: list[core.AnyDecision] = []
        self.delay_ms = 0
        self.messages: dict[str, int] = {}

    def run(self, scenario: str) -> list[Outcome]:
        """Return every happening with its decisions. Raises ScenarioError on a line that cannot be read."""
        outcomes: list[Outcome] = []
        for number, raw in enumerate(scenario.splitlines(), start=1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("=>"):
                if not outcomes:
                    raise ScenarioError(f"line {number}: nothing has happened yet")
                expected = Expected(number, tuple(line.removeprefix("=>").split()))
                outcomes[-1] = outcomes[-1]._replace(expected=(*outcomes[-1].expected, expected))
            elif not self._control(line):
                outcomes.append(self._happens(number, line))
        return outcomes

    def _control(self, line: str) -> bool:
        flag = _FLAG.fullmatch(line)
        if line.startswith("group "):
            self.group = line.removeprefix("group ").strip()
        elif line.startswith("community "):
            self._emit(GroupUpdated(field="community", new=line.removeprefix("community ").strip()), None)
        elif re.fullmatch(r"\+\d+[smhd]", line):
            self.now_ms += parse_duration(line[1:]) * 1_000
        elif re.fullmatch(r"delay \d+[smhd]", line):
            self.delay_ms = parse_duration(line.removeprefix("delay ")) * 1_000
        elif re.fullmatch(r"day \d+", line):
            self.day = int(line.removeprefix("day "))
        elif flag:
            self._flag(flag[1], flag[2])
        elif also := _ALSO.fullmatch(line):
            self._link(also[1], also[3], stands=also[2] == "also")
        elif line.startswith(("undo ", "approve ")):
            self._answer(*line.split())
        else:
            return False
        return True

    def _flag(self, flag: str, name: str) -> None:
        if flag in _KINDS:
            self.kinds[name] = _KINDS[flag]
            self._emit(MemberUpdated(field="kind", new=_KINDS[flag]), name)
        else:
            self._emit(MemberUpdated(field="role", new=flag), name)

    def _link(self, first: str, second: str, *, stands: bool) -> None:
        link_id = f"{first}={second}"
        if stands:
            self.links[link_id] = (link_id, self._person(first), self._person(second))
        else:
            del self.links[link_id]

    def _person(self, name: str) -> IdentityId:
        return self.people.setdefault(name, IdentityId(len(self.people) + 1))

    def _others(self, person: IdentityId) -> dict[IdentityId, Other]:
        led = ways(person, by_end(self.links.values()))
        return {other: Other(self.name_of(other), way) for other, way in led.items()}

    def _answer(self, word: str, rule_id: str) -> None:
        ruled = (d for d in reversed(self.decisions) if isinstance(d, Decision))
        decision = next(d for d in ruled if d.rule_id == rule_id and d.covered_by is None)
        cls = Undone if word == "undo" else Approved
        core.fold(self.state, cls(decision_id=decision.decision_id, group_id=decision.group_id))

    def _happens(self, number: int, line: str) -> Outcome:
        timed = _TIME.fullmatch(line)
        if timed:
            hours, minutes, seconds = int(timed[1]), int(timed[2]), int(timed[3] or 0)
            self.now_ms = START_MS - ZONE_MS + (self.day - 1) * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1_000
            line = timed[4]
        before = len(self.decisions)
        if line == "tick":
            self.decisions += core.tick(self.state, self.program, self.now_ms)
            return Outcome(number, line, None, tuple(self.decisions[before:]), ())
        happening = self._emit(*self._parse(number, line))
        return Outcome(number, line, happening, tuple(self.decisions[before:]), ())

    def _parse(self, number: int, line: str) -> tuple[Body, str]:
        joins = re.fullmatch(r"(\S+) joins", line)
        if joins:
            return MemberJoined(), joins[1]
        renames = re.fullmatch(r"(\S+) renames to (.+)", line)
        if renames:
            return MemberUpdated(field="nickname", old=renames[1], new=renames[2]), renames[1]
        edits = re.fullmatch(r"(\S+) edits (\d+) to (.+)", line)
        if edits:
            return MessageEdited(message_id=edits[2], text=edits[3]), edits[1]
        muted = re.fullmatch(r"(\S+) is muted for (\S+)", line)
        if muted:
            return MemberRestricted(until_ms=self.now_ms + parse_duration(muted[2]) * 1_000), muted[1]
        unmuted = re.fullmatch(r"(\S+) is unmuted", line)
        if unmuted:
            return MemberUnrestricted(), unmuted[1]
        retracts = re.fullmatch(r"(\S+) retracts (\d+)", line)
        if retracts:
            return MessageDeleted(message_id=retracts[2], by="author"), retracts[1]
        leaves = re.fullmatch(r"(\S+) leaves", line)
        if leaves:
            return MemberLeft(reason="left"), leaves[1]
        removed = re.fullmatch(r"(\S+) is removed", line)
        if removed:
            return MemberLeft(reason="kicked"), removed[1]
        answered = re.fullmatch(r"(\S+) is answered by (\S+)( with patience)?", line)
        if answered:
            return ReplyGiven(staff=answered[2], holding=bool(answered[3])), answered[1]
        tagged = re.fullmatch(r"(\S+) is tagged (\S+)", line)
        if tagged:
            return TagChanged(target="contact", added=(tagged[2],)), tagged[1]
        says = _SAYS.fullmatch(line)
        if says is None:
            raise ScenarioError(f"line {number}: not in the notation: {line}")
        return self._message(says[2], says[3]), says[1]

    def _message(self, reply_to: str | None, text: str) -> MessageCreated:
        number = self.messages[self.group] = self.messages.get(self.group, 0) + 1
        found = [(match[1], match[2]) for match in _PART.finditer(text)]
        plain = _PART.sub("", text).strip()
        parts = [Part(type="text", text=plain)] if plain and found else []
        for kind, value in found:
            if kind == "qr":
                parts.append(Part(type="image", codes=(value or "",)))
                continue
            is_url = bool(value) and "://" in value
            url = next((word for word in (value or "").split() if "://" in word), None) if is_url else None
            title = " ".join(word for word in (value or "").split() if "://" not in word) or None
            parts.append(Part(type=kind, text=title, url=url))  # type: ignore[arg-type]  # the pattern names part types only
        mentions = tuple("@all" if name == "所有人" else name for name in _MENTION.findall(text))
        return MessageCreated(message_id=str(number), text=plain, content=tuple(parts), reply_to=reply_to, mentions=mentions)

    def _emit(self, body: Body, name: str | None) -> Happening:
        seq = len(self.happenings) + 1
        person = self._person(name) if name is not None else None
        group = self.groups.setdefault(self.group, GroupId(len(self.groups) + 1))
        event = Event(
            ts_ms=self.now_ms,
            source=Source(connector="test", account="test", origin="callback"),
            body=body,  # type: ignore[arg-type]  # each body made here is one of the union
            dedupe_key=str(seq),
            conv=Conv(platform_id=self.group, name=self.group),
            actor=self._party(name),
        )
        others = self._others(person) if person is not None and self.links else NO_OTHERS
        received_ms = self.now_ms + self.delay_ms
        happening = Happening(seq, event, group=group, actor=person, received_ms=received_ms, others=others)
        self.happenings.append(happening)
        self.decisions += core.step(self.state, happening, self.program, self.now_ms)
        return happening

    def _party(self, name: str | None) -> Party | None:
        if name is None:
            return None
        return Party(platform_id=name, name=name, kind=self.kinds.get(name, "unknown"))  # type: ignore[arg-type]  # one of the kinds

    def name_of(self, person: IdentityId | None) -> str:
        """Return the name of a person of the scenario; empty for None."""
        return next((name for name, known in self.people.items() if known == person), "")


def marks_of(decision: core.AnyDecision, runner: Runner) -> dict[str, str]:
    """Return all that can be compared of a decision; `flags` are the words that stand alone."""
    if isinstance(decision, DeskDecision):
        return _desk_marks(decision, runner)
    deleted = [action for action in decision.actions if action.do == "delete"]
    muted = next((action.duration_s for action in decision.actions if action.do == "mute"), None)
    return {
        "flags": f"{decision.mode} {'covered' if decision.covered_by else ''}",
        "offence": str(decision.offence),
        "delete": str(sum(len(action.events) for action in deleted)),
        "for": format_duration(muted) if muted else "",
        "by": runner.name_of(decision.subject),
        "link": ",".join(dict.fromkeys(link for one in decision.evidence for link in one.links)),
    }


def _desk_marks(decision: DeskDecision, runner: Runner) -> dict[str, str]:
    return {
        "flags": f"{decision.mode} {'late' if decision.late else ''} {'holding' if decision.holding else ''}",
        "by": runner.name_of(decision.subject),
        "need": decision.need,
        "stage": decision.stage,
        "due": _wall(decision.due_ms),
        "at": _wall(decision.ts_ms),
        "waited": _said(decision.waited_s),
        "clock": _said(decision.clock_s),
        "from": runner.name_of(decision.responder),
        "role": decision.responder_role,
        "why": decision.reason,
        "staff": decision.staff,
        "level": str(decision.level),
        "duty": ",".join(decision.on_duty),
        "delay": "" if decision.delay_ms is None else _said(decision.delay_ms // 1_000),
    }


def _said(seconds: int) -> str:
    return format_duration(seconds) if seconds else "0s"


def _wall(ts_ms: int) -> str:
    """Return a local time as the scenario writes it, with its day when that is not the first: `d2/09:03`."""
    seconds = (ts_ms + ZONE_MS - START_MS) // 1_000
    day, seconds = divmod(seconds, 86_400)
    shown = f"{seconds // 3_600:02}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")
    return f"d{day + 1}/{shown}" if day else shown


def _matches(expected: Expected, decision: core.AnyDecision, runner: Runner) -> bool:
    verdict, rule_id, *marks = expected.words
    if (verdict, rule_id) != (decision.verdict, decision.rule_id):
        return False
    there = marks_of(decision, runner)
    for mark in marks:
        key, equals, value = mark.partition("=")
        if equals and there.get(key) != value:
            return False
        if not equals and mark not in there["flags"].split():
            return False
    return True


def differences(outcomes: list[Outcome], runner: Runner) -> list[str]:
    """Return a line for each happening whose decisions are not the expected ones; empty when all is well."""
    wrong = []
    for outcome in outcomes:
        left = list(outcome.decisions)
        for expected in outcome.expected:
            decision = next((d for d in left if _matches(expected, d, runner)), None)
            if decision is None:
                wrong.append(f"line {outcome.line} {outcome.text}: expected {' '.join(expected.words)}")
            else:
                left.remove(decision)
        for decision in left:
            marks = " ".join(f"{key}={value}" for key, value in marks_of(decision, runner).items() if value)
            wrong.append(f"line {outcome.line} {outcome.text}: unexpected {decision.verdict} {decision.rule_id} {marks}")
    return wrong


def play(program: core.Program, scenario: str) -> Runner:
    """Run a scenario and raise AssertionError, naming every difference, when a decision is not as written."""
    runner = Runner(program)
    wrong = differences(runner.run(scenario), runner)
    if wrong:
        raise AssertionError("\n".join(wrong))
    return runner
