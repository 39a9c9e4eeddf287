"""What people teach: too few marks change nothing, enough of both kinds do, and each can be tried and taken back."""

from pathlib import Path

import pytest

from qunce.engine.learning.lessons import MIN_EACH
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import channel_views, channels, marks
from qunce.runtime.models import Case, Channel
from qunce.testing.live import ACCOUNT, Stage

pytestmark = pytest.mark.django_db

SPAM = """\
schema_version: 1
playbook: {playbook_id: learning, title: 学习}
rules:
  - rule_id: spam.model
    title: 像广告
    category: ads
    reason: 看起来像广告。
    mode: suggest
    when: [{check: model, model: spam, at_least: 0.99}]
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.publish(SPAM)
    return stage


def teach(stage: Stage, count: int) -> list[int]:
    seqs = []
    for index in range(count):
        spam = stage.say("老王", f"紫色大象养殖基地第 {index} 期名额开放")
        ham = stage.say("小红", f"今天第 {index} 组的作业大家交了吗")
        marks.do_teach(actor=None, model="spam", seq=spam, label=True, clock=stage.clock)
        marks.do_teach(actor=None, model="spam", seq=ham, label=False, clock=stage.clock)
        seqs += [spam, ham]
    return seqs


def test_enough_marks_of_both_kinds_change_what_is_found_and_each_decision_says_so(stage: Stage) -> None:
    seqs = teach(stage, MIN_EACH - 1)
    assert marks.missing("spam") == (1, 1)
    stage.say("老王", "紫色大象养殖基地第 98 期名额开放")
    stage.react()
    assert not Case.objects.filter(area="moderation").exists()
    seqs += teach(stage, MIN_EACH)[-2:]
    stage.react()
    stage.say("老李", "紫色大象养殖基地第 99 期名额开放")
    stage.react()
    case = Case.objects.filter(area="moderation").latest("id")
    assert (case.rule_id, case.version.endswith(f"+{marks.generation()}")) == ("spam.model", True)
    before = marks.generation()
    marks.do_untaught(actor=None, model="spam", seq=seqs[0], clock=stage.clock)
    assert marks.generation() == before + 1
    with pytest.raises(CommandRefused):
        marks.do_untaught(actor=None, model="spam", seq=seqs[0], clock=stage.clock)


def test_a_mark_can_be_tried_before_it_is_given(stage: Stage) -> None:
    teach(stage, MIN_EACH - 1)
    stage.say("老王", "紫色大象养殖基地第 98 期名额开放")
    last_ham = stage.say("小红", "今天最后一组的作业大家交了吗")
    marks.do_teach(actor=None, model="spam", seq=last_ham, label=False, clock=stage.clock)
    last_spam = stage.say("老王", "紫色大象养殖基地第 97 期名额开放")
    preview = marks.preview_teach("spam", last_spam, True, at_least=0.99)
    assert (preview.before.model is None, preview.after.model is not None) == (True, True)
    assert "紫色大象养殖基地第 98 期名额开放" in {change.text for change in preview.found}
    assert marks.missing("spam") == (1, 0), "a preview teaches nothing"


def test_a_message_without_text_teaches_nothing(stage: Stage) -> None:
    with pytest.raises(CommandRefused):
        marks.do_teach(actor=None, model="spam", seq=99, label=True)


BAD_SETTINGS = [
    pytest.param("pager", {}, "no kind of channel", id="an unknown kind"),
    pytest.param("matrix", {"homeserver": "https://m.example"}, "user_id", id="something is missing"),
    pytest.param("practice", {"name": "另一个", "colour": "red"}, "colour", id="an unknown setting"),
    pytest.param("practice", {"name": ACCOUNT}, "already", id="an account we have"),
]


@pytest.mark.parametrize(("connector", "settings", "says"), BAD_SETTINGS)
def test_bad_settings_are_refused_with_their_name(connector: str, settings: dict[str, str], says: str, stage: Stage) -> None:
    with pytest.raises(CommandRefused, match=says):
        channels.do_add_channel(actor=None, connector=connector, name="x", settings=settings)


def test_secrets_are_encrypted_and_never_shown(stage: Stage) -> None:
    from django.db import connection

    settings = {"homeserver": "https://m.example", "user_id": "@bot:m.example", "token": "syt_secret"}
    pk = channels.do_add_channel(actor=None, connector="matrix", name="客服号", settings=settings)
    with connection.cursor() as cursor:
        cursor.execute("SELECT settings FROM channel WHERE id = %s", [pk])
        assert "syt_secret" not in cursor.fetchone()[0]
    detail = channel_views.channel_detail(pk)
    assert detail is not None
    assert dict(detail.settings) == {"homeserver": "https://m.example", "user_id": "@bot:m.example"}
    assert "syt_secret" not in repr(detail)
    assert (detail.row.mode, detail.row.status) == ("simulated", "new")
    channels.do_change_channel(actor=None, channel_id=pk, settings={"homeserver": "https://new.example", "token": ""})
    assert "syt_secret" in Channel.objects.get(pk=pk).settings, "an empty secret keeps the one there is"
    with pytest.raises(CommandRefused):
        channels.do_change_channel(actor=None, channel_id=pk, settings={"user_id": "@other:m.example"})


def test_every_kind_of_channel_can_be_described_and_sorted_by_who_must_act(stage: Stage) -> None:
    kinds = {row.connector: row for row in channel_views.kinds()}
    assert {"practice", "matrix", "telegram", "onebot11", "irc", "webhook_in"} <= kinds.keys()
    assert kinds["wecom_robot"].sends_only
    detail = channel_views.channel_detail(stage.channel_id)
    assert detail is not None
    assert [one.name for one in detail.automatic if one.name == "member.mute"] == ["member.mute"]
