"""QR codes in pictures: made here, read back, and hostile files that are refused before they cost anything."""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qunce.connectors.codes import MAX_BYTES, MAX_CODES, MAX_PIXELS, MAX_SCANS, BadPicture, read_codes
from qunce.connectors.matrix.api import MatrixApi, MatrixSettings
from qunce.connectors.matrix.connector import Matrix
from qunce.connectors.matrix.pictures import pictures, pictures_of
from qunce.connectors.onebot11.pictures import is_of_platform
from qunce.connectors.pictures import MAX_PICTURES
from qunce.domain.events import MessageCreated, decode, encode
from tests.unit.connectors.drawing import ADDRESS, code, codes_of, file_of
from tests.unit.connectors.harness import Clock, Store, web

SETTINGS = MatrixSettings(homeserver="https://h.example/", user_id="@q:x", token="token")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("text", [ADDRESS, "加微信 abc12345", "weixin://wxpay/bizpayurl?pr=1"])
def test_what_a_code_says_is_read(kind: str, text: str) -> None:
    assert read_codes(file_of(code(text), kind)) == (text,)


def test_a_code_is_found_turned_in_a_large_photograph_and_on_a_transparent_ground() -> None:
    photo = Image.new("RGB", (3_000, 4_000), "#b0c0a0")
    photo.paste(code(ADDRESS, 12).rotate(90), (800, 1_500))
    assert read_codes(file_of(photo, "JPEG")) == (ADDRESS,)
    clear = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    grey = code(ADDRESS)
    clear.paste((0, 0, 0, 255), (60, 60), grey.point(lambda level: 255 - level))
    assert read_codes(file_of(clear)) == (ADDRESS,)


def test_a_picture_without_a_code_says_nothing_and_many_codes_are_bounded() -> None:
    assert read_codes(file_of(Image.new("L", (200, 200), 200))) == ()
    sheet = Image.new("L", (1_200, 400), 255)
    for number in range(MAX_CODES + 4):
        sheet.paste(code(f"n{number}", 3), (number % 6 * 190 + 10, number // 6 * 190 + 10))
    assert len(read_codes(file_of(sheet))) == MAX_CODES


def test_what_cannot_be_stored_is_taken_out() -> None:
    assert all("\x00" not in text for text in read_codes(file_of(code("a\x00b"))))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES), "bytes"),
        (b"", "kind"),
        (b"GIF89a" + bytes(100), "kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"),
        (png(MAX_PIXELS, 2), "pixels"),
        (png(60_000, 60_000), "pixels"),
        (png(100, 100)[:40], "broken"),
        (file_of(code(ADDRESS), "JPEG")[:300], "broken"),
        (file_of(code(ADDRESS), "JPEG") + b"\xff\xda" * MAX_SCANS, "scans"),
    ],
)
def test_hostile_and_broken_files_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadPicture) as refused:
        read_codes(data)
    assert refused.value.code == why


@given(st.integers(0, 2_000), st.binary(min_size=1, max_size=40), st.sampled_from(["PNG", "JPEG"]))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place: int, junk: bytes, kind: str) -> None:
    data = bytearray(file_of(code(ADDRESS), kind))
    place %= len(data)
    data[place : place + len(junk)] = junk
    try:
        found: tuple[str, ...] = read_codes(bytes(data))
    except BadPicture:
        found = ()
    assert len(found) <= MAX_CODES


def picture(number: int, media: str = "good", **info: Any) -> dict[str, Any]:
    content = {"msgtype": "m.image", "body": "a.png", "url": f"mxc://far.example/{media}", "info": info}
    return {
        "type": "m.room.message", "sender": "@ann:x", "content": content, "event_id": f"${number}",
        "origin_server_ts": 1706752700000 + number,
    }  # fmt: skip


class Server:
    """Hands out one picture, and a timeline of messages once; keeps which media were asked for."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer token"
        if request.url.path.endswith("/sync"):
            first = "since" not in request.url.params
            rooms = {"join": {"!r:x": {"timeline": {"events": list(self.rows) if first else []}}}}
            return httpx.Response(200, json={"next_batch": "s1" if first else "end", "rooms": rooms})
        if "/_matrix/client/v1/media/download/far.example/" not in request.url.path:
            return httpx.Response(404, json={"errcode": "M_NOT_FOUND"})
        self.asked.append(request.url.path.rpartition("/")[2])
        match self.asked[-1]:
            case "good":
                return httpx.Response(200, content=file_of(code(ADDRESS)))
            case "long":
                return httpx.Response(200, content=bytes(MAX_BYTES + 1))
            case "junk":
                return httpx.Response(200, content=b"\x89PNG\r\n\x1a\njunk")
            case "gone":
                raise httpx.ConnectError("no way")
        return httpx.Response(404, json={"errcode": "M_NOT_FOUND"})


async def test_matrix_writes_into_the_message_what_the_code_says_and_bad_pictures_change_nothing() -> None:
    names = ("good", "long", "junk", "gone", "missing")
    server, store = Server(*(picture(number, media) for number, media in enumerate(names))), Store()
    connector = Matrix(SETTINGS, web(server), Clock().life())
    task = asyncio.create_task(connector.run(store.emit, None))
    async with asyncio.timeout(30):
        while store.since != "end":
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert server.asked == list(names)
    told = [event for event in store.events if isinstance(event.body, MessageCreated)]
    assert [codes_of(event) for event in told] == [(ADDRESS,), (), (), (), ()]
    assert decode(encode(told[0])) == told[0]


async def test_no_more_pictures_are_fetched_than_the_limit_and_none_that_says_it_is_too_large() -> None:
    server = Server()
    search = pictures(MatrixApi(web(server), SETTINGS))
    rows = [picture(1, size=MAX_BYTES + 1), *(picture(number, "missing") for number in range(2, MAX_PICTURES + 4))]
    assert await search.codes(pictures_of("!r:x", rows)) == {}
    assert len(server.asked) == MAX_PICTURES - 1
    assert dict(search.seen) == {"bytes": 1, "http_404": MAX_PICTURES - 1, "many": 3}


@pytest.mark.parametrize("url", [None, 7, "https://evil.example/a.png", "mxc://x/../../v3/logout", "mxc://x/a?b", "mxc:///a"])
async def test_an_address_that_is_not_of_the_media_store_is_not_asked_for(url: object) -> None:
    server = Server()
    row = picture(1)
    row["content"]["url"] = url
    assert await pictures(MatrixApi(web(server), SETTINGS)).codes(pictures_of("!r:x", [row])) == {}
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "is_asked"),
    [
        ("https://gchat.qpic.cn/gchatpic_new/1/2-3-A/0?term=2", True),
        ("https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=x", True),
        ("http://qpic.cn/a", True),
        ("https://evil.example/a.png", False),
        ("https://qpic.cn.evil.example/a", False),
        ("https://evilqpic.cn/a", False),
        ("https://qq.com@127.0.0.1/a", False),
        ("https://gchat.qpic.cn:8443/a", False),
        ("file:///etc/passwd", False),
        ("https://gchat.qpic.cn:x/a", False),
    ],
)
def test_only_the_platforms_own_hosts_are_asked_for_pictures_of_onebot(url: str, is_asked: bool) -> None:
    assert is_of_platform(url) is is_asked
