"""Exports in which one value is not what its format says: a row may be rejected, nothing else may happen."""

from __future__ import annotations

import copy
import io
import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.errors import ImportRefused
from qunce.connectors.files.registry import formats
from qunce.connectors.files.source import OpenedSource
from qunce.connectors.files.vetting import vetted
from qunce.domain import events
from tests.unit.files.notation import NOW_MS, options

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "imports"
CASES = sorted(path.name for path in FIXTURES.iterdir() if path.suffix != ".told")
JUNK: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, "", "\x00\ud800", [], [None], [[1]], {}, {"a": {"b": 1}})


class MemorySource(OpenedSource):
    """A file, or a zip of files, that lies in memory."""

    def __init__(self, name: str, content: bytes | dict[str, bytes]) -> None:
        super().__init__(name, 1_000_000)
        self._content = content

    def stream(self) -> BinaryIO:
        assert isinstance(self._content, bytes)
        return cast(BinaryIO, io.BytesIO(self._content))

    def members(self) -> tuple[str, ...]:
        return tuple(sorted(self._content)) if isinstance(self._content, dict) else ()

    def member(self, name: str) -> OpenedSource:  # type: ignore[override]
        assert isinstance(self._content, dict)
        return MemorySource(name, self._content[name])


def load(name: str) -> Any:
    text = (FIXTURES / name).read_text("utf-8")
    if not name.endswith(".jsonl"):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]


def source(name: str, content: Any) -> MemorySource:
    if name.endswith(".jsonl"):
        return MemorySource(name, "\n".join(map(json.dumps, content)).encode())
    if name.endswith(".zip.json"):
        packed = {
            key: (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")
            for key, value in content.items()
        }
        return MemorySource(name, packed)
    return MemorySource(name, json.dumps(content).encode())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside, outermost first."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from places(item, (*path, key))


def mutants(content: Any) -> Iterator[Any]:
    """Yield the export with each of its values replaced by junk, one at a time; the junk takes turns."""
    junk = itertools.cycle(JUNK)
    for path in places(content):
        for value in itertools.islice(junk, 3):
            mutant = copy.deepcopy(content)
            holder = mutant
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value
            yield mutant


@pytest.mark.parametrize("name", CASES)
def test_no_junk_in_any_place_breaks_the_reading(name: str) -> None:
    reader = next(item for item in sorted(formats(), key=lambda item: -len(item.name)) if name.startswith(item.name))
    for mutant in mutants(load(name)):
        with suppress(ImportRefused):
            for row in vetted(reader.read(source(name, mutant), options()), NOW_MS):
                if isinstance(row, Rejected):
                    row.excerpt.encode()
                else:
                    events.decode(events.encode(row))
