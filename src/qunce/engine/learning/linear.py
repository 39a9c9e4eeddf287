"""Judge texts by a weighted sum of their features. Served from a plain dictionary; needs no numeric library.

The score is the logistic of bias + Σ weight / √n over the n features of a text: long texts are not louder than short ones.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from itertools import repeat
from math import exp, sqrt
from typing import Final

import msgspec

from qunce.engine.learning.features import MAX_CHARS, features, form, formed, overlap, said, tables_digest
from qunce.engine.text.views import Views

MAX_FORMS: Final = 5_000
"""Forms of texts whose sums are kept."""
_FLAT: Final = 30.0
"""Sums beyond this give 0 or 1 anyway."""


def logistic(total: float) -> float:
    """Return the number from 0 to 1 that belongs to a sum."""
    return 1.0 / (1.0 + exp(-max(-_FLAT, min(_FLAT, total))))


class ModelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model as it is stored."""

    name: str
    version: int
    source: str
    """What it was trained on, with the licence."""
    tables: str
    """Digest of the tables its features come from; with other tables in the tree it must be trained anew."""
    bias: float
    scale: float
    """Weights are stored as whole numbers of this size."""
    weights: dict[str, int]


class Linear:
    """A model ready to judge. Immutable but for what is remembered."""

    __slots__ = ("_forms", "_weights", "bias", "name", "version")

    def __init__(self, weights: Mapping[str, float], bias: float, *, name: str = "", version: int = 0) -> None:
        shared: dict[float, float] = {}  # few different numbers, mostly: they stay in the processor's cache
        self._weights = {feature: shared.setdefault(weight, weight) for feature, weight in weights.items()}
        self._forms: dict[str, tuple[int, float]] = {}
        self.bias = bias
        self.name = name
        self.version = version

    def __len__(self) -> int:
        return len(self._weights)

    def weight(self, feature: str) -> float:
        """Return the weight of a feature; 0 for an unknown one."""
        return self._weights.get(feature, 0.0)

    def features(self) -> Iterable[str]:
        """Return the features that have a weight."""
        return self._weights.keys()

    def total(self, found: list[str]) -> float:
        """Return bias and weighted sum of the features of one text."""
        if not found:
            return -_FLAT
        return self.bias + sum(map(self._weights.get, found, repeat(0.0))) / sqrt(len(found))

    def score(self, views: Views) -> float:
        """Return from 0 to 1 how sure the model is; 0 for an empty text."""
        known = views.memo.get(self)
        if not isinstance(known, float):
            known = views.memo[self] = logistic(self._total(views))
        return known

    def _total(self, views: Views) -> float:
        """Return what `total` does of the features of a text, with the sum of each form worked out once: few are usual."""
        text = views.text[:MAX_CHARS]
        if not text or overlap(text):
            return self.total(features(views))
        found = said(views)
        count, weight = self._form(form(text))
        return self.bias + (sum(map(self._weights.get, found, repeat(0.0))) + weight) / sqrt(len(found) + count)

    def _form(self, classes: str) -> tuple[int, float]:
        """Return the number of features of a form and the sum of their weights."""
        known = self._forms.get(classes)
        if known is None:
            found = formed(classes)
            known = len(found), sum(map(self._weights.get, found, repeat(0.0)))
            if len(self._forms) >= MAX_FORMS:
                self._forms.clear()
            self._forms[classes] = known
        return known

    def reasons(self, views: Views, most: int = 5) -> tuple[tuple[str, float], ...]:
        """Return the readable pieces of a text that speak most for a high score, with their share of the sum."""
        found = features(views)
        readable = [feature for feature in found if " " <= feature[0] < "\ue000"]
        shares = [(feature, self.weight(feature) / sqrt(len(found))) for feature in readable]
        return tuple(sorted((pair for pair in shares if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))[:most])


def read_file(data: bytes) -> ModelFile:
    """Return what stands in the gzipped file of a model. Raises msgspec.ValidationError or OSError when it is none."""
    return msgspec.json.decode(gzip.decompress(data), type=ModelFile)


def read_model(data: bytes) -> Linear:
    """Return the model in a gzipped file. Raises msgspec.ValidationError or OSError when it is none."""
    stored = read_file(data)
    weights = {feature: weight * stored.scale for feature, weight in stored.weights.items()}
    return Linear(weights, stored.bias, name=stored.name, version=stored.version)


def write_model(model: Linear, weights: Mapping[str, float], source: str, *, most: int, scale: float = 0.01) -> bytes:
    """Return the file of a model, with the `most` weightiest features rounded to multiples of `scale`."""
    kept = sorted(weights.items(), key=lambda item: (-abs(item[1]), item[0]))[:most]
    rounded = {feature: round(weight / scale) for feature, weight in sorted(kept)}
    stored = ModelFile(
        name=model.name,
        version=model.version,
        source=source,
        tables=tables_digest(),
        bias=round(model.bias, 4),
        scale=scale,
        weights={feature: weight for feature, weight in rounded.items() if weight},
    )
    return gzip.compress(msgspec.json.encode(stored), compresslevel=9, mtime=0)
