"""Linked accounts are one member, whatever the order of events and the cut into batches; every link can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunce.domain.events import Event, Source
from qunce.readmodels.models import AccountTotal, Identity, IdentityKey, IdentityLink, Member
from qunce.runtime.ingest import Ingest
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import (
    deleted,
    flagged,
    happened,
    joined,
    keyed,
    linked,
    moment,
    ordered,
    person,
    reacted,
    said,
    unlinked,
)

pytestmark = pytest.mark.django_db

TELEGRAM = Source(connector="telegram", account="test", origin="archive")
COUNTS = ("name", "kind", "message_count", "order_count", "paid_minor", "first_ms", "last_ms", "last_message_ms")


def take(*events: Event, batch: int = 1_000) -> None:
    Ingest(clock=lambda: moment("23:00", 30)).take_all(events, batch)


def members() -> dict[str, list[str]]:
    """Return the accounts of each member, by the member's name."""
    found: dict[str, list[str]] = {}
    rows = Identity.objects.order_by("member_id", "pk").values_list("member__name", "platform_id")
    for name, account in rows:
        found.setdefault(name, []).append(account)
    return found


HISTORY = (
    said("妈妈群", "小红", "早", at="09:00"),
    ordered("小红的手机", 99, at="10:00"),
    said("妈妈群", "xiaohong", "hi", at="11:00", source=TELEGRAM),
    linked("小红", "小红的手机", at="12:00", id="phone"),
    linked("小红", "xiaohong", at="12:01", id="hand", other_source=TELEGRAM),
)


def test_linked_accounts_are_one_member_with_everything_they_did() -> None:
    take(*HISTORY)
    row = Member.objects.values_list(*COUNTS).get()
    assert row == ("小红", "member", 2, 1, 9_900, moment("09:00"), moment("11:00"), moment("11:00"))
    assert members() == {"小红": ["小红", "小红的手机", "xiaohong"]}


def test_what_accounts_do_later_counts_for_their_member() -> None:
    take(*HISTORY)
    take(said("妈妈群", "xiaohong", "again", at="13:00", source=TELEGRAM), ordered("小红的手机", 1, at="13:01"))
    member = Member.objects.get()
    assert (member.message_count, member.order_count, member.paid_minor, member.last_ms) == (3, 2, 10_000, moment("13:01"))


def test_taking_a_link_back_takes_back_exactly_that_link() -> None:
    take(*HISTORY, unlinked("小红", "phone", at="14:00"))
    assert members() == {"小红": ["小红", "xiaohong"], "小红的手机": ["小红的手机"]}
    assert dict(Member.objects.values_list("name", "paid_minor")) == {"小红": 0, "小红的手机": 9_900}
    assert dict(IdentityLink.objects.values_list("link_id", "undone_ms")) == {"phone": moment("14:00"), "hand": None}


def test_two_links_between_the_same_accounts_both_have_to_go() -> None:
    take(said("群", "甲", "早", at="09:00"), linked("甲", "乙", at="09:01", id="1"), linked("乙", "甲", at="09:02", id="2"))
    take(unlinked("甲", "1", at="09:03"))
    assert members() == {"甲": ["甲", "乙"]}
    take(unlinked("乙", "2", at="09:04"))
    assert members() == {"甲": ["甲"], "乙": ["乙"]}
    assert not AccountTotal.objects.exists()


def test_a_link_known_already_or_to_oneself_or_an_unknown_one_taken_back_changes_nothing() -> None:
    take(linked("甲", "乙", at="09:01", id="1"), linked("丙", "丁", at="09:02", id="1"), linked("甲", "甲", at="09:03", id="2"))
    take(unlinked("甲", "9", at="09:04"), unlinked("甲", "1", at="09:05"), unlinked("甲", "1", at="09:06"))
    assert IdentityLink.objects.get().undone_ms == moment("09:05")
    assert all(len(accounts) == 1 for accounts in members().values())


def test_somebody_who_turns_out_to_be_staff_stands_apart_and_comes_back() -> None:
    take(*HISTORY, flagged("小红的手机", "staff", at="15:00"))
    assert members() == {"小红": ["小红", "xiaohong"], "小红的手机": ["小红的手机"]}
    assert dict(Member.objects.values_list("name", "kind")) == {"小红": "member", "小红的手机": "staff"}
    take(flagged("小红的手机", "member", at="16:00"))
    assert members() == {"小红": ["小红", "小红的手机", "xiaohong"]}


def test_accounts_flagged_together_stay_together() -> None:
    take(*HISTORY, flagged("小红", "staff", at="15:00"), flagged("小红的手机", "staff", at="15:00"))
    assert members() == {"小红": ["小红", "小红的手机"], "xiaohong": ["xiaohong"]}


