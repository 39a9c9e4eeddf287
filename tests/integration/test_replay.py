"""A person runs a playbook over the stored past, compares two, and publishes one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qunce.accounts.models import Staff
from qunce.domain.ids import seq_of
from qunce.readmodels.models import Group
from qunce.runtime.cli.main import main
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import PlaybookVersion
from qunce.runtime.replay.service import ReplayRefused, Request, files_of, replay
from qunce.testing.builders import answered, chat, flagged, moment, said

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = """schema_version: 1
playbook: {playbook_id: test, title: 测试}
lexicons:
  - {lexicon_id: ads, title: 广告, terms: [加微信, 日结]}
rules:
  - {rule_id: ads, title: 广告词, category: ads, reason: 不发广告, when: [{check: terms, lexicons: [ads]}]}
answers:
  - {rule_id: sla, title: 三分钟应答, first_within: 3m}
"""
CHAT = """
    09:00 小红: 怎么报名
    09:01 小明: 加微信 日结
    09:05 小丽*: 点公告里的链接
    10:00 小红: 几点开始
    10:01 小丽*: 八点
"""


@pytest.fixture
def past() -> None:
    ingest = Ingest(clock=lambda: moment("23:00", 30))
    ingest.take_all([*chat("一群", CHAT), *chat("二群", "11:00 小明: 日结 加微信"), flagged("小丽", "staff", at="08:00")])


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str = PLAYBOOK, name: str = "book") -> Path:
        path = tmp_path / name
        path.mkdir()
        (path / "playbook.yaml").write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run a command in this process; return the exit code and what it printed."""
    monkeypatch.setattr("qunce.runtime.cli.main.make_ready", lambda: None)

    def call(*words: object) -> tuple[int, str]:
        code = main([*map(str, words)])
        told = capsys.readouterr()
        return code, told.out + told.err

    return call


@pytest.mark.django_db
def test_the_report_names_rules_people_messages_and_late_answers(past: None) -> None:
    report = replay(Request(playbook={"playbook.yaml": PLAYBOOK}))
    ads = next(row for row in report.side.rules if row.rule_id == "ads")
    assert (ads.decisions, ads.people, ads.verdict, ads.mode) == (2, 1, "review", "observe")
    assert [(line.person, line.group, line.text) for line in ads.samples] == [
        ("小明", "一群", "加微信 日结"), ("小明", "二群", "日结 加微信"),
    ]  # fmt: skip
    assert [seq_of(line.event_id) for line in ads.samples] == [line.seq for line in ads.samples]
    (answers,) = report.side.answers
    assert (answers.what, answers.answered, answers.late, answers.median_s, answers.p90_s) == ("first staff", 2, 1, 60, 300)
    assert [(line.responder, line.waited_s) for line in report.side.late] == [("小丽", 300)]
    assert (report.side.delay.messages, report.side.delay.median_s) == (0, None), "the past was imported"
    assert {row.group: row.messages for row in report.groups} == {"一群": 5, "二群": 1}


@pytest.mark.django_db
def test_answers_from_the_desk_stand_beside_those_in_the_group() -> None:
    Staff.objects.create_user("anan", "a long password", display_name="安安")
    asked = said("一群", "小红", "怎么报名", at="09:00")
    late = said("一群", "小红", "几点开始", at="11:00")
    Ingest(clock=lambda: moment("23:00", 30)).take_all([
        flagged("小丽", "staff", at="08:00"), asked, answered(asked, "anan", at="09:02"),
        *chat("一群", "10:00 小明: 怎么报名\n10:01 小丽*: 看公告"), late, answered(late, "anan", at="11:05"),
    ])  # fmt: skip
    report = replay(Request(playbook={"playbook.yaml": PLAYBOOK}))
    assert [(row.what, row.answered, row.late, row.median_s) for row in report.side.responders] == [
        ("安安", 2, 1, 120), ("小丽", 1, 0, 60),
    ]  # fmt: skip
    assert sum(row.answered for row in report.side.responders) == sum(row.answered for row in report.side.answers)
    assert [(line.responder, line.waited_s) for line in report.side.late] == [("安安", 300)]


@pytest.mark.django_db
def test_a_stretch_and_a_group_can_be_chosen(past: None) -> None:
    group = Group.objects.get(name="一群").pk
    report = replay(Request(playbook={"playbook.yaml": PLAYBOOK}, group_ids=frozenset({group}), since_ms=moment("09:30")))
    assert [row.group for row in report.groups] == ["一群"]
    assert {(row.rule_id, row.verdict) for row in report.side.rules} == {("sla", "awaits"), ("sla", "answered")}
    nothing = replay(Request(playbook={"playbook.yaml": PLAYBOOK}, until_ms=moment("08:30")))
    assert nothing.side.rules == ()


