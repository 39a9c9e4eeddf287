"""What must hold for every text and every course of events."""

# one example a line

from __future__ import annotations

import re
from functools import cache
from zlib import crc32

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunce.domain.decisions import Decision
from qunce.domain.events import (
    Conv,
    Event,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MemberUpdated,
    MessageCreated,
    Part,
    Party,
    Source,
)  # fmt: skip
from qunce.domain.ids import GroupId, IdentityId
from qunce.domain.text import fold, fold_table
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.engine.learning.features import features
from qunce.engine.moderation import contacts, fingerprint, links
from qunce.engine.moderation.fold import REPORT
from qunce.engine.moderation.look import Look
from qunce.engine.moderation.state import GroupState, Sent
from qunce.engine.moderation.state import State as ModerationState
from qunce.engine.text.tables import strip_table
from qunce.engine.text.views import Views
from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.playbook.write import write

SOURCE = Source(connector="test")
NASTY = [
    "",
    "\x00",
    "\ud800",
    "加\u200b微 信",
    "１３８００１３８０００",
    "％20",
    "http://",
    "a" * 3_000,
    "砍" * 500,
    "(((((",
    "ﷺ" * 50,
    "İ",
    "ŉ",
    "\U000e0041",
]


@cache
def program() -> core.Program:
    """The gallery's shop with every rule in earnest: acting where a ladder stands, suggesting elsewhere."""
    playbook = gallery.load("dianshang").playbook
    rules = [msgspec.structs.replace(rule, mode="act" if rule.ladder else "suggest") for rule in playbook.rules]
    rules[0] = msgspec.structs.replace(rules[0], mode="observe")
    return core.compile_rules(parse(write(msgspec.structs.replace(playbook, rules=tuple(rules)))))


texts = st.one_of(
    st.text(max_size=60),
    st.sampled_from(NASTY),
    st.sampled_from(["帮我砍一刀", "加我微信 abc12345", "刷单", "傻逼", "大家好", "谢谢", "看看 http://a.com/b", "举报"]),
)
bodies = st.one_of(
    st.builds(
        MessageCreated,
        message_id=st.one_of(st.none(), st.sampled_from("123")),
        text=texts,
        content=st.lists(
            st.builds(Part, type=st.sampled_from(["image", "card", "link", "text"]), text=texts, url=texts), max_size=2
        ).map(tuple),
        reply_to=st.one_of(st.none(), st.sampled_from("123")),
        mentions=st.lists(texts, max_size=3).map(tuple),
    ),
    st.just(MemberJoined()),
    st.just(MemberLeft()),
    st.builds(MemberRestricted, until_ms=st.one_of(st.none(), st.integers(0, 10**7))),
    st.just(MemberUnrestricted()),
    st.builds(
        MemberUpdated,
        field=st.sampled_from(["role", "nickname", "kind"]),
        new=st.sampled_from(["admin", "member", "staff", "加微 abc12345"]),
    ),
)


@st.composite
def courses(draw: st.DrawFn) -> list[Happening]:
    """A course of events in two groups, times mostly rising but now and then late."""
    ts_ms, course = 0, []
    for seq in range(1, draw(st.integers(1, 25))):
        ts_ms = max(0, ts_ms + draw(st.sampled_from([0, 100, 1_000, 60_000, 3_600_000, -5_000])))
        who, group = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        event = Event(
            ts_ms=ts_ms,
            source=SOURCE,
            body=draw(bodies),
            dedupe_key=str(seq),
            conv=Conv(platform_id=f"g{group}", name=f"业务{group}"),
            actor=Party(platform_id=f"u{who}", name=f"成员{who}"),
        )
        course.append(Happening(seq, event, group=GroupId(group), actor=IdentityId(who)))
    return course


def run(course: list[Happening], state: core.State | None = None) -> tuple[list[Decision], core.State]:
    state = state or core.State()
    decisions: list[Decision] = []
    for happening in course:
        fresh = Happening(happening.seq, happening.event, group=happening.group, actor=happening.actor)
        found = core.step(state, fresh, program(), happening.event.ts_ms)
        decisions += [decision for decision in found if isinstance(decision, Decision)]
    return decisions, state


@settings(max_examples=80, deadline=None)
@given(courses(), st.integers(0, 25))
def test_deciding_again_and_from_any_checkpoint_gives_the_same(course: list[Happening], cut: int) -> None:
    decisions, state = run(course)
    assert run(course) == (decisions, state)
    first, half = run(course[:cut])
    second, whole = run(course[cut:], core.load(core.dump(half)))
    assert first + second == decisions
    assert core.dump(whole) == core.dump(state)


@settings(max_examples=60, deadline=None)
@given(courses())
def test_deciding_does_not_change_the_state(course: list[Happening]) -> None:
    _, state = run(course[:-1])
    before = core.dump(state)
    for happening in course[-1:]:
        core.decide(state, happening, program(), happening.event.ts_ms, ask_pass=True)
    assert core.dump(state) == before


