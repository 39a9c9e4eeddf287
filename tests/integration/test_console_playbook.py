"""The pages of rules: begin from the gallery, mend mistakes, see the difference, publish with a reason, change modes."""

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role
from qunce.runtime.live import drafts, playbooks
from qunce.runtime.models import PlaybookVersion
from qunce.testing.live import PLAYBOOK
from tests.integration.console_world import SignIn, take

pytestmark = pytest.mark.django_db
BROKEN = PLAYBOOK.replace("mode: act", "mode: wild").replace("delete: true", "delete: perhaps")


def publish(text: str = PLAYBOOK) -> int:
    return playbooks.do_publish(actor=None, files={"playbook.yaml": text}, reason="test")


def text_of(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def post(client: Client, name: str, **data: str) -> str:
    response = client.post(reverse(name), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def seen() -> str:
    draft = drafts.draft()
    return str(draft.saved_ms) if draft else "0"


def save(client: Client, text: str, name: str = "playbook.yaml") -> str:
    return post(client, "edit-playbook-text", seen=seen(), name_0=name, text_0=text)


def test_without_rules_the_gallery_is_the_start(sign_in: SignIn) -> None:
    client = sign_in()
    page = text_of(client, "playbook")
    for shown in ("还没有发布规则", "母婴社群", 'value="gallery:muying"'):
        assert shown in page
    page = post(client, "start-draft", source="gallery:muying")
    assert "母婴广告词" in page
    assert "rules.yaml" in text_of(client, "edit-playbook-text")
    assert "这是第一次发布：34 条规则都是新的" in page
    assert not PlaybookVersion.objects.exists()


def test_a_draft_is_published_with_a_reason(sign_in: SignIn) -> None:
    client = sign_in()
    post(client, "start-draft", source="gallery:muying")
    assert "发布要写明理由" in post(client, "publish-playbook", seen=seen(), reason=" ")
    page = post(client, "publish-playbook", seen=seen(), reason="先从样板开始")
    assert "第 1 版已发布" in page
    assert "砍价、助力和口令" in page
    assert "当内容像是" in page
    assert "先从样板开始" in text_of(client, "playbook-versions")
    assert drafts.draft() is None


def test_every_mistake_is_shown_at_its_line_and_nothing_is_published(sign_in: SignIn) -> None:
    client = sign_in()
    page = save(client, BROKEN)
    lines = BROKEN.splitlines()
    for part in ("mode: wild", "delete: perhaps"):
        number = next(at for at, line in enumerate(lines, start=1) if part in line)
        assert f"playbook.yaml:{number}<" in page
    assert reverse("publish-playbook") not in page
    assert "草稿还有错" in post(client, "publish-playbook", seen=seen(), reason="硬来")
    assert not PlaybookVersion.objects.exists()
    assert "mode: wild" in text_of(client, "edit-playbook-text")
    assert "2 处要改" in text_of(client, "edit-playbook")


def test_a_draft_is_compared_with_what_is_in_force(sign_in: SignIn) -> None:
    publish()
    client = sign_in()
    save(client, PLAYBOOK)
    assert "完全一样" in text_of(client, "edit-playbook")
    save(client, PLAYBOOK.replace("mode: act", "mode: suggest"))
    page = text_of(client, "edit-playbook")
    for shown in ("ads.terms", "mode", "act", "suggest", reverse("publish-playbook")):
        assert shown in page


def test_a_draft_that_somebody_else_changed_is_not_overwritten(sign_in: SignIn) -> None:
    client = sign_in()
    save(client, PLAYBOOK)
    old = seen()
    save(client, PLAYBOOK.replace("演练", "演习"))
    response = client.post(reverse("edit-playbook-text"), {"seen": old, "name_0": "playbook.yaml", "text_0": BROKEN})
    assert response.status_code == 422
    page = response.content.decode()
    assert "草稿刚被别人改过" in page
    assert "mode: wild" in page
    assert "草稿刚被别人改过" in post(client, "publish-playbook", seen=old, reason="x")
    draft = drafts.draft()
    assert draft is not None
    assert "演习" in draft.files["playbook.yaml"]


@pytest.mark.parametrize("name", ["../evil.yaml", "a b.yaml", "rules.txt", "/etc/x.yaml"])
def test_a_file_cannot_be_called_just_anything(name: str, sign_in: SignIn) -> None:
    response = sign_in().post(reverse("edit-playbook-text"), {"seen": "0", "name_0": name, "text_0": PLAYBOOK})
    assert response.status_code == 422
    assert drafts.draft() is None


def test_a_draft_is_only_replaced_when_asked(sign_in: SignIn) -> None:
    client = sign_in()
    save(client, PLAYBOOK)
    assert "已有一份草稿" in post(client, "start-draft", source="gallery:muying")
    post(client, "start-draft", source="gallery:muying", replace="yes")
    assert "rules.yaml" in text_of(client, "edit-playbook-text")
    post(client, "discard-draft", seen=seen())
    assert drafts.draft() is None


def test_a_mode_is_changed_everywhere_or_in_one_group_and_makes_a_version(sign_in: SignIn) -> None:
    take()
    publish()
    client = sign_in()
    post(client, "set-rule-mode", rule="ads.terms", mode="observe", reason="太严")
    page = post(client, "set-rule-mode", rule="ads.terms", mode="suggest", group="读书会", reason="只在这里")
    assert "第 3 版已发布" in page
    assert "读书会：建议" in page
    assert "没有叫这个名字的群" in post(client, "set-rule-mode", rule="ads.terms", mode="act", group="没有", reason="x")
    assert "发布要写明理由" in post(client, "set-rule-mode", rule="ads.terms", mode="act", reason="")
    assert PlaybookVersion.objects.count() == 3


@pytest.mark.parametrize("name", ["edit-playbook-text", "start-draft", "discard-draft", "publish-playbook", "set-rule-mode"])
def test_only_leads_who_see_every_group_change_rules(name: str, sign_in: SignIn) -> None:
    publish()
    posted = {"source": "gallery:muying", "seen": "0", "rule": "ads.terms", "mode": "observe", "reason": "x"}
    for client in (sign_in(Role.MANAGER), sign_in(Role.SUPERVISOR, (1,))):
        assert client.post(reverse(name), posted).status_code == 403
    assert PlaybookVersion.objects.count() == 1
    assert drafts.draft() is None


def test_who_only_reads_sees_the_rules_and_no_form(sign_in: SignIn) -> None:
    publish()
    page = text_of(sign_in(Role.MANAGER), "playbook")
    assert "广告词" in page
    assert reverse("set-rule-mode") not in page
    assert reverse("edit-playbook") not in page
