"""Mistakes of a playbook and notes of findings are told in Chinese too: whole sentences, with their values."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from qunce import engine, playbook
from qunce.console.findings import note_text
from qunce.domain.decisions import Evidence
from qunce.playbook.errors import Problem
from qunce.playbook.wording.chinese import in_chinese, problem_in
from qunce.playbook.wording.table import MENDS, MISTAKES, PIECES
from qunce.runtime.cli import playbooks

PACKAGE = Path(playbook.__file__).parent
FINDING = (
    "binding.py", "check.py", "duty.py", "load.py", "parts.py", "profile.py", "responses.py", "safety.py", "tiers.py",
    "units.py", "values.py", "segments/build.py", "segments/check.py", "segments/conditions.py",
)  # fmt: skip
"""What finds mistakes."""
NOT_TOLD = {
    " such as {}", ", in {}", "add “{}:”{}", "write digits{}", "of: {}", "a group", "a member", "a membership",
    "one second divides every whole number", "schema_version: {}\n\n{}", "{}: {}", "{} and {}", "(?:([a-z,\\-]+) )?"
    "([01]\\d|2[0-3]):([0-5]\\d)-([01]\\d|2[0-3]):([0-5]\\d)", "group rules", "what the group is", "why to stay",
    "newcomers who want to be told", "people who talk as equals", "people who want to be seen",
}  # fmt: skip
"""Texts with a space that are no sentence about a mistake: parts that are put together, names, patterns."""
HAN = re.compile(r"[\u4e00-\u9fff]")


def _skeleton(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def _sentences(path: Path) -> Iterator[str]:
    """Yield the texts of a module that could be sentences, but for what documents it."""
    tree = ast.parse(path.read_text("utf-8"))
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    apart |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }
    for node in ast.walk(tree):
        text = None if id(node) in apart else _skeleton(node)
        if text is not None and " " in text.strip() and re.search(r"[a-z]", text):
            yield text


def test_every_sentence_about_a_mistake_has_its_chinese() -> None:
    told = {**PIECES, **MENDS, **MISTAKES}
    texts = {text for name in FINDING for text in _sentences(PACKAGE / name)}
    missing = {text for text in texts if text not in told and not HAN.search(in_chinese(text))} - NOT_TOLD
    assert not missing, "\n".join(sorted(missing))


def test_no_sentence_of_the_table_has_gone() -> None:
    known = {text for name in FINDING for text in _sentences(PACKAGE / name)}
    made = {"add “{}:”", "add “{}:” such as {}", "write digits", "write digits, in {}"}
    assert not (set(MISTAKES) | set(MENDS)) - known - made


def test_every_value_of_a_sentence_is_in_its_chinese() -> None:
    for english, chinese in {**MISTAKES, **MENDS, **PIECES}.items():
        holes = re.findall(r"\{(\d?)\}", chinese)
        numbered = sorted(int(hole) for hole in holes if hole)
        assert len(holes) == english.count("{}"), english
        assert numbered in ([], list(range(len(holes)))), english
        assert HAN.search(chinese) or english == "write {value}", english


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        pytest.param("write at least 2 letters", "至少写 2 个字", id="a sentence as it is"),
        pytest.param("unknown key 'modee'", "没有“modee”这一项", id="a value in quotes"),
        pytest.param("did you mean 'mode'?", "是不是“mode”？", id="a meant word"),
        pytest.param("expected a whole number, found 'abc'", "这里要整数，写的是“abc”", id="a type is named"),
        pytest.param("expected a list, found nothing", "这里要列表，写的是空的", id="nothing is named"),
        pytest.param("write at least 30s", "至少写 30 秒", id="a length of time"),
        pytest.param("5 of 3 terms can never be found", "一共只有 3 个词，不可能找到 5 个", id="values change places"),
        pytest.param("unknown placeholder {foo}", "没有 {foo} 这个占位词", id="braces of a template stay"),
        pytest.param("not YAML: could not find expected ':'", "不是正确的 YAML：少了冒号", id="YAML's own words"),
        pytest.param(
            "not a regular expression: missing ), unterminated subpattern at position 3",
            "不是正则表达式：少了右括号（第 3 个字符处）", id="words in words in words",
        ),
        pytest.param(
            "who complains or is in need is answered by a person; deleting makes a crisis worse",
            "抱怨或求助的人由人来回应；删消息只会让事情更糟", id="a sentence within a sentence",
        ),
        pytest.param("something nobody has translated", "something nobody has translated", id="an unknown one says itself"),
    ],
)  # fmt: skip
def test_a_sentence_is_told_in_chinese(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


@settings(deadline=None)
@given(st.sampled_from(sorted(MISTAKES)), st.lists(st.text(min_size=1, max_size=30), min_size=4, max_size=4))
def test_whatever_the_values_are_they_are_told(sentence: str, values: list[str]) -> None:
    left = iter(values)
    assert HAN.search(in_chinese(re.sub(r"\{\}", lambda _hole: next(left), sentence)))


def test_a_problem_is_told_in_the_language_of_the_reader() -> None:
    problem = Problem(file="a.yaml", line=1, path="rules[0]", message="no ladder 'x'", fix="delete it")
    assert problem_in(problem, "en") == ("no ladder 'x'", "delete it")
    assert problem_in(problem, "zh") == ("没有“x”这个处罚阶梯", "去掉它")


def test_the_command_tells_mistakes_in_the_language_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "playbook.yaml").write_text("schema_version: 1\nplaybook: {playbook_id: a, title: A, versio: 1}\n", "utf-8")
    parser = argparse.ArgumentParser()
    playbooks.add_arguments(parser)
    assert playbooks.run(parser.parse_args(["check", str(tmp_path)])) == 2
    assert "unknown key 'versio'. Fix: did you mean 'version'?." in capsys.readouterr().err
    assert playbooks.run(parser.parse_args(["check", str(tmp_path), "--language", "zh"])) == 2
    told = capsys.readouterr().err
    assert "playbook.yaml:2：playbook.versio：没有“versio”这一项。改法：是不是“version”？。" in told
    assert not re.search(r"[a-z]{3,} [a-z]{3,}", told)


NOTES = (
    ("flood", "6 messages in 10s", "10 秒内 6 条", "6 in 10 seconds"),
    ("duplicate", "3 alike by 2 in 10m", "10 分钟内 3 条相同或相近，来自 2 人",
     "3 alike or nearly, by 2 people, in 10 minutes"),
    ("mention", "everyone", "@ 了所有人", "everyone was called with @"),
    ("mention", "12 people", "@ 了 12 人", "12 people were called with @"),
    ("media", "image+video", "图片、视频", "Image, Video"),
    ("media", "3 of image in 1m", "1 分钟内 3 条图片", "3 of Image in 1 minute"),
    ("report", "3 people in 1h", "1 小时内有 3 人举报", "reported by 3 people in 1 hour"),
    ("quarrel", "4 findings of 2 people in 5m", "5 分钟内 2 人起了 4 次冲突", "4 clashes of 2 people in 5 minutes"),
    ("speaks_while_muted", "90 s left", "禁言还剩 1 分 30 秒", "muted for another 1m 30s"),
    ("newcomer", "joined 3600 s ago, message 2", "进群 1 小时，第 2 条发言", "1h after joining, message 2"),
    ("newcomer", "message 1", "第 1 条发言", "message 1"),
    ("raid", "30 joins in 1m", "1 分钟内进来 30 人", "30 joined in 1 minute"),
    ("rejoin", "3 joins in 7d", "7 天内进群 3 次", "joined 3 times in 7 days"),
    ("sister", "in 福利群 by another account", "也在“福利群”（用另一个账号）", "also in 福利群 (by another account)"),
    ("sister", "in 福利群; left 新品群; removed from 三群; 2 more", "也在“福利群”；退出过“新品群”；被移出过“三群”；还有 2 个群",
     "also in 福利群; left 新品群; removed from 三群; 2 groups more"),
    ("name", "like a colleague's name", "和同事的名字很像", "much like a colleague's name"),
    ("blocked", "blocklist", "在规则的黑名单里", "on the blocklist of the rules"),
    ("blocked", "发广告", "发广告", "发广告"),
    ("pattern", "in a long text", "在一段长文字里", "in a long text"),
    ("concept", "bargain", "拼多多、砍价、助力", "bargain and help-me links"),
    ("crisis", "health", "吃坏、用坏、过敏、中毒", "harm to health"),
    ("contact", "wechat in a QR code", "二维码里有微信号", "a QR code holds WeChat ids"),
    ("qr", "no link", "不是链接", "no link"),
    ("qr", "u.example.com", "u.example.com", "u.example.com"),
    ("link", "u.example.com", "u.example.com", "u.example.com"),
    ("length", "812 characters", "812 个字", "812 characters"),
    ("model", "spam v3", "广告，第 3 版", "spam, version 3"),
    ("mood", "mood v2", "情绪模型第 2 版", "mood model, version 2"),
    ("question", "learnt", "由同事的标记学会", "learnt from colleagues' marks"),
)  # fmt: skip


@pytest.mark.parametrize(("check", "note", "zh", "en"), NOTES, ids=[f"{check}: {note}" for check, note, _zh, _en in NOTES])
def test_a_note_of_a_finding_is_told_in_both_languages(check: str, note: str, zh: str, en: str) -> None:
    with translation.override("zh-hans"):
        assert note_text(Evidence(check=check, note=note)) == zh
    with translation.override("en"):
        assert note_text(Evidence(check=check, note=note)) == en


def test_every_note_of_the_engine_is_among_these() -> None:
    forms = set()
    here = Path(engine.__file__).parent
    for path in (*here.joinpath("moderation/checks").glob("*.py"), here / "desk/decide.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            given_note = isinstance(node, ast.keyword) and node.arg == "note"
            named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "note"
            if given_note or named:
                forms.add(_skeleton(node.value) or "")
    texts = [note for _check, note, _zh, _en in NOTES]
    lost = {form for form in forms if not any(re.fullmatch(".*?".join(map(re.escape, form.split("{}"))), one) for one in texts)}
    assert lost <= {""}
    assert len(forms) > 12
