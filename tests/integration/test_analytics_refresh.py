"""The mirror follows the read models: once, again, after late rows, after reactions taken back, after a journal made anew."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from django.db import connection

from qunce.analytics.engine import Engine
from qunce.analytics.refresh import Refreshed, refresh
from qunce.analytics.registry import get_metric
from qunce.analytics.tables import JOINED, MESSAGE, REACTION, Params
from qunce.journal.mirror import MirrorStore
from qunce.readmodels.models import Group, Happening, Identity, Member, Membership, Message, Order, Question, Reaction

pytestmark = pytest.mark.django_db(transaction=False)

ZONE = ZoneInfo("Asia/Shanghai")
DAY = 20_000
HOUR_MS = 3_600_000
LATE_EVENING_MS = DAY * 24 * HOUR_MS + 15 * HOUR_MS  # 23:00 in Shanghai
AFTER_MIDNIGHT_MS = LATE_EVENING_MS + 2 * HOUR_MS  # 01:00 of the next day


def person(number: int, kind: str = "member", member: int | None = None) -> Identity:
    if member is None:
        Member.objects.create(id=number, name="名", kind=kind)
    return Identity.objects.create(
        id=number,
        connector="x",
        account="a",
        platform_id=str(number),
        member_id=member or number,
        kind=kind,
        name="名",
        folded_name="名",
    )


def message(seq: int, identity: int, day: int = DAY, ts_ms: int = LATE_EVENING_MS, **more: object) -> Message:
    fields = {"content": 1, "text": "发货了吗😀", **more}
    return Message.objects.create(seq=seq, group_id=1, identity_id=identity, ts_ms=ts_ms, day=day, **fields)


@pytest.fixture
def community() -> None:
    Group.objects.create(id=1, connector="x", account="a", platform_id="g", kind="group", name="群")
    for number, kind in ((11, "member"), (12, "unknown"), (21, "staff")):
        person(number, kind)
    person(13, member=12)
    Membership.objects.create(group_id=1, identity_id=11, first_ms=AFTER_MIDNIGHT_MS, joined_ms=AFTER_MIDNIGHT_MS)
    message(1, 11, is_question=True)
    message(2, 21, reply_to=1)
    message(3, 13, day=DAY + 1, ts_ms=AFTER_MIDNIGHT_MS)
    Happening.objects.create(seq=4, type=JOINED, group_id=1, identity_id=11, actor_id=21, ts_ms=LATE_EVENING_MS, day=DAY)
    Reaction.objects.create(seq=5, message_seq=1, identity_id=12, emoji="👍", ts_ms=LATE_EVENING_MS, day=DAY)
    Question.objects.create(
        seq=1, group_id=1, identity_id=11, ts_ms=LATE_EVENING_MS, day=DAY, answer_seq=2, responder_id=21, response_s=60
    )
    Order.objects.create(
        id=6, connector="x", account="a", order_id="o", identity_id=13, status="paid", created_ms=LATE_EVENING_MS,
        paid_ms=AFTER_MIDNIGHT_MS, day=DAY + 1, amount_minor=990, currency="EUR", status_ms=AFTER_MIDNIGHT_MS,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> MirrorStore:
    return MirrorStore(tmp_path / "mirror")


def run(store: MirrorStore) -> Refreshed:
    return refresh(connection=connection, store=store, zone=ZONE)


def facts(store: MirrorStore) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = []
    for path in store.segment_paths(store.manifest(), 0, 100_000):
        rows += pq.read_table(path).to_pylist()
    return sorted(rows, key=lambda row: row["seq"])


def dimension(store: MirrorStore, name: str) -> list[dict[str, object]]:
    path = store.dimension_path(store.manifest(), name)
    assert path
    return pq.read_table(path).to_pylist()


@pytest.mark.usefixtures("community")
def test_facts_carry_local_day_and_hour_and_both_sides(store: MirrorStore) -> None:
    assert run(store).facts == 5
    asked, answered, spoken, joined, reacted = facts(store)
    assert (asked["type"], asked["hour"], asked["length"], asked["is_question"]) == (MESSAGE, 23, 5, 1)
    assert (answered["actor"], answered["peer"], answered["reply_to"]) == (21, 11, 1)
    assert (spoken["day"], spoken["hour"]) == (DAY + 1, 1)
    assert (joined["type"], joined["actor"], joined["peer"]) == (JOINED, 11, 21)
    assert (reacted["type"], reacted["actor"], reacted["peer"], reacted["group_id"]) == (REACTION, 12, 11, 1)


@pytest.mark.usefixtures("community")
def test_dimensions_are_local_and_small(store: MirrorStore) -> None:
    run(store)
    assert dimension(store, "exceptions") == [
        {"identity_id": 13, "member_id": 12, "excluded": 0},
        {"identity_id": 21, "member_id": 21, "excluded": 1},
    ]
    assert dimension(store, "groups") == [{"group_id": 1, "community_id": 0, "kind": "group"}]
    assert dimension(store, "memberships") == [
        {"group_id": 1, "identity_id": 11, "first_day": DAY + 1, "joined_day": DAY + 1, "left_day": 0}
    ]
    assert dimension(store, "purchases")[0]["currency"] == "EUR"
    assert dimension(store, "questions")[0]["response_s"] == 60


@pytest.mark.usefixtures("community")
def test_a_second_run_changes_nothing(store: MirrorStore) -> None:
    first = run(store)
    assert run(store) == Refreshed(version=first.version, facts=0, dimensions=())


@pytest.mark.usefixtures("community")
def test_late_rows_with_old_days_are_added(store: MirrorStore) -> None:
    before = run(store)
    message(9, 12, day=DAY - 400, ts_ms=LATE_EVENING_MS - 400 * 24 * HOUR_MS)
    after = run(store)
    assert (after.facts, after.version) == (1, before.version + 1)
    dau = Engine(store).compute(get_metric("dau"), Params(since_day=DAY - 400, until_day=DAY + 1, by=("day",)))
    assert [row[:2] for row in dau.rows] == [(DAY - 400, 1), (DAY, 2), (DAY + 1, 1)]


@pytest.mark.usefixtures("community")
def test_a_reaction_taken_back_is_gone(store: MirrorStore) -> None:
    run(store)
    Reaction.objects.all().delete()
    Reaction.objects.create(seq=10, message_seq=1, identity_id=11, emoji="👍", ts_ms=LATE_EVENING_MS, day=DAY)
    run(store)
    assert [row["seq"] for row in facts(store) if row["type"] == REACTION] == [10]


@pytest.mark.usefixtures("community")
def test_a_journal_made_anew_is_read_again(store: MirrorStore) -> None:
    run(store)
    Message.objects.filter(seq__gt=1).delete()
    run(store)
    assert [row["seq"] for row in facts(store) if row["type"] == MESSAGE] == [1]


@pytest.mark.usefixtures("community")
def test_somebody_flagged_as_staff_leaves_the_numbers(store: MirrorStore) -> None:
    run(store)
    Identity.objects.filter(id=11).update(kind="staff")
    assert run(store).dimensions == ("exceptions",)
    speakers = Engine(store).compute(get_metric("speakers"), Params(since_day=DAY, until_day=DAY + 1))
    assert speakers.one() == {"speakers": 1}


def test_an_empty_database_makes_an_empty_mirror(store: MirrorStore) -> None:
    assert run(store).facts == 0
    assert store.manifest().days() is None
