"""Choose what is played in a group: by hour, day and the common mix of scenes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .answers import question
from .groups import Group
from .people import People
from .rhythm import local_hour
from .stage import Stage
from .talk import chatter, dialogue, festive, morning, persona, praise, share, small_talk
from .trouble import advertise, bargain, complaint, flood, quarrel

Scene = Callable[[Stage, Group, int], None]

_MIX: Final[tuple[tuple[float, Scene], ...]] = (
    (0.22, chatter), (0.43, dialogue), (0.68, question), (0.80, small_talk), (0.87, praise), (0.93, share), (0.955, complaint),
    (0.961, quarrel), (0.965, flood), (0.975, bargain), (0.985, persona),
)  # fmt: skip
"""Cumulative shares; the rest are advertisers from outside."""


def play_any(stage: Stage, group: Group, ts_ms: int, people: People) -> None:
    """Play one scene, chosen by hour, day and the common mix."""
    draw = stage.random()
    if stage.day.festival is not None and draw < 0.2:
        festive(stage, group, ts_ms)
        return
    if draw < 0.25 and 5 <= local_hour(ts_ms) < 9:
        morning(stage, group, ts_ms)
        return
    draw = stage.random()
    for upto, scene in _MIX:
        if draw < upto:
            scene(stage, group, ts_ms)
            return
    advertise(stage, group, ts_ms, people)
