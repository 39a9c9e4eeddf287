"""The pages of tags and attributes: what they show, do, refuse, and to whom they do not exist."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role
from qunce.domain.events import AttributeSet, TagPut
from qunce.readmodels.models import AttributeValue, Group, Identity, Member, Message, TagHolding
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import ChangeBatch
from qunce.runtime.profile import files
from qunce.runtime.rebuild import rebuild
from qunce.testing import builders as b
from qunce.testing.builders import happened, person
from tests.integration.console_world import SignIn, take

pytestmark = pytest.mark.django_db
STRONG = "意向/强"


@pytest.fixture
def red() -> int:
    take()
    return Member.objects.get(name="小红").pk


def text_of(client: Client, name: str, *args: object, **query: object) -> str:
    response = client.get(reverse(name, args=args or None), query)
    assert response.status_code == 200
    return response.content.decode()


def post(client: Client, name: str, *args: object, **data: Any) -> str:
    response = client.post(reverse(name, args=args or None), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_a_profile_says_what_is_known_from_whom_and_by_which_message(sign_in: SignIn, red: int) -> None:
    said = Message.objects.get(text="什么时候发货？").seq
    Ingest().take_all([
        happened(AttributeSet(attribute="city", value="成都", kept="chat", confidence=0.9, evidence=(said,)), "c", "小红",
                 at="10:00", subject=person("小红")),
        happened(TagPut(target="member", tag=STRONG, kept="rule", rule_id="intent.asks", reason="问过两次", confidence=0.8,
                        evidence=(said,)), "t", "小红", at="10:01", subject=person("小红")),
    ])  # fmt: skip
    client = sign_in(Role.SUPERVISOR)
    post(client, "set-attribute", red, attribute="city", value="杭州市")
    page = text_of(client, "member", red)
    for words in (
        "杭州",
        "成都",
        "几个来源说法不同",
        "意向强",
        "问过两次",
        "intent.asks",
        f"?around={said}",
        "90%",
        "supervisor-0",
    ):
        assert words in page, words
    assert "小红 的「城市」记为 杭州（人工）" in page
    assert "小红 打上标签「意向强」（规则） · 问过两次" in page


def test_an_attribute_is_set_cleared_and_refused_with_a_reason(sign_in: SignIn, red: int) -> None:
    client = sign_in(Role.SUPERVISOR)
    assert "资料已更新" in post(client, "set-attribute", red, attribute="baby_months", value="8")
    assert "没有更新" in post(client, "set-attribute", red, attribute="baby_months", value="=8+1")
    assert AttributeValue.objects.get().number == 8
    post(client, "set-attribute", red, attribute="baby_months", kept="manual")
    assert AttributeValue.objects.get().value is None
    assert "没有更新" in post(client, "set-attribute", red, attribute="nothing", value="x")


def test_a_tag_is_put_taken_and_undone_on_the_page(sign_in: SignIn, red: int) -> None:
    client = sign_in(Role.SUPERVISOR)
    page = post(client, "put-tag", red, tag=STRONG, reason="电话里问过", days="30")
    assert "电话里问过" in page
    batch = ChangeBatch.objects.get().pk
    assert reverse("undo-change", args=[batch]) in page
    holding = TagHolding.objects.get()
    assert holding.until_ms is not None
    post(client, "take-tag", red, holding.pk)
    assert TagHolding.objects.get().taken_ms is not None
    newest = ChangeBatch.objects.order_by("-made_ms", "-pk").exclude(pk=batch).get().pk
    assert "已恢复 1 处" in post(client, "undo-change", newest)
    assert TagHolding.objects.get().taken_ms is None
    assert "没有撤销" in post(client, "undo-change", newest)
    assert "没有打上" in post(client, "put-tag", red, tag="没有的标签")


def test_a_list_is_filtered_tagged_in_bulk_after_a_look_and_undone(sign_in: SignIn, red: int) -> None:
    client = sign_in(Role.SUPERVISOR)
    wang = Member.objects.get(name="老王").pk
    look = post(client, "tag-members", m=[red, wang, 987654], tag=STRONG, verb="put")
    assert "给 2 位成员打上" in look
    assert not TagHolding.objects.exists()
    done = post(client, "tag-members", m=[red, wang], tag=STRONG, verb="put", confirmed="yes", reason="活动")
    assert "已处理 2 位成员" in done
    listed = text_of(client, "members", tag=STRONG)
    assert "小红" in listed
    assert "客服小丽" not in listed
    assert "活动" in text_of(client, "tag", STRONG)
    assert "意向强" in text_of(client, "tags")
    post(client, "undo-change", ChangeBatch.objects.get().pk)
    assert "没有找到这样的成员" in text_of(client, "members", tag=STRONG)
    assert "没有改动" in post(client, "tag-members", tag=STRONG, verb="put")


def test_a_list_is_narrowed_by_an_attribute(sign_in: SignIn, red: int) -> None:
    client = sign_in(Role.SUPERVISOR)
    post(client, "set-attribute", red, attribute="means", value="高")
    assert "小红" in text_of(client, "members", field="means=高")
    assert "没有找到这样的成员" in text_of(client, "members", field="means=低")


def test_what_nobody_has_and_nobody_declares_is_no_tag(sign_in: SignIn, red: int) -> None:
    assert sign_in(Role.SUPERVISOR).get(reverse("tag", args=["没有的标签"])).status_code == 404


@pytest.mark.parametrize("name", ["set-attribute", "put-tag", "take-tag"])
def test_a_member_outside_the_scope_does_not_exist(name: str, sign_in: SignIn, red: int) -> None:
    client = sign_in(Role.MANAGER, (Group.objects.get(name="晨跑团").pk,))
    wang = Member.objects.get(name="老王").pk
    args = [wang, 1] if name == "take-tag" else [wang]
    assert client.post(reverse(name, args=args), {"tag": STRONG, "attribute": "city", "value": "杭州"}).status_code == 404
    post(client, "tag-members", m=[wang], tag=STRONG, verb="put", confirmed="yes")
    assert not TagHolding.objects.exists()


def test_who_sees_some_groups_takes_back_only_what_they_did(sign_in: SignIn, red: int) -> None:
    post(sign_in(Role.SUPERVISOR), "put-tag", red, tag=STRONG)
    batch = ChangeBatch.objects.get().pk
    client = sign_in(Role.MANAGER, (Group.objects.get(name="晨跑团").pk,))
    assert client.post(reverse("undo-change", args=[batch])).status_code == 404
    assert batch not in text_of(client, "changes")


def test_who_may_only_look_changes_nothing(sign_in: SignIn, red: int) -> None:
    client = sign_in(Role.ANALYST)
    assert client.post(reverse("put-tag", args=[red]), {"tag": STRONG}).status_code == 403
    assert reverse("put-tag", args=[red]) not in text_of(client, "member", red)
    assert 'name="m"' not in text_of(client, "members")


def test_a_list_costs_the_same_queries_however_long_it_is(
    sign_in: SignIn, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    take(more=30)
    client = sign_in(Role.SUPERVISOR)
    everybody = list(Identity.objects.values_list("member_id", flat=True))
    post(client, "tag-members", m=everybody, tag=STRONG, verb="put", confirmed="yes")
    with django_assert_max_num_queries(16):
        text_of(client, "members")
    with django_assert_max_num_queries(16):
        text_of(client, "tag", STRONG)


def test_a_rule_is_tried_on_the_past_and_run_once(
    sign_in: SignIn, red: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", str(tmp_path))
    Ingest().take_all([b.ordered("小红", 9, at="10:00", id="a"), b.ordered("小红", 9, at="10:01", id="b")])
    client = sign_in(Role.SUPERVISOR)
    assert "1 位符合，会给 1 位打上，从 0 位取下" in text_of(client, "tag", "老客", rule="customer.old", at="2026-03-02")
    assert "0 位符合，会给 0 位打上，从 0 位取下" in text_of(client, "tag", "老客", rule="customer.old", at="2026-03-01")
    assert not TagHolding.objects.exists()
    assert "打上 1 位，取下 0 位" in post(client, "run-rule", "customer.old", tag="老客")
    assert TagHolding.objects.get().rule_id == "customer.old"
    assert "没有运行" in post(client, "run-rule", "no.rule")
    scoped = sign_in(Role.MANAGER, (Group.objects.get(name="晨跑团").pk,))
    assert scoped.post(reverse("run-rule", args=["customer.old"])).status_code == 404


def test_a_group_and_somebody_in_it_are_tagged_by_hand_and_it_is_undone(sign_in: SignIn, red: int) -> None:
    client, group = sign_in(Role.SUPERVISOR), Group.objects.get(name="晨跑团").pk
    account = Identity.objects.get(member_id=red).pk
    assert "常来的人" in post(client, "put-group-tag", group, tag="铁粉群", reason="常来的人")
    assert "取下 直接扫码" in post(client, "put-place-tags", group, a=[account], tag="进群/扫码")
    page = post(client, "put-place-tags", group, a=[account], tag="进群/好友拉群")  # one of an exclusive group
    assert "取下 直接扫码" not in page
    kept = TagHolding.objects.filter(taken_ms=None).order_by("target")
    standing = kept.values_list("target", "identity_id", "group_id", "tag")
    assert list(standing) == [("group", 0, group, "铁粉群"), ("membership", account, group, "进群/好友拉群")]
    newest = TagHolding.objects.get(tag="进群/好友拉群").batch_id
    post(client, "undo-change", newest)
    assert {row[3] for row in standing.all()} == {"铁粉群", "进群/扫码"}
    post(client, "take-place-tag", group, TagHolding.objects.get(target="group").pk)
    assert {row[3] for row in standing.all()} == {"进群/扫码"}
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def test_tags_of_a_group_are_refused_where_they_do_not_belong(sign_in: SignIn, red: int) -> None:
    Ingest().take_all([b.joined("别的群", "外人", at="08:00")])
    client, group = sign_in(Role.SUPERVISOR), Group.objects.get(name="晨跑团").pk
    stranger = Identity.objects.get(name="外人").pk
    for name, data in (
        ("put-group-tag", {"tag": STRONG}), ("put-place-tags", {"tag": "进群/扫码"}),
        ("put-place-tags", {"tag": "进群/扫码", "a": [stranger]}),
    ):  # fmt: skip
        assert "没有打上" in post(client, name, group, **data)
    assert "没有取下" in post(client, "take-place-tag", group, 99)
    assert not TagHolding.objects.exists()
    scoped = sign_in(Role.MANAGER, (Group.objects.get(name="别的群").pk,))
    assert scoped.post(reverse("put-group-tag", args=[group])).status_code == 404


def test_people_of_a_group_are_counted_and_narrowed_by_the_way_they_came(sign_in: SignIn) -> None:
    Ingest().take_all([
        b.joined("新群", "甲", at="08:00", channel="七月活码"), b.joined("新群", "乙", at="08:01", inviter="甲"),
        b.joined("新群", "丙", at="08:02", channel="七月活码"), b.joined("新群", "丁", at="08:03"),
    ])  # fmt: skip
    client, group = sign_in(Role.SUPERVISOR), Group.objects.get(name="新群").pk
    page = text_of(client, "group-people", group)
    assert "进群途径（3 / 4 人已知）" in page
    assert '扫码 <b class="num">2</b>' in page
    assert "扫码 · 七月活码" in page
    narrowed = text_of(client, "group-people", group, way="invited")
    assert [name for name in "甲乙丙丁" if f"选择 {name}" in narrowed] == ["乙"]


def test_what_was_exported_can_be_imported_again(sign_in: SignIn, red: int, tmp_path: Path) -> None:
    client = sign_in(Role.SUPERVISOR)
    for attribute, value in (("city", "杭州"), ("budget", "300"), ("baby_months", "8")):
        post(client, "set-attribute", red, attribute=attribute, value=value)
    post(client, "put-tag", red, tag=STRONG)
    text = client.get(reverse("export-members-csv")).content.decode("utf-8-sig")
    cells = next(row for row in csv.DictReader(io.StringIO(text)) if row["成员"] == "小红")
    found = [cells[name] for name in ("成员编号", "城市", "预算", "宝宝月龄", "标签")]
    assert found == [str(red), "杭州", "300", "8", STRONG]
    (tmp_path / "m.csv").write_text(text, "utf-8")
    _header, _rows, targets = files.look(tmp_path / "m.csv")
    before = list(AttributeValue.objects.values_list("attribute", "word", "number").order_by("attribute"))
    report = files.apply(tmp_path / "m.csv", targets, actor=None, batch_id="importx", dry_run=False)
    assert report.bad == 0
    rows = AttributeValue.objects.filter(kept="import").values_list("attribute", "word", "number")
    assert list(rows.order_by("attribute")) == before
