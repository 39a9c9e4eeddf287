"""Find which of many names are one character apart, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from qunce.engine.identity.names import MIN_NEAR, is_near

MOST_ALIKE: Final = 12
"""Names that share one spelling; more are a series (店员1 to 店员99), not one person."""


def near_pairs(cores: Sequence[str], most: int) -> Iterator[tuple[int, int]]:
    """Yield the places of names that are near, each pair once, at most so many.

    Names that are one character apart share a spelling once a character is left out of either: those spellings are sorted as
    numbers, so the work grows with the names and not with their pairs. `cores` must differ from one another.
    """
    keys, places = _spellings(cores)
    order = np.argsort(keys, kind="stable")
    keys, places = keys[order], places[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.empty(0, dtype=np.int64)
    ends = np.concatenate((starts[1:], [len(keys)])) if len(keys) else starts
    found: set[tuple[int, int]] = set()
    for start, end in zip(starts[ends - starts > 1].tolist(), ends[ends - starts > 1].tolist(), strict=True):
        if end - start > MOST_ALIKE:
            continue
        for first, second in combinations(sorted(set(places[start:end].tolist())), 2):
            if (first, second) not in found and is_near(cores[first], cores[second]):
                found.add((first, second))
                yield first, second
                if len(found) >= most:
                    return


def _spellings(cores: Iterable[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    keys: list[int] = []
    places: list[int] = []
    for place, core in enumerate(cores):
        if len(core) < MIN_NEAR:
            continue
        shorter = {core[:at] + core[at + 1 :] for at in range(len(core))}
        for text in (core, *sorted(shorter)):
            data = text.encode()
            keys.append(crc32(data) << 32 | crc32(data[::-1], 1))
            places.append(place)
    return np.array(keys, dtype=np.uint64), np.array(places, dtype=np.int64)
