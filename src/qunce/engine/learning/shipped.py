"""Hand out the models that come with the package: `data/*.json.gz`, made by scripts/moderation/train.py."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from qunce.engine.learning.linear import Linear, read_model
from qunce.playbook.schema.checks import ModelName


@cache
def shipped(name: ModelName) -> Linear:
    """Return a shipped model. `spam` was trained on texts written for this project, `abuse` on COLD (Apache-2.0)."""
    return read_model(files("qunce.engine.learning").joinpath(f"data/{name}.json.gz").read_bytes())
