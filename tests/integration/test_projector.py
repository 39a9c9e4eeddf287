"""The read models are a fold of the journal: whatever the cut into batches, and whenever it is done again."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from qunce.domain.events import TYPE_BY_CODE, Event, GroupCharted, Party, ReactionRemoved, TagPut
from qunce.readmodels import search
from qunce.readmodels.models import Group, GroupDay, Happening, Identity, Member, Membership, Message, Order, Question, Reaction
from qunce.readmodels.rows import Database
from qunce.runtime.ingest import Ingest
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import (
    chat,
    deleted,
    edited,
    flagged,
    happened,
    joined,
    left,
    moment,
    muted,
    opened,
    ordered,
    person,
    placed,
    reacted,
    said,
)  # fmt: skip
from qunce.testing.simulator import simulate

pytestmark = pytest.mark.django_db


def take(*events: Event, batch: int = 1_000) -> Ingest:
    ingest = Ingest(clock=lambda: moment("23:00", 30))
    ingest.take_all(events, batch)
    return ingest


def test_a_message_makes_its_group_its_member_and_the_membership() -> None:
    take(said("母婴群", "小红", "什么时候发货", at="09:00"), said("母婴群", "小红", "在吗", at="09:05"))
    group, member, membership = Group.objects.get(), Member.objects.get(), Membership.objects.get()
    assert (group.name, group.message_count, group.last_message_ms) == ("母婴群", 2, moment("09:05"))
    assert (member.name, member.message_count, member.first_ms) == ("小红", 2, moment("09:00"))
    assert (membership.joined_ms, membership.first_ms, membership.last_message_ms) == (None, moment("09:00"), moment("09:05"))
    assert list(Message.objects.order_by("seq").values_list("text", "is_question")) == [("什么时候发货", True), ("在吗", True)]


def test_one_person_in_two_groups_is_one_member() -> None:
    take(said("A", "小红", "早", at="09:00"), said("B", "小红", "早", at="09:01"))
    assert Member.objects.count() == 1
    assert Membership.objects.count() == 2


def test_joining_leaving_and_coming_back_is_told_by_time_not_by_order_of_arrival() -> None:
    take(left("群", "小红", at="10:00"), joined("群", "小红", at="11:00"), joined("群", "小红", at="09:00", channel="海报"))
    row = Membership.objects.get()
    assert (row.joined_ms, row.left_ms) == (moment("11:00"), None)
    assert list(GroupDay.objects.values_list("joined", "left")) == [(2, 1)]


def test_an_inviter_is_known_even_before_saying_a_word() -> None:
    take(joined("群", "小红", at="09:00", inviter="小明"))
    assert Membership.objects.get(identity__name="小红").inviter_id == Identity.objects.get(name="小明").pk


def test_edits_and_retractions_change_the_message_and_the_search() -> None:
    first = said("群", "小红", "今天发货", at="09:00")
    ingest = take(first, edited(first, "明天退款", at="09:01"), deleted(first, at="09:02"))
    row = Message.objects.get()
    assert (row.text, row.edited_ms, row.deleted_ms, row.deleted_by) == ("明天退款", moment("09:01"), moment("09:02"), "author")
    assert search.find(ingest.database, "发货") == []
    assert search.find(ingest.database, "退款") == [row.seq]


def test_a_reaction_counts_once_until_it_is_taken_back() -> None:
    first = said("群", "小红", "新品", at="09:00")
    again = reacted(first, "小明", at="09:03")
    back = happened(
        ReactionRemoved(message_id=first.body.message_id, emoji="👍"), "unreacted", at="09:02", group="群", actor=person("小明")  # type: ignore[union-attr]
    )  # fmt: skip
    take(first, reacted(first, "小明", at="09:01"), reacted(first, "小刚", at="09:01"), back)
    assert Message.objects.get().reaction_count == 1
    take(again)
    assert Message.objects.get().reaction_count == 2
    assert Reaction.objects.count() == 2


def test_a_reply_finds_its_message_and_an_unknown_one_stays_open() -> None:
    first = said("群", "小红", "有货吗", at="09:00")
    take(
        first,
        said("群", "客服", "有的", at="09:01", kind="staff", reply_to=first),
        said("群", "小明", "同问", at="09:02", reply_to="?"),
    )
    assert list(Message.objects.order_by("seq").values_list("reply_to", flat=True)) == [None, 1, None]


@pytest.mark.parametrize(
    ("orders", "count", "spend"),
    [
        pytest.param([("created", 99)], 0, 0, id="an order that is not paid is no spend"),
        pytest.param([("created", 99), ("paid", 99)], 1, 9_900, id="a paid one is"),
        pytest.param([("paid", 99), ("refunded", 30)], 1, 6_900, id="a part given back lowers it"),
        pytest.param([("paid", 99), ("refunded", 99)], 0, 0, id="wholly given back it is no order any more"),
        pytest.param([("paid", 99), ("created", 99)], 1, 9_900, id="an earlier state arriving late changes nothing"),
    ],
)
def test_orders_make_spend(orders: list[tuple[str, int]], count: int, spend: int) -> None:
    hours = {"created": "09:00", "paid": "10:00", "refunded": "11:00"}
    take(*(ordered("小红", yuan, at=hours[status], id="o1", status=status) for status, yuan in orders))  # type: ignore[arg-type]
    member = Member.objects.get()
    assert (member.order_count, member.paid_minor) == (count, spend)
    assert Order.objects.count() == 1


def test_flags_of_operators_stand_against_reports_of_platforms() -> None:
    take(
        said("群", "小红", "早", at="09:00"),
        flagged("小红", "house_persona", at="10:00"),
        said("群", "小红", "早", at="11:00", kind="bot"),
    )
    assert Identity.objects.get().kind == "house_persona"
    assert Member.objects.get().kind == "house_persona"


def test_groups_take_their_community_mutes_and_creation() -> None:
    take(opened("群", at="08:00"), placed("群", "母婴营", at="08:01"), said("群", "小红", "早", at="09:00"),
         muted("群", "小红", at="09:01", by="小督", until="10:00"))  # fmt: skip
    group = Group.objects.select_related("community").get()
    assert group.community is not None
    assert (group.community.name, group.created_ms) == ("母婴营", moment("08:00"))
    assert Membership.objects.get(identity__name="小红").muted_until_ms == moment("10:00")


ANSWERS = [
    pytest.param("09:00 小红: 有货吗\n09:02 客服*: 有的", [("小红", 120)], id="the first word of staff answers"),
    pytest.param("09:00 小红: 有货吗\n09:01 小明: 有的\n09:03 客服*: 有", [("小红", 180)], id="another member does not"),
    pytest.param(
        "09:00 小红: 有货吗\n09:01 小红: 能退吗\n09:03 客服*: 有", [("小红", 180)], id="a follow-up moves no deadline"
    ),
    pytest.param(
        "09:00 小红: 有货吗\n09:01 小明: 能退吗\n09:03 客服*: 有", [("小红", 180), ("小明", 120)], id="one word may answer two"
    ),
    pytest.param("09:00 小红: 有货吗\n09:31 客服*: 今晚直播", [("小红", None)], id="half an hour later it is another topic"),
    pytest.param("09:00 小红: 早上好\n09:01 客服*: 早", [], id="chatter starts no clock"),
    pytest.param("09:00 小红: 有货吗", [("小红", None)], id="a question may stay open"),
    pytest.param("09:00 客服*: 有问题吗\n09:01 小红: 没有", [], id="staff ask no questions"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), ANSWERS)
def test_questions_are_paired_with_answers(lines: str, expected: list[tuple[str, int | None]]) -> None:
    take(*chat("群", lines))
    found = Question.objects.order_by("seq").values_list("identity__name", "response_s")
    assert list(found) == expected


def test_a_reply_answers_only_the_one_it_is_for() -> None:
    red = said("群", "小红", "有货吗", at="09:00")
    take(red, said("群", "小明", "能退吗", at="09:01"), said("群", "客服", "有", at="09:02", kind="staff", reply_to=red))
    assert dict(Question.objects.values_list("identity__name", "response_s")) == {"小红": 120, "小明": None}


def test_a_reply_answers_hours_later_too() -> None:
    red = said("群", "小红", "有货吗", at="09:00")
    take(red, said("群", "客服", "有", at="15:00", kind="staff", reply_to=red))
    assert Question.objects.get().response_s == 6 * 3_600


def test_a_day_later_is_no_answer() -> None:
    take(said("群", "小红", "有货吗", at="09:00"), said("群", "客服", "有", at="09:01", day=1, kind="staff"))
    assert Question.objects.get().response_s is None


def test_declaring_somebody_staff_counts_for_the_past_too() -> None:
    take(said("群", "小红", "有货吗", at="09:00", kind="unknown"), said("群", "小丽", "有", at="09:02", kind="unknown"))
    assert Question.objects.get().response_s is None
    take(flagged("小丽", "staff", at="12:00"))
    assert Question.objects.get().response_s == 120


def test_an_answer_that_arrives_before_its_question_is_found() -> None:
    take(said("群", "客服", "有", at="09:02", kind="staff"))
    take(said("群", "小红", "有货吗", at="09:00"))
    assert Question.objects.get().response_s == 120


def test_a_retracted_question_is_none() -> None:
    first = said("群", "小红", "有货吗", at="09:00")
    take(first)
    take(deleted(first, at="09:01"))
    assert not Question.objects.exists()


WORLD = tuple(simulate(groups=3, members=60, days=12, seed=7, end_ms=moment("20:00", 12), activity=3.0))


def states() -> dict[str, list[tuple[object, ...]]]:
    return {
        model._meta.db_table: list(model.objects.order_by(*keys).values_list(*_columns(model)))
        for model, keys in (
            (Group, ["id"]), (Identity, ["id"]), (Member, ["id"]), (Membership, ["group_id", "identity_id"]),
            (Message, ["seq"]),
            (Reaction, ["seq"]), (Happening, ["seq"]), (Order, ["id"]), (Question, ["seq"]), (GroupDay, ["group_id", "day"]),
        )
    }  # fmt: skip


def _columns(model: type) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if f.get_internal_type() != "BigAutoField"]  # type: ignore[attr-defined]


def test_the_simulated_world_touches_every_table() -> None:
    take(*WORLD)
    assert all(states().values())


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, len(WORLD) - 1), max_size=12, unique=True))
def test_the_cut_into_batches_leaves_no_trace(cuts: Sequence[int]) -> None:
    expected = _fresh([0, len(WORLD)])
    assert _fresh([0, *sorted(cuts), len(WORLD)]) == expected


def _fresh(cuts: Sequence[int]) -> dict[str, list[tuple[object, ...]]]:
    """Fold the world cut at these places into empty tables, settling after each batch, and take it back again."""
    from django.db import transaction

    found: dict[str, list[tuple[object, ...]]] = {}
    with transaction.atomic():
        for start, end in pairwise(cuts):
            take(*WORLD[start:end])
        found = states()
        transaction.set_rollback(True)
    return found


def test_rebuilding_gives_the_same_tables() -> None:
    take(*WORLD, batch=97)
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]
    assert report.events == len(WORLD)


def test_a_rebuild_mends_a_damaged_table_and_says_so() -> None:
    take(*WORLD)
    healthy = states()
    Member.objects.filter(pk=1).update(message_count=999)
    report = rebuild(keep=True)
    assert [table.table for table in report.tables if not table.same] == ["member"]
    assert states() == healthy


SEARCHES = [
    ("发货", [1, 2, 3]), ("發貨", [1, 2, 3]), ("货", [1, 2, 3]), ("退款 发货", [3]), ("iphone", [4]), ("ＩＰＨＯＮＥ", [4]),
    ("iph", [4]), ("不存在", []), ("？", []), ("", []), ("ne15", []),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), SEARCHES)
def test_search_finds_words_of_two_characters_across_spellings(query: str, expected: list[int]) -> None:
    take(*chat("群", "09:00 甲: 什么时候发货呀\n09:01 乙: 什麼時候發貨\n09:02 丙: 退款还是发货\n09:03 丁: iPhone15 到了"))
    assert sorted(search.find(Database(connection), query)) == expected


def test_search_is_narrowed_and_paged() -> None:
    ingest = take(*(said(f"群{n % 2}", "甲", f"发货 {n}", at=f"09:{n:02}") for n in range(10)))
    groups = {group.name: group.pk for group in Group.objects.all()}
    found = search.find(ingest.database, "发货", group_ids=[groups["群0"]], limit=3)
    assert found == [9, 7, 5]
    assert search.find(ingest.database, "发货", group_ids=[groups["群0"]], before_seq=5) == [3, 1]
    assert search.find(ingest.database, "发货", since_ms=moment("09:08")) == [10, 9]
    assert search.find(ingest.database, "发货", group_ids=[]) == []


def test_what_we_decide_about_a_member_or_a_group_is_no_sign_of_life() -> None:
    spoken = said("妈妈群", "小红", "早", at="09:00")
    assert spoken.conv is not None
    assert spoken.actor is not None
    subject = Party(platform_id=spoken.actor.platform_id)
    tagged = Event(
        ts_ms=moment("09:00", 1), source=spoken.source, body=TagPut(target="membership", tag="intent/strong"),
        dedupe_key="tag", conv=spoken.conv, subject=subject,
    )  # fmt: skip
    charted = Event(
        ts_ms=moment("09:00", 1), source=spoken.source, body=GroupCharted(field="group_type", value="vip"),
        dedupe_key="chart", conv=spoken.conv,
    )  # fmt: skip
    take(spoken, tagged, charted)
    assert list(Member.objects.values_list("last_ms", flat=True)) == [spoken.ts_ms]
    assert list(Group.objects.values_list("last_ms", flat=True)) == [spoken.ts_ms]
    assert [TYPE_BY_CODE[row.type] for row in Happening.objects.order_by("seq")] == [TagPut, GroupCharted]


@pytest.mark.parametrize(("who", "expected"), [("小红", "author"), ("群主", "moderator")])
def test_who_took_a_message_away_is_told_by_who_did_it_where_the_platform_does_not_say(who: str, expected: str) -> None:
    first = said("读书会", "小红", "加我微信", at="09:00")
    gone = deleted(first, at="09:02")
    unsaid = replace(gone, body=replace(gone.body, by="unknown"), actor=Party(platform_id=who, name=who))
    take(first, unsaid)
    assert Message.objects.get().deleted_by == expected
