"""Tags by model: put with messages, probability and the model's digest; taught by marks, previewed, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Staff
from qunce.engine.learning.lessons import MIN_EACH
from qunce.engine.text.views import Views
from qunce.playbook import gallery
from qunce.readmodels.models import Member, Message, TagHolding
from qunce.runtime import jobs
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import marks, playbooks
from qunce.runtime.profile import following, rules, runs
from qunce.runtime.profile.models import judge_of
from qunce.runtime.profile.vocabulary import in_force
from qunce.runtime.rebuild import rebuild
from qunce.runtime.segments.turning import AGAIN_MS
from qunce.testing import builders as b

pytestmark = pytest.mark.django_db

PLAYBOOK = """schema_version: 1
playbook: {playbook_id: t, title: 测试}
tag_groups:
  - group_id: need
    title: 需求
    tags:
      - tag_id: 宝宝湿疹
        title_en: Eczema
        rules: [{rule_id: eczema, model: own, at_least: 0.7, within: 30d, mode: act, reason: 聊过湿疹}]
      - tag_id: 疑似广告
        rules: [{rule_id: ads, model: spam, times: 2, within: 30d, mode: act, confidence: 0.6}]
      - tag_id: 不满
        rules: [{rule_id: cross, model: mood, at_least: 0.8, within: 30d}]
