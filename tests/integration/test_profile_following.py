"""Following the events and the clock puts the same tags as running the rules over everybody."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from qunce.domain.events import Event
from qunce.readmodels.models import Identity, Member, TagHolding
from qunce.readmodels.selectors.profiles import standing
from qunce.runtime import jobs
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import playbooks
from qunce.runtime.models import ChangeBatch, Job, TagDue
from qunce.runtime.profile import changing, following, rules, runs
from qunce.runtime.profile.following import LATER_MS, Follower
from qunce.runtime.profile.vocabulary import in_force
from qunce.runtime.rebuild import rebuild
from qunce.testing import builders as b

pytestmark = pytest.mark.django_db

PLAYBOOK = """schema_version: 1
playbook: {playbook_id: t, title: 测试}
segments:
  - segment_id: talker
    title: 说话的人
    where: [{did: message, within: 2d, times: ">=2"}]
tag_groups:
  - group_id: intent
    title: 意向
    exclusive: true
    tags:
      - tag_id: 强
        rules:
          - rule_id: asks
            said: [多少钱, 怎么买]
            within: 2d
            times: 2
            mode: act
            expire_after: 1d
      - tag_id: 弱
        rules: [{rule_id: talks, where: [{segment: talker}], mode: act}]
      - {tag_id: 无}
  - group_id: bought
    title: 购买
    tags:
      - tag_id: 老客
        rules: [{rule_id: old, where: [{did: order_paid, within: 3d, times: ">=2"}], mode: act}]
      - tag_id: 问过的老客
        rules: [{rule_id: both, where: [{did: order_paid}], said: [多少钱], within: 1d, mode: act}]
      - tag_id: 要跟进
        rules: [{rule_id: chain, where: [{tag: [强, 老客]}], mode: act}]
      - tag_id: 只看
        rules: [{rule_id: watched, where: [{did: message}]}]
  - group_id: entry
    title: 进群
    target: membership
    tags:
      - {tag_id: 新人, rules: [{rule_id: fresh, where: [{attr: joined_at, is: "<=1d"}], mode: act}]}
      - {tag_id: 在群里问价, rules: [{rule_id: place, said: [多少钱], within: 1d, mode: act, take_back: false}]}
  - group_id: use
    title: 群
    target: group
    tags: [{tag_id: 小群, rules: [{rule_id: small, where: [{attr: members, is: "<=2"}], mode: act}]}]
