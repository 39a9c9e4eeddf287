"""What moderation does on real messages, where they are there. Floors lie a little under what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from qunce.engine.learning.shipped import shipped
from qunce.engine.text.views import Views
from scripts.moderation.data import ordinary_messages, rows
from scripts.moderation.evaluate import Figures, labelled, own, split
from scripts.moderation.variants import measure, scanner

DATA = Path(__file__).parents[2] / "../shared/data"

real = pytest.mark.skipif(not DATA.is_dir(), reason="NOT MEASURED: the real messages (../shared/data) are not there")


def test_nearly_every_disguise_is_seen_through() -> None:
    figures, _ = measure()
    shares = {kind: found / total for kind, (found, total) in figures.items() if kind != "meaningless hanzi inserted"}
    assert {kind: share for kind, share in shares.items() if share < 0.93} == {}


@real
def test_ordinary_messages_are_hardly_ever_flagged() -> None:
    texts = ordinary_messages(DATA, 8_000)
    find = scanner()
    flagged = [text for text in texts if find.scan(Views(text))]
    assert len(flagged) <= 12
    assert sum(shipped("spam").score(Views(text)) >= 0.97 for text in texts) <= 20


@real
def test_the_abuse_model_agrees_with_labels_it_was_not_trained_on() -> None:
    found = [(str(row["text"]), bool(row["offensive"])) for row in rows(DATA / "moderation/cold_dev.jsonl.zst")][:2_000]
    assert Figures(shipped("abuse"), found).at(0.5)[3] >= 0.88


@pytest.mark.deep
@real
def test_a_model_trained_on_live_chat_finds_its_spam() -> None:
    known, held_out = split(labelled(DATA, "chat_spam_train", "spam"))
    figures = Figures(own(known), held_out)
    assert figures.at(0.5)[0] >= 0.925
    assert figures.recall_at(0.01) >= 0.84