def test_a_key_is_kept_once_and_gives_no_sign_of_life() -> None:
    take(said("群", "甲", "早", at="09:00"), keyed("甲", "phone", "d1", at="10:00"), keyed("甲", "phone", "d1", at="11:00"))
    assert list(IdentityKey.objects.values_list("seq", "key", "digest")) == [(2, "phone", "d1")]
    assert Member.objects.get().last_ms == moment("09:00")


# ── any order, any cut ───────────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = ("甲", "乙", "丙", "丁", "戊")


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Draw messages, orders, joins, flags, keys, links and unlinks of five accounts, at growing and at falling times."""
    events: list[Event] = []
    links: list[str] = []
    spoken: list[Event] = []
    for place in range(draw(st.integers(5, 30))):
        at = f"{draw(st.integers(8, 20)):02}:{place:02}"
        who, other = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(PEOPLE))
        what = draw(
            st.sampled_from(("say", "say", "order", "join", "flag", "link", "link", "unlink", "react", "key", "delete"))
        )
        if what == "say":
            spoken.append(said(draw(st.sampled_from("AB")), who, "早", at=at, id=f"m{place}"))
            events.append(spoken[-1])
        elif what == "order":
            status = draw(st.sampled_from(("created", "paid", "refunded")))
            events.append(ordered(who, 10, at=at, id=f"o{who}{draw(st.integers(0, 2))}", status=status))  # type: ignore[arg-type]
        elif what == "join":
            events.append(joined("A", who, at=at, inviter=other))
        elif what == "flag":
            events.append(flagged(who, draw(st.sampled_from(("staff", "member"))), at=at))  # type: ignore[arg-type]
        elif what == "link":
            links.append(f"{place}")
            events.append(linked(who, other, at=at, id=links[-1]))
        elif what == "unlink" and links:
            events.append(unlinked(who, draw(st.sampled_from(links)), at=at))
        elif what == "key":
            events.append(keyed(who, "phone", draw(st.sampled_from("pq")), at=at))
        elif what == "react" and spoken:
            events.append(reacted(draw(st.sampled_from(spoken)), who, at=at))
        elif what == "delete" and spoken:
            events.append(deleted(draw(st.sampled_from(spoken)), at=at))
    return events


def tables() -> dict[str, list[tuple[object, ...]]]:
    return {
        model._meta.db_table: list(model.objects.order_by("pk").values_list(*[f.attname for f in model._meta.concrete_fields]))
        for model in (Identity, Member, AccountTotal, IdentityLink, IdentityKey)
    }


def folded(events: Sequence[Event], cuts: Sequence[int]) -> dict[str, list[tuple[object, ...]]]:
    with transaction.atomic():
        ingest = Ingest(clock=lambda: moment("23:00", 30))
        for start, end in pairwise([0, *sorted(cuts), len(events)]):
            ingest.take(events[start:end])
        found = tables()
        transaction.set_rollback(True)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), data=st.data())
def test_the_cut_into_batches_leaves_no_trace(events: list[Event], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(1, max(1, len(events) - 1)), max_size=8, unique=True))
    assert folded(events, cuts) == folded(events, [])


def sums() -> dict[frozenset[str], tuple[object, ...]]:
    """Return the counts of each person, by the accounts they have; names and kinds follow the order of accounts."""
    people: dict[int, set[str]] = {}
    for member_id, account in Identity.objects.values_list("member_id", "platform_id"):
        people.setdefault(member_id, set()).add(account)
    rows = {row[0]: row[1:] for row in Member.objects.values_list("pk", *COUNTS[2:])}
    assert set(rows) == set(people)
    assert all(pk == min(Identity.objects.filter(member_id=pk).values_list("pk", flat=True)) for pk in people)
    return {frozenset(accounts): rows[pk] for pk, accounts in people.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), data=st.data())
def test_persons_sum_what_their_accounts_did_whenever_they_were_linked(events: list[Event], data: st.DataObject) -> None:
    about = [e for e in events if e.type in ("identity.linked", "identity.unlinked", "identity.keyed")]
    deeds = [e for e in events if e not in about]
    cut = data.draw(st.integers(1, max(1, len(events) - 1)))
    found = []
    for order in (events, [*about, *deeds], [*deeds, *about]):
        with transaction.atomic():
            ingest = Ingest(clock=lambda: moment("23:00", 30))
            # Everyone speaks first, so that ids are given in the same order.
            ingest.take([said("A", who, "在", at="07:00") for who in PEOPLE])
            ingest.take(order[:cut])
            ingest.take(order[cut:])
            found.append(sums())
            transaction.set_rollback(True)
    assert found[0] == found[1] == found[2]


def test_rebuilding_gives_the_same_persons() -> None:
    take(*HISTORY, unlinked("小红", "phone", at="14:00"), keyed("小红", "phone", "d", at="14:01"),
         happened(HISTORY[3].body, "linked", "again", at="14:02", subject=person("小红", "unknown")), batch=2)  # fmt: skip
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]
    assert {table.table for table in report.tables} >= {"account_total", "identity_link", "identity_key"}
