"""Turn a signed request into events. The runtime answers it once they are stored, so that a lost request is sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from qunce.connectors.base import Capabilities, Emit
from qunce.connectors.cleaning import live_event
from qunce.connectors.errors import AuthFailed, Permanent, Unsupported
from qunce.connectors.files.base import ImportOptions, Rejected
from qunce.connectors.files.errors import ImportRefused
from qunce.connectors.files.generic import EventMaker
from qunce.connectors.files.generic_rows import read_json_lines
from qunce.connectors.pace import Life
from qunce.connectors.webhook_in.capabilities import CAPABILITIES
from qunce.connectors.webhook_in.signature import check
from qunce.domain.commands import AnyCommand, Content, Receipt, capability_of
from qunce.domain.events import Event, Source

MAX_ROWS: Final = 5_000
MIN_SECRET: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """One other system."""

    name: str
    """Names the source, and the group of rows that name none."""
    secrets: tuple[str, ...] = field(repr=False)
    """16 characters or more each; two while they are being changed."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    """Zone of times that carry none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a request brought."""

    events: tuple[Event, ...]
    rejected: tuple[Rejected, ...]
    """Rows that cannot be used, for the answer: the sender should see them."""


class WebhookIn:
    """Takes requests of one other system. A row sent again has the same key, so sending again is harmless."""

    def __init__(self, settings: WebhookSettings, life: Life) -> None:
        if not settings.secrets or any(len(secret) < MIN_SECRET for secret in settings.secrets):
            raise AuthFailed("weak_secret", f"a secret needs {MIN_SECRET} characters or more")
        self._settings = settings
        self._life = life

    @property
    def capabilities(self) -> Capabilities:
        """Return what a webhook brings."""
        return CAPABILITIES

    def take(self, headers: Mapping[str, str], body: bytes) -> Taken:
        """Return the events of a request. Header names are in lower case.

        Raises AuthFailed for a request that is not signed or not fresh, Permanent for a body that holds no rows.
        """
        now_ms = self._life.now_ms()
        check(self._settings.secrets, headers, body, now_ms)
        maker = EventMaker(ImportOptions(now_ms=now_ms, zone=self._settings.zone), self._settings.name)
        events, rejected = [], []
        try:
            for row in read_json_lines(_lines(body)):
                for made in (row,) if isinstance(row, Rejected) else maker.events(*row):
                    found = made if isinstance(made, Rejected) else live_event(self._ours(made), now_ms)
                    if isinstance(found, Event):
                        events.append(found)
                    else:
                        rejected.append(found or _BAD_ID)
        except ImportRefused as error:
            raise Permanent(error.code, str(error)) from None
        return Taken(events=tuple(events), rejected=tuple(rejected))

    async def run(self, emit: Emit, since: str | None) -> None:
        """Return at once: requests come to `take`."""

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Raise Unsupported: nothing can be sent this way."""
        raise Unsupported("message.send")

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Raise Unsupported: nothing can be done this way."""
        raise Unsupported(capability_of(command))

    def _ours(self, event: Event) -> Event:
        """Name the other system as the source, so that what it says never mixes with an account we read ourselves."""
        connector = event.source.connector if event.source.connector != "generic" else CAPABILITIES.kind
        source = Source(connector=connector, account=f"webhook:{self._settings.name}", origin="callback")
        return replace(event, source=source, confidence="reported")


_BAD_ID: Final = Rejected(
    where="row", code="bad_id", reason="An id is empty or too long.", fix="Use ids of 250 characters at most."
)


def _lines(body: bytes) -> Iterator[tuple[int, str]]:
    """Return (number, JSON object) of each row of `{"rows": […]}`, `[…]`, one object, or one object a line."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Permanent("bad_encoding", "the body is not UTF-8") from None
    rows = _rows(text)
    if len(rows) > MAX_ROWS:
        raise Permanent("too_many", f"more than {MAX_ROWS} rows in one request")
    return iter(enumerate(rows, start=1))


class _Rows(msgspec.Struct):
    rows: list[msgspec.Raw]


_body: Final = msgspec.json.Decoder(_Rows | list[msgspec.Raw])
_any: Final = msgspec.json.Decoder(msgspec.Raw)


def _rows(text: str) -> list[str]:
    """Return the text of each row; rows are read once only, by whoever knows their columns."""
    try:
        data = _body.decode(text)
    except msgspec.ValidationError:
        return [text] if _is_json(text) else _by_line(text)
    except (ValueError, RecursionError):
        return _by_line(text)
    return [bytes(row).decode() for row in (data.rows if isinstance(data, _Rows) else data)]


def _is_json(text: str) -> bool:
    try:
        _any.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _by_line(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
