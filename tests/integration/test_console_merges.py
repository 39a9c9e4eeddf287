"""The pages that merge and part accounts, and that list who is in several groups."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.readmodels.models import Group, Identity, IdentityLink, Member
from qunce.readmodels.selectors import overlap
from qunce.readmodels.selectors.group import crowd
from qunce.runtime import jobs
from qunce.runtime.identity import suggest
from qunce.runtime.identity.commands import do_link
from qunce.runtime.identity.merging import do_change_merging
from qunce.runtime.identity.settings import MergeSettings, merge_settings
from qunce.runtime.models import MergeSuggestion
from qunce.testing.builders import flagged, joined, keyed, left, said
from tests.integration.console_world import SignIn
from tests.integration.test_identity_suggestions import COOK, RUN, say, take

pytestmark = pytest.mark.django_db
LOUD = "<script>alert(1)</script>"


def scope(*names: str) -> tuple[int, ...]:
    return tuple(Group.objects.get(name=name).pk for name in names)


@pytest.fixture
def world() -> None:
    take(
        *say("a1", "小红", COOK + LOUD), *say("a2", "小红", COOK + LOUD, group="另一群", hour=15),
        *say("b", "老王", RUN, group="第三群"),
    )  # fmt: skip


@pytest.fixture
def suggested(world: None) -> int:
    suggest.perform({}, lambda progress: None)
    return int(MergeSuggestion.objects.get().pk)


def audited() -> list[str]:
    """Return what was done with members, in order."""
    return list(AuditEntry.objects.filter(action__startswith="member.").order_by("pk").values_list("action", flat=True))


def pk(account: str) -> int:
    return int(Identity.objects.get(platform_id=account).pk)


def page(client: Client, name: str, *args: object, **query: object) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def test_nobody_has_looked_then_a_search_is_queued_and_audited(world: None, sign_in: SignIn) -> None:
    client = sign_in()
    assert "还没有找过" in page(client, "merges")
    client.post(reverse("suggest-merges"))
    client.post(reverse("suggest-merges"))
    assert [job.kind for job in jobs.recent("merges")] == ["merges"]
    assert audited() == ["member.suggest"]
    assert jobs.run_next()
    assert jobs.recent("merges")[0].result == {"compared": 1, "open": 1}


def test_a_suggestion_stands_with_both_accounts_and_evidence(suggested: int, sign_in: SignIn) -> None:
    shown = page(sign_in(), "merges")
    for words in ("a1", "a2", "名字相同", "文风相似度", "另一群", 'data-key="a"', 'data-key="d"'):
        assert words in shown
    assert LOUD not in shown
    assert "&lt;script&gt;" in shown


def test_accepting_merges_and_undoing_parts_again(suggested: int, sign_in: SignIn) -> None:
    client = sign_in()
    response = client.post(reverse("accept-merge", args=[suggested]), follow=True)
    assert "已合并为同一位成员" in response.content.decode()
    assert Member.objects.filter(name="小红").count() == 1
    assert "这条建议已经有人处理" in client.post(reverse("accept-merge", args=[suggested]), follow=True).content.decode()
    assert "采纳建议" in page(client, "merges")
    client.post(reverse("undo-merge"), {"link": IdentityLink.objects.get().link_id})
    assert Member.objects.filter(name="小红").count() == 2
    assert audited() == ["member.merge", "member.unmerge"]


def test_a_refusal_is_remembered_and_audited(suggested: int, sign_in: SignIn) -> None:
    client = sign_in()
    client.post(reverse("refuse-merge", args=[suggested]))
    suggest.perform({}, lambda progress: None)
    assert "没有您能看到的发言" not in page(client, "merges")
    assert not MergeSuggestion.objects.filter(state="open").exists()
    assert audited() == ["member.merge_refused"]


def test_a_members_page_tells_why_accounts_are_one_and_parts_them(suggested: int, sign_in: SignIn) -> None:
    client = sign_in()
    client.post(reverse("accept-merge", args=[suggested]))
    shown = page(client, "member", pk("a1"))
    for words in ("a1", "a2", "采纳建议", "名字相同", reverse("separate-account", args=[pk("a1"), pk("a2")])):
        assert words in shown
    assert client.get(reverse("member", args=[pk("a2")]))["Location"] == reverse("member", args=[pk("a1")])
    client.post(reverse("separate-account", args=[pk("a1"), pk("a2")]))
    assert Member.objects.filter(name="小红").count() == 2
    assert client.post(reverse("separate-account", args=[pk("a1"), pk("b")])).status_code == 404


@pytest.mark.parametrize(
    ("other", "says"),
    [
        pytest.param("a2", "已合并为同一位成员", id="by the account's id on its platform"),
        pytest.param("#2", "已合并为同一位成员", id="by its number"),
        pytest.param("nobody", "没有这个账号", id="an account that is not there"),
        pytest.param("#99999999999999999999", "没有这个账号", id="a number too large"),
        pytest.param("#", "没有这个账号", id="no number"),
        pytest.param("a1", "这是同一个账号", id="itself"),
        pytest.param("staff", "不与成员合并", id="a colleague"),
    ],
)
def test_an_account_is_merged_by_hand(world: None, sign_in: SignIn, other: str, says: str) -> None:
    take(said("群", "staff", "您好", at="09:00", kind="staff"))
    assert pk("a2") == 2
    client = sign_in()
    response = client.post(reverse("merge-member", args=[pk("a1")]), {"other": other, "reason": "自己说的"}, follow=True)
    assert says in response.content.decode()
    assert IdentityLink.objects.count() == ("已合并" in says)


def test_the_search_finds_a_person_by_any_account(world: None, sign_in: SignIn) -> None:
    do_link(actor=None, first_id=pk("a1"), second_id=pk("b"))
    found = page(sign_in(), "members", q="b")
    assert reverse("member", args=[pk("a1")]) in found


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", [Role.EXECUTOR, Role.ANALYST, Role.SUPPORT_AGENT])
def test_other_roles_merge_nothing(suggested: int, sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    assert client.get(reverse("merges")).status_code == 403
    for name, args in (
        ("accept-merge", [suggested]), ("refuse-merge", [suggested]), ("suggest-merges", []), ("undo-merge", []),
        ("merge-member", [1]), ("separate-account", [1, 2]),
    ):  # fmt: skip
        assert client.post(reverse(name, args=args)).status_code == 403, name
    assert not IdentityLink.objects.exists()


def test_who_sees_one_of_two_accounts_only_sees_and_merges_neither(suggested: int, sign_in: SignIn) -> None:
    link_id = do_link(actor=None, first_id=pk("a2"), second_id=pk("b"))
    client = sign_in(Role.MANAGER, scope("群"))
    assert ">a2<" not in page(client, "merges")
    for name, args, data in (
        ("accept-merge", [suggested], {}), ("refuse-merge", [suggested], {}), ("undo-merge", [], {"link": link_id}),
        ("merge-member", [pk("a2")], {"other": "a1"}), ("separate-account", [pk("a2"), pk("b")], {}),
        ("accept-merge", [424242], {}), ("undo-merge", [], {"link": "x"}),
    ):  # fmt: skip
        assert client.post(reverse(name, args=args), data).status_code == 404, name
    response = client.post(reverse("merge-member", args=[pk("a1")]), {"other": "b"}, follow=True)
    assert "没有这个账号" in response.content.decode()
    assert IdentityLink.objects.count() == 1


# ── several groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def crowded(world: None) -> None:
    take(
        joined("第三群", "丙", at="09:00"), joined("另一群", "丙", at="09:01"), joined("第三群", "走了", at="09:00"),
        joined("群", "走了", at="09:00"), left("群", "走了", at="10:00"), joined("群", "小丽", at="09:00"),
        joined("第三群", "小丽", at="09:00"), flagged("小丽", "staff", at="09:01"),
    )  # fmt: skip


def test_a_person_in_several_groups_is_found_across_accounts(
    crowded: None, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    assert [row.name for row in overlap.in_several(None).rows] == ["丙"]
    do_link(actor=None, first_id=pk("a1"), second_id=pk("a2"))
    with django_assert_max_num_queries(5):
        found = overlap.in_several(None)
    assert [(row.name, row.accounts, len(row.groups)) for row in found.rows] == [("小红", 2, 2), ("丙", 1, 2)]
    assert (found.total, found.persons) == (2, 4)
    shown = page(sign_in(), "several")
    assert "小丽" not in shown
    assert "现在在群的 4 人中，2 人（50.0%）在 2 个群以上" in shown
    assert "没有人在这么多群里" in page(sign_in(Role.SUPERVISOR), "several", at_least=5)


def test_the_list_of_several_groups_keeps_to_the_scope_and_is_handed_out(crowded: None, sign_in: SignIn) -> None:
    do_link(actor=None, first_id=pk("a1"), second_id=pk("a2"))
    assert "小红" not in page(sign_in(Role.MANAGER, scope("群", "第三群")), "several")
    handed = sign_in(Role.SUPERVISOR).get(reverse("export-several-csv")).content.decode("utf-8-sig")
    assert [line.split(",")[0].strip('"') for line in handed.splitlines()] == ["成员", "小红", "丙"]
    assert audited()[-1] == "member.several_exported"
    assert sign_in(Role.EXECUTOR).get(reverse("export-several-csv")).status_code == 403


def test_persons_of_groups_counts_everybody_once(crowded: None) -> None:
    do_link(actor=None, first_id=pk("a1"), second_id=pk("a2"))
    groups = {group.name: group.pk for group in Group.objects.all()}
    found = overlap.persons_of([groups["群"], groups["另一群"]])
    assert found == {pk("a1"): pk("a1"), pk("丙"): pk("丙")}
    assert pk("走了") in overlap.persons_of([groups["群"]], present=False)


def test_a_group_counts_a_person_with_two_accounts_once(world: None) -> None:
    take(joined("群", "a2", at="08:00"))
    group = Group.objects.get(name="群").pk
    assert (crowd(group).present, crowd(group).lurking) == (2, 1)
    do_link(actor=None, first_id=pk("a1"), second_id=pk("a2"))
    assert (crowd(group).present, crowd(group).lurking) == (1, 0)


# ── the rules of merging ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_admin_changes_the_rules_of_merging_and_others_read_them(world: None, sign_in: SignIn) -> None:
    admin = sign_in()
    assert 'value="4"' in page(admin, "merges")
    answer = admin.post(reverse("change-merging"), {"most": "6"}, follow=True)
    assert "已保存" in answer.content.decode()
    assert merge_settings() == MergeSettings(by_keys=False, most_accounts=6)
    entry = AuditEntry.objects.get(action="member.merge_settings")
    said = json.loads(entry.details)
    assert (said["before"]["most_accounts"], said["after"]["most_accounts"], said["after"]["by_keys"]) == (4, 6, False)
    assert "没有改动" in admin.post(reverse("change-merging"), {"most": "6"}, follow=True).content.decode()
    lead = sign_in(Role.MANAGER)
    assert "现在：只建议" in page(lead, "merges")
    assert lead.post(reverse("change-merging"), {"most": "3"}).status_code == 403


@pytest.mark.parametrize("most", ["1", "21", "-3", "9999999999", "abc", ""])
def test_a_limit_that_makes_no_sense_changes_nothing(most: str, sign_in: SignIn) -> None:
    answer = sign_in().post(reverse("change-merging"), {"by_keys": "on", "most": most}, follow=True)
    assert "没有保存" in answer.content.decode()
    assert merge_settings() == MergeSettings(by_keys=True, most_accounts=4)
    assert not AuditEntry.objects.filter(action="member.merge_settings").exists()


def test_a_higher_limit_merges_what_was_too_crowded() -> None:
    take(*(said("群", f"k{number}", "早", at=f"09:0{number}") for number in range(5)))
    take(*(keyed(f"k{number}", "phone", "shared", at="10:00") for number in range(5)))
    assert Member.objects.count() == 5
    do_change_merging(actor=None, new=MergeSettings(by_keys=True, most_accounts=5))
    take(said("群", "另一个", "早", at="11:00"))
    assert Member.objects.count() == 2
