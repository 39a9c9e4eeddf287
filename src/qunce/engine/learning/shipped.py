"""Hand out the models that come with the package: `data/*.json.gz`, made by scripts/moderation/train.py."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final, Literal

from qunce.engine.learning.linear import Linear, read_model

LearntName = Literal["spam", "abuse", "needs_answer"]
"""What marks can teach: the models that rules ask, and whether a message needs an answer."""
ShippedName = LearntName | Literal["mood"]
NEEDS_ANSWER: Final = "needs_answer"


@cache
def shipped(name: ShippedName) -> Linear:
    """Return a shipped model. `spam` was trained on texts written for this project, `abuse` on COLD (Apache-2.0),
    `mood` on texts written for this project.

    `needs_answer` knows nothing: until it is taught, the desk's words judge alone.
    """
    if name == NEEDS_ANSWER:
        return Linear({}, 0.0, name=name)
    return read_model(files("qunce.engine.learning").joinpath(f"data/{name}.json.gz").read_bytes())
