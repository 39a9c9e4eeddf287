"""The words and the calendar of the simulator."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.domain.text import is_question
from qunce.testing.simulator.people import platform_id
from qunce.testing.simulator.rhythm import Day, day_of, poisson
from qunce.testing.simulator.texts import common
from qunce.testing.simulator.texts.phrases import Phrases, compile_questions, speak, speak_together
from qunce.testing.simulator.texts.themes import THEMES

COMMON: dict[str, Phrases] = {name: value for name, value in vars(common).items() if name.isupper() and name not in
    {"SLOTS", "QUESTIONS", "CHANNELS", "EMOJI", "TAILS", "REQUESTS"}}  # fmt: skip


def on(*ymd: int) -> Day:
    return day_of((date(*ymd) - date(1970, 1, 1)).days)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.key)
def test_every_slot_of_every_phrase_can_be_filled_in_every_theme(theme) -> None:
    slots = {**common.SLOTS, **theme.slots, "community": (theme.community,), "festival": ("春节",)}
    phrases = [*theme.starters, *theme.answers, *theme.checkins, *theme.promotions, *theme.topics]
    phrases += [turn for lines in theme.dialogues for turn in lines]
    phrases += [side for pair in (*theme.questions, *common.QUESTIONS) for side in (pair.question, pair.answer)]
    phrases += [phrase for lines in COMMON.values() for phrase in lines]
    for phrase in phrases:
        assert "{" not in speak(lambda: 0.0, phrase, slots)


def test_there_are_several_hundred_phrases() -> None:
    themes = sum(
        len(t.starters)
        + len(t.answers)
        + 2 * len(t.questions)
        + len(t.checkins)
        + len(t.promotions)
        + len(t.topics)
        + sum(map(len, t.dialogues))
        for t in THEMES
    )
    assert themes + sum(map(len, COMMON.values())) + 2 * len(common.QUESTIONS) > 600


def test_questions_read_like_questions() -> None:
    slots = {**common.SLOTS}
    told = [is_question(speak(lambda: 0.0, pair.question, slots)) for pair in common.QUESTIONS]
    assert sum(told) / len(told) > 0.75


def test_a_slot_means_the_same_in_all_turns_of_a_dialogue() -> None:
    rng = Random(5)
    for _ in range(20):
        first, second = speak_together(rng.random, (("", "p", "好吗"), ("", "p", "好")), {"p": ("甲", "乙", "丙")})
        assert first[0] == second[0]


def test_a_question_without_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an answer"):
        compile_questions("在吗")


@pytest.mark.parametrize(
    ("day", "festival"),
    [
        (on(2026, 11, 11), "双十一"),
        (on(2026, 2, 16), "春节"),
        (on(2026, 2, 22), "春节"),
        (on(2026, 2, 23), None),
        (on(2026, 6, 19), "端午"),
        (on(2026, 6, 18), "618"),
        (on(2026, 3, 8), "女神节"),
        (on(2026, 3, 9), None),
    ],
    ids=lambda value: getattr(value, "date", value),
)
def test_festivals_fall_on_their_days(day: Day, festival: str | None) -> None:
    assert (day.festival.name if day.festival else None) == festival


def test_member_day_is_every_wednesday() -> None:
    assert [on(2026, 3, day).is_member_day for day in range(2, 9)] == [False, False, True, False, False, False, False]


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 10_000))
def test_poisson_numbers_are_never_negative(uniform: float, mean: float) -> None:
    assert poisson(uniform, mean) >= 0


@pytest.mark.parametrize("mean", [0.3, 4.0, 59.0, 400.0])
def test_poisson_numbers_have_their_mean_and_spread(mean: float) -> None:
    rng = Random(1)
    numbers = [poisson(rng.random(), mean) for _ in range(20_000)]
    average = sum(numbers) / len(numbers)
    variance = sum((n - average) ** 2 for n in numbers) / len(numbers)
    assert abs(average - mean) < 0.03 * mean + 0.02
    assert abs(variance - mean) < 0.06 * mean + 0.02


@pytest.mark.parametrize("platform", ["wecom", "qq", "wechat", "telegram"])
def test_platform_ids_are_unique(platform) -> None:
    assert len({platform_id(platform, n) for n in range(50_000)}) == 50_000
