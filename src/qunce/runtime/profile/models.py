"""Hand out the models that rules of tags ask, as they are now: shipped, learnt from marks here, or a rule's own.

A rule's own model knows nothing but marks “tag right / tag wrong” on messages, and judges as soon as there are enough of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import cast

import msgspec

from qunce.engine.learning import lessons
from qunce.engine.learning.calibrating import Calibration
from qunce.engine.learning.features import features
from qunce.engine.learning.linear import Linear
from qunce.engine.learning.shipped import ShippedName, shipped
from qunce.engine.text.views import Views
from qunce.playbook.schema.profile import AT_LEAST, TagRule
from qunce.runtime.live import marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A model with what its sums mean."""

    name: str
    model: Linear
    calibration: Calibration | None
    """None = it was never marked here: its score stands in place of a probability."""
    digest: str
    """Names exactly this model: what it weighs, and what its sums mean."""
    at_least: float

    def probability(self, views: Views) -> float:
        """Return how likely a text is what the model looks for; 0 for an empty one."""
        found = features(views)
        if not found:
            return 0.0
        return self.calibration.probability(self.model.total(found)) if self.calibration else self.model.score(views)

    @property
    def version(self) -> str:
        """What a tag keeps as its version."""
        return f"{self.name}@{self.digest}"


def model_name(rule: TagRule) -> str:
    """Return the name under which a rule's model is marked; empty = it asks none."""
    return marks.own_model(rule.rule_id) if rule.model == "own" else rule.model or ""


def judge_of(rule: TagRule) -> Judge | None:
    """Return the model a rule asks; None = it asks none, or its own has too few marks."""
    return _judge(model_name(rule), rule.at_least or AT_LEAST, marks.generation()) if rule.model is not None else None


@lru_cache(maxsize=32)
def _judge(name: str, at_least: float, generation: int) -> Judge | None:
    given = marks.learnt_lessons(name)
    base = marks.base_of(name)
    learnt = lessons.learn(given, base).model
    if learnt is None and name not in marks.MODELS and name != "mood":
        return None
    model = learnt or shipped(cast("ShippedName", name))
    calibration = lessons.calibrate(given, base) if learnt else None
    weights = {feature: round(model.weight(feature), 6) for feature in sorted(model.features())}
    said = msgspec.json.encode([name, weights, round(model.bias, 6), calibration])
    return Judge(name=name, model=model, calibration=calibration, digest=sha256(said).hexdigest()[:12], at_least=at_least)


def digests(rules: Iterable[TagRule]) -> str:
    """Return what changes when one of the models these rules ask does; empty = they ask none."""
    asked = [rule for rule in rules if rule.model is not None]
    judges = [judge_of(rule) for rule in asked]
    return ",".join(sorted({judge.version if judge else model_name(rule) for rule, judge in zip(asked, judges, strict=True)}))
