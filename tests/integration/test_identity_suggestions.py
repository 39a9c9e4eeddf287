"""Suggestions: accounts of one name that write alike, keys that too many share; decided by people, and remembered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from qunce.domain.events import Event, Party
from qunce.readmodels.models import Identity, IdentityLink
from qunce.runtime import organisation
from qunce.runtime.cli.main import main
from qunce.runtime.identity import suggest, views
from qunce.runtime.identity.commands import MergeRefused, do_accept, do_refuse, do_unlink
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import Job, MergeSuggestion
from qunce.testing.builders import flagged, keyed, moment, said
from qunce.testing.simulator import simulate

pytestmark = pytest.mark.django_db

COOK = "今晚炖了一锅莲藕排骨汤，火候刚好；藕要选粉一点的，盐最后再放哦～"
RUN = "晨跑十公里打卡！配速五分半，膝盖没事，明天休息一天再上间歇。"


def say(account: str, name: str, text: str, count: int = 12, *, group: str = "群", hour: int = 9) -> list[Event]:
    """Make an account of this name say variations of a text."""
    made = []
    for number in range(count):
        event = said(group, account, f"{text}第{number}次", at=f"{hour:02}:{number:02}", day=number, id=f"{account}{number}")
        made.append(_named(event, account, name))
    return made


def _named(event: Event, account: str, name: str) -> Event:
    import msgspec

    return msgspec.structs.replace(event, actor=Party(platform_id=account, kind="member", name=name))


def take(*events: Event) -> None:
    Ingest(clock=lambda: moment("23:00", 30)).take_all(events)


def search() -> dict[str, Any]:
    return suggest.perform({}, lambda progress: None)


def found() -> list[tuple[set[str], tuple[str, ...]]]:
    names = dict(Identity.objects.values_list("pk", "platform_id"))
    rows = MergeSuggestion.objects.filter(state="open").order_by("-score", "pk")
    return [({names[row.a_id], names[row.b_id]}, tuple(row.evidence.split())) for row in rows]


@pytest.fixture
def two_of_a_name() -> None:
    take(
        *say("a1", "小红", COOK), *say("a2", "小红", COOK, group="另一群", hour=15),
        *say("a3", "小红", RUN, group="第三群", hour=7), *say("b", "老王", RUN), *say("c", "小刚", "收到，谢谢大家，辛苦了！"),
    )  # fmt: skip


def test_accounts_of_one_name_that_write_alike_are_suggested_and_others_are_not(two_of_a_name: None) -> None:
    assert search() == {"compared": 3, "open": 1}
    ((accounts, evidence),) = found()
    assert accounts == {"a1", "a2"}
    assert evidence[0] == "name"
    assert float(evidence[1].removeprefix("writing:")) > 0.5
    assert not IdentityLink.objects.exists()


def test_names_that_are_only_alike_are_compared_in_a_common_group() -> None:
    take(
        *say("a1", "小红", COOK), *say("a2", "小红🌸-杭州店长", COOK, hour=15),
        *say("b1", "爱吃鱼的猫", RUN), *say("b2", "爱吃鱼得猫", RUN, hour=16),
        *say("c1", "小红", COOK, group="另一群", hour=17), *say("d1", "爱吃鱼地猫", RUN, group="另一群", hour=18),
        *say("e1", "店员一号1", "收到，谢谢大家，辛苦了！"), *say("e2", "店员一号2", "收到，谢谢大家，辛苦了！", hour=19),
    )  # fmt: skip
    search()
    pairs = {frozenset(accounts): evidence[0] for accounts, evidence in found()}
    assert pairs == {
        frozenset({"a1", "a2"}): "core", frozenset({"b1", "b2"}): "near", frozenset({"a1", "c1"}): "name",
    }  # fmt: skip


def test_a_search_is_due_once_a_day_and_after_an_import(two_of_a_name: None) -> None:
    now = moment("12:00", 30)
    first = suggest.start_if_due(now)
    assert first is not None
    assert suggest.start_if_due(now) is None  # it waits
    Job.objects.filter(pk=first).update(state="done", created_ms=now, finished_ms=now + 5)
    assert suggest.start_if_due(now + suggest.DAY_MS - 1) is None
    imported = Job.objects.create(kind="import", created_ms=now - 9, finished_ms=now + 10, state="failed", params={})
    assert suggest.start_if_due(now + 20) is None
    Job.objects.filter(pk=imported.pk).update(state="done")
    second = suggest.start_if_due(now + 20)
    assert second is not None
    Job.objects.filter(pk=second).update(state="done", created_ms=now + 20, finished_ms=now + 25)
    assert suggest.start_if_due(now + 30) is None
    assert suggest.start_if_due(now + 20 + suggest.DAY_MS) is not None


def test_nobody_is_looked_for_where_nobody_is() -> None:
    assert suggest.start_if_due(moment("12:00")) is None


def test_two_who_talk_to_each_other_are_two_persons() -> None:
    take(*say("a1", "小红", COOK), *say("a2", "小红", COOK[:10] + RUN[:14]))
    search()
    assert found() == []


def test_staff_and_names_that_everybody_bears_are_left_out(two_of_a_name: None) -> None:
    many = [event for number in range(9) for event in say(f"m{number}", "宝妈", COOK, 2)]
    take(flagged("a2", "staff", at="12:00"), *many)
    assert search() == {"compared": 1, "open": 0}


def test_an_accepted_suggestion_is_a_link_with_its_evidence(two_of_a_name: None) -> None:
    search()
    link_id = do_accept(actor=None, suggestion_id=MergeSuggestion.objects.get().pk)
    link = IdentityLink.objects.get(link_id=link_id)
    assert (link.by, link.evidence.split()[0]) == ("suggestion", "name")
    assert Identity.objects.get(platform_id="a1").member_id == Identity.objects.get(platform_id="a2").member_id
    assert search()["compared"] == 1  # the merged two are one of two now


def test_a_refusal_and_an_undone_acceptance_are_remembered(two_of_a_name: None) -> None:
    search()
    first = MergeSuggestion.objects.get()
    do_refuse(actor=None, suggestion_id=first.pk)
    search()
    assert found() == []
    with pytest.raises(MergeRefused) as refused:
        do_accept(actor=None, suggestion_id=first.pk)
    assert refused.value.code == "not_open"
    MergeSuggestion.objects.all().delete()
    search()
    do_unlink(actor=None, link_id=do_accept(actor=None, suggestion_id=MergeSuggestion.objects.get().pk))
    search()
    assert found() == []


def test_a_key_that_many_share_is_suggested_with_the_first_of_them() -> None:
    take(*(event for number in range(5) for event in say(f"k{number}", f"名{number}", COOK, 1)))
    take(*(keyed(f"k{number}", "phone", "shared", at="10:00") for number in range(5)))
    search()
    assert [evidence[0] for _, evidence in found()] == ["shared:phone:5"] * 4


def test_keys_that_do_not_merge_by_themselves_are_suggested() -> None:
    organisation.decide("identity_by_keys", "off")
    take(
        *say("k1", "甲", COOK, 1),
        *say("k2", "乙", COOK, 1),
        keyed("k1", "crm", "d", at="10:00"),
        keyed("k2", "crm", "d", at="10:00"),
    )
    search()
    assert found()[0][1][0] == "key:crm"
    assert MergeSuggestion.objects.get().score == suggest.KEY_SCORE


def test_suggestions_are_shown_side_by_side_to_those_who_see_both(
    two_of_a_name: None, django_assert_max_num_queries: Any
) -> None:
    search()
    with django_assert_max_num_queries(8):
        (shown,), more = views.suggestions(None)
    assert not more
    assert {shown.left.platform_id, shown.right.platform_id} == {"a1", "a2"}
    assert (shown.left.message_count, shown.left.groups[0][1]) == (12, "群")
    assert shown.left.words[0].startswith(COOK[:6])
    assert dict(shown.evidence)["name"] == ""
    mine = frozenset({shown.left.groups[0][0]})
    assert views.suggestions(mine) == ((), False)


def test_the_search_asks_as_many_queries_however_many_accounts(two_of_a_name: None) -> None:
    take(*simulate(groups=2, members=40, days=4, seed=3, end_ms=moment("20:00", 4), activity=2.0))
    asked: list[str] = []
    with connection.execute_wrapper(lambda execute, sql, *rest: asked.append(sql) or execute(sql, *rest)):
        search()
    assert len(asked) < 20


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["member", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_command_line_suggests_decides_merges_and_parts(two_of_a_name: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "suggest") == {"compared": 3, "open": 1}
    (shown,) = ask(capsys, "merges")["suggestions"]
    assert {shown["left"]["platform_id"], shown["right"]["platform_id"]} == {"a1", "a2"}
    link = ask(capsys, "accept", str(shown["id"]))["link"]
    assert [row["link_id"] for row in ask(capsys, "merges")["links"]] == [link]
    assert ask(capsys, "several")["rows"][0]["groups"] == [[1, "群"], [2, "另一群"]]
    assert len(ask(capsys, "unmerge", link)["accounts"]) == 2
    merged = ask(capsys, "merge", "#1", "b", "--reason", "自己说的")
    assert merged["member"] == 1
    assert main(["member", "merges"]) == 0
    assert "taken back" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["merge", "#1"], "name two accounts", id="one account"),
        pytest.param(["merge", "#1", "nobody"], "no account 'nobody'", id="an unknown account"),
        pytest.param(["merge", "a1", "#1"], "name two accounts", id="an account with itself"),
        pytest.param(["unmerge", "x"], "no such link", id="an unknown link"),
        pytest.param(["accept", "x"], "no suggestion's number", id="no number"),
        pytest.param(["refuse", "9"], "decided already", id="an unknown suggestion"),
        pytest.param(["refuse"], "name a suggestion's number", id="nothing"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    two_of_a_name: None, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert main(["member", *words]) == 2
    assert says in capsys.readouterr().err
    assert not IdentityLink.objects.exists()
