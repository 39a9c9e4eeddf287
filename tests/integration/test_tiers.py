"""Members are sorted into tiers as of a moment; who moved is an event, and sorting again moves nobody."""

from __future__ import annotations

from typing import Any

import pytest

from qunce.analytics import traits
from qunce.domain.events import TYPE_BY_CODE, Event, TierMoved
from qunce.playbook.load import parse
from qunce.readmodels.models import Happening, Member, TierHolding, TierMove
from qunce.readmodels.selectors import tiers as selectors
from qunce.runtime import mirror
from qunce.runtime.ingest import Ingest
from qunce.runtime.live.playbooks import do_publish
from qunce.runtime.models import Job
from qunce.runtime.rebuild import rebuild
from qunce.runtime.tiers import schemes, sorting
from qunce.testing.builders import flagged, linked, moment, ordered, said, unlinked

pytestmark = pytest.mark.django_db
DAY = 86_400_000
NOW = moment("12:00", 10)
OWN = {
    "playbook.yaml": "schema_version: 1\nplaybook: {playbook_id: own, title: 自己的}\n",
    "tiers.yaml": """schema_version: 1
tiers:
  - scheme_id: spend
    title: 消费
    levels:
      - {level_id: big, title: 大, where: [{did: order_paid, within: 30d, sum: {amount: ">=100"}}]}
      - {level_id: some, title: 有, where: [{did: order_paid, within: 7d}]}
      - {level_id: none, title: 无}
""",
}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


def take(*events: Event) -> None:
    Ingest(clock=lambda: NOW).take_all(events)


def own() -> schemes.Schemes:
    playbook = parse(OWN).playbook
    return schemes.Schemes(version="1-own", schemes=playbook.tiers, segments=playbook.segments, fields={})


def holdings() -> dict[str, str]:
    names = dict(Member.objects.values_list("id", "name"))
    return {names[row.identity_id]: row.level_id for row in TierHolding.objects.order_by("identity_id")}


def test_everybody_is_on_the_first_level_that_holds_and_nobody_is_moved_twice() -> None:
    take(
        said("群", "大客", "在", at="09:00"), said("群", "看客", "早", at="09:01"),
        ordered("大客", 150.00, at="10:00", day=8), ordered("小客", 20.00, at="10:00", day=9),
    )  # fmt: skip
    assert sorting.sort_all(own(), NOW, first=True)["moved"] == {"spend": 2}
    assert holdings() == {"大客": "big", "小客": "some"}
    assert sorting.sort_all(own(), NOW)["moved"] == {"spend": 0}
    assert [TYPE_BY_CODE[row.type] for row in Happening.objects.all()] == [TierMoved, TierMoved]


def test_who_no_longer_qualifies_falls_back_and_the_way_is_kept() -> None:
    take(ordered("小客", 20.00, at="10:00", day=9))
    sorting.sort_all(own(), NOW, first=True)
    sorting.sort_all(own(), NOW + 8 * DAY)
    assert holdings() == {"小客": "none"}
    assert list(TierMove.objects.order_by("seq").values_list("old", "new")) == [("", "some"), ("some", "none")]


def test_a_newcomer_rises_from_the_last_level_once_the_scheme_was_sorted() -> None:
    take(ordered("大客", 150.00, at="10:00", day=8), ordered("小客", 20.00, at="10:00", day=9))
    sorting.sort_all(own(), NOW - 2 * DAY, first=True)
    sorting.sort_all(own(), NOW)
    assert list(TierMove.objects.order_by("seq").values_list("old", "new")) == [("", "big"), ("none", "some")]


def test_the_first_sorting_looks_back_four_weeks_so_that_moves_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    take(ordered("大客", 150.00, at="10:00", day=-19), ordered("小客", 20.00, at="10:00", day=9))
    do_publish(actor=None, files=OWN, reason="自己的分层")
    monkeypatch.setattr(sorting, "now_ms", lambda: NOW)
    done = sorting.perform({}, lambda progress: None)
    moves = list(TierMove.objects.order_by("seq").values_list("old", "new"))
    assert moves == [("", "big"), ("none", "some")]
    assert (done["as_of_ms"], done["moved"]) == (NOW, {"spend": 1})


def test_colleagues_and_house_personas_are_on_no_level() -> None:
    take(ordered("小丽", 500.00, at="10:00", day=9), flagged("小丽", "house_persona", at="11:00", day=9))
    sorting.sort_all(own(), NOW)
    assert holdings() == {}


