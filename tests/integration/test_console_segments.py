"""The pages of segments: list, one, as of a day, expected, why, and the builder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role
from qunce.playbook import gallery
from qunce.readmodels.models import Group, Member, TagHolding
from qunce.runtime.live import drafts, playbooks
from qunce.runtime.models import ChangeBatch
from qunce.runtime.segments import mirrors, views
from qunce.runtime.segments.keep import Keeper
from qunce.testing import builders as b
from tests.integration.console_world import NASTY, SignIn, take

pytestmark = pytest.mark.django_db
NOW = b.moment("20:00")
HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\nsegments:\n"
PLAYBOOK = (
    HEAD
    + """
  - segment_id: asked
    title: 提过问
    where: [{did: question, within: 7d}]
  - segment_id: silent
    title: 没说话的
    of: membership
    where: [{attr: joined_at, is: ">=1d"}, {attr: left_at, is: missing}, {did: message, since: joined_at, times: "=0"}]
"""
)


@pytest.fixture(autouse=True)
def world(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    take()
    for module in ("qunce.console.asked", "qunce.console.views.segments"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: NOW, raising=False)
    monkeypatch.setattr(mirrors, "_freshened", float("-inf"))
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="test")
    keep()


def keep() -> None:
    keeper = Keeper(lambda: NOW)
    while keeper.turn():
        pass


def text_of(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def fields(**more: str) -> dict[str, str]:
    return {
        "seen": "0", "segment_id": "buyers", "title": "买过的", "title_en": "", "of": "member", "r.0.kind": "did",
        "r.0.event": "order_paid", "r.0.window": "180d", "r.0.measure": "sum:amount", "r.0.op": ">=", "r.0.v1": "500", **more,
    }  # fmt: skip


def test_the_list_says_how_many_and_in_words_whom(sign_in: SignIn, django_assert_max_num_queries: Any) -> None:
    client = sign_in()
    page = text_of(client, "segments")
    for shown in ("提过问", "最近 7 天提问次数 ≥ 1", "没说话的", "成员在群里"):
        assert shown in page
    with django_assert_max_num_queries(12):
        text_of(client, "segments")


def test_a_segment_shows_its_people_and_why(sign_in: SignIn) -> None:
    client = sign_in()
    page = text_of(client, "segment", "asked")
    assert "小红" in page
    assert "老王" not in page
    red = Member.objects.get(name="小红").pk
    why = text_of(client, "segment-why", "asked", red, 0)
    assert "最近 7 天提问次数 ≥ 1" in why
    assert "依据 2 件事" in why
    assert client.get(reverse("segment-why", args=["asked", 987654, 0])).status_code == 404


def test_a_day_in_the_past_and_the_day_ahead(sign_in: SignIn) -> None:
    client = sign_in()
    assert "那时没有人属于它" in text_of(client, "segment-at", "asked", at="2026-03-01")
    assert "小红" in text_of(client, "segment-at", "asked", at="2026-03-02")
    assert client.get(reverse("segment-at", args=["asked"]), {"at": "never"}).status_code == 404
    # 小红 joined 晨跑团 this morning and spoke there; in 读书会 too. 老王 has left. Nobody is expected.
    ahead = text_of(client, "segment-expected", "silent")
    assert "+0" in ahead


def test_a_scope_shows_its_own_people_only(sign_in: SignIn) -> None:
    reading, running = (Group.objects.get(name=name).pk for name in ("读书会", "晨跑团"))
    red = Member.objects.get(name="小红").pk
    nasty = Group.objects.get(name=NASTY).pk
    assert "小红" in text_of(sign_in(Role.SUPERVISOR, (reading, running)), "segment", "asked")
    foreign = sign_in(Role.SUPERVISOR, (nasty,))
    assert "小红" not in text_of(foreign, "segment", "asked")
    assert "小红" not in text_of(foreign, "segment-at", "asked", at="2026-03-02")
    assert foreign.get(reverse("segment-why", args=["asked", red, 0])).status_code == 404
    assert foreign.get(reverse("new-segment")).status_code == 403


@pytest.mark.parametrize("name", ["segment", "segment-at", "segment-expected", "edit-segment"])
def test_a_segment_that_is_not_there_is_not_found(name: str, sign_in: SignIn) -> None:
    assert sign_in().get(reverse(name, args=["no_such"])).status_code == 404


def test_the_builder_shows_the_sentence_the_yaml_and_who(sign_in: SignIn) -> None:
    client = sign_in()
    assert "新建分群" in text_of(client, "new-segment")
    page = client.post(reverse("preview-segment"), fields()).content.decode()
    assert "最近 180 天支付订单金额合计 ≥ 500.00" in page
    assert "segment_id: buyers" in page
    data = {**fields(), "r.0.event": "question", "r.0.measure": "times", "r.0.v1": "1", "r.0.op": ">="}
    found = client.post(reverse("preview-segment") + "?part=result", data).content.decode()
    assert "<b>1</b>" in found
    assert "小红" in found


def test_buttons_change_the_form_and_mistakes_stand_at_their_condition(sign_in: SignIn) -> None:
    client = sign_in()
    page = client.post(reverse("preview-segment"), fields(do="add any r")).content.decode()
    assert 'name="r.1.kind" value="any"' in page
    page = client.post(reverse("preview-segment"), fields(**{"r.0.v1": "lots"})).content.decode()
    assert "不是金额" in page
    assert 'class="seg-cond wrong"' in page
    found = client.post(reverse("preview-segment") + "?part=result", fields(**{"r.0.v1": "lots"})).content.decode()
    assert "有条件还没写对" in found


def test_a_segment_is_saved_into_the_draft_or_published_and_run(sign_in: SignIn) -> None:
    client = sign_in()
    client.post(reverse("new-segment"), fields(publish=""))
    draft = drafts.draft()
    assert draft is not None
    assert any("buyers" in text for text in draft.files.values())
    assert playbooks.loaded_newest().playbook.segments[-1].segment_id == "silent"
    refused = client.post(reverse("new-segment"), fields(segment_id="asked", seen=str(draft.saved_ms)))
    assert refused.status_code == 422
    assert "已经有一个分群用这个编号" in refused.content.decode()
    drafts.do_discard_draft(actor=None, seen_ms=draft.saved_ms)
    data = {**fields(), "r.0.event": "question", "r.0.measure": "times", "r.0.v1": "1", "publish": "yes"}
    assert client.post(reverse("new-segment"), data).status_code == 302
    assert playbooks.loaded_newest().playbook.segments[-1].segment_id == "buyers"
    keep()
    assert "小红" in text_of(client, "segment", "buyers")


def test_an_old_draft_token_is_refused(sign_in: SignIn) -> None:
    client = sign_in()
    client.post(reverse("new-segment"), fields(publish=""))
    again = client.post(reverse("edit-segment", args=["asked"]), fields(segment_id="asked", seen="0"))
    assert again.status_code == 422


def test_names_meant_to_do_harm_are_text(sign_in: SignIn) -> None:
    client = sign_in()
    data = {**fields(), "title": NASTY, "r.0.kind": "tag", "r.0.tags": NASTY}
    assert "<script>alert" not in client.post(reverse("preview-segment"), data).content.decode()


def test_the_people_of_a_segment_are_tagged_after_a_look_and_untagged_in_one(sign_in: SignIn) -> None:
    files = {"playbook.yaml": PLAYBOOK, **gallery.profile()}
    playbooks.do_publish(actor=None, files=files, reason="tags")
    keep()
    client = sign_in()
    assert "给这些人打标签" in text_of(client, "segment", "asked")
    tag = next(iter(playbooks.loaded_newest().playbook.tag_groups[0].tags)).tag_id
    look = client.post(reverse("tag-members"), {"segment": "asked", "tag": tag, "verb": "put"}).content.decode()
    assert 'name="segment" value="asked"' in look
    assert not TagHolding.objects.filter(tag=tag).exists()
    client.post(reverse("tag-members"), {"segment": "asked", "tag": tag, "verb": "put", "confirmed": "yes"})
    held = TagHolding.objects.filter(tag=tag, taken_ms=None)
    assert held.count() == len({person.subject_id for person in views.members(views.get("asked"), None, 1)[0]}) > 0  # type: ignore[arg-type]
    batch = ChangeBatch.objects.get().batch_id
    client.post(reverse("undo-change", args=[batch]))
    assert not TagHolding.objects.filter(tag=tag, taken_ms=None).exists()
