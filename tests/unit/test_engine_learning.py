"""Learning from marks: the minimum, the preview, taking back; and the models that are shipped."""

from __future__ import annotations

from importlib.resources import files as data_files

import pytest

from qunce.engine import core
from qunce.engine.learning.features import EDGE, features, tables_digest
from qunce.engine.learning.lessons import MIN_EACH, Lesson, learn, preview, taken_back, taught
from qunce.engine.learning.linear import Linear, read_file, read_model, write_model
from qunce.engine.learning.shipped import shipped
from qunce.engine.learning.training import shuffled, train
from qunce.engine.text.tables import Sounds
from qunce.engine.text.views import Views
from qunce.playbook.load import parse
from qunce.testing.scenario import play

SPAM = [f"春雷计划第{n}期，跟上老师的节奏，名额{n}个" for n in range(30)]
HAM = [f"今天第{n}次打卡，跑了{n}公里，天气不错" for n in range(30)]


def lessons(spam: int, ham: int) -> tuple[Lesson, ...]:
    marks = [(text, True) for text in SPAM[:spam]] + [(text, False) for text in HAM[:ham]]
    return tuple(Lesson(lesson_id=str(number), text=text, label=label) for number, (text, label) in enumerate(marks))


@pytest.mark.parametrize(("spam", "ham"), [(0, 0), (30, 0), (30, MIN_EACH - 1), (MIN_EACH - 1, 30)])
def test_nothing_is_learnt_from_too_few_lessons_of_either_kind(spam: int, ham: int) -> None:
    learnt = learn(lessons(spam, ham), shipped("spam"))
    assert learnt.model is None
    assert learnt.missing == (max(0, MIN_EACH - spam), max(0, MIN_EACH - ham))


def test_what_was_marked_is_found_and_what_was_not_is_left_alone() -> None:
    learnt = learn(lessons(25, 25), shipped("spam"))
    assert learnt.model is not None
    assert learnt.missing == (0, 0)
    assert learnt.model.score(Views(SPAM[29])) >= learnt.threshold
    assert learnt.model.score(Views(HAM[29])) < learnt.threshold
    assert 0.5 <= learnt.threshold <= 1


def test_learning_does_not_depend_on_the_order_and_taking_back_leaves_no_trace() -> None:
    given = lessons(25, 25)
    poison = Lesson(lesson_id="x", text="大家早上好", label=True)
    one = learn(given, shipped("spam"))
    other = learn(taken_back(taught(tuple(reversed(given)), poison), "x"), shipped("spam"))
    assert one.model is not None
    assert other.model is not None
    texts = [*SPAM, *HAM, "大家早上好"]
    assert [one.model.score(Views(text)) for text in texts] == [other.model.score(Views(text)) for text in texts]
    assert one.threshold == other.threshold


def test_the_last_mark_of_a_text_counts() -> None:
    given = lessons(25, 25)
    again = taught(given, Lesson(lesson_id="z", text=SPAM[0], label=False))
    learnt = learn(again, shipped("spam"))
    assert (learnt.positive, learnt.negative) == (24, 26)


def test_a_preview_shows_what_would_be_found_and_what_would_be_let_go() -> None:
    sample = [SPAM[28], HAM[28], "宝妈在家兼职日结三百，有需要加我微信 abc12345"]
    shown = preview((), lessons(25, 25), shipped("spam"), sample, at_least=0.9)
    assert [change.text for change in shown.found] == [SPAM[28]]
    assert shown.before.model is None
    back = preview(lessons(25, 25), (), shipped("spam"), sample, at_least=0.9)
    assert [change.text for change in back.released] == [SPAM[28]]


