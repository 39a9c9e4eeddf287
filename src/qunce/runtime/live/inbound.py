"""Let platforms that call us in: signed webhooks, and the reverse WebSocket of OneBot 11.

Their channels must run in the process that is called (`workers.switchboard`). What is answered as taken is durable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from qunce.connectors.base import Batch
from qunce.connectors.errors import AuthFailed, Permanent
from qunce.connectors.onebot11.connector import OneBot11
from qunce.connectors.webhook_in.connector import WebhookIn
from qunce.runtime.live import workers

WEBHOOK = "webhook_in"
ONEBOT = "onebot11"

Receive = Callable[[], Awaitable[str | bytes | None]]
Send = Callable[[str], Awaitable[None]]
Serve = Callable[[Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the caller is told."""

    status: int
    """HTTP status: 200 taken, 400 not readable, 401 not signed, 404 nobody listens here."""
    code: str = ""
    """Short word for what is wrong; empty = nothing is."""
    taken: int = 0
    rejected: tuple[tuple[str, str], ...] = ()
    """(place, what is wrong) of rows that cannot be used."""


async def take_webhook(name: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Take a signed request for the webhook channel `name`. Header names are in lower case."""
    board = workers.switchboard()
    line = board.connector(WEBHOOK, name) if board is not None else None
    if board is None or line is None:
        return Answer(status=404, code="no_channel")
    channel, connector = line
    if not isinstance(connector, WebhookIn):
        return Answer(status=404, code="no_channel")
    try:
        taken = connector.take(headers, body)
    except AuthFailed as error:
        return Answer(status=401, code=error.code)
    except Permanent as error:
        return Answer(status=400, code=error.code)
    if taken.events:
        await board.take(channel, Batch(events=taken.events))
    return Answer(status=200, taken=len(taken.events), rejected=tuple((one.where, one.reason) for one in taken.rejected))


def onebot_line(headers: Mapping[str, str], query: Mapping[str, str]) -> Serve | None:
    """Return what serves a connection of a OneBot implementation; None = it is not one of ours. Header names in lower case."""
    board = workers.switchboard()
    line = board.connector(ONEBOT, headers.get("x-self-id", "")) if board is not None else None
    if line is None or not isinstance(line[1], OneBot11) or not line[1].accepts(headers, query):
        return None
    return line[1].serve