"""
ACTING = frozenset({"asks", "talks", "old", "both", "chain", "fresh", "place", "small"})
PEOPLE = ("小红", "老王", "阿明", "客服")
GROUPS = ("读书会", "晨跑团")
TEXTS = ("多少钱", "怎么買", "在吗", "好的")
HOUR_MS = 3_600_000


class Clock:
    def __init__(self) -> None:
        self.ms = b.moment("12:00")

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    settings.DATA_DIR = tmp_path
    made = Clock()
    for module in (runs, changing, jobs):
        monkeypatch.setattr(module, "now_ms", made)
    return made


def publish(text: str = PLAYBOOK) -> None:
    playbooks.do_publish(actor=None, files={"playbook.yaml": text}, reason="test")


def rest(follower: Follower) -> None:
    """Let the loop come to rest, and do the jobs that it asks for."""
    for _ in range(20):
        if not follower.turn() and not jobs.run_next():
            return
    raise AssertionError("the loop does not come to rest")


def tags(now: int) -> dict[str, list[str]]:
    """Return who has which tags, members and memberships by name, groups without one."""
    names = dict(Identity.objects.values_list("pk", "name"))
    found: dict[str, list[str]] = {}
    for row in TagHolding.objects.filter(standing(now)).order_by("tag"):
        found.setdefault(names.get(row.identity_id, ""), []).append(row.tag)
    return found


def left_over(now: int) -> dict[str, tuple[int, int]]:
    """Return what a run over everybody would still change."""
    outcomes = rules.find(in_force(), ACTING, now)
    return {name: (len(one.puts), len(one.takes)) for name, one in outcomes.items() if one.puts or one.takes}


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[tuple[str, str, str, str, int]]]]:
    """Draw steps: hours that pass, and what happens then."""
    happening = st.tuples(
        st.sampled_from(["say", "say", "say", "join", "leave", "order", "order", "edit", "delete", "take", "put", "ahead"]),
        st.sampled_from(PEOPLE), st.sampled_from(GROUPS), st.sampled_from(TEXTS), st.integers(0, 50),
    )  # fmt: skip
    return draw(
        st.lists(st.tuples(st.sampled_from([0, 1, 7, 13, 24, 30, 49]), st.lists(happening, max_size=5)), min_size=2, max_size=5)
    )


class World:
    """Makes happen what was drawn."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.said, self.unique = clock, list[Event](), 0

    def happen(self, drawn: tuple[str, str, str, str, int]) -> None:
        kind, who, where, text, minutes = drawn
        self.unique += 1
        person: Any = "staff" if who == "客服" else "member"
        match kind:
            case "say" | "ahead":
                made = b.said(where, who, text, at="12:00", id=f"m{self.unique}", kind=person)
            case "join":
                made = b.joined(where, who, at="12:00", kind=person)
            case "leave":
                made = b.left(where, who, at="12:00")
            case "order":
                made = b.ordered(who, 80, at="12:00", id=f"o{self.unique}")
            case "edit" | "delete" if self.said:
                made = b.edited(self.said[-1], text, at="12:00") if kind == "edit" else b.deleted(self.said[-1], at="12:00")
            case "take" | "put":
                return self._by_hand(kind, who, minutes)
            case _:
                return None
        key = made.dedupe_key if kind in ("say", "ahead") else f"{made.dedupe_key}:{self.unique}"
        ahead = 90 * 60_000 if kind == "ahead" else -minutes * 60_000
        made = msgspec.structs.replace(made, ts_ms=self.clock.ms + ahead, dedupe_key=key)
        if kind == "say":
            self.said.append(made)
        Ingest(self.clock).take_all([made])
        return None

    def _by_hand(self, kind: str, who: str, number: int) -> None:
        member = Member.objects.filter(name=who, kind="member").values_list("pk", flat=True).first()
        if member is None:
            return
        tag = ("强", "弱", "无", "老客")[number % 4]
        if kind == "put":
            until = self.clock.ms + 5 * HOUR_MS if number % 2 else None
            changing.do_put_tag(actor=None, member_ids=[member], tag=tag, until_ms=until)
        else:
            changing.do_take_tag(actor=None, member_ids=[member], tag=tag)


# A shrunk failure would take minutes: every example is a database and a mirror of its own.
@settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
@given(steps=histories())
def test_following_leaves_nothing_for_a_run_over_everybody(clock: Clock, steps: list[tuple[int, list[Any]]]) -> None:
    with transaction.atomic(), TemporaryDirectory() as folder, override_settings(DATA_DIR=folder):
        clock.ms = b.moment("12:00")
        publish()
        world, follower = World(clock), Follower(clock)
        for hours, drawn in steps:
            clock.ms += hours * HOUR_MS
            for one in drawn:
                world.happen(one)
            rest(follower)
            clock.ms += LATER_MS  # what rules changed is looked at again a little later
            rest(follower)
            clock.ms += LATER_MS
            rest(follower)
            assert left_over(clock.ms) == {}, drawn
        transaction.set_rollback(True)


def begin(clock: Clock) -> Follower:
    publish()
    Ingest(clock).take_all([b.joined("读书会", "小红", at="08:00"), b.said("读书会", "老王", "在", at="09:00", id="a")])
    follower = Follower(clock)
    rest(follower)
    return follower


def say(clock: Clock, text: str, key: str) -> Event:
    made = msgspec.structs.replace(b.said("读书会", "小红", text, at="12:00", id=key), ts_ms=clock.ms)
    Ingest(clock).take_all([made])
    return made


def test_words_are_followed_by_a_tag_and_time_takes_it_back(clock: Clock) -> None:
    follower = begin(clock)
    assert tags(clock.ms)["小红"] == ["新人"]
    ran = Job.objects.filter(kind=runs.JOB_KIND).count()
    first = say(clock, "这个多少錢呀", "q1")
    clock.ms += 60_000
    say(clock, "怎么买", "q2")
    rest(follower)
    assert tags(clock.ms)["小红"] == ["在群里问价", "强", "新人"]
    strong = TagHolding.objects.get(tag="强")
    assert (strong.rule_id, strong.until_ms, len(strong.evidence.split(","))) == ("asks", clock.ms + 24 * HOUR_MS, 2)
    Ingest(clock).take_all([msgspec.structs.replace(b.deleted(first, at="12:00"), ts_ms=clock.ms)])
    rest(follower)
    assert tags(clock.ms)["小红"] == ["在群里问价", "弱", "新人", "要跟进"]
    clock.ms += LATER_MS
    rest(follower)
    assert tags(clock.ms)["小红"] == ["在群里问价", "弱", "新人"], "what hangs on another tag follows minutes later"
    clock.ms += 50 * HOUR_MS
    rest(follower)
    assert tags(clock.ms) == {"": ["小群"], "小红": ["在群里问价"]}
    assert Job.objects.filter(kind=runs.JOB_KIND).count() == ran, "nothing was run over everybody for it"


