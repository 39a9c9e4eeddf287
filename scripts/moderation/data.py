"""Read the real messages that are used for measuring. They lie beside the repository and never go into it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import msgspec
import zstandard

DATA = Path(__file__).parents[3] / "shared" / "data"


def rows(path: Path) -> Iterator[dict[str, object]]:
    """Yield the rows of a `.jsonl.zst` file; nothing, and a loud line, when it is not there."""
    if not path.exists():
        print(f"NOT MEASURED: {path.name} is not there", file=sys.stderr)
        return
    decoder = msgspec.json.Decoder(dict[str, object])
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        for line in TextIOWrapper(stream, "utf-8"):
            yield decoder.decode(line)


ORDINARY = 35_593
"""How many ordinary messages the bars of specs/moderation.md are about."""


def ordinary_messages(data: Path, most: int = ORDINARY) -> list[str]:
    """Return ordinary Chinese chat: threads first, then a forum."""
    texts: list[str] = []
    for name in ("zh_threads_as_groups", "zh_treehole"):
        for row in rows(data / "chat" / f"{name}.jsonl.zst"):
            if row["text"]:
                texts.append(str(row["text"]))
            if len(texts) == most:
                return texts
    return texts