@settings(max_examples=80, deadline=None)
@given(courses())
def test_signs_leave_out_no_rule_that_would_find_something(course: list[Happening]) -> None:
    state = core.State()
    for happening in course:
        quick = core.decide(state, happening, program(), happening.event.ts_ms)
        asked_all = core.decide(state, happening, program(), happening.event.ts_ms, ask_pass=True)
        assert quick == tuple(decision for decision in asked_all if decision.verdict != "pass")
        core.step(state, happening, program(), happening.event.ts_ms)


@pytest.mark.parametrize(
    "pattern",
    [contacts._PHONE, contacts._LOOSE_PHONE, contacts._QQ, contacts._QQ_MAIL, contacts._WECHAT, contacts._WECHAT_NAME],
)
def test_the_quick_look_for_contacts_misses_none(pattern: re.Pattern[str]) -> None:
    @given(st.from_regex(pattern))
    @settings(max_examples=200, deadline=None)
    def holds(text: str) -> None:
        stripped = Views(text).stripped
        if pattern.search(stripped.translate(contacts._NUMERALS)) or pattern.search(stripped):
            assert contacts.may_be_in(Views(text))

    holds()


@given(st.text(max_size=80))
def test_the_numbers_of_a_text_are_the_least_of_its_pieces(text: str) -> None:
    data = text.encode("utf-32-le", "surrogatepass")
    pieces = [crc32(data[start : start + 8]) for start in range(0, len(data) - 4, 4)]
    expected = (
        b"".join(min(piece ^ mask for piece in pieces).to_bytes(4, "little") for mask in fingerprint._SCRAMBLE)
        if pieces
        else b""
    )
    assert fingerprint.near(text) == (expected if len(text) >= fingerprint.MIN_NEAR_CHARS else b"")


@given(st.text(max_size=60))
def test_numbers_that_are_put_off_are_the_same(text: str) -> None:
    waiting = fingerprint.later(text)
    if len(text) >= fingerprint.MIN_NEAR_CHARS and len(text) <= fingerprint.MAX_LATER_CHARS:
        assert len(waiting) > fingerprint.PRINT_BYTES
        waiting = fingerprint.made(waiting)
    assert waiting == fingerprint.near(text)


def test_a_checkpoint_holds_no_text() -> None:
    state, text = core.State(), "今天孩子发烧了"
    event = Event(ts_ms=1, source=SOURCE, body=MessageCreated(message_id=None, text=text), dedupe_key="1")
    core.step(state, Happening(1, event, group=GroupId(1), actor=IdentityId(1)), program(), 1)
    unasked = msgspec.structs.replace(state.moderation.groups[GroupId(1)].recent[0])
    written = core.dump(state)
    assert unasked == core.load(written).moderation.groups[GroupId(1)].recent[0]
    assert core.load(written).moderation.groups[GroupId(1)].recent[0].near == fingerprint.near(text)
    assert text.encode("utf-32-le") not in written


@given(st.lists(st.integers(0, 60_000), max_size=12), st.integers(0, 60_000), st.integers(1, 70), st.integers(0, 12))
def test_one_look_never_says_that_messages_lack_which_are_there(
    moments: list[int], now: int, window_s: int, count: int
) -> None:
    group = GroupState(recent=[Sent(seq, ts, IdentityId(1), None, 1, 1, b"", ()) for seq, ts in enumerate(moments)])
    event = Event(ts_ms=now, source=SOURCE, body=MessageCreated(message_id=None, text="x"), dedupe_key="1")
    look = Look(
        ModerationState(), group, Happening(99, event, group=GroupId(1), actor=IdentityId(1)), program().moderation.tools
    )
    assert look.are_enough(window_s, count) or len(look.sent(window_s)) < count


@settings(max_examples=60, deadline=None)
@given(courses())
def test_groups_do_not_depend_on_one_another_but_for_people_flagged_or_blocked(course: list[Happening]) -> None:
    alone = [happening for happening in course if happening.group == 1]
    whole = [decision for decision in run(course)[0] if decision.group_id == 1]
    flagged = any(isinstance(h.event.body, MemberUpdated) and h.event.body.field == "kind" for h in course)
    blocked = any(decision.verdict == "ban" for decision in run(course)[0])
    if not flagged and not blocked:
        assert run(alone)[0] == whole


@settings(max_examples=60, deadline=None)
@given(courses())
def test_every_decision_names_its_rule_version_reason_and_evidence_and_only_one_acts(course: list[Happening]) -> None:
    seen: set[str] = set()
    acting: dict[tuple[int, str, int | None], int] = {}
    for decision in run(course)[0]:
        assert decision.decision_id not in seen
        seen.add(decision.decision_id)
        assert all((decision.rule_id, decision.version == program().version, decision.reason, decision.evidence))
        assert 0 <= decision.score <= 1
        if isinstance(decision, Decision) and decision.offence:
            world = (decision.event, "observe" if decision.mode == "observe" else "real", decision.subject)
            acting[world] = acting.get(world, 0) + 1
    assert all(count == 1 for count in acting.values())


