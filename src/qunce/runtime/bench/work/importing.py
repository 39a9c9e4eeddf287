"""Import a large export as `qunce import` does, and message by message as a first version would."""

from __future__ import annotations

import json
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from qunce.runtime.bench.work.stopwatch import Stopwatch

_TEXTS = 20_000
_GROUP_MESSAGES = 1_000
_MEMBER_MESSAGES = 20


def write_export(path: str, messages: int) -> dict[str, Any]:
    """Write a JSON-lines export in order of time: simulated texts over many groups, a few groups doing most of the talk."""
    from qunce.domain.events import MessageCreated
    from qunce.runtime.bench.work.events import END_MS, simulated

    texts = [
        event.body.text
        for event in simulated(2 * min(_TEXTS, messages))
        if isinstance(event.body, MessageCreated) and event.body.text
    ]
    draw = Random(1)  # noqa: S311  # chance for measuring, not for secrets
    groups, members = max(2, messages // _GROUP_MESSAGES), max(10, messages // _MEMBER_MESSAGES)
    start_s = END_MS // 1000 - messages * 3
    with Path(path).open("w", encoding="utf-8") as file:
        for number, text in enumerate(islice(cycle(texts), messages)):
            group = int(groups * draw.random() ** 2)
            member = (group * 50 + int(draw.random() ** 2 * 200)) % members
            row: dict[str, Any] = {
                "time": start_s + number * 3, "group": f"群 {group}", "user_id": f"u{member}", "user_name": f"成员 {member}",
                "text": text, "msg_id": str(number),
            }  # fmt: skip
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return {"bytes": Path(path).stat().st_size}


def run(path: str, messages: int) -> dict[str, Any]:
    """Import the file end to end: recognise, parse, check, append, project, index for search, settle."""
    from qunce.runtime.imports.reading import Request
    from qunce.runtime.imports.service import run_import

    watch = Stopwatch()
    with watch.lap():
        report = run_import(
            Request(paths=(Path(path),), zone=ZoneInfo("Asia/Shanghai")), dry_run=False, progress=lambda *_: None
        )
    added = report.as_json()["added"]
    if added != messages:
        raise RuntimeError(f"{added} of {messages} messages were imported")
    return watch.figures()


def naive(path: str, messages: int) -> dict[str, Any]:
    """Store each message with two `save()`: the event and the message; no members, counts or search."""
    from qunce.domain.events import TYPE_CODES, MessageCreated
    from qunce.journal.models import JournalEvent, JournalSource
    from qunce.readmodels.models import Message

    source = JournalSource.objects.create(connector="bench", account="")
    code = TYPE_CODES[MessageCreated]
    watch = Stopwatch()
    with Path(path).open(encoding="utf-8") as file, watch.lap():
        for seq, line in enumerate(islice(file, messages), start=1):
            row = json.loads(line)
            ts_ms = row["time"] * 1000
            JournalEvent(
                seq=seq, source=source, dedupe_key=row["msg_id"], type=code, ts_ms=ts_ms, received_ms=ts_ms, payload=line
            ).save(force_insert=True)
            Message(seq=seq, group_id=1, identity_id=1, ts_ms=ts_ms, day=ts_ms // 86_400_000, content=1, text=row["text"]).save(
                force_insert=True
            )
    return watch.figures()
