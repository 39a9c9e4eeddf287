"""One part of the rules on a form: what is changed, what stays, what is wrong, who may, and what it would find."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role
from qunce.playbook import gallery, parts
from qunce.readmodels.models import Group
from qunce.runtime.live import drafts, playbooks
from qunce.runtime.models import Case, PlaybookVersion
from qunce.testing.live import PLAYBOOK, Stage
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db
NAMES = ("edit-part", "look-part", "try-part", "remove-part", "switch-part")


@pytest.fixture
def muying() -> dict[str, str]:
    files = gallery.texts("muying")
    playbooks.do_publish(actor=None, files=files, reason="test")
    return files


def seen() -> str:
    draft = drafts.draft()
    return str(draft.saved_ms) if draft else "0"


def post(client: Client, name: str, section: str, key: str, status: int = 200, **data: object) -> str:
    sent = {"seen": seen(), **data}
    response = client.post(reverse(name, args=[section, key]), sent, follow=status == 200)
    assert response.status_code == status
    return response.content.decode()


def draft_files() -> dict[str, str]:
    draft = drafts.draft()
    assert draft is not None
    return dict(draft.files)


def rule(key: str) -> dict[str, object]:
    part = parts.find(draft_files(), "rules", key)
    assert part is not None
    return part.values


def test_a_rule_is_changed_by_form_published_and_in_force_and_nothing_else_of_the_text_differs(
    sign_in: SignIn, muying: dict[str, str]
) -> None:
    client = sign_in()
    assert "新人发联系方式或链接" in client.get(reverse("edit-part", args=["rules", "ads.newcomer_contact"])).content.decode()
    page = post(client, "edit-part", "rules", "ads.newcomer_contact", severity="2", **{"when.0.joined_within": "48"})
    assert "已存进草稿" in page
    old, new = muying["rules.yaml"].splitlines(), draft_files()["rules.yaml"].splitlines()
    assert [(one, two) for one, two in zip(old, new, strict=True) if one != two] == [
        ("    severity: 4", "    severity: 2"),
        ("      - {check: newcomer, joined_within: 24h}", "      - {check: newcomer, joined_within: 48h}"),
    ]
    assert {name for name in muying if muying[name] != draft_files()[name]} == {"rules.yaml"}
    response = client.post(reverse("publish-playbook"), {"seen": seen(), "reason": "新人放宽"}, follow=True)
    assert "第 2 版已发布" in response.content.decode()
    newest = playbooks.loaded_newest().playbook
    assert next(one for one in newest.rules if one.rule_id == "ads.newcomer_contact").severity == 2
    assert PlaybookVersion.objects.get(pk=2).reason == "新人放宽"


@pytest.mark.usefixtures("muying")
def test_what_a_form_leaves_out_is_not_reset(sign_in: SignIn) -> None:
    before = playbooks.loaded_newest().playbook
    post(sign_in(), "edit-part", "rules", "ads.newcomer_link", title="新人发链接")
    values = rule("ads.newcomer_link")
    assert values["title"] == "新人发链接"
    assert values["delete"] is True
    assert len(values["when"]) == 2  # type: ignore[arg-type]  # it is a list
    assert len(parts.parts(draft_files())) >= len(before.rules)


@pytest.mark.usefixtures("muying")
def test_a_wrong_value_is_shown_at_its_field_and_nothing_is_lost(sign_in: SignIn) -> None:
    client = sign_in()
    page = post(client, "edit-part", "rules", "ads.newcomer_link", status=422, severity="9", reason="另一个理由<b>", mode="act")
    assert 'id="p-severity-e"' in page
    assert "9 太大了 → 最多写 5" in page
    assert 'value="9"' in page
    assert "另一个理由&lt;b&gt;" in page
    assert drafts.draft() is None
    page = post(client, "edit-part", "rules", "ads.newcomer_link", status=422, _as="text", _text="rule_id: [")
    assert "看不懂" in page
    assert "rule_id: [" in page


@pytest.mark.usefixtures("muying")
def test_a_mistake_that_another_part_may_mend_does_not_keep_a_part_from_being_saved(sign_in: SignIn) -> None:
    client = sign_in()
    new = {"lexicon_id": "fresh", "title": "新词库", "terms": "代购返现\r\n刷单兼职 | 5\r\n代购返现二"}
    page = post(client, "edit-part", "lexicons", "+", **new)
    assert "已存进草稿" in page
    assert "没有规则用到词库“fresh” → 用到规则里，或删掉它" in page
    part = parts.find(draft_files(), "lexicons", "fresh")
    assert part is not None
    assert part.values["terms"] == ["代购返现", {"text": "刷单兼职", "severity": 5}, "代购返现二"]
    overview = client.get(reverse("edit-playbook")).content.decode()
    assert "1 处要改" in overview
    assert reverse("publish-playbook") not in overview
    checks = {"when.#": "n1", "when.n1.check": "terms", "when.n1.lexicons": ["", "fresh"]}
    new_rule = {"rule_id": "ads.fresh", "title": "新规则", "category": "ads", "reason": "请不要发。", **checks}
    assert "已存进草稿" in post(client, "edit-part", "rules", "+", **new_rule)
    assert reverse("publish-playbook") in client.get(reverse("edit-playbook")).content.decode()


@pytest.mark.usefixtures("muying")
def test_rows_come_and_go_and_yaml_is_the_same_thing(sign_in: SignIn) -> None:
    client = sign_in()
    kept = {"when.#": "0,1", "title": "还没保存"}
    page = post(client, "edit-part", "rules", "ads.newcomer_link", _op="add:when:flood", **kept)
    assert 'name="when.n1.messages" value="8"' in page
    assert "autofocus" in page
    assert 'value="还没保存"' in page
    page = post(client, "edit-part", "rules", "ads.newcomer_link", _op="remove:when.0", **kept)
    assert 'name="when.#" value="1"' in page
    page = post(client, "edit-part", "rules", "ads.newcomer_link", _tab="text", **kept)
    assert "title: 还没保存" in page
    page = post(
        client, "edit-part", "rules", "ads.newcomer_link", _as="text", _tab="form", _text="rule_id: ads.x\ntitle: 甲乙丙\n"
    )
    assert 'value="甲乙丙"' in page
    assert drafts.draft() is None
    text = "rule_id: ads.x   # 备注\ntitle: 甲\ncategory: ads\nreason: 请不要。\nwhen: [{check: length, over_chars: 900}]\n"
    post(client, "edit-part", "rules", "ads.newcomer_link", _as="text", _text=text)
    assert "  - rule_id: ads.x   # 备注\n" in draft_files()["rules.yaml"]


@pytest.mark.usefixtures("muying")
def test_the_sentence_follows_what_is_typed(sign_in: SignIn) -> None:
    client = sign_in()
    hours = {"when.0.joined_within": "5", "when.0.joined_within.unit": "h"}
    assert "5 小时" in post(client, "look-part", "rules", "ads.newcomer_contact", **hours)
    page = post(client, "look-part", "rules", "ads.newcomer_contact", title="换个名字", mode="act")
    assert "换个名字" in page
    assert "自动处理" in page
    assert "1 处要改" in post(client, "look-part", "rules", "ads.newcomer_contact", severity="x")
    assert drafts.draft() is None


@pytest.mark.usefixtures("muying")
def test_parts_are_copied_switched_and_deleted(sign_in: SignIn) -> None:
    client = sign_in()
    page = client.get(reverse("edit-part", args=["rules", "+"]), {"copy": "ads.words"}).content.decode()
    assert 'value="ads.words_copy"' in page
    post(client, "switch-part", "rules", "ads.words", on="no")
    assert rule("ads.words")["enabled"] is False
    assert "已停用" in client.get(reverse("edit-playbook")).content.decode()
    post(client, "switch-part", "rules", "ads.words", on="yes")
    assert "enabled" not in rule("ads.words")
    assert draft_files() == gallery.texts("muying")
    assert "不能停用" in post(client, "switch-part", "ladders", "gentle", on="no")
    post(client, "remove-part", "rules", "ads.words")
    assert parts.find(draft_files(), "rules", "ads.words") is None
    assert "已经不在" in post(client, "remove-part", "rules", "ads.words")


@pytest.mark.usefixtures("muying")
def test_a_draft_that_somebody_else_changed_is_not_overwritten_and_nothing_typed_is_lost(sign_in: SignIn) -> None:
    client = sign_in()
    post(client, "switch-part", "rules", "ads.words", on="no")
    page = post(client, "edit-part", "rules", "ads.advert", status=409, seen="0", title="我的名字")
    assert "草稿刚被别人改过" in page
    assert 'value="我的名字"' in page
    assert f'name="seen" value="{seen()}"' in page
    assert rule("ads.advert")["title"] != "我的名字"
    for name in ("remove-part", "switch-part"):
        assert "草稿刚被别人改过" in post(client, name, "rules", "ads.advert", seen="0", on="no")


def test_every_section_opens_and_single_parts_are_saved(sign_in: SignIn, muying: dict[str, str]) -> None:
    client = sign_in()
    for section in parts.SECTIONS:
        key = "+" if section in parts.ID_FIELDS else "-"
        response = client.get(reverse("edit-part", args=[section, key]))
        assert response.status_code == 200, section
    post(client, "edit-part", "playbook", "-", title="宝妈之家")
    assert draft_files()["playbook.yaml"] == muying["playbook.yaml"].replace("title: 母婴社群", "title: 宝妈之家")
    post(client, "edit-part", "blocklist", "-", blocklist="wmA\r\nwmB")
    part = parts.find(draft_files(), "blocklist", "-")
    assert part is not None
    assert part.plain == ["wmA", "wmB"]


def test_trying_a_rule_finds_messages_and_touches_nobody(sign_in: SignIn, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.say("老王", "代购返现<b>")
    stage.say("小红", "大家好")
    stage.say("阿强", "代 购 返 现", group="演练二群")
    stage.publish(PLAYBOOK)
    client = sign_in()
    page = post(client, "try-part", "rules", "ads.terms")
    for shown in (">2<", "2 人", "3 条消息", "老王", "代购返现&lt;b&gt;", "阿强"):
        assert shown in page
    group = str(Group.objects.get(name="演练二群").pk)
    page = post(client, "try-part", "rules", "ads.terms", _groups=[group], _newest="500")
    assert "阿强" in page
    assert "老王" not in page
    page = post(client, "try-part", "lexicons", "ads", terms="大家好")
    assert "小红" in page
    assert "先把这一项填对" in post(client, "try-part", "rules", "ads.terms", severity="x")
    assert not Case.objects.exists()
    assert drafts.draft() is None


SHIPPED = ("attributes", "tag_groups", "segments", "tiers")


@pytest.mark.parametrize("section", SHIPPED)
def test_what_ships_can_be_taken_into_the_draft_and_changed_there(sign_in: SignIn, section: str) -> None:
    playbooks.do_publish(actor=None, files={"mine.yaml": PLAYBOOK, "tiers.yaml": "schema_version: 1\n"}, reason="test")
    client = sign_in()
    assert "把自带的加进草稿" in client.get(reverse("edit-playbook")).content.decode()
    page = client.post(reverse("add-shipped", args=[section]), follow=True).content.decode()
    assert "自带的已加进草稿" in page
    assert "发布后会变的" in page
    draft = drafts.draft()
    assert draft is not None
    assert draft.files["mine.yaml"] == PLAYBOOK
    assert draft.files["tiers.yaml"] == "schema_version: 1\n"
    assert any(part.section == section for part in parts.parts(draft.files))
    assert "草稿里已经有了" in client.post(reverse("add-shipped", args=[section]), follow=True).content.decode()
    assert drafts.draft() == draft


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ANALYST])
def test_only_who_may_publish_takes_what_ships(sign_in: SignIn, role: Role) -> None:
    assert sign_in(role).post(reverse("add-shipped", args=["tiers"])).status_code == 403
    assert sign_in(Role.SUPERVISOR, (1,)).post(reverse("add-shipped", args=["tiers"])).status_code == 403
    assert "没有自带这一部分" in sign_in().post(reverse("add-shipped", args=["rules"]), follow=True).content.decode()
    assert drafts.draft() is None


@pytest.mark.usefixtures("muying")
@pytest.mark.parametrize("name", NAMES)
def test_only_leads_who_see_every_group_may_and_what_is_not_there_is_not_found(name: str, sign_in: SignIn) -> None:
    url = reverse(name, args=["rules", "ads.words"])
    for client in (sign_in(Role.MANAGER), sign_in(Role.ANALYST), sign_in(Role.SUPERVISOR, (1,))):
        assert client.post(url, {"seen": "0", "title": "x"}).status_code == 403
    client = sign_in()
    assert Client().post(url).status_code == 302
    for section, key in (("nothing", "x"), ("rules", "no.such"), ("rules", "-"), ("playbook", "+")):
        expected = 302 if name in ("remove-part", "switch-part") else 404
        assert client.post(reverse(name, args=[section, key]), {"seen": "0"}).status_code == expected
    assert drafts.draft() is None


def test_a_file_that_is_no_yaml_is_named_and_the_rest_can_be_filled_in(sign_in: SignIn) -> None:
    drafts.do_save_draft(actor=None, files={"playbook.yaml": PLAYBOOK, "broken.yaml": "rules: ["})
    client = sign_in()
    page = client.get(reverse("edit-playbook")).content.decode()
    assert "broken.yaml" in page
    assert "广告词" in page
    assert "已存进草稿" in post(client, "edit-part", "rules", "ads.terms", title="词")
    assert draft_files()["broken.yaml"] == "rules: ["


@pytest.mark.usefixtures("muying")
def test_the_list_of_parts_asks_few_queries(
    sign_in: SignIn, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    client = sign_in()
    client.get(reverse("edit-playbook"))
    with django_assert_max_num_queries(12):
        client.get(reverse("edit-playbook"))
