"""The journal's own form comes back as it was; other lines are rejected one by one."""

from pathlib import Path

from qunce.connectors.files.base import ImportOptions, Rejected
from qunce.connectors.files.registry import read_file
from qunce.domain.events import Event, encode
from qunce.testing.builders import joined, moment, said


def test_events_come_back_and_bad_lines_are_explained(tmp_path: Path) -> None:
    events = [joined("群", "小红", at="08:00"), said("群", "小红", "在吗", at="09:00")]
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(events[0]) + b'\n{"ts_ms":1,"surprise":2}\nnot json\n\n' + encode(events[1]) + b"\n")
    with read_file(path, None, ImportOptions(now_ms=moment("10:00"))) as reading:
        rows = list(reading)
        assert reading.format.name == "wire"
    assert [row for row in rows if isinstance(row, Event)] == events
    rejected = [row for row in rows if isinstance(row, Rejected)]
    assert [(row.where, row.code) for row in rejected] == [("line 2", "bad_event"), ("line 3", "bad_event")]
    assert "surprise" in rejected[0].reason
