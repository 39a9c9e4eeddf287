"""The phase of a group and what is proposed for it, at the edges of every rule."""

from __future__ import annotations

from typing import Any

import pytest

from qunce.analytics.phases import phase, proposal

DAY = 20_000


def numbers(**changed: int) -> dict[str, Any]:
    """Return a group of 120 days and 100 members, 30 of them active, that neither grows nor shrinks."""
    steady = {
        "first_day": DAY - 119, "members": 100, "members_start": 100, "active": 30, "joined": 0, "left": 0, "messages": 100,
        "two_way": 80, "busiest_three": 30, "questions": 10, "fast": 9,
    }  # fmt: skip
    return steady | changed


@pytest.mark.parametrize(
    ("now", "before", "code", "why"),
    [
        pytest.param({}, {}, "extending", ["active"], id="a steady group"),
        pytest.param({"first_day": DAY - 59}, {}, "growing", ["age"], id="60 days old"),
        pytest.param({"first_day": DAY - 60}, {}, "extending", ["active"], id="61 days old"),
        pytest.param({"joined": 12, "left": 2}, {}, "growing", ["growth"], id="a tenth more people"),
        pytest.param({"joined": 11, "left": 2}, {}, "extending", ["active"], id="a little less than a tenth"),
        pytest.param({"messages": 50}, {}, "winning_back", ["faded"], id="half the messages"),
        pytest.param({"messages": 51}, {}, "extending", ["active"], id="a little more than half"),
        pytest.param({"messages": 5}, {"messages": 19}, "extending", ["active"], id="too few messages to tell"),
        pytest.param({"active": 2}, {}, "winning_back", ["quiet"], id="2 of 100 active"),
        pytest.param({"active": 3}, {}, "extending", ["active"], id="3 of 100 active"),
        pytest.param({"left": 5}, {}, "winning_back", ["leaving"], id="5 of 100 left"),
        pytest.param({"left": 9, "joined": 5}, {}, "extending", ["active"], id="who left was made up for"),
        pytest.param({"messages": 10, "active": 1, "left": 20}, {}, "winning_back", ["faded", "quiet", "leaving"], id="all"),
    ],
)  # fmt: skip
def test_the_phase_and_why(now: dict[str, int], before: dict[str, int], code: str, why: list[str]) -> None:
    judged = phase(numbers(**now), numbers(**before), DAY)
    assert (judged.code, [reason for reason, _n, _of in judged.reasons]) == (code, why)


def test_a_group_without_an_earlier_window_cannot_have_faded() -> None:
    assert phase(numbers(messages=1), None, DAY).code == "extending"


@pytest.mark.parametrize(
    ("now", "before", "others", "code"),
    [
        pytest.param({}, {}, 3, None, id="a steady group is left alone"),
        pytest.param({"messages": 0, "active": 0}, {"messages": 0}, 0, "retire", id="56 days of silence"),
        pytest.param({"messages": 0, "active": 0}, {"messages": 1}, 0, "revive", id="it spoke in the window before"),
        pytest.param(
            {"messages": 0, "first_day": DAY - 89}, {"messages": 0}, 0, None, id="only 90 days old: it may be waiting"
        ),
        pytest.param({"members": 14}, {}, 1, "merge", id="small, with a larger sister group"),
        pytest.param({"members": 14}, {}, 0, None, id="small and alone: nothing to merge into"),
        pytest.param({"members": 15}, {}, 1, None, id="not small"),
        pytest.param({"messages": 10, "members": 20}, {}, 0, "revive", id="20 members that fell silent"),
        pytest.param({"messages": 10, "members": 19}, {}, 0, None, id="19 are too few to revive"),
    ],
)
def test_what_is_proposed(now: dict[str, int], before: dict[str, int], others: int, code: str | None) -> None:
    judged = proposal(numbers(**now), numbers(**before), DAY, others)
    assert (judged.code if judged else None) == code
