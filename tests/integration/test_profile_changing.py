"""People change attributes and tags: as one batch, looked at before, and taken back exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from django.db import connection

from qunce.accounts.models import AuditEntry, Staff
from qunce.analytics.refresh import refresh_profiles
from qunce.domain.events import AttributeSet, TagPut
from qunce.journal.mirror import MirrorStore
from qunce.readmodels.models import AttributeValue, Identity, Member, TagHolding
from qunce.readmodels.selectors import members, profiles
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import ChangeBatch
from qunce.runtime.profile import changing, vocabulary
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import happened, linked, person, said, unlinked

pytestmark = pytest.mark.django_db

STRONG, WEAK = "意向/强", "意向/弱"


@pytest.fixture
def actor() -> Staff:
    return Staff.objects.create_user("lead", "correct-horse-9", role="supervisor")


@pytest.fixture
def people() -> list[int]:
    take(*(said("群", who, "早", at="09:00") for who in ("小红", "小明", "小刚")))
    return list(Member.objects.order_by("pk").values_list("pk", flat=True))


def take(*events: Any) -> None:
    Ingest().take_all(events)


def tags(member_id: int) -> list[str]:
    ids = Identity.objects.filter(member_id=member_id).values_list("pk", flat=True)
    return [holding.tag for holding in profiles.tags_of(ids, now_ms())]


def value(member_id: int, attribute: str) -> Any:
    ids = Identity.objects.filter(member_id=member_id).values_list("pk", flat=True)
    return {item.attribute: item.best.value for item in profiles.attributes_of(ids)}.get(attribute)


def states() -> list[Any]:
    rows = [*TagHolding.objects.order_by("pk").values(), *AttributeValue.objects.order_by("pk").values()]
    return [{**row, "seq": 0} for row in rows]


def test_an_attribute_is_set_as_people_write_it_and_knows_who_set_it(actor: Staff, people: list[int]) -> None:
    batch = changing.do_set_attribute(actor=actor, member_id=people[0], attribute_id="city", text="杭州市")
    assert value(people[0], "city") == "杭州"
    row = AttributeValue.objects.get()
    assert (row.kept, row.colleague, row.batch_id) == ("manual", str(actor.pk), batch)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, "杭州" in json.dumps(entry.details, ensure_ascii=False)) == ("profile.set", False)
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


@pytest.mark.parametrize(
    ("attribute", "text"), [("city", "火星"), ("nothing", "1"), ("baby_months", "半岁"), ("age_group", "40后"), ("city", " ")]
)
def test_what_is_no_value_is_refused_and_changes_nothing(
    actor: Staff, people: list[int], attribute: str, text: str
) -> None:  # fmt: skip
    with pytest.raises(CommandRefused):
        changing.do_set_attribute(actor=actor, member_id=people[0], attribute_id=attribute, text=text)
    assert not AttributeValue.objects.exists()
    assert not ChangeBatch.objects.exists()


def test_sources_are_kept_and_their_differences_shown(actor: Staff, people: list[int]) -> None:
    body = AttributeSet(attribute="city", value="成都", kept="chat", confidence=0.9)
    take(happened(body, "chat", "小红", at="10:00", subject=person("小红")))
    changing.do_set_attribute(actor=actor, member_id=people[0], attribute_id="city", text="杭州")
    (city,) = profiles.attributes_of([people[0]])
    assert (city.best.value, city.differs, [item.kept for item in city.values]) == ("杭州", True, ["manual", "chat"])
    changing.do_clear_attribute(actor=actor, member_id=people[0], attribute_id="city", kept="manual")
    assert value(people[0], "city") == "成都"
    with pytest.raises(CommandRefused):
        changing.do_clear_attribute(actor=actor, member_id=people[0], attribute_id="city", kept="manual")


def test_a_tag_is_put_on_many_and_taken_back_as_a_whole(actor: Staff, people: list[int]) -> None:
    changing.do_put_tag(actor=actor, member_ids=people[:1], tag=STRONG, reason="问过价")
    before = states()
    preview = changing.preview_tag(people, WEAK, put=True)
    assert (preview.members, preview.already, preview.conflicts) == (3, 0, ((STRONG, 1),))
    batch = changing.do_put_tag(actor=actor, member_ids=people, tag=WEAK)
    assert [tags(member) for member in people] == [[WEAK], [WEAK], [WEAK]]
    assert changing.undoable(batch) == 4
    assert changing.do_undo_batch(actor=actor, batch_id=batch) == (4, 0)
    assert states()[0] == before[0]
    assert [tags(member) for member in people] == [[STRONG], [], []]
    with pytest.raises(CommandRefused):
        changing.do_undo_batch(actor=actor, batch_id=batch)
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def test_undoing_leaves_what_others_changed_since(actor: Staff, people: list[int]) -> None:
    batch = changing.do_put_tag(actor=actor, member_ids=people, tag=STRONG)
    changing.do_put_tag(actor=actor, member_ids=people[:1], tag=STRONG, until_ms=now_ms() + 60_000)
    assert changing.do_undo_batch(actor=actor, batch_id=batch) == (2, 1)
    assert [tags(member) for member in people] == [[STRONG], [], []]


def test_taking_a_tag_takes_it_from_everybody_who_put_it(actor: Staff, people: list[int]) -> None:
    ruled = TagPut(target="member", tag=STRONG, kept="rule", rule_id="intent.asks")
    take(happened(ruled, "rule", "小红", at="10:00", subject=person("小红")))
    changing.do_put_tag(actor=actor, member_ids=people, tag=STRONG)
    assert changing.preview_tag(people, STRONG, put=False).changes == 3
    batch = changing.do_take_tag(actor=actor, member_ids=people, tag=STRONG)
    assert [tags(member) for member in people] == [[], [], []]
    assert ChangeBatch.objects.get(pk=batch).changes == 4
    changing.do_undo_batch(actor=actor, batch_id=batch)
    assert [tags(member) for member in people] == [[STRONG, STRONG], [STRONG], [STRONG]]


def test_one_holding_is_taken_by_itself(actor: Staff, people: list[int]) -> None:
    changing.do_put_tag(actor=actor, member_ids=people[:1], tag=STRONG)
    holding = TagHolding.objects.get()
    with pytest.raises(CommandRefused):
        changing.do_take_holding(actor=actor, member_id=people[1], holding_id=holding.pk)
    changing.do_take_holding(actor=actor, member_id=people[0], holding_id=holding.pk)
    assert tags(people[0]) == []


def test_a_tag_ends_by_itself(actor: Staff, people: list[int]) -> None:
    until = now_ms() + 60_000
    changing.do_put_tag(actor=actor, member_ids=people[:1], tag=STRONG, until_ms=until)
    assert [len(profiles.tags_of([people[0]], moment)) for moment in (until - 1, until)] == [1, 0]
    assert profiles.counts(until - 1) == {(STRONG, "member"): 1}
    assert profiles.counts(until) == {}


@pytest.mark.parametrize(
    ("members", "tag"),
    [([], STRONG), ([987654], STRONG), ([1], "没有的标签"), ([1], "福利群"), (range(1, 20_002), STRONG)],
    ids=["nobody", "an unknown member", "an unknown tag", "a tag of groups", "too many"],
)
def test_what_makes_no_sense_is_refused_as_a_whole(actor: Staff, people: list[int], members: Any, tag: str) -> None:
    with pytest.raises(CommandRefused):
        changing.do_put_tag(actor=actor, member_ids=list(members), tag=tag)
    with pytest.raises(CommandRefused):
        changing.do_put_tag(actor=actor, member_ids=people, tag=STRONG, until_ms=1)
    assert not TagHolding.objects.exists()


def test_the_shipped_words_hold_where_no_playbook_was_published() -> None:
    words = vocabulary.in_force()
    assert words.version == "shipped"
    assert words.rivals(STRONG) == {WEAK}
    assert words.rivals("员工") == frozenset()


def listed(tag: str = "", attribute: str = "", word: str = "") -> list[int]:
    known = members.KnownFilter(tag=tag, attribute=attribute, word=word, now_ms=now_ms())
    page = members.list_members(None, text="", kind="", sort="recent", after=None, known=known)
    return sorted(row.id for row in page.rows)


def mirrored(folder: Path, name: str, member: str) -> set[tuple[Any, ...]]:
    store = MirrorStore(folder)
    refresh_profiles(connection=connection, store=store, zone=ZoneInfo("Asia/Shanghai"))
    path = store.dimension_path(store.manifest(), name)
    assert path
    return {(row[member], row.get("tag") or row["word"]) for row in pq.read_table(path).to_pylist()}


def test_a_merged_person_has_the_tags_and_attributes_of_all_accounts_until_they_part(
    actor: Staff, people: list[int], tmp_path: Path
) -> None:
    first, second, _third = people
    changing.do_put_tag(actor=actor, member_ids=[first, second], tag=WEAK)
    changing.do_set_attribute(actor=actor, member_id=second, attribute_id="city", text="杭州")
    assert profiles.counts(now_ms())[WEAK, "member"] == 2

    take(linked("小红", "小明", id="l", at="10:00"))
    assert (tags(first), value(first, "city")) == ([WEAK, WEAK], "杭州")  # one holding of each account
    assert profiles.tags_of_members(people, now_ms()) == {first: (WEAK,)}
    assert profiles.values_of_members(people) == {first: {"city": "杭州"}}
    assert profiles.counts(now_ms())[WEAK, "member"] == 1
    assert {member for _holding, member in profiles.holdings_of_tag(WEAK, now_ms(), 10)} == {first}
    assert listed(tag=WEAK) == listed(attribute="city", word="杭州") == [first]
    assert mirrored(tmp_path / "merged", "tags", "subject_id") == {(first, WEAK)}
    assert mirrored(tmp_path / "merged", "fields", "member_id") == {(first, "杭州")}

    take(unlinked("小红", "l", at="11:00"))
    assert profiles.tags_of_members(people, now_ms()) == {first: (WEAK,), second: (WEAK,)}
    assert profiles.values_of_members(people) == {second: {"city": "杭州"}}
    assert profiles.counts(now_ms())[WEAK, "member"] == 2
    assert (listed(tag=WEAK), listed(attribute="city", word="杭州")) == ([first, second], [second])
    assert mirrored(tmp_path / "parted", "tags", "subject_id") == {(first, WEAK), (second, WEAK)}
    assert mirrored(tmp_path / "parted", "fields", "member_id") == {(second, "杭州")}
