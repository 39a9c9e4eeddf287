"""Read rooms by `/sync`, page back what a limited timeline leaves out, and act."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import httpx

from qunce.connectors.base import Batch, Capabilities, Emit, Gap, Obstacle
from qunce.connectors.errors import AuthFailed, Permanent, Retryable
from qunce.connectors.matrix.actions import Actions
from qunce.connectors.matrix.api import MatrixApi, MatrixSettings
from qunce.connectors.matrix.capabilities import CAPABILITIES
from qunce.connectors.matrix.pictures import pictures, pictures_of
from qunce.connectors.matrix.rooms import KIND, Rooms
from qunce.connectors.matrix.standing import MEMBER, STATES, standing
from qunce.connectors.matrix.sync import RoomPart, direct_rooms, invitations, room_parts
from qunce.connectors.pace import Health, Life, poll
from qunce.connectors.pictures import Codes, with_codes
from qunce.connectors.rows import Row, text_of
from qunce.domain.commands import AnyCommand, Content, Receipt, SendMessage
from qunce.domain.events import Event, Source

LONG_POLL_MS: Final = 30_000
PAGE: Final = 100
MAX_PAGES: Final = 50
"""So many pages are read back at most; what lies before becomes a gap."""

logger = logging.getLogger(__name__)


class Matrix:
    """One account on a homeserver. `since` is the token of `/sync`."""

    def __init__(
        self, settings: MatrixSettings, client: httpx.AsyncClient, life: Life, *, max_pages: int = MAX_PAGES,
        long_poll_ms: int = LONG_POLL_MS,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._api = MatrixApi(client, settings)
        self._pictures = pictures(self._api)
        self._actions = Actions(self._api, settings.user_id)
        self._rooms = Rooms(settings.user_id)
        self._to_join: list[str] = []
        self._life = life
        self._health = Health(Source(connector=KIND, account=settings.user_id, origin="poll"), life)
        self._max_pages = max_pages
        self._long_poll_ms = long_poll_ms

    @property
    def capabilities(self) -> Capabilities:
        """Return what a Matrix account can do."""
        return CAPABILITIES

    async def run(self, emit: Emit, since: str | None) -> None:
        """Read until cancelled. Raises AuthFailed when the token is not accepted."""
        self._to_join = list(self._settings.rooms)
        await poll(self._read, emit, since, self._health, self._life)

    async def _read(self, since: str | None) -> Batch:
        while self._to_join:
            await self._join(self._to_join[-1])
            self._to_join.pop()
        data = await self._api.sync(since, self._long_poll_ms if self._health.is_up else 0)
        return await self._batch(data, since)

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Say something in a room."""
        return await self.act(SendMessage(conv_id=conv_id, content=content), idem_key=idem_key)

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Carry out a command."""
        CAPABILITIES.require(command)
        return await self._actions.do(command, idem_key)

    async def survey(self, conv_id: str) -> tuple[Obstacle, ...]:
        """Return what the room does not let the account do."""
        us = self._settings.user_id
        rows = [
            {"type": kind, "state_key": key, "content": await self._look("rooms", conv_id, "state", kind, key)}
            for kind, key in ((MEMBER, us), *((kind, "") for kind in STATES))
        ]
        created = await self._look("rooms", conv_id, "state", "m.room.create", "", params={"format": "event"})
        return standing([*rows, created], us)

    async def _batch(self, data: Row, since: str | None) -> Batch:
        next_since = text_of(data.get("next_batch"))
        if not next_since:
            raise Retryable("bad_answer", "the sync has no next_batch")
        for rooms in (direct_rooms(data) or {}).values():
            for room_id in rooms:
                self._rooms.make_direct(room_id)
        fetched = [(part, *await self._between(part, since)) for part in room_parts(data)]
        if self._settings.accepts_invites:
            for room_id in invitations(data):
                await self._join(room_id)
        codes = await self._pictures.codes(
            picture for part, between, _ in fetched for picture in pictures_of(part.room_id, (*between, *part.timeline))
        )
        return self._told(fetched, codes, next_since)

    async def _between(self, part: RoomPart, since: str | None) -> tuple[tuple[Row, ...], bool]:
        """Fetch what the answer leaves out of a room; return what happened before its timeline, and whether that is all."""
        if not part.is_first and not self._rooms.is_known(part.room_id):
            await self._learn(part.room_id)
        between: tuple[Row, ...] = ()
        is_whole = True
        if part.is_limited and since is not None and part.prev_batch:
            between, is_whole = await self._page_back(part, since)
        for event_id in self._rooms.unknown_targets((*between, *part.timeline)):
            if (await self._look("rooms", part.room_id, "event", event_id)).get("type") == "m.reaction":
                self._rooms.settle(part.room_id, event_id)
        return between, is_whole

    def _told(self, fetched: Sequence[tuple[RoomPart, tuple[Row, ...], bool]], codes: Codes, since: str) -> Batch:
        """Read all rooms. Nothing is asked for in between, so a failure cannot leave them half read."""
        events: list[Event] = []
        gaps: list[Gap] = []
        for part, between, is_whole in fetched:
            events.extend(self._rooms.read(part, between, is_whole=is_whole, now_ms=self._life.now_ms()))
            if not is_whole:
                first = next((row["origin_server_ts"] for row in between if isinstance(row.get("origin_server_ts"), int)), None)
                gaps.append(Gap(reason="backfill_limit", conv_id=part.room_id, until_ms=first))
        return Batch(events=with_codes(events, codes), since=since, gaps=tuple(gaps))

    async def _page_back(self, part: RoomPart, since: str) -> tuple[tuple[Row, ...], bool]:
        """Return what happened between `since` and the timeline, oldest first, and whether that is all of it."""
        newest_first: list[Row] = []
        place = part.prev_batch
        for _ in range(self._max_pages):
            params = {"dir": "b", "from": place, "to": since, "limit": PAGE}
            try:
                page = await self._api.get("rooms", part.room_id, "messages", params=params)
            except AuthFailed:
                raise
            except Permanent:
                return tuple(reversed(newest_first)), False  # we may not look there
            chunk = page.get("chunk")
            if isinstance(chunk, list):
                newest_first.extend(row for row in chunk if isinstance(row, dict))
            place = text_of(page.get("end"))
            if not place or not chunk:
                return tuple(reversed(newest_first)), True
        return tuple(reversed(newest_first)), False

    async def _learn(self, room_id: str) -> None:
        """Fetch the names of a room that was joined before this start; without them its people go by their ids."""
        members = (await self._look("rooms", room_id, "members", params={"membership": "join"})).get("chunk")
        name = await self._look("rooms", room_id, "state", "m.room.name", "")
        self._rooms.learn(room_id, [row for row in members if isinstance(row, dict)] if isinstance(members, list) else [])
        self._rooms.learn(room_id, [{"type": "m.room.name", "content": name}])

    async def _look(self, *path: str, params: Row | None = None) -> Row:
        """Read something that may not be there, or not for us."""
        try:
            return await self._api.get(*path, params=params)
        except AuthFailed:
            raise
        except Permanent:
            return {}

    async def _join(self, room: str) -> None:
        try:
            await self._api.post("join", room, json={}, is_repeatable=True)
        except AuthFailed:
            raise
        except Permanent as error:
            logger.warning("A room cannot be joined.", extra={"action": "matrix.join", "code": error.code})
