"""Names that may be one person's though written differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.engine.identity.names import core_of, is_near
from qunce.runtime.identity.nearness import near_pairs

CORES = {
    "小红🌸": "小红", "🌸小红🌸": "小红", "小红-杭州": "小红", "小红|杭州店长": "小红", "小红（杭州）": "小红",
    "03小红": "小红", "Ａ－小红－店长": "小红", "ＬｉＨｏｎｇ": "lihong", "Li Hong": "lihong", "LI_HONG": "lihong",
    "小紅": "小红", "红": "", "123": "", "🌸": "", "": "", "杭州 小红": "杭州", "小红 138": "小红",
}  # fmt: skip


@pytest.mark.parametrize(("name", "core"), CORES.items())
def test_the_core_of_a_name(name: str, core: str) -> None:
    assert core_of(name) == core


@pytest.mark.parametrize(
    ("first", "second", "near"),
    [
        pytest.param("爱吃鱼的猫", "爱吃鱼得猫", True, id="another character"),
        pytest.param("爱吃鱼的猫", "爱吃鱼的猫咪", True, id="one more at the end"),
        pytest.param("lihong88", "lihomg88", True, id="a slip of the finger"),
        pytest.param("lihong", "lihogn", False, id="two characters"),
        pytest.param("店员一号1", "店员一号2", False, id="numbers count through a series"),
        pytest.param("user1234", "user12345", False, id="a longer number"),
        pytest.param("小红红", "小红", False, id="too short"),
        pytest.param("爱吃鱼的猫", "爱吃鱼的猫", False, id="equal"),
    ],
)
def test_names_one_character_apart(first: str, second: str, near: bool) -> None:
    assert is_near(first, second) is near
    assert is_near(second, first) is near


@given(st.lists(st.text("abcde猫鱼", min_size=3, max_size=6), max_size=30, unique=True))
def test_no_near_pair_is_missed_and_none_is_made_up(cores: list[str]) -> None:
    wanted = {
        (a, b) for a in range(len(cores)) for b in range(a + 1, len(cores)) if is_near(cores[a], cores[b])
    }  # fmt: skip
    assert set(near_pairs(cores, 10_000)) == wanted


def test_a_series_of_names_is_no_person_and_the_number_of_pairs_has_a_limit() -> None:
    crowd = [f"一二三{char}" for char in "甲乙丙丁戊己庚辛壬癸子丑寅卯"]
    assert list(near_pairs(crowd, 100)) == []
    assert len(list(near_pairs(crowd[:5], 3))) == 3
