"""Real exports, where the folder beside the repository holds them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.registry import read_file
from tests.unit.files.notation import keys_of, options, rows_of

CASES = [
    ("discord/DM_2A_2M.json", "discord", {"message.created": 3}),
    ("discord/GC_3A_5M.json", "discord", {"message.created": 4, "group.updated": 2}),
    ("discord/SV_5A_5M.json", "discord", {"message.created": 5, "message.edited": 2}),
    ("discord/dce_2026_excerpt.json", "discord", {"message.created": 3, "message.edited": 1, "member.joined": 1}),
    ("telegram/DM_2A_7M.json", "telegram", {"message.created": 8}),
    ("telegram/BIG_20A_5475M.json", "telegram", {"message.created": 5475}),
    ("telegram/chatminer_single_export.json", "telegram", {"message.created": 2}),
    ("telegram/chatminer_batch_export.json", "telegram", {"message.created": 2}),
    ("messenger/2A_7M.json", "messenger", {"message.created": 7}),
    ("instagram/chatminer_export.json", "messenger", {"message.created": 2}),
    (
        "slack/slack_export_testarchive.zip",
        "slack",
        {"message.created": 150, "member.joined": 8, "reaction.added": 1, "message.edited": 1},
    ),
    (
        "wecom/msgaudit_messages.jsonl",
        "wecom_archive",
        {"message.created": 25, "message.deleted": 1, "consent.changed": 2, "too_old": 1},
    ),
    ("chatlab/minimal_example.json", "chatlab", {"message.created": 1}),
]


@pytest.mark.parametrize(("file", "name", "counts"), CASES, ids=[case[0] for case in CASES])
def test_a_real_export_is_recognised_and_every_row_accounted_for(
    shared_data: Path, file: str, name: str, counts: dict[str, int]
) -> None:
    with read_file(shared_data / "export_samples" / file, None, options()) as reading:
        assert reading.format.name == name
        rows = list(reading)
        assert reading.bytes_read <= reading.total_bytes
    assert Counter(row.code if isinstance(row, Rejected) else row.type for row in rows) == counts


def test_a_real_matrix_room_of_3643_events_keeps_all_but_its_five_broken_lines(shared_data: Path) -> None:
    path = shared_data / "export_samples/matrix/room_nial_events.jsonl.zst"
    rows = rows_of(path)
    counts = Counter(row.code if isinstance(row, Rejected) else row.type for row in rows)
    assert counts["bad_json"] == 5
    assert counts["message.created"] == 1778
    assert counts["message.edited"] == 85
    assert counts["member.left"] == 61
    assert keys_of(rows) == keys_of(rows_of(path))
    assert len(set(keys_of(rows))) == len(keys_of(rows))
