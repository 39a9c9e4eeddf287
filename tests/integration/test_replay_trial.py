"""A trial on the newest messages finds what a run over the whole past finds among them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connection

from qunce.domain.decisions import Decision
from qunce.domain.events import MemberUpdated, MessageCreated
from qunce.domain.keys import native_key
from qunce.engine import core
from qunce.journal.store import Journal
from qunce.playbook import parts
from qunce.playbook.load import parse
from qunce.readmodels.models import Message
from qunce.readmodels.rows import Database
from qunce.runtime.happenings import Resolver
from qunce.runtime.replay import trial
from qunce.testing.live import Stage

pytestmark = pytest.mark.django_db
PLAYBOOK = """\
schema_version: 1
playbook: {playbook_id: test, title: 测试}
exempt: {kinds: [staff]}
rules:
  - rule_id: newcomer
    title: 新人
    category: ads
    reason: 先认识。
    when: [WHEN, {check: pattern, any_of: [微信]}]
"""
HOUR = 3_600


def _rule(when: str) -> tuple[dict[str, str], Mapping[str, object]]:
    files = {"playbook.yaml": PLAYBOOK.replace("WHEN", when)}
    part = parts.find(files, "rules", "newcomer")
    assert part is not None
    return files, part.values


def _past(stage: Stage) -> None:
    """Let people join at different times, speak, go and come back, then talk of WeChat all together."""
    for name in ("老张", "老李"):
        stage.take(stage.joined(name))
        stage.wait(60)
    stage.say("老张", "我先说一句")
    stage.say("老张", "再说一句")
    staff = stage.said("客服", "大家好", kind="unknown")
    stage.take(staff)
    flag = msgspec.structs.replace(
        staff, body=MemberUpdated(field="kind", new="staff"), dedupe_key=native_key("kind", "客服"), conv=None,
        subject=staff.actor, actor=None,
    )  # fmt: skip
    stage.take(flag)
    stage.wait(48 * HOUR)
    stage.take(stage.joined("老李"), stage.joined("小新"))
    for number in range(30):
        stage.say("路人", f"第 {number} 句闲话")
    stage.say("小新", "我是新来的")


def _talk(stage: Stage) -> int:
    before = stage.ingest.journal.head()
    stage.wait(1)
    stage.take(stage.joined("刚来"))
    for name in ("老张", "老李", "小新", "刚来", "路人", "客服", "没人知道"):
        stage.say(name, f"{name}的微信号是多少")
        stage.say(name, "加个微信")
    return before


def _whole(files: dict[str, str], after: int) -> set[int]:
    """Return what a run over everything finds after a position."""
    stored = Journal(connection).at(range(1, 10_000))
    state, program = core.State(), core.compile_rules(parse(files))
    found = set()
    for one in Resolver(Database(connection)).happenings([stored[seq] for seq in sorted(stored)]):
        for decision in core.step(state, one, program, one.event.ts_ms):
            if isinstance(decision, Decision) and one.seq > after and isinstance(one.event.body, MessageCreated):
                found.add(one.seq)
    return found


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("{check: newcomer, joined_within: 24h}", id="newcomers by time"),
        pytest.param("{check: newcomer, first_messages: 2}", id="newcomers by messages"),
        pytest.param("{check: newcomer, joined_within: 24h, first_messages: 2}", id="newcomers by both"),
        pytest.param("{check: flood, messages: 5, window: 1m}", id="floods that began before"),
    ],
)
def test_a_trial_knows_what_was_before_its_messages(tmp_path: Path, when: str) -> None:
    stage = Stage(tmp_path)
    _past(stage)
    after = _talk(stage)
    files, values = _rule(when)
    newest = Message.objects.filter(seq__gt=after).count()
    assert newest == 14
    tried = trial.try_part(files, "rules", values, group_ids=None, newest=newest)
    assert tried is not None
    assert tried.messages == newest
    expected = _whole(files, after)
    assert {line.seq for row in tried.rows for line in row.samples} <= expected
    assert tried.found == len(expected)


def test_a_colleague_flagged_long_ago_is_a_colleague_in_a_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MOST_HAPPENINGS", 1)
    monkeypatch.setattr(trial, "MESSAGES_BEFORE", 1)
    stage = Stage(tmp_path)
    _past(stage)
    _talk(stage)
    files, values = _rule("{check: newcomer, joined_within: 24h}")
    everybody = {"when": [{"check": "pattern", "any_of": ["微信"]}]}
    tried = trial.try_part(files, "rules", {**values, **everybody}, group_ids=None, newest=14)
    assert tried is not None
    assert "客服" not in {line.person for row in tried.rows for line in row.samples}
    tried = trial.try_part(files, "rules", values, group_ids=None, newest=14)
    assert tried is not None
    people = {line.person for row in tried.rows for line in row.samples}
    assert {"小新", "刚来", "老李"} == people


def test_a_trial_asks_the_database_the_same_few_times_however_much_there_is(
    tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    stage = Stage(tmp_path)
    _past(stage)
    _talk(stage)
    files, values = _rule("{check: newcomer, joined_within: 24h}")
    with django_assert_max_num_queries(24):
        trial.try_part(files, "rules", values, group_ids=None, newest=14)
    for _round in range(5):
        _talk(stage)
    with django_assert_max_num_queries(24):
        trial.try_part(files, "rules", values, group_ids=None, newest=84)
