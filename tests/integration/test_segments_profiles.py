"""What segments know of members, memberships, groups and orders follows the read models."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from django.db import connection

from qunce.analytics.refresh import refresh_profiles
from qunce.analytics.segments.tables import CREATED, PAID, PROFILE_SCHEMAS, REFUNDED
from qunce.journal.mirror import MirrorStore
from qunce.playbook.segments.catalogue import TRAITS
from qunce.readmodels.models import AttributeValue, Community, Group, Identity, Member, Membership, Order, TagHolding

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo("Asia/Shanghai")
DAY_MS = 86_400_000


def account(number: int, member: int, kind: str = "member") -> None:
    Identity.objects.create(
        id=number, connector="it's", account="a", platform_id=str(number), member_id=member, kind=kind, name="名",
        folded_name="名",
    )  # fmt: skip


def membership(group: int, identity: int, **fields: object) -> None:
    Membership.objects.create(group_id=group, identity_id=identity, **{"first_ms": 50, "message_count": 2, **fields})


def order(number: int, status: str, paid_ms: int | None, refunded: int = 0, **fields: object) -> None:
    Order.objects.create(
        id=number, connector="x", account="a", order_id=str(number), identity_id=1, status=status, created_ms=DAY_MS,
        paid_ms=paid_ms, day=1, amount_minor=1_000, refunded_minor=refunded, currency=fields.pop("currency", "CNY"),
        status_ms=9 * DAY_MS,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> MirrorStore:
    Community.objects.create(id=7, name="母婴")
    for number, kind, community in ((1, "group", 7), (2, "group", None), (3, "direct", None)):
        Group.objects.create(
            id=number, connector="wecom", account="a", platform_id=str(number), kind=kind, name="群", community_id=community,
            created_ms=5 if number == 1 else None, message_count=number,
        )  # fmt: skip
    Member.objects.create(id=1, name="林", kind="member", first_ms=3, order_count=2, paid_minor=-5)
    Member.objects.create(id=3, name="王", kind="unknown")
    Member.objects.create(id=4, name="客服", kind="staff")
    Member.objects.create(id=5, name="并入林", kind="member")
    account(1, 1)
    account(2, 1)  # a second account of 1
    account(3, 3, "unknown")
    account(4, 4, "staff")
    account(5, 1)
    membership(1, 1, joined_ms=100, left_ms=200, role="member", scene="qr", last_message_ms=70)
    membership(1, 2, joined_ms=90, role="admin", scene="invited")
    membership(2, 3, left_ms=80, role="owner", scene="unknown")
    membership(1, 4)
    membership(3, 3)
    order(10, "paid", 2 * DAY_MS)
    order(11, "refunded", 2 * DAY_MS, refunded=400)
    order(12, "refunded", 2 * DAY_MS, refunded=1_000, currency="EUR")
    order(13, "created", None)
    return MirrorStore(tmp_path)


def rows(store: MirrorStore, name: str) -> list[tuple[object, ...]]:
    refresh_profiles(connection=connection, store=store, zone=ZONE)
    path = store.dimension_path(store.manifest(), name)
    assert path
    table = pq.read_table(path)
    assert dict(zip(table.schema.names, map(str, table.schema.types), strict=True)) == PROFILE_SCHEMAS[name]
    return [tuple(row.values()) for row in table.to_pylist()]


def test_members_are_persons_who_count(store: MirrorStore) -> None:
    no_traits = (0,) * len(TRAITS)
    assert rows(store, "member_profiles") == [
        (1, "member", "it's", 3, 0, 0, 0, 2, -5, 1, *no_traits),  # still in group 1 with one of the accounts
        (3, "unknown", "it's", 0, 0, 0, 0, 0, 0, 0, *no_traits),
    ]


def test_a_membership_takes_the_accounts_of_a_member_together(store: MirrorStore) -> None:
    assert rows(store, "membership_profiles") == [
        (1, 1, 90, 0, 2, 1, 50, 70, 4),  # the way of the account that came first
        (2, 3, 0, 80, 3, 0, 50, 0, 2),
    ]


def test_groups_are_no_direct_chats_and_count_members_only(store: MirrorStore) -> None:
    assert rows(store, "group_profiles") == [
        (1, 5, 0, 0, 0, 1, 1, "wecom", "母婴"),
        (2, 0, 0, 0, 0, 2, 0, "wecom", ""),
    ]


def test_an_order_is_what_happened_to_it(store: MirrorStore) -> None:
    assert rows(store, "order_events") == [
        (10, 1, CREATED, DAY_MS, 1, 1_000, "CNY"),
        (10, 1, PAID, 2 * DAY_MS, 2, 1_000, "CNY"),
        (11, 1, CREATED, DAY_MS, 1, 1_000, "CNY"),
        (11, 1, PAID, 2 * DAY_MS, 2, 600, "CNY"),
        (11, 1, REFUNDED, 9 * DAY_MS, 9, 400, "CNY"),
        (12, 1, CREATED, DAY_MS, 1, 1_000, "EUR"),
        (12, 1, REFUNDED, 9 * DAY_MS, 9, 1_000, "EUR"),
        (13, 1, CREATED, DAY_MS, 1, 1_000, "CNY"),
    ]


def held(tag: str, kept: str = "manual", **fields: object) -> None:
    given = {"target": "member", "identity_id": 0, "group_id": 0, "put_ms": 10, "changed_ms": 10, "seq": 1, **fields}
    TagHolding.objects.create(tag=tag, kept=kept, **given)


def test_tags_are_of_persons_with_when_they_began_and_ended(store: MirrorStore) -> None:
    held("高", identity_id=1)
    held("高", kept="rule", identity_id=2, taken_ms=30, until_ms=40)
    held("中", identity_id=3, until_ms=40)
    held("中", identity_id=4)  # staff
    held("低", identity_id=1, put_ms=None, taken_ms=5)  # never put
    held("低", identity_id=3, taken_ms=10)  # taken the moment it was put
    held("新", target="membership", identity_id=5, group_id=2)
    held("铁粉群", target="group", group_id=2)
    assert rows(store, "tags") == [
        ("member", 1, 0, "高", 10, 0),
        ("member", 1, 0, "高", 10, 30),
        ("member", 3, 0, "中", 10, 40),
        ("membership", 1, 2, "新", 10, 0),
        ("group", 2, 0, "铁粉群", 10, 0),
    ]


def valued(identity: int, attribute: str, kept: str, set_ms: int, **fields: object) -> None:
    given = {"value": "0", "seq": 1, **fields}
    AttributeValue.objects.create(identity_id=identity, attribute=attribute, kept=kept, set_ms=set_ms, **given)


def test_of_several_values_the_better_source_counts_then_the_newer(store: MirrorStore) -> None:
    valued(1, "city", "chat", 90, word="成都")
    valued(2, "city", "import", 20, word="杭州")
    valued(5, "city", "connector", 30, word="北京")
    valued(1, "babies", "manual", 90, value=None)  # taken away
    valued(2, "babies", "model", 10, number=0)
    valued(3, "city", "manual", 10)  # a long text: neither a word nor a number
    valued(4, "city", "manual", 10, word="staff")
    assert rows(store, "fields") == [(1, "babies", 0, "", 1), (1, "city", 0, "北京", 0)]


def test_reading_again_changes_nothing(store: MirrorStore) -> None:
    rows(store, "member_profiles")
    version = store.manifest().version
    rows(store, "member_profiles")
    assert store.manifest().version == version


def test_an_empty_installation_has_empty_profiles(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path)
    assert [rows(store, name) for name in PROFILE_SCHEMAS] == [[]] * 6