@pytest.mark.django_db
def test_the_difference_leads_to_messages(past: None, run: Callable[..., tuple[int, str]], folder: Callable[..., Path]) -> None:
    old = folder(PLAYBOOK.replace("加微信, ", ""), "old")
    new = folder(PLAYBOOK.replace(", 日结", "").replace("first_within: 3m", "first_within: 10m"), "new")
    code, told = run("replay", "--playbook", new, "--against", old, "--json")
    report = json.loads(told)
    assert code == 1
    assert [(row["rule_id"], row["verdict"]) for row in report["removed"]] == [("sla", "late"), ("sla", "answered")]
    assert [line["text"] for row in report["removed"] for line in row["samples"]] == ["怎么报名", "点公告里的链接"]
    assert [(row["rule_id"], row["verdict"]) for row in report["added"]] == [("sla", "answered")]
    assert report["same"] == 5
    code, told = run("replay", "--playbook", new, "--against", old)
    assert code == 1
    assert "no longer:" in told
    assert "点公告里的链接" in told


@pytest.mark.django_db
def test_with_itself_there_is_no_difference(
    past: None, run: Callable[..., tuple[int, str]], folder: Callable[..., Path]
) -> None:
    book = folder()
    assert run("replay", "--playbook", book, "--against", book)[0] == 0


@pytest.mark.django_db
def test_a_published_version_is_replayed_by_its_number(
    past: None, run: Callable[..., tuple[int, str]], folder: Callable[..., Path]
) -> None:
    code, told = run("playbook", "import", folder(), "--reason", "first try")
    assert (code, told) == (0, "version 1 is in force\n")
    assert PlaybookVersion.objects.get().reason == "first try"
    assert files_of("1") == files_of("v1") == {"playbook.yaml": PLAYBOOK}
    assert run("replay", "--playbook", "1")[0] == 0
    assert "first try" in run("playbook", "list")[1]


@pytest.mark.django_db
def test_a_bad_playbook_is_refused_with_every_mistake(run: Callable[..., tuple[int, str]], folder: Callable[..., Path]) -> None:
    bad = folder(PLAYBOOK.replace("first_within: 3m", "first_within: 3").replace("category", "categroy"), "bad")
    for words in (("replay", "--playbook", bad), ("playbook", "check", bad), ("playbook", "import", bad, "--reason", "x")):
        code, told = run(*words)
        assert code == 2
        assert "not a duration" in told
        assert "playbook.yaml:8" in told
        assert "did you mean 'category'" in told
    code, told = run("playbook", "check", bad, "--json")
    assert code == 2
    assert all(problem["fix"] and problem["line"] for problem in json.loads(told))


@pytest.mark.django_db
def test_what_is_not_there_is_said_in_one_line(run: Callable[..., tuple[int, str]], folder: Callable[..., Path]) -> None:
    book = folder()
    with pytest.raises(ReplayRefused):
        files_of("nowhere")
    for words, part in (
        (("replay", "--playbook", "nowhere"), "no folder and no published version"),
        (("replay", "--playbook", book, "--group", "没有"), "there is no group"),
        (("replay", "--playbook", book, "--since", "昨天"), "not a time"),
        (("playbook", "explain", "gallery:none"), "the gallery has no"),
    ):
        code, told = run(*words)
        assert (code, told.count("\n")) == (2, 1)
        assert part in told


@pytest.mark.django_db
def test_export_explain_and_diff(run: Callable[..., tuple[int, str]], folder: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("playbook", "export", "gallery:muying", out)[0] == 0
    assert run("playbook", "check", out)[0] == 0
    assert run("playbook", "diff", out, "gallery:muying") == (0, "0 change(s)\n")
    assert run("replay", "--playbook", "gallery:muying", "--against", out)[0] == 0
    assert run("playbook", "export", "gallery:muying", out)[0] == 2
    code, told = run("playbook", "diff", folder(), folder(PLAYBOOK.replace("3m", "2m"), "other"))
    assert (code, told) == (1, "~ answers.sla.first_within: 180 → 120\n1 change(s)\n")
    assert "三分钟应答" in run("playbook", "explain", tmp_path / "book")[1]
    assert "不发广告" in run("playbook", "explain", tmp_path / "book", "--rules")[1]


@pytest.mark.sqlite
def test_two_processes_report_what_one_reports(tmp_path: Path, folder: Callable[..., Path]) -> None:
    """Real processes on a real file: each has a connection of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DATABASE_", "QUNCE_"))}
    environment["PYTHONPATH"] = str(ROOT / "src")

    def qunce(*words: object) -> Any:
        command = [sys.executable, "-m", "qunce.runtime.cli", "--data", str(tmp_path / "data"), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=True)
        return done.stdout

    events = tmp_path / "events.jsonl"
    qunce("simulate", "--groups", 4, "--members", 80, "--days", 4, "--end", "2026-03-08", "--out", events)
    qunce("import", events, "--quiet")
    reports = [json.loads(qunce("replay", "--playbook", folder(name=f"p{n}"), "--processes", n, "--json")) for n in (1, 2)]
    for report in reports:
        del report["seconds"], report["processes"]
    assert reports[0] == reports[1]
    assert reports[0]["messages"] > 100