def test_what_was_learnt_judges_in_place_of_what_was_shipped() -> None:
    files = {
        "playbook.yaml": """schema_version: 1
playbook: {playbook_id: test, title: 测试}
rules:
  - {rule_id: m, title: 模型, category: ads, reason: 请看, mode: suggest, when: [{check: model, model: spam}]}
"""
    }
    loaded = parse(files)
    play(core.compile_rules(loaded), f"小红: {SPAM[29]}")
    learnt = learn(lessons(25, 25), shipped("spam"), version=7)
    runner = play(core.compile_rules(loaded, {"spam": learnt}), f"小红: {SPAM[29]}\n=> review m\n小红: {HAM[29]}")
    assert "v7" in str(runner.decisions[0])


@pytest.mark.parametrize("name", ["spam", "abuse"])
def test_shipped_models_are_small_and_name_what_they_were_trained_on(name: str) -> None:
    model = shipped(name)  # type: ignore[arg-type]  # both names are models
    assert 10_000 < len(model) <= 50_000
    assert model.score(Views("")) < 0.001


JUDGED = {
    "兼职打字员，日结200，加微信 abc12345": True,
    "高仿包包厂家直销，诚招代理，薇信 xia99881": True,
    "时时彩平台带你回血，注册送88 www.mm436.com": True,
    "今天宝宝会翻身了，好开心": False,
    "请问什么时候发货呀": False,
    "谢谢老师的分享，学到了": False,
    "明天早上七点公园门口集合": False,
}


@pytest.mark.parametrize("text", JUDGED)
def test_the_spam_model_knows_ads_from_chat(text: str) -> None:
    score = shipped("spam").score(Views(text))
    assert (score >= 0.9) if JUDGED[text] else (score < 0.5)


def test_reasons_are_readable_pieces_of_the_text() -> None:
    text = "兼职日结加我微信"
    reasons = shipped("spam").reasons(Views(text))
    assert reasons
    assert all(piece.strip(EDGE) in text and share > 0 for piece, share in reasons)


def test_a_model_comes_back_as_it_was_written_but_for_rounding() -> None:
    weights = {"微信": 1.234, "你好": -0.5, "无": 0.001}
    model = Linear(weights, -0.25, name="m", version=3)
    again = read_model(write_model(model, weights, "test", most=2))
    assert (again.name, again.version, again.bias, again.weight("微信"), again.weight("无")) == ("m", 3, -0.25, 1.23, 0.0)


@pytest.mark.parametrize("name", ["spam", "abuse", "mood"])
def test_shipped_models_were_trained_with_the_tables_of_this_tree(name: str) -> None:
    stored = read_file(data_files("qunce.engine.learning").joinpath(f"data/{name}.json.gz").read_bytes())
    assert stored.tables == tables_digest(), (
        f"{name} knows other tables of folding, sounds or classes than this tree has, so it would judge by wrong syllables. "
        "Train all models anew: python -m scripts.moderation.train"
    )


def test_the_digest_of_the_tables_tells_another_numbering_of_syllables(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Sounds()
    first, second = (known.tokens[syllable] for syllable in ("wei", "xin"))
    swapped = {first: second, second: first}
    known.usual = {code: swapped.get(token, token) for code, token in known.usual.items()}
    monkeypatch.setattr("qunce.engine.learning.features.sounds", lambda: known)
    assert tables_digest.__wrapped__() != tables_digest()


def test_features_are_distinct_and_tell_text_sound_and_form_apart() -> None:
    found = features(Views("加微信１２３"))
    assert len(found) == len(set(found))
    assert {"加", "加微", "加微信", "12", "123"} <= set(found)
    assert features(Views("")) == []


def test_training_is_the_same_every_time_and_empty_examples_teach_nothing() -> None:
    examples = [(["a", "b"], True), (["b", "c"], False), ([], True)] * 5
    assert train(examples) == train(examples)
    weights, _ = train(examples)
    assert weights["a"] > 0 > weights["c"]
    assert train([]) == ({}, 0.0)
    assert sorted(shuffled(10, 1)) == list(range(10))
    assert shuffled(10, 1) != shuffled(10, 2)