"""
ALL = frozenset({"eczema", "ads", "cross"})
NOON = b.moment("12:00")
CLOCK = [NOON]
AD = "兼职招人，日结三百，在家就能做，加微信 wx88123 领红包"


@pytest.fixture(autouse=True)
def _world(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    for module in (runs, jobs):
        monkeypatch.setattr(module, "now_ms", lambda: CLOCK[0])
    CLOCK[0] = NOON
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="test")
    asks = [b.said("群", f"妈妈{n}", f"第{n}次问宝宝湿疹怎么护理，红了一片", at="09:00", id=f"y{n}") for n in range(30)]
    talks = [b.said("群", f"跑者{n}", f"第{n}天打卡，今天吃了面条", at="09:01", id=f"n{n}") for n in range(30)]
    ads = [b.said("群", "推广", AD + str(n), at=f"10:0{n}", id=f"a{n}") for n in range(2)]
    fresh = [
        b.said("群", "新妈妈", "宝宝湿疹又红了怎么护理", at="11:00", id="f1"),
        b.said("群", "路人", "吃饺子", at="11:01", id="f2"),
    ]
    Ingest().take_all([*asks, *talks, *ads, *fresh])


def teach(yes: int, no: int) -> None:
    for text, count, label in (("宝宝湿疹怎么护理，", yes, True), ("打卡，今天", no, False)):
        for message in Message.objects.filter(text__contains=text).order_by("seq")[:count]:
            marks.do_teach(actor=None, model=marks.own_model("eczema"), seq=message.seq, label=label)


def holders(tag: str) -> set[str]:
    rows = TagHolding.objects.filter(tag=tag, taken_ms=None).values("identity_id")
    return set(Member.objects.filter(identity__pk__in=rows).values_list("name", flat=True))


def test_a_rules_own_model_says_nothing_before_it_has_marks_of_both_kinds() -> None:
    teach(MIN_EACH, MIN_EACH - 1)
    assert rules.run(in_force(), ALL, NOON)["puts"]["eczema"] == 0
    assert marks.missing(marks.own_model("eczema")) == (0, 1)


def test_what_was_taught_finds_others_with_message_probability_and_digest() -> None:
    teach(25, 25)
    rules.run(in_force(), ALL, NOON)
    assert "新妈妈" in holders("宝宝湿疹")
    assert not {"路人", "推广"} & holders("宝宝湿疹")
    row = TagHolding.objects.get(tag="宝宝湿疹", identity_id=Member.objects.get(name="新妈妈").identity_set.get().pk)
    rule = in_force().tags["宝宝湿疹"][1].rules[0]
    judge = judge_of(rule)
    assert judge is not None
    assert judge.calibration is not None
    sure = round(judge.probability(Views("宝宝湿疹又红了怎么护理")), 4)
    assert (row.kept, row.version, row.confidence) == ("model", f"tag/eczema@{judge.digest}", sure)
    assert row.evidence == str([Message.objects.get(text="宝宝湿疹又红了怎么护理").seq])
    assert row.reason == f"聊过湿疹（{sure:.0%}）"
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def test_a_shipped_model_says_that_its_scores_are_not_calibrated() -> None:
    rules.run(in_force(), ALL, NOON)
    assert holders("疑似广告") == {"推广"}
    row = TagHolding.objects.get(tag="疑似广告")
    assert row.version.startswith("spam@")
    assert row.confidence == 0.6, "the rule's own word, for a score is no probability"
    assert row.reason.endswith("未校准")
    assert len(row.evidence.split(",")) == 2


def test_marks_change_the_model_and_taking_them_back_takes_its_tags_back() -> None:
    follower = following.Follower(lambda: CLOCK[0])
    for _ in range(3):
        follower.turn(), jobs.run_next()
    assert holders("宝宝湿疹") == set()
    teach(25, 25)
    CLOCK[0] += AGAIN_MS
    follower.turn()
    assert jobs.run_next(), "another model is run over everybody"
    assert "新妈妈" in holders("宝宝湿疹")
    Ingest(lambda: CLOCK[0]).take_all([b.said("群", "又一位", "湿疹怎么护理呀，宝宝红了一片", at="11:30", id="z")])
    assert follower.turn() > 0
    assert "又一位" in holders("宝宝湿疹"), "new messages are followed"
    for lesson in marks.learnt_lessons(marks.own_model("eczema"))[:10]:
        marks.do_untaught(actor=None, model=marks.own_model("eczema"), seq=int(lesson.lesson_id))
    CLOCK[0] += AGAIN_MS
    follower.turn()
    assert jobs.run_next()
    assert holders("宝宝湿疹") == set()


def test_marking_a_message_right_or_wrong_is_looked_at_first_listed_and_taken_back(client: Client) -> None:
    client.force_login(Staff.objects.create_user("lead", "correct-horse-9", role="supervisor"))
    seq = Message.objects.get(text="吃饺子").seq
    address = f"{reverse('teach-message', args=[seq])}?model=tag/eczema&label=no"
    look = client.get(address).content.decode()
    assert "「宝宝湿疹」不对" in look
    assert "这个模型还不判断：还差 20 条“对”和 19 条“不对”" in look
    assert not marks.learnt_lessons("tag/eczema")
    client.post(reverse("teach-message", args=[seq]), {"model": "tag/eczema", "label": "no"})
    assert [lesson.label for lesson in marks.learnt_lessons("tag/eczema")] == [False]
    page = client.get(reverse("lessons")).content.decode()
    assert "标签「宝宝湿疹」" in page
    assert "「宝宝湿疹」不对" in page
    client.post(reverse("unteach-message", args=[seq]), {"model": "tag/eczema", "back": "lessons"})
    assert not marks.learnt_lessons("tag/eczema")
    assert client.post(reverse("unteach-message", args=[seq]), {"model": "tag/none"}).status_code == 404


def test_the_page_of_a_tag_says_which_model_it_is_and_leads_to_its_marks(client: Client) -> None:
    client.force_login(Staff.objects.create_user("lead", "correct-horse-9", role="supervisor"))
    assert "模型还没学会" in client.get(reverse("tag", args=["宝宝湿疹"])).content.decode()
    teach(25, 25)
    rules.run(in_force(), ALL, NOON)
    page = client.get(reverse("tag", args=["宝宝湿疹"])).content.decode()
    assert "按这里的标注校准的概率，模型 tag/eczema@" in page
    assert "?model=tag/eczema&amp;label=no" in page
    assert "未校准，模型 spam@" in client.get(reverse("tag", args=["疑似广告"])).content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("model: own, said: [湿疹]", "words and a model would count the same messages"),
        ("said: [湿疹], at_least: 0.8", "no model is asked"),
        ("model: horoscope", "model"),
    ],
    ids=["a model and words", "a threshold without a model", "an unknown model"],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_mend(wrong: str, said: str) -> None:
    from qunce.playbook.errors import InvalidPlaybook

    text = PLAYBOOK.replace("model: own, at_least: 0.7", wrong)
    with pytest.raises(InvalidPlaybook) as refused:
        playbooks.do_publish(actor=None, files={"playbook.yaml": text, **gallery.segments()}, reason="test")
    assert said in str(refused.value.problems if hasattr(refused.value, "problems") else refused.value.args)
