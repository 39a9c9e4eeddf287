"""Probabilities of a model mean what they say, and few marks make sure of nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.engine.learning.calibrating import Calibration, fit, loss
from qunce.engine.learning.features import features
from qunce.engine.learning.lessons import MIN_EACH, Lesson, calibrate, learn
from qunce.engine.learning.linear import Linear
from qunce.engine.text.views import Views

NOTHING = Linear({}, 0.0, name="tag/test")
SUMS = st.floats(-8, 8, allow_nan=False)


@given(
    st.lists(st.tuples(SUMS, st.booleans()), min_size=2, max_size=60).filter(lambda pairs: len({one for _, one in pairs}) == 2)
)
def test_a_fit_is_never_worse_than_knowing_how_many_there_are_of_each(judged: list[tuple[float, bool]]) -> None:
    found = fit(judged)
    share = sum(label for _, label in judged) / len(judged)
    blind = share * (1 - share)
    assert found.slope >= 0
    assert all(0 < found.probability(total) < 1 for total, _ in judged)
    assert loss(found, judged) <= blind + 0.1


def test_where_nine_of_ten_are_right_the_probability_is_nine_tenths() -> None:
    judged = [(2.0, True)] * 180 + [(2.0, False)] * 20 + [(-2.0, False)] * 180 + [(-2.0, True)] * 20
    found = fit(judged)
    assert found.probability(2.0) == pytest.approx(0.9, abs=0.01)
    assert found.probability(-2.0) == pytest.approx(0.1, abs=0.01)


def test_marks_that_fit_perfectly_make_sure_of_nothing() -> None:
    found = fit([(3.0, True)] * 5 + [(-3.0, False)] * 5)
    assert found.probability(3.0) == pytest.approx(6 / 7, abs=0.01)


def test_a_higher_sum_is_never_less_likely_whatever_the_marks() -> None:
    assert fit([(1.0, False)] * 10 + [(-1.0, True)] * 10).slope == 0


@pytest.mark.parametrize("label", [True, False])
def test_marks_of_one_kind_tell_no_probability(label: bool) -> None:
    with pytest.raises(ValueError, match="one kind"):
        fit([(1.0, label)] * 30)


def lessons(positive: int, negative: int) -> list[Lesson]:
    asks = [f"第{n}次问宝宝湿疹怎么护理，红了一片" for n in range(positive)]
    talks = [f"第{n}天打卡，今天吃了面条" for n in range(negative)]
    return [
        Lesson(lesson_id=str(n), text=text, label=n < positive) for n, text in enumerate([*asks, *talks])
    ]  # fmt: skip


def test_without_enough_marks_of_both_kinds_there_is_no_probability() -> None:
    assert calibrate(lessons(MIN_EACH, MIN_EACH - 1), NOTHING) is None
    assert isinstance(calibrate(lessons(MIN_EACH, MIN_EACH), NOTHING), Calibration)


def test_what_was_learnt_here_is_told_from_what_was_not_with_a_probability() -> None:
    given = lessons(30, 30)
    model, calibration = learn(given, NOTHING).model, calibrate(given, NOTHING)
    assert model is not None
    assert calibration is not None
    asked, told = (model.total(features(Views(text))) for text in ("宝宝湿疹又红了怎么护理", "今天打卡，吃了饺子"))
    assert calibration.probability(asked) > 0.8
    assert calibration.probability(told) < 0.2
    assert calibrate(list(reversed(given)), NOTHING) == calibration, "whatever the order"
