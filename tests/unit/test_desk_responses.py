"""Canned responses: what is refused, what is found for a message, and that there may be nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import zstandard

from qunce.engine.desk.responses import Index, grams
from qunce.playbook import gallery
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.explain import explain
from qunce.playbook.load import content_hash, parse
from qunce.playbook.responses import filled
from qunce.playbook.schema.replies import VARIABLES, Response
from qunce.playbook.write import write

FAQ = Path(__file__).parents[2] / "../shared/data/faq/scripts_by_industry.jsonl.zst"
HEAD = "schema_version: 1\nplaybook: {playbook_id: test, title: 测试}\nreplies:\n"
BAD: dict[str, tuple[str, str, str]] = {
    "an unknown variable": ("text: '{nickname} 您好'", "replies[0].text", "template"),
    "braces that do not match": ("text: '{name 您好'", "replies[0].text", "template"),
    "no words": ("text: ' '", "replies[0].text", "empty"),
    "an unknown key": ("text: 好, colour: red", "replies[0].colour", "unknown_key"),
    "an unknown kind of need": ("text: 好, needs: [whim]", "replies[0].needs[0]", "choice"),
    "a question that stands twice": ("text: 好, asks: [多少钱, 多少錢]", "replies[0].asks", "duplicate_id"),
    "a link to nowhere": (
        "text: 好, materials: [{kind: link, ref: /home/x}]", "replies[0].materials[0].ref", "reference",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_it_is_refused_with_its_place_and_a_mend(case: str) -> None:
    rest, path, code = BAD[case]
    with pytest.raises(InvalidPlaybook) as caught:
        parse({"playbook.yaml": f"{HEAD}  - {{response_id: a, title: 甲, kind: answer, {rest}}}\n"})
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, code)]
    assert caught.value.problems[0].fix
    assert caught.value.problems[0].line == 4


def test_the_same_words_and_the_same_id_twice_are_refused() -> None:
    rows = [("a", "您好"), ("b", "您好"), ("a", "再见")]
    lines = [f"  - {{response_id: {name}, title: 甲, kind: answer, text: {text}}}\n" for name, text in rows]
    with pytest.raises(InvalidPlaybook) as caught:
        parse({"playbook.yaml": HEAD + "".join(lines)})
    assert sorted((problem.path, problem.code) for problem in caught.value.problems) == [
        ("replies[1].text", "duplicate_id"), ("replies[2].response_id", "duplicate_id"),
    ]  # fmt: skip


def test_every_variable_is_put_in_and_none_is_left() -> None:
    text = " ".join(f"{{{name}}}" for name in VARIABLES)
    assert filled(text, {name: name.upper() for name in VARIABLES}) == " ".join(VARIABLES).upper()
    assert filled("{name}您好{{}}", {}) == "您好{}"


@pytest.mark.parametrize("name", gallery.names())
def test_each_playbook_of_the_gallery_speaks_for_every_purpose_and_round_trips(name: str) -> None:
    loaded = gallery.load(name)
    replies = loaded.playbook.replies
    assert {one.kind for one in replies} == {"invite", "rules", "welcome", "intro", "activity", "value", "answer"}
    assert {one.business for one in replies} == {True, False}
    assert any(one.needs == ("complaint",) or "complaint" in one.needs for one in replies)
    assert all(len(filled(one.text, dict.fromkeys(VARIABLES, ""))) < 200 for one in replies)
    assert content_hash(parse(write(loaded.playbook)).playbook) == loaded.content_hash
    assert replies[0].title in explain(loaded.playbook)


def test_insurance_promises_no_returns() -> None:
    texts = [one.text for one in gallery.load("yinfa_baoxian").playbook.replies]
    for promise in ("保本", "稳赚", "保证收益", "高收益", "必赔", "年化", "最后一天", "限时"):
        assert not any(promise in text for text in texts), promise
    returns = next(one for one in gallery.load("yinfa_baoxian").playbook.replies if one.response_id == "policy.returns")
    assert "不保证" in returns.text


def suggest(text: str, need: str, name: str = "dianshang") -> list[str]:
    return [one.response.response_id for one in Index(gallery.load(name).playbook.replies).suggest(text, need)]


@pytest.mark.parametrize(
    ("text", "need", "first"),
    [
        ("已经付款两天了还没有发货，麻烦帮我看看", "order_trouble", "answer.not_shipped"),
        ("可以开发票嗎？公司抬頭", "question", "answer.invoice"),
        ("我的优惠券为什么用不了，提示已过期", "question", "answer.coupon"),
        ("你们的客服在哪里，我要投诉！", "complaint", "answer.complaint"),
        ("大家好，新人报到", "first_post", "welcome.newcomer"),
    ],
)
def test_what_fits_stands_first(text: str, need: str, first: str) -> None:
    assert suggest(text, need)[0] == first


def test_nothing_is_suggested_rather_than_something_beside_the_point() -> None:
    assert suggest("你们喜欢看什么电影？", "question") == []


def test_a_talk_style_brings_its_response_forward() -> None:
    index = Index(gallery.load("muying").playbook.replies)
    plain = {one.response.response_id: one.score for one in index.suggest("宝宝老是夜醒怎么办", "question")}
    styled = {one.response.response_id: one.score for one in index.suggest("宝宝老是夜醒怎么办", "question", styles=["match"])}
    assert styled["answer.sleep"] > plain["answer.sleep"]


def test_a_response_of_other_groups_is_not_offered() -> None:
    only = Response(response_id="a", title="发票", kind="answer", text="可以开发票", groups=("母婴*",))
    assert Index([only]).suggest("开发票", "question", group=("g1", "美妆群")) == []
    assert len(Index([only]).suggest("开发票", "question", group=("g1", "母婴群"))) == 1


def test_grams_know_no_punctuation_and_keep_latin_words_whole() -> None:
    assert grams("發貨，XL 码") == ["发", "货", "发货", "xl", "码"]


def test_similar_questions_find_their_answers_in_real_scripts() -> None:
    if not FAQ.exists():
        pytest.skip(f"no {FAQ.name} here: the real questions are not shipped")
    with FAQ.open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8").readlines()
    rows = [json.loads(line) for line in lines]
    index = Index([
        Response(
            response_id=f"r{at:03}", title=row["question"][:80], kind="answer", asks=(row["question"],),
            text="\n".join(map(str, row["replies"]))[:2_000],
        )
        for at, row in enumerate(rows)
    ])  # fmt: skip
    asked = [(question, f"r{at:03}") for at, row in enumerate(rows) for question in row["similar_questions"]]
    found = [[one.response.response_id for one in index.search(question, limit=5)] for question, _ in asked]
    assert len(asked) == 219
    assert sum(ids[:1] == [right] for ids, (_, right) in zip(found, asked, strict=True)) / len(asked) >= 0.64
    assert sum(right in ids for ids, (_, right) in zip(found, asked, strict=True)) / len(asked) >= 0.83
