"""Know WeChat's message types, by number and by the Chinese words of the tools that dump them."""

from __future__ import annotations

import re
from html import unescape
from typing import Final, Literal

from qunce.domain.events import Part, PartType

Kind = PartType | Literal["quote"]

_TYPES: Final[dict[int, Kind]] = {
    1: "text", 3: "image", 34: "voice", 42: "card", 43: "video", 47: "sticker", 48: "location", 49: "link", 50: "other",
    62: "video", 10000: "system", 10002: "system",
}  # fmt: skip
_SHARES: Final[dict[int, Kind]] = {
    1: "text", 4: "link", 5: "link", 6: "file", 8: "sticker", 19: "forward", 24: "other", 33: "link", 36: "link", 51: "video",
    57: "quote", 62: "system", 63: "video", 87: "system", 2000: "other", 2001: "red_packet",
}  # fmt: skip
_WORDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("系统", "system"), ("拍一拍", "system"), ("撤回", "system"), ("引用", "quote"), ("文本", "text"), ("图片", "image"),
    ("语音通话", "other"), ("视频通话", "other"), ("语音", "voice"), ("视频", "video"), ("动画表情", "sticker"),
    ("表情", "sticker"), ("文件", "file"), ("名片", "card"), ("位置", "location"), ("红包", "red_packet"), ("转账", "other"),
    ("合并转发", "forward"), ("聊天记录", "forward"), ("小程序", "link"), ("链接", "link"), ("图文", "link"),
    ("分享", "link"), ("音乐", "link"),
)  # fmt: skip
"""A type's name holds one of these words; the first that fits decides."""
_PLACEHOLDER: Final = re.compile(
    r"!?\[(?P<word>[\u4e00-\u9fff]{2,8})(?:\|(?P<title>[^\]\n]{0,300}))?\](?:\((?P<url>[^)\s]{0,2000})\))?"
)
_TITLE: Final = re.compile(r"<title>(?:<!\[CDATA\[)?(?P<title>.{0,500}?)(?:\]\]>)?</title>", re.DOTALL)
_URL: Final = re.compile(r"<url>(?:<!\[CDATA\[)?(?P<url>https?://[^\s<\]]+)")
_SEARCHED: Final = 20_000
"""XML is searched so far; titles stand at its beginning, and a hostile one must not cost its length squared."""
_SHOWN: Final = frozenset({"link", "file", "card", "forward", "location", "other"})


def kind_of(number: int, sub: int = 0) -> Kind:
    """Return the kind of a numbered type; `other` for unknown ones."""
    return _SHARES.get(sub, "link") if number == 49 else _TYPES.get(number, "other")


def kind_named(word: str) -> Kind:
    """Return the kind of a type in words, such as 文本 or 动画表情; a bare number is looked up as one."""
    if word.strip().isdecimal():
        return kind_of(int(word))
    return next((kind for part, kind in _WORDS if part in word), "text" if not word else "other")


def content_of(kind: Kind, content: str) -> tuple[str, tuple[Part, ...]]:
    """Return (text people read, parts beside it) of a message. XML is reduced to its title and address."""
    title = _TITLE.search(content, 0, _SEARCHED) if "<" in content else None
    url = _URL.search(content, 0, _SEARCHED) if title else None
    shown = unescape(title["title"]).strip() if title else "" if content.lstrip().startswith(("<?xml", "<msg")) else content
    if kind == "quote":
        return shown, ()
    if kind == "text":
        return _placeholder(content) or (shown, ())
    address = url["url"] if url else None
    if placeholder := _placeholder(content):
        return placeholder
    if kind in _SHOWN:
        return "", (Part(type=kind, text=shown or None, url=address),)
    return "", (Part(type=kind),)


def _placeholder(content: str) -> tuple[str, tuple[Part, ...]] | None:
    """Read `[图片]`, `![图片](address)` and `[链接|title](address)`; other words in brackets are emoji such as [旺柴]."""
    match = _PLACEHOLDER.fullmatch(content.strip())
    kind = next((kind for part, kind in _WORDS if match and part == match["word"]), None)
    if match is None or kind is None or kind == "quote" or kind in ("text", "system"):
        return None
    return "", (Part(type=kind, text=match["title"] or None, url=match["url"] or None),)
