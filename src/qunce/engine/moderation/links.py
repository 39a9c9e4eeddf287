"""Find links: written out, without their scheme, in disguise (example。com, example 点 com, percent-encoded), and in cards."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from qunce.domain.events import Part
from qunce.engine.text.views import Views

_TLDS: Final = (
    "com|cn|net|org|cc|top|xyz|vip|club|shop|site|online|info|me|io|co|tv|link|live|ltd|store|fun|pro|app|icu|work|ink|wang|mobi|"
    "biz|tk|ml|ga|cf|ru|jp|hk|tw|us|uk|la|pw|ly|gl|asia|xin|ren|group|team|cloud|art|red|run|one|space|win|bid|loan"
)
_DOT: Final = r"(?:\.|。|·|\s?点\s?|\s?\(点\)\s?|\s?\[\.\]\s?|\s\.\s?)"
_SCHEME: Final = re.compile(r"(?<![a-z0-9])(?:https?|hxxps?|ftp)\s?[:：]\s?/{1,2}\s?([^\s/?#\u3400-\u9fff]{3,255})")
_BARE: Final = re.compile(rf"(?<![a-z0-9@_./=%-])((?:[a-z0-9][a-z0-9-]{{0,62}}{_DOT}){{1,4}}(?:{_TLDS}))(?![a-z0-9_-])(?!@)")
_HINT: Final = re.compile(r"[a-z0-9][ \])]{0,2}(?:[.。·点]|\(点|\[\.)[ \])]{0,3}[a-z]{2}|:/")
"""Cheap sign that there may be a link at all."""
_WHOLE: Final = re.compile(rf"(?:{_SCHEME.pattern}|{_BARE.pattern})(?:[:/?#][^\s\u3400-\u9fff]{{0,2000}})?")
"""A link with its path."""
MAX_ONLY: Final = 4_000
_DOT_FORMS: Final = re.compile(_DOT)
_HOST: Final = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")

Link = tuple[str, int, int]
"""Host, and start and end in the text as written; both 0 when the link stands in a card or a QR code."""


def host_of(url: str) -> str | None:
    """Return the host of a URL in lower case, without user, port and a final dot; None if there is none."""
    rest = unquote(url.strip()).lower().partition("://")[2] or unquote(url.strip()).lower()
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].strip(".")
    return host if _HOST.fullmatch(host) else None


def may_be_in(views: Views) -> bool:
    """Tell cheaply whether the text may hold a link; without this sign it holds none."""
    return _HINT.search(views.folded) is not None


def find(views: Views, parts: tuple[Part, ...] = ()) -> list[Link]:
    """Return the links of a message's parts and text in order, each host once."""
    found: dict[str, Link] = {}
    for part in parts:
        for url in (part.url, *part.codes):
            host = host_of(url) if url else None
            if host is not None:
                found.setdefault(host, (host, 0, 0))
    folded = views.folded
    if may_be_in(views):
        for pattern in (_SCHEME, _BARE):
            for match in pattern.finditer(folded):
                host = host_of(_DOT_FORMS.sub(".", match[1]))
                if host is not None:
                    found.setdefault(host, (host, *views.written("folded", *match.span())))
    return list(found.values())


def is_nothing_else(views: Views) -> bool:
    """Tell whether a text is links and nothing beside them: without one letter, digit or Chinese character more."""
    folded = views.folded
    if not may_be_in(views) or len(folded) > MAX_ONLY:
        return False
    rest = _WHOLE.sub(" ", folded)
    return rest != folded and not any(char.isalnum() for char in rest)


def under(host: str, hosts: tuple[str, ...]) -> bool:
    """Tell whether `host` is one of `hosts` or lies below one."""
    return any(host == known or host.endswith("." + known) for known in hosts)
