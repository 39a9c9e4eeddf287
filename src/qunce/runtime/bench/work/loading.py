"""Load a running server from this process, over the loopback only: signed requests in, decisions watched in the database."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Final

from qunce.connectors.webhook_in.signature import sign
from qunce.runtime.bench.work.chatter import CHARACTERS, SAID

HOST: Final = "127.0.0.1"
CHANNEL: Final = "bench"
SECRET: Final = "only-for-one-benchmark-run"  # noqa: S105  # of a data folder that is removed after the run
CONNECTIONS: Final = 16
GROUPS: Final = 50
PEOPLE: Final = 2_000


class Load:
    """Sends rows, and notes when each was due. Everything is bounded in time and number."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port = port
        self._cookie = cookie
        self._numbers = count(1)
        self.due: dict[str, float] = {}
        """When each row should have left, by its key in the journal, however late it did because the server was slow."""
        self.refused = 0
        self.pages = 0

    async def flat_out(self, seconds: float, each: int) -> None:
        """Let every connection send as soon as it was answered."""
        until = time.monotonic() + seconds

        def moments() -> Iterator[float]:
            while (now := time.monotonic()) < until:
                yield now

        await self._send_all(moments(), each)

    async def steadily(self, seconds: float, each: int, per_second: int) -> None:
        """Send so many rows a second, whether they are answered or not."""
        start, step = time.monotonic() + 0.05, each / per_second
        await self._send_all((start + number * step for number in range(round(seconds / step))), each)

    async def look_at_the_console(self) -> None:
        """Open the dashboard once a second until cancelled, as somebody does who watches."""
        request = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nCookie: {self._cookie}\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection(HOST, self._port)
        try:
            while True:
                if await _ask(reader, writer, request) == 200:
                    self.pages += 1
                await asyncio.sleep(1)
        finally:
            writer.close()

    async def is_open(self) -> bool:
        """Tell whether the channel takes rows."""
        try:
            reader, writer = await asyncio.open_connection(HOST, self._port)
        except OSError:
            return False
        try:
            return await _ask(reader, writer, self._request([self._row(0.0)])) == 200
        finally:
            self.due.clear()
            writer.close()

    async def _send_all(self, moments: Iterator[float], each: int) -> None:
        async def work() -> None:
            reader, writer = await asyncio.open_connection(HOST, self._port)
            try:
                for moment in moments:
                    await asyncio.sleep(max(0.0, moment - time.monotonic()))
                    rows = [self._row(moment) for _ in range(each)]
                    self.refused += await _ask(reader, writer, self._request(rows)) != 200
            finally:
                writer.close()

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    def _row(self, moment: float) -> dict[str, object]:
        number = next(self._numbers)
        group, person = f"g{number * 7 % GROUPS}", f"u{number * 13 % PEOPLE}"
        self.due[f"m:{group}:{number}"] = moment
        text = f"{SAID[number * 11 % len(SAID)]}{CHARACTERS[number % len(CHARACTERS)]}"
        return {
            "time": int(time.time() * 1_000), "group": group, "user_name": person, "user_id": person, "text": text,
            "msg_id": str(number),
        }  # fmt: skip

    def _request(self, rows: list[dict[str, object]]) -> bytes:
        body, moment_s = json.dumps({"rows": rows}).encode(), int(time.time())
        head = (
            f"POST /in/webhook/{CHANNEL} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
            f"X-Qunce-Timestamp: {moment_s}\r\nX-Qunce-Signature: {sign(SECRET, moment_s, body)}\r\n\r\n"
        )
        return head.encode() + body


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Send a request and return the status of the answer, read to its end."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next((line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:")), None)
    if length is not None:
        await reader.readexactly(int(length))
    else:
        while (size := int(await reader.readuntil(b"\r\n"), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    return int(head.split(" ", 2)[1])
