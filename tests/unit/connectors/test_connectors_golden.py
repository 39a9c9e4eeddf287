"""What each platform sends, in the shapes of its documentation, and what is read from it.

`tests/fixtures/connectors/<kind>/<case>.json|.txt` is what arrives, `<case>.told` what must come of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from qunce.connectors.irc.lines import parse
from qunce.connectors.irc.reader import Reader
from qunce.connectors.matrix.rooms import Rooms
from qunce.connectors.matrix.sync import room_parts
from qunce.connectors.onebot11.reports import read_reports
from qunce.connectors.telegram.updates import read_updates
from qunce.connectors.webhook_in.connector import WebhookIn, WebhookSettings
from qunce.connectors.webhook_in.signature import sign
from qunce.domain.events import Event, Source
from tests.unit.connectors.harness import NOW_MS, Clock
from tests.unit.files.notation import keys_of, told

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "connectors"
CASES = sorted(path for path in FIXTURES.glob("*/*") if path.suffix != ".told")
Read = Callable[[str], Sequence[Event]]


def read_matrix(text: str) -> list[Event]:
    rooms = Rooms("@bot:x")
    return [
        event
        for answer in json.loads(text)
        for part in room_parts(answer)
        for event in rooms.read(part, (), is_whole=True, now_ms=NOW_MS)
    ]


def read_telegram(text: str) -> Sequence[Event]:
    return read_updates(json.loads(text), Source(connector="telegram", account="99", origin="poll"), NOW_MS)


def read_onebot11(text: str) -> Sequence[Event]:
    return read_reports(json.loads(text), Source(connector="onebot11", account="10001", origin="callback"), NOW_MS)


def read_irc(text: str) -> list[Event]:
    reader = Reader(Source(connector="irc", account="qbot@x", origin="poll"), "qbot")
    lines = [parse(line.encode()) for line in text.splitlines()]
    return [event for number, line in enumerate(lines) if line for event in reader.read(line, NOW_MS + number * 1000)]


def read_webhook_in(text: str) -> Sequence[Event]:
    secret, body = "0123456789abcdef", text.encode()
    headers = {"x-qunce-timestamp": str(NOW_MS // 1000), "x-qunce-signature": sign(secret, NOW_MS // 1000, body)}
    return WebhookIn(WebhookSettings(name="shop", secrets=(secret,)), Clock().life()).take(headers, body).events


READERS: dict[str, Read] = {
    "matrix": read_matrix,
    "telegram": read_telegram,
    "onebot11": read_onebot11,
    "irc": read_irc,
    "webhook_in": read_webhook_in,
}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_what_arrives_is_told_in_full(path: Path) -> None:
    lines = [line + own_of(event) for event in READERS[path.parent.name](path.read_text("utf-8")) for line in told([event])]
    assert lines == path.with_suffix(".told").read_text("utf-8").splitlines()


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_what_arrives_twice_has_the_same_keys_and_nothing_shares_one(path: Path) -> None:
    read, text = READERS[path.parent.name], path.read_text("utf-8")
    keys = keys_of(read(text))
    assert keys == keys_of(read(text))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_every_event_is_reported_by_its_account(path: Path) -> None:
    kind = path.parent.name
    for event in READERS[kind](path.read_text("utf-8")):
        assert event.source.connector in (kind, "mall")
        assert event.source.account != "export"
        assert event.confidence in ("reported", "derived")


def own_of(event: Event) -> str:
    """Return a mark for what we did ourselves, and for what was not said outright."""
    return " (self)" * (event.source.origin == "self") + " (derived)" * (event.confidence == "derived")
