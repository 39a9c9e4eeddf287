"""What moderation does on real messages, where they are there. Floors lie a little under what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from qunce.domain.events import Conv, Event, MessageCreated, Party, Source
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.engine.learning.shipped import shipped
from qunce.engine.text.views import Views
from qunce.playbook import gallery
from qunce.playbook.schema import Rule
from qunce.playbook.schema.checks import Terms
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


def alarms(name: str, texts: Sequence[str]) -> int:
    """Return how many findings each word list of a gallery playbook, asked by itself, has on texts of different people."""
    book = gallery.load(name).playbook
    rules = tuple(
        Rule(rule_id=item.lexicon_id, title="-", category="-", reason="-", when=(Terms(lexicons=(item.lexicon_id,)),))
        for item in book.lexicons
    )
    program = core.Program(msgspec.structs.replace(book, rules=rules, answers=()), "lists", {})
    found = 0
    for at, text in enumerate(texts, 1):
        event = Event(
            ts_ms=at, source=Source(connector="x", account="a", origin="import"), dedupe_key=str(at),
            conv=Conv(platform_id="g"), body=MessageCreated(message_id=str(at), text=text),
            actor=Party(platform_id="p", kind="member", name="p"),
        )  # fmt: skip
        happening = Happening(at, event, group=GroupId(1), actor=IdentityId(at))
        found += len(core.decide(core.State(), happening, program, at))
    return found


@pytest.mark.parametrize("name", gallery.names())
def test_the_word_lists_of_a_gallery_playbook_are_long_and_find_what_they_name(name: str) -> None:
    lists = gallery.load(name).playbook.lexicons
    assert sum(len(item.terms) for item in lists) >= 300
    assert alarms(name, ["百家乐平台，稳赢计划，加我", "兼职刷单，日赚过千"]) >= 2


@real
@pytest.mark.parametrize("name", gallery.names())
def test_the_word_lists_of_the_gallery_leave_ordinary_messages_alone(name: str) -> None:
    texts = ordinary_messages(DATA, 8_000)
    assert len(texts) == 8_000
    assert alarms(name, texts) <= 3


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