@settings(max_examples=300, deadline=None)
@given(texts)
def test_any_text_is_looked_at_without_error_and_spans_lie_inside(text: str) -> None:
    views = Views(text)
    features(views)
    fingerprint.prints(views.squeezed)
    for _, start, end in (*contacts.find(views), *links.find(views)):
        assert 0 <= start < end <= len(views.text)
    for hit in program().moderation.tools.scanner.scan(views):
        for place in hit.places:
            start, end = views.written(hit.view, *place)
            assert 0 <= start < end <= len(views.text)


@pytest.mark.parametrize("view", ["folded", "stripped", "squeezed", "sound", "sound_squeezed", "shape"])
@settings(max_examples=150, deadline=None)
@given(text=st.one_of(texts, st.lists(st.sampled_from(["加", "wei", "xin", " ", "信信", "ﷺ", "１", "🔥", "a"])).map("".join)))
def test_every_place_of_a_view_has_a_place_in_the_text(view: str, text: str) -> None:
    views = Views(text)
    shown = getattr(views, view)
    for index in range(len(shown)):
        start, end = views.written(view, index, index + 1)
        assert 0 <= start < end <= len(views.text)


def test_a_message_of_a_megabyte_is_decided_on() -> None:
    state = core.State()
    for seq, text in enumerate(("好" * 1_000_000, "1" * 1_000_000, "a.b" * 400_000, "加wei" * 300_000, "@" * 1_000_000)):
        event = Event(ts_ms=seq, source=SOURCE, body=MessageCreated(message_id=None, text=text), dedupe_key=str(seq))
        core.step(state, Happening(seq, event, group=GroupId(1), actor=IdentityId(1)), program(), seq)
        assert len(Views(text).text) < 21_000
    assert len(core.dump(state)) < 10_000


def test_nearly_equal_texts_share_fingerprints_and_different_ones_do_not() -> None:
    text = "这家店的牛肉干特别好吃推荐大家去买真的不骗你"
    one, other = fingerprint.near(text), fingerprint.near(text + "哦")
    assert fingerprint.alike(one, other)
    assert not fingerprint.alike(one, fingerprint.near("今天孩子发烧了请问哪家医院的儿科周末有医生"))
    assert fingerprint.near("短") == b""


@pytest.mark.parametrize(
    ("text", "is_report"),
    [("举报", True), ("@管理员 举报", True), ("/report", True), ("我要去举报中心上班", False), ("reporter 来了", False)],
)
def test_what_reads_like_a_report(text: str, is_report: bool) -> None:
    assert bool(REPORT.match(text)) == is_report


def test_a_passed_rule_says_so_when_asked_and_names_exemption() -> None:
    event = Event(
        ts_ms=0, source=SOURCE, body=MessageCreated(message_id="1", text="大家好"), dedupe_key="1",
        conv=Conv(platform_id="g"), actor=Party(platform_id="u", kind="staff"),
    )  # fmt: skip
    decisions = core.decide(
        core.State(), Happening(1, event, group=GroupId(1), actor=IdentityId(1)), program(), 0, ask_pass=True
    )
    moderated = [decision for decision in decisions if isinstance(decision, Decision)]
    assert {decision.verdict for decision in moderated} == {"pass"}
    assert {decision.reason for decision in moderated} == {"", "exempt"}


def test_an_old_message_is_suggested_not_acted_on() -> None:
    state, decisions = core.State(), ()
    for seq in range(9):
        event = Event(
            ts_ms=seq, source=SOURCE, body=MessageCreated(message_id=None, text=f"第 {seq} 条"), dedupe_key=str(seq),
            conv=Conv(platform_id="g"), actor=Party(platform_id="u"),
        )  # fmt: skip
        happening = Happening(seq, event, group=GroupId(1), actor=IdentityId(1))
        fresh = core.decide(state, happening, program(), seq)
        decisions = core.decide(state, happening, program(), seq + 7 * 3_600_000)
        core.fold(state, happening)
    assert [decision.mode for decision in fresh if isinstance(decision, Decision)] == ["act"]
    assert [decision.mode for decision in decisions if isinstance(decision, Decision)] == ["suggest"]


@settings(max_examples=300, deadline=None)
@given(texts | st.text(alphabet="加微信群主繁體ａＡ①ﷺ丶·𝐰🔥 a1?？", max_size=30))
def test_a_text_taken_as_it_stands_is_the_text_translated(text: str) -> None:
    views = Views(text)
    assert fold(text) == (text.lower() if text.isascii() else text.translate(fold_table()))
    assert views.stripped == views.text.translate(strip_table())
    assert views.squeezed == re.sub(r"(.)\1+", r"\1", views.stripped)