def test_a_merged_person_stands_once_and_each_has_its_own_level_again_after_parting() -> None:
    take(ordered("大客", 150.00, at="10:00", day=8), ordered("小客", 20.00, at="10:00", day=9))
    sorting.sort_all(own(), NOW, first=True)
    take(linked("小客", "大客", id="l", at="11:00", day=10))
    assert sorting.sort_all(own(), NOW)["moved"] == {"spend": 0}  # the person is of the first account, on its level
    assert sorting.sort_all(own(), NOW + 8 * DAY)["moved"] == {"spend": 0}
    assert selectors.counts(None) == {("spend", "big"): 1}
    take(unlinked("小客", "l", at="11:30", day=10))
    assert holdings() == {"大客": "big", "小客": "some"}
    assert sorting.sort_all(own(), NOW + 8 * DAY)["moved"] == {"spend": 1}
    assert holdings() == {"大客": "big", "小客": "none"}


def test_a_merged_person_gets_the_level_of_all_its_accounts() -> None:
    take(ordered("小客", 60.00, at="10:00", day=9), ordered("另一个", 60.00, at="10:00", day=9))
    sorting.sort_all(own(), NOW, first=True)
    take(linked("小客", "另一个", at="11:00", day=10))
    assert sorting.sort_all(own(), NOW)["moved"] == {"spend": 1}
    assert selectors.counts(None) == {("spend", "big"): 1}


def test_folding_the_journal_again_gives_the_same_tiers() -> None:
    take(ordered("大客", 150.00, at="10:00", day=8), ordered("小客", 20.00, at="10:00", day=9))
    sorting.sort_all(own(), NOW)
    sorting.sort_all(own(), NOW + 8 * DAY)
    report = rebuild(keep=False)
    assert report.same
    assert {table.table: table.rows for table in report.tables if table.table.startswith("tier_")} == {
        "tier_holding": 2, "tier_move": 3,
    }  # fmt: skip


def test_the_published_playbook_decides_and_the_shipped_schemes_stand_in() -> None:
    assert schemes.in_force().version == schemes.SHIPPED
    do_publish(actor=None, files=OWN, reason="自己的分层")
    assert [scheme.scheme_id for scheme in schemes.in_force().schemes] == ["spend"]


def test_sorting_is_due_once_a_day_and_when_other_schemes_come_into_force() -> None:
    assert sorting.start_if_due(NOW) is None, "there is nobody"
    take(said("群", "看客", "早", at="09:01"))
    first = sorting.start_if_due(NOW)
    assert sorting.start_if_due(NOW) is None, "it waits already"
    Job.objects.filter(pk=first).update(state="done", result={"version": schemes.SHIPPED}, created_ms=NOW)
    assert sorting.start_if_due(NOW + DAY - 1) is None
    assert sorting.start_if_due(NOW + DAY + 1) is not None
    Job.objects.all().update(state="done", result={"version": "0-older"}, created_ms=NOW)
    assert sorting.start_if_due(NOW + 1) is not None


def test_the_shipped_schemes_can_be_computed_over_any_mirror() -> None:
    take(ordered("大客", 2500.00, at="10:00", day=8), ordered("大客", 20.00, at="11:00", day=9))
    assert sorting.sort_all(schemes.shipped(), NOW)["moved"] == {
        "abcd": 1, "fan": 1, "loyalty": 1, "lifecycle": 1, "spend": 1, "talk_style": 0,
    }  # fmt: skip
    levels = dict(TierHolding.objects.values_list("scheme_id", "level_id"))
    assert levels == {"abcd": "c", "fan": "favourable", "loyalty": "loyal", "lifecycle": "member", "spend": "high_value"}


def test_traits_are_computed_with_the_tiers_and_can_be_asked_for_by_levels() -> None:
    take(
        said("群", "大客", "在吗？", at="09:00", day=9), said("群", "看客", "早", at="09:01", day=9),
        ordered("大客", 150.00, at="10:00", day=8), ordered("小客", 20.00, at="10:00", day=2),
    )  # fmt: skip
    scheme = """schema_version: 1
tiers:
  - scheme_id: busy
    title: 活跃
    levels:
      - {level_id: high, title: 高, where: [{attr: engagement, is: ">=7"}, {attr: rfm_money, is: ">=3"}]}
      - {level_id: low, title: 低}
"""
    playbook = parse({**OWN, "tiers.yaml": scheme}).playbook
    own_scheme = schemes.Schemes(version="1", schemes=playbook.tiers, segments=(), fields={})
    sorting.sort_all(own_scheme, NOW, first=True)
    # 大客: a question 3 + an order 4 + a day 2 + a message 1 = 10; two buyers, one of whom paid less: 1 + 5 × 1 ÷ 2 = 3.
    assert holdings() == {"大客": "high"}
    names = dict(Member.objects.values_list("name", "id"))
    found = {name: traits.of_member(mirror.store(), pk) for name, pk in names.items()}
    assert {name: (row["engagement"], row["rfm_recency"], row["loyalty"]) for name, row in found.items() if row} == {
        "大客": (10, 3, 15), "小客": (4, 1, 10), "看客": (3, 0, 5),
    }  # fmt: skip