def test_a_tag_is_renewed_when_half_of_its_time_is_over(clock: Clock) -> None:
    follower = begin(clock)
    say(clock, "多少钱", "q1"), say(clock, "怎么买", "q2")
    rest(follower)
    put_ms = clock.ms
    clock.ms += 11 * HOUR_MS
    rest(follower)
    assert TagHolding.objects.get(tag="强").until_ms == put_ms + 24 * HOUR_MS
    clock.ms += 2 * HOUR_MS
    rest(follower)
    assert TagHolding.objects.get(tag="强").until_ms == clock.ms + 24 * HOUR_MS


def test_a_colleagues_word_is_followed_too_and_weighs_more(clock: Clock) -> None:
    follower = begin(clock)
    say(clock, "在吗", "a1"), say(clock, "在", "a2")
    rest(follower)
    assert "弱" in tags(clock.ms)["小红"]
    member = Member.objects.get(name="小红").pk
    changing.do_put_tag(actor=None, member_ids=[member], tag="无", until_ms=clock.ms + HOUR_MS)
    rest(follower)
    assert "弱" not in tags(clock.ms)["小红"]
    clock.ms += HOUR_MS
    rest(follower)
    assert "弱" in tags(clock.ms)["小红"], "the rival ended by itself, and nothing else happened"


def test_two_rules_that_undo_each_other_change_somebody_once_in_a_while(clock: Clock) -> None:
    publish(PLAYBOOK.replace("where: [{tag: [强, 老客]}]", "where: [{did: message}, {not: {tag: [要跟进]}}]"))
    Ingest(clock).take_all([b.said("读书会", "小红", "在", at="09:00", id="a")])
    follower = Follower(clock)
    rest(follower)
    before = TagHolding.objects.get(tag="要跟进").seq
    for _ in range(20):
        clock.ms += 1_000
        rest(follower)
    assert TagHolding.objects.get(tag="要跟进").seq == before
    clock.ms += LATER_MS
    rest(follower)
    assert TagHolding.objects.get(tag="要跟进").taken_ms == clock.ms


def test_what_is_followed_within_an_hour_is_one_change_and_undone_as_one(clock: Clock) -> None:
    follower = begin(clock)
    say(clock, "多少钱", "q1"), say(clock, "怎么买", "q2")
    rest(follower)
    clock.ms += 60_000
    Ingest(clock).take_all([b.ordered("老王", 80, at="09:00", id="x"), b.ordered("老王", 80, at="09:01", id="y")])
    rest(follower)
    batch = ChangeBatch.objects.get(batch_id__startswith="follow")
    assert (batch.actor_id, batch.changes) == (None, 3)
    assert batch.summary == {"what": "asks, old, place", "members": 3}
    assert changing.do_undo_batch(actor=None, batch_id=batch.batch_id)[0] == 3
    assert tags(clock.ms) == {"": ["小群"], "小红": ["新人"]}
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def test_only_what_is_new_is_read(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = begin(clock)
    Ingest(clock).take_all([b.said("读书会", f"成员{n}", "多少钱", at="09:00", id=f"n{n}") for n in range(30)])
    rest(follower)
    asked: list[Any] = []
    real = following.spoken

    def watched(rules: Any, now: int, members: Any) -> Any:
        asked.append(sorted(members))
        return real(rules, now, members)

    monkeypatch.setattr(following, "spoken", watched)
    say(clock, "在吗", "w1")
    rest(follower)
    member = Member.objects.get(name="小红").pk
    assert asked == [[]], "no word, no message read"
    asked.clear()
    say(clock, "多少钱", "w2")
    rest(follower)
    assert {one for members in asked for one in members} == {member}
    with CaptureQueriesContext(connection) as told:
        assert follower.turn() == 0
    assert len(told) <= 6, "a turn in which nothing happened is a few small queries"
    assert TagDue.objects.exists()
