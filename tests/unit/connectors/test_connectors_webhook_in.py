"""Rows from other systems: who may send them, when, and what becomes of bad ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qunce.connectors.errors import AuthFailed, Permanent
from qunce.connectors.webhook_in.connector import MAX_ROWS, WebhookIn, WebhookSettings
from qunce.connectors.webhook_in.signature import WINDOW_S, sign
from qunce.domain.events import MessageCreated
from tests.unit.connectors.harness import NOW_MS, Clock

OLD, NEW = "0123456789abcdef", "fedcba9876543210"
NOW_S = NOW_MS // 1000
ROW = {"time": 1706752800, "group": "g", "user": "安", "text": "好", "msg_id": "1"}
BODY = json.dumps({"rows": [ROW]}).encode()


def hook(*secrets: str) -> WebhookIn:
    return WebhookIn(WebhookSettings(name="shop", secrets=secrets or (OLD,)), Clock().life())


def headers(body: bytes, *, secret: str = OLD, at_s: int = NOW_S) -> dict[str, str]:
    return {"x-qunce-timestamp": str(at_s), "x-qunce-signature": sign(secret, at_s, body)}


def test_the_signature_is_that_of_an_independent_tool() -> None:
    # printf '1700000000.{"rows":[]}' | openssl dgst -sha256 -hmac 0123456789abcdef -hex
    expected = "sha256=47445d7e08e203ab626b03c1a7dd727ae94032dd0d686f9a80048bd83ebfc4f1"
    assert sign(OLD, 1_700_000_000, b'{"rows":[]}') == expected


@pytest.mark.parametrize("at_s", [NOW_S - WINDOW_S, NOW_S, NOW_S + WINDOW_S])
def test_a_fresh_signed_request_is_taken(at_s: int) -> None:
    taken = hook().take(headers(BODY, at_s=at_s), BODY)
    (event,) = taken.events
    assert isinstance(event.body, MessageCreated)
    assert (event.source.connector, event.source.account, event.source.origin) == ("webhook_in", "webhook:shop", "callback")


def test_while_secrets_change_both_are_taken() -> None:
    for secret in (OLD, NEW):
        assert hook(NEW, OLD).take(headers(BODY, secret=secret), BODY).events


REFUSED: list[tuple[str, dict[str, str], bytes, str]] = [
    ("no headers", {}, BODY, "no_timestamp"),
    ("a time that is no number", {**headers(BODY), "x-qunce-timestamp": "now"}, BODY, "no_timestamp"),
    ("no signature", {"x-qunce-timestamp": str(NOW_S)}, BODY, "bad_signature"),
    ("a signature that is not ASCII", {**headers(BODY), "x-qunce-signature": "签名"}, BODY, "bad_signature"),
    ("another secret", headers(BODY, secret=NEW), BODY, "bad_signature"),
    ("another body", headers(BODY), BODY + b" ", "bad_signature"),
    ("another time", {**headers(BODY), "x-qunce-timestamp": str(NOW_S + 1)}, BODY, "bad_signature"),
    ("an old request", headers(BODY, at_s=NOW_S - WINDOW_S - 1), BODY, "stale"),
    ("a request from the future", headers(BODY, at_s=NOW_S + WINDOW_S + 1), BODY, "stale"),
]


@pytest.mark.parametrize(("given", "body", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_everything_else_is_refused(given: dict[str, str], body: bytes, code: str) -> None:
    with pytest.raises(AuthFailed) as refused:
        hook().take(given, body)
    assert refused.value.code == code


def test_a_request_sent_again_has_the_same_keys() -> None:
    body = json.dumps([{k: v for k, v in ROW.items() if k != "msg_id"}] * 2).encode()
    first, again = (hook().take(headers(body), body).events for _ in range(2))
    assert [event.dedupe_key for event in first] == [event.dedupe_key for event in again]
    assert len({event.dedupe_key for event in first}) == 2


@pytest.mark.parametrize(
    "body",
    [{"rows": [ROW, ROW]}, [ROW, ROW]],
    ids=["an object with rows", "a list"],
)
def test_rows_come_in_several_wrappings(body: Any) -> None:
    data = json.dumps(body).encode()
    assert len(hook().take(headers(data), data).events) == 2
    lines = "\n".join(json.dumps(row) for row in (ROW, ROW)).encode()
    assert len(hook().take(headers(lines), lines).events) == 2


def test_a_bad_row_is_named_and_the_others_are_taken() -> None:
    body = json.dumps([ROW, {**ROW, "time": "soon"}, {**ROW, "user": "u" * 1000}, {**ROW, "text": ["list"]}, 7]).encode()
    taken = hook().take(headers(body), body)
    assert len(taken.events) == 1
    assert {row.code for row in taken.rejected} == {"bad_time", "bad_id", "bad_row"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "unreadable"),
        (b"\xff\xff", "bad_encoding"),
        (b"[[[[", "unreadable"),
        (b'{"rows": [{"colour": "red"}]}', "refused"),
        (json.dumps([ROW] * (MAX_ROWS + 1)).encode(), "too_many"),
    ],
    ids=["nothing", "not UTF-8", "garbage", "rows without columns we know", "too many rows"],
)
def test_a_body_without_rows_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Permanent) as refused:
        hook().take(headers(body), body)
    assert refused.value.code == code
