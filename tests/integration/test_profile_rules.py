"""Rules put tags with version and evidence, take back what holds no longer, and leave people's decisions alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from qunce.accounts.models import Staff
from qunce.playbook.load import parse
from qunce.readmodels.models import Happening, Identity, Member, Message, TagHolding
from qunce.readmodels.rows import Database
from qunce.readmodels.selectors import profiles
from qunce.runtime.ingest import Ingest
from qunce.runtime.profile import changing, rules, runs
from qunce.runtime.profile import words as spoken_words
from qunce.runtime.profile.vocabulary import Vocabulary, shipped
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import befriended, joined, moment, ordered, said

pytestmark = pytest.mark.django_db

HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\n"
GROUPS = """
tag_groups:
  - group_id: intent
    title: 意向
    exclusive: true
    tags:
      - tag_id: 强
        rules:
          - rule_id: asks
            said: [多少钱, 怎么买]
            within: 7d
            times: 2
            mode: act
            reason: 问过价
            confidence: 0.8
            expire_after: 14d
      - tag_id: 弱
        rules: [{rule_id: talks, where: [{did: message, within: 7d}], mode: act}]
  - group_id: bought
    title: 购买
    tags:
      - {tag_id: 老客, rules: [{rule_id: old, where: [{did: order_paid, times: ">=2"}], mode: act}]}
      - {tag_id: 朋友, rules: [{rule_id: friend, where: [{did: contact_added}]}]}
  - group_id: entry
    title: 进群
    target: membership
    tags: [{tag_id: 新人, rules: [{rule_id: fresh, where: [{attr: joined_at, is: "<=3d"}], mode: act}]}]
  - group_id: use
    title: 群
    target: group
    tags: [{tag_id: 小群, rules: [{rule_id: small, where: [{attr: members, is: "<=2"}], mode: act}]}]
