"""Accounts with the same key become one member by themselves; people link and part accounts by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from qunce.accounts.digests import digest_key
from qunce.accounts.models import AuditEntry
from qunce.domain.events import Event, Source
from qunce.journal.models import JournalEvent
from qunce.readmodels.models import Identity, IdentityKey, IdentityLink, Member, Order
from qunce.runtime import organisation
from qunce.runtime.cli.main import main
from qunce.runtime.identity.commands import MergeRefused, do_link, do_separate, do_unlink
from qunce.runtime.ingest import Ingest
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import flagged, keyed, moment, ordered, said

pytestmark = pytest.mark.django_db

WECOM = Source(connector="wecom", account="corp", origin="archive")
WHATSAPP = Source(connector="whatsapp")
SHOP = Source(connector="shop")


def take(*events: Event) -> None:
    Ingest(clock=lambda: moment("23:00", 30)).take_all(events)


def people() -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for member_id, account in Identity.objects.order_by("member_id", "pk").values_list("member_id", "platform_id"):
        found.setdefault(member_id, []).append(account)
    return list(found.values())


def test_accounts_with_the_same_key_are_linked_with_the_key_as_evidence() -> None:
    take(said("群", "小红", "早", at="09:00"), ordered("买家7", 99, at="10:00", source=SHOP))
    take(keyed("小红", "unionid", "d1", at="11:00"), keyed("买家7", "unionid", "d1", at="11:01", source=SHOP))
    link = IdentityLink.objects.get()
    assert (link.by, link.evidence, link.undone_ms) == ("key", "key:unionid", None)
    assert people() == [["小红", "买家7"]]
    assert Member.objects.get().paid_minor == 9_900
    assert rebuild(keep=False).same


@pytest.mark.parametrize("kind", ["staff", "bot", "house_persona"])
def test_no_key_reaches_staff_bots_and_personas(kind: Any) -> None:
    take(said("群", "小红", "早", at="09:00"), said("群", "小丽", "早", at="09:01"), flagged("小丽", kind, at="09:02"))
    take(keyed("小红", "phone", "d", at="11:00"), keyed("小丽", "phone", "d", at="11:01"))
    assert not IdentityLink.objects.exists()


def test_a_key_of_many_accounts_is_no_person() -> None:
    names = [f"成员{number}" for number in range(5)]
    take(
        *(said("群", name, "早", at="09:00") for name in names), *(keyed(name, "phone", "shared", at="10:00") for name in names)
    )
    assert not IdentityLink.objects.exists()
    organisation.decide("identity_most_accounts", "5")
    take(keyed(names[0], "crm", "other", at="10:01"), said("群", "新人", "早", at="09:00"))
    assert not IdentityLink.objects.exists()


def test_keys_can_be_told_not_to_merge() -> None:
    organisation.decide("identity_by_keys", "off")
    take(keyed("小红", "phone", "d", at="11:00"), keyed("小丽", "phone", "d", at="11:01"))
    assert not IdentityLink.objects.exists()


def test_keys_learnt_while_they_must_not_merge_do_so_once_they_may() -> None:
    organisation.decide("identity_by_keys", "off")
    take(keyed("小红", "phone", "d", at="11:00"), keyed("小丽", "phone", "d", at="11:01"))
    organisation.decide("identity_by_keys", "on")
    take(said("群", "小刚", "早", at="12:00"))
    assert ["小红", "小丽"] in people()


def test_a_link_by_key_that_was_taken_back_is_not_made_again() -> None:
    take(keyed("小红", "phone", "d", at="11:00"), keyed("小丽", "phone", "d", at="11:01"))
    do_unlink(actor=None, link_id=IdentityLink.objects.get().link_id)
    take(keyed("小红", "phone", "d", at="12:00"), keyed("小刚", "phone", "d", at="12:01"))
    assert people() == [["小红", "小刚"], ["小丽"]]


ORDERS = """order_id,买家ID,手机号,unionid,external_userid,实付金额,下单时间
o1,买家甲,+86 138-0013-8000,,wmAAAAAAAAAA,99,2026-03-02 10:00:00
o2,买家乙,138****8000,,,10,2026-03-02 10:01:00
o3,买家丙,13800138000,union-0001,,20,2026-03-02 10:02:00
o4,买家丁,,union-0001,,1,2026-03-02 10:03:00
"""


def write(tmp_path: Path, text: str = ORDERS) -> str:
    path = tmp_path / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_orders_join_the_chats_by_phone_unionid_and_external_userid(tmp_path: Path) -> None:
    take(
        said("群", "wmAAAAAAAAAA", "早", at="09:00", source=WECOM),
        said("群", "+86 138 0013 8000", "早", at="09:00", source=WHATSAPP),
    )
    assert main(["import", write(tmp_path)]) == 0
    assert people() == [["wmAAAAAAAAAA", "+86 138 0013 8000", "买家甲", "买家丙", "买家丁"], ["买家乙"]]
    assert dict(Member.objects.values_list("order_count", "paid_minor")) == {3: 12_000, 1: 1_000}
    assert Order.objects.count() == 4
    assert rebuild(keep=False).same


def test_chats_imported_after_the_orders_are_joined_too(tmp_path: Path) -> None:
    assert main(["import", write(tmp_path)]) == 0
    take(said("群", "wmAAAAAAAAAA", "早", at="09:00", source=WECOM), said("群", "wmBBBBBBBBBB", "早", at="09:00", source=WECOM))
    assert people() == [["买家甲", "买家丙", "买家丁", "wmAAAAAAAAAA"], ["买家乙"], ["wmBBBBBBBBBB"]]


def test_keys_are_hashed_before_anything_is_stored(tmp_path: Path) -> None:
    assert main(["import", write(tmp_path)]) == 0
    assert main(["import", write(tmp_path)]) == 0
    assert IdentityKey.objects.filter(key="phone").values("digest").distinct().count() == 1
    stored = b"".join(
        bytes(row) if not isinstance(row, str) else row.encode()
        for row in JournalEvent.objects.values_list("payload", flat=True)
    )
    for value in (b"13800138000", b"138-0013", b"union-0001", b"wmAAAAAAAAAA"):
        assert value not in stored


def test_a_column_of_buyers_that_holds_phone_numbers_is_a_key_itself(tmp_path: Path) -> None:
    text = "order_id,手机号,实付金额,下单时间\no1,13800138000,99,2026-03-02 10:00:00\no2,1.38E+10,99,2026-03-02 10:00:00\n"
    assert main(["import", write(tmp_path, text)]) == 1
    assert list(IdentityKey.objects.values_list("key", "digest")) == [("phone", digest_key("phone", "8613800138000"))]


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def three() -> list[int]:
    take(
        said("群", "甲", "早", at="09:00"), said("群", "乙", "早", at="09:01"), said("群", "丙", "早", at="09:02", kind="staff")
    )
    return [Identity.objects.get(platform_id=name).pk for name in "甲乙丙"]


def test_people_link_and_part_accounts_with_an_entry_each(three: list[int]) -> None:
    link_id = do_link(actor=None, first_id=three[1], second_id=three[0], reason="同一个人")
    assert people() == [["甲", "乙"], ["丙"]]
    assert do_unlink(actor=None, link_id=link_id) == (three[0], three[1])
    assert people() == [["甲"], ["乙"], ["丙"]]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "target_id")) == [
        ("member.merge", str(three[0])), ("member.unmerge", str(three[0])),
    ]  # fmt: skip
    again = do_link(actor=None, first_id=three[0], second_id=three[1])
    assert again != link_id
    assert rebuild(keep=False).same


def test_separating_takes_every_link_of_an_account(three: list[int]) -> None:
    take(keyed("甲", "phone", "d", at="11:00"), keyed("乙", "phone", "d", at="11:01"))
    take(keyed("甲", "crm", "e", at="11:02"), keyed("乙", "crm", "e", at="11:03"))
    assert do_separate(actor=None, identity_id=three[1]) == 2
    assert people() == [["甲"], ["乙"], ["丙"]]
    with pytest.raises(MergeRefused, match="no such link"):
        do_separate(actor=None, identity_id=three[1])


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        pytest.param(0, 0, "one_account", id="an account with itself"),
        pytest.param(0, 2, "not_members", id="a member with a colleague"),
        pytest.param(0, None, "unknown_account", id="an account that is not there"),
    ],
)
def test_links_that_make_no_sense_are_refused(three: list[int], first: int, second: int | None, code: str) -> None:
    with pytest.raises(MergeRefused) as refused:
        do_link(actor=None, first_id=three[first], second_id=999 if second is None else three[second])
    assert refused.value.code == code
    assert not AuditEntry.objects.exists()


def test_a_link_is_made_once_and_taken_back_once(three: list[int]) -> None:
    link_id = do_link(actor=None, first_id=three[0], second_id=three[1])
    with pytest.raises(MergeRefused) as refused:
        do_link(actor=None, first_id=three[0], second_id=three[1])
    assert refused.value.code == "same_member"
    do_unlink(actor=None, link_id=link_id)
    for unknown, code in ((link_id, "already_undone"), ("x", "unknown_link")):
        with pytest.raises(MergeRefused) as refused:
            do_unlink(actor=None, link_id=unknown)
        assert refused.value.code == code


def test_nothing_is_asked_when_nothing_is_keyed(django_assert_num_queries: Any) -> None:
    from qunce.runtime.identity.keys import link_by_keys

    take(said("群", "甲", "早", at="09:00"))
    ingest = Ingest()
    with django_assert_num_queries(0):  # the raw driver is asked for a cursor and a maximum, Django for nothing
        assert link_by_keys(ingest, lambda: 0) == 0
    assert connection.queries_log is not None