"""
ALL = frozenset({"asks", "talks", "old", "friend", "fresh", "small"})
NOON = moment("12:00")
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", str(tmp_path))


@pytest.fixture
def words() -> Vocabulary:
    return Vocabulary(version="1-abc", playbook=parse({"p.yaml": HEAD + GROUPS}).playbook)


@pytest.fixture
def world() -> dict[str, int]:
    take(
        joined("群", "小红", at="08:00"), said("群", "小红", "这个多少钱", at="09:00"),
        said("群", "小红", "怎么买呀", at="09:10"),
        said("群", "小明", "多少錢", at="09:20"), said("群", "客服", "多少钱我说了", at="09:30", kind="staff"),
        said("群", "客服", "怎么买看这里", at="09:31", kind="staff"), ordered("小明", 9, at="10:00", id="a"),
        ordered("小明", 9, at="10:01", id="b"), befriended("小明", "客服", at="10:02"),
    )  # fmt: skip
    return dict(Member.objects.values_list("name", "pk"))


def take(*events: Any) -> None:
    Ingest().take_all(events)


def tags(member: int, at: int = NOON) -> list[str]:
    ids = Identity.objects.filter(member_id=member).values_list("pk", flat=True)
    return [holding.tag for holding in profiles.tags_of(ids, at)]


def test_rules_put_what_holds_with_version_reason_and_messages(words: Vocabulary, world: dict[str, int]) -> None:
    result = rules.run(words, ALL, NOON)
    assert result["puts"] == {"asks": 1, "talks": 1, "old": 1, "friend": 1, "fresh": 1, "small": 1}
    assert {name: tags(pk) for name, pk in world.items()} == {
        "小红": ["强", "新人"], "小明": ["弱", "朋友", "老客"], "客服": [],
    }  # fmt: skip
    strong = TagHolding.objects.get(tag="强")
    seqs = list(Message.objects.filter(text__in=("这个多少钱", "怎么买呀")).order_by("seq").values_list("seq", flat=True))
    assert (strong.version, strong.reason, strong.confidence, strong.evidence) == ("1-abc", "问过价", 0.8, str(seqs))
    assert strong.until_ms == NOON + 14 * DAY_MS
    assert TagHolding.objects.get(tag="小群").identity_id == 0
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def test_running_again_changes_nothing_and_time_takes_back(words: Vocabulary, world: dict[str, int]) -> None:
    rules.run(words, ALL, NOON)
    assert sum(rules.run(words, ALL, NOON + 60_000)["puts"].values()) == 0
    later = NOON + 8 * DAY_MS
    result = rules.run(words, ALL, later)
    assert {name: number for name, number in result["takes"].items() if number} == {"asks": 1, "talks": 1, "fresh": 1}
    assert (tags(world["小红"], later), tags(world["小明"], later)) == ([], ["朋友", "老客"])


def test_a_preview_changes_nothing_and_can_look_at_the_past(words: Vocabulary, world: dict[str, int]) -> None:
    found = rules.find(words, ALL, moment("09:05"))
    assert [name for name in ("asks", "talks", "old") if found[name].puts] == ["talks"]
    assert not TagHolding.objects.exists()


def test_what_a_colleague_took_away_is_not_put_again(words: Vocabulary, world: dict[str, int]) -> None:
    actor = Staff.objects.create_user("lead", "correct-horse-9", role="supervisor")
    result = rules.run(words, frozenset({"old"}), NOON)
    changing.do_undo_batch(actor=actor, batch_id=result["batch"])
    assert rules.run(words, frozenset({"old"}), NOON + 1)["puts"] == {"old": 0}
    assert tags(world["小明"]) == []


def test_a_colleagues_tag_keeps_a_rule_from_putting_its_rival(
    words: Vocabulary, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "in_force", lambda: words)
    monkeypatch.setattr(changing, "now_ms", lambda: NOON)
    changing.do_put_tag(actor=None, member_ids=[world["小红"]], tag="弱")
    assert rules.run(words, frozenset({"asks"}), NOON)["puts"] == {"asks": 0}


def test_a_tag_that_ends_is_renewed_before_it_does(words: Vocabulary, world: dict[str, int]) -> None:
    rules.run(words, frozenset({"asks"}), NOON)
    take(said("群", "小红", "多少钱", at="09:00", day=8), said("群", "小红", "怎么买", at="09:01", day=8))
    assert rules.run(words, frozenset({"asks"}), NOON + 6 * DAY_MS)["puts"] == {"asks": 0}
    assert rules.run(words, frozenset({"asks"}), NOON + 8 * DAY_MS)["puts"] == {"asks": 1}
    assert TagHolding.objects.get(tag="强").until_ms == NOON + 22 * DAY_MS


def test_words_are_read_a_few_at_a_time_with_as_many_queries_for_any_number_of_members(
    words: Vocabulary, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fetched: list[int] = []

    class Watched(Database):
        def query(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
            raise AssertionError("all rows at once")

        def stream(self, sql: str, params: Sequence[object] = (), size: int = 5_000) -> Iterable[tuple[Any, ...]]:
            asked.append(sql)
            fetched.append(size)
            return super().stream(sql, params, size)

    monkeypatch.setattr(spoken_words, "Database", Watched)
    monkeypatch.setattr(spoken_words, "READ", 2)

    def look() -> tuple[int, int, dict[Any, Any]]:
        asked.clear()
        with CaptureQueriesContext(connection) as told:
            found = rules.find(words, frozenset({"asks"}), NOON)["asks"]
        return len(asked), len(told), dict(found.holds)

    few = look()
    take(*(said("群", f"成员{n}", f"多少钱 {at}", at=f"11:0{at}") for n in range(40) for at in range(7)))
    many = look()
    assert [few[:2], set(fetched)] == [(1, few[1]), {2}]
    assert many[:2] == few[:2]
    assert (len(few[2]), len(many[2])) == (1, 41)
    assert {(spoke.times, len(spoke.seqs)) for key, spoke in many[2].items() if key not in few[2]} == {(7, 5)}
    seqs = next(spoke.seqs for key, spoke in many[2].items() if key not in few[2])
    assert seqs == list(Message.objects.filter(seq__in=seqs).order_by("ts_ms", "seq").values_list("seq", flat=True))


def test_what_came_late_is_no_newer_evidence(words: Vocabulary, world: dict[str, int]) -> None:
    take(*(said("群", "小红", f"多少钱 {n}", at=f"08:0{n}") for n in range(1, 6)))  # earlier words, later in the journal
    spoke = rules.find(words, frozenset({"asks"}), NOON)["asks"].holds[world["小红"], 0]
    texts = [Message.objects.get(seq=seq).text for seq in spoke.seqs]
    assert (spoke.times, texts) == (7, ["多少钱 3", "多少钱 4", "多少钱 5", "这个多少钱", "怎么买呀"])


def test_the_way_into_a_group_is_a_tag_by_itself_with_the_join_as_evidence() -> None:
    words = shipped()
    take(
        befriended("小美", "客服", at="07:00"),
        joined("群", "小红", at="08:00", channel="海报"), joined("群", "小明", at="08:01", inviter="老王"),
        joined("群", "小美", at="08:02", channel="企微"), joined("群", "老王", at="08:03"),
        befriended("小明", "客服", at="08:30"), joined("群", "小明", at="09:00", inviter="老王"),
    )  # fmt: skip
    entry = frozenset({"friend.yes", "entry.scanned", "entry.invited", "entry.sent_code"})
    rules.run(words, entry, NOON)
    rules.run(words, entry, NOON + 1)  # what hangs on another tag comes after it
    people = dict(Identity.objects.values_list("pk", "name"))
    rows = TagHolding.objects.filter(target="membership", taken_ms=None)
    assert {people[row.identity_id]: row.tag for row in rows} == {
        "小红": "进群/扫码", "小明": "进群/好友拉群", "小美": "进群/企微发码",
    }  # fmt: skip
    for row in rows:
        newest = Happening.objects.filter(identity_id=row.identity_id, group_id=row.group_id).exclude(ts_ms__gt=NOON)
        assert row.evidence == str(
            [newest.filter(detail__contains="scene").order_by("ts_ms").values_list("seq", flat=True).last()]
        )
    take(befriended("小红", "客服", at="11:00"))
    rules.run(words, entry, NOON + 2)
    rules.run(words, entry, NOON + 3)
    assert sorted(rows.values_list("tag", flat=True)) == ["进群/企微发码", "进群/企微发码", "进群/好友拉群"]


def test_nothing_runs_by_itself_while_rules_only_observe(world: dict[str, int]) -> None:
    assert runs.start_if_due(NOON) is None
