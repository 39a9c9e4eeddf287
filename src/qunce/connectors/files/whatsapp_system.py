"""Recognise the lines that WhatsApp itself writes into an export, in English, German, Spanish and Chinese.

A pattern names the `actor` and the `subject` of what happened. It never matches across a colon followed by a blank, because
that is where an author ends and a message begins. Wordings differ between versions; what is not recognised stays a system line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

Kind = Literal["created", "renamed", "joined_link", "joined", "added", "left", "removed", "was_removed"]

_WHO: Final = r"(?P<actor>(?:(?!:\s).){1,100}?)"
_WHOM: Final = r"(?P<subject>(?:(?!:\s).){1,400}?)"
_NAME: Final = r"[\"“”„«「‘'](?P<name>.{0,200}?)[\"“”»」’']"
_OLD: Final = r"[\"“”„«「‘'](?P<old>.{0,200}?)[\"“”»」’']"

_PATTERNS: Final[tuple[tuple[Kind, str], ...]] = (
    ("created", rf"{_WHO} created (?:the |this )?group {_NAME}"),
    ("created", rf"{_WHO} hat die Gruppe {_NAME} erstellt"),
    ("created", rf"{_WHO} (?:ha creado|creó|creaste) (?:el|este) grupo {_NAME}"),
    ("created", rf"{_WHO}\s?(?:创建了|建立了|已建立|創建了)(?:群组|群組|群聊)?\s?{_NAME}(?:群组|群組)?"),
    ("renamed", rf"{_WHO} changed the (?:subject|group name)(?: from {_OLD})? to {_NAME}"),
    ("renamed", rf"{_WHO} hat den (?:Betreff|Gruppennamen)(?: von {_OLD})? (?:zu|auf|in) {_NAME} geändert"),
    ("renamed", rf"{_WHO} (?:ha cambiado|cambió) el (?:asunto|nombre)(?: del grupo)?(?: de {_OLD})? (?:a|por) {_NAME}"),
    ("renamed", rf"{_WHO}\s?[将將]?(?:群[组組])?(?:主[题題]|名[称稱])?[从從由]\s?{_OLD}\s?(?:更改[为為]|改[为為])\s?{_NAME}"),
    ("joined_link", rf"{_WHOM} joined (?:using|via) (?:this group's|a|an|the|your|the group's)?\s?(?:group )?(?:invite )?link"),
    ("joined_link", rf"{_WHOM} ist .{{0,20}}(?:mittels|mit|über|per) .{{0,40}}[Ee]inladungslink.{{0,30}} ?beigetreten"),
    ("joined_link", rf"{_WHOM} se (?:unió|ha unido)(?: al grupo)? (?:usando|con|mediante|a través) .{{0,24}}enlace.{{0,40}}"),
    ("joined_link", rf"{_WHOM}\s?(?:使用|[通透][过過]|[經经]由).{{0,12}}(?:链接|連結).{{0,4}}加入.{{0,6}}"),
    ("joined", rf"{_WHOM} (?:joined(?: from the community| the group)?|was added)"),
    ("joined", rf"{_WHOM} (?:wurde hinzugefügt|ist (?:der Gruppe )?beigetreten)"),
    ("joined", rf"Se (?:añadió|agregó|ha añadido) a {_WHOM}"),
    ("joined", rf"{_WHOM} (?:fue añadid[oa]|se unió(?: al grupo)?)"),
    ("joined", rf"{_WHOM}\s?(?:已加入(?:群组|群組)?|加入了(?:群组|群組)|被添加(?:了)?|已被添加)"),
    ("added", rf"{_WHO} added {_WHOM}"),
    ("added", rf"{_WHO} hat {_WHOM} hinzugefügt"),
    ("added", rf"{_WHO} (?:añadió|ha añadido|agregó) a {_WHOM}"),
    ("added", rf"{_WHO}\s?(?:添加了|新增了|已新增|加入了)\s?{_WHOM}"),
    ("left", rf"{_WHOM} left(?: the group)?"),
    ("left", rf"{_WHOM} hat die Gruppe verlassen"),
    ("left", rf"{_WHOM} (?:salió|ha salido|abandonó|ha abandonado)(?: del grupo| el grupo)?"),
    ("left", rf"{_WHOM}\s?(?:离开了|離開了|已离开|已離開|退出了|已退出)(?:群组|群組|该群组|該群組|群聊)?"),
    ("was_removed", rf"{_WHOM} was removed"),
    ("was_removed", rf"{_WHOM} wurde entfernt"),
    ("was_removed", rf"Se (?:eliminó|ha eliminado) a {_WHOM}"),
    ("was_removed", rf"{_WHOM}\s?(?:被移除|已被移除|被移出(?:群组|群組|群聊)?)"),
    ("removed", rf"{_WHO} removed {_WHOM}"),
    ("removed", rf"{_WHO} hat {_WHOM} entfernt"),
    ("removed", rf"{_WHO} (?:eliminó|ha eliminado|expulsó|quitó) a {_WHOM}"),
    ("removed", rf"{_WHO}\s?(?:移除了|已移除)\s?{_WHOM}"),
    ("removed", rf"{_WHO}\s?(?:将|將|把)\s?{_WHOM}\s?(?:移除|移出)(?:了)?(?:群组|群組|群聊)?"),
)  # fmt: skip
LONGEST: Final = 700
"""No line of WhatsApp's own is longer; longer messages are not tried against the patterns."""
_COMPILED: Final = tuple((kind, re.compile(rf"{pattern}[.。]?", re.DOTALL)) for kind, pattern in _PATTERNS)
_HINT: Final = re.compile(
    r"creat|changed|joined|added|left|removed|erstellt|geändert|beigetreten|hinzugefügt|verlassen|entfernt|creó|creado|creaste"
    r"|cambi|uni[ód]|añad|agreg|sali[ód]|abandon|elimin|expuls|quitó|[创創建][建立]|已建立|改[为為]|更改|加入|添加|新增|[离離]开|離開|退出|移除|移出"
)
_YOU: Final = frozenset({"you", "du", "dich", "dir", "tú", "ti", "te", "usted", "你", "您", "you were"})
_AND: Final = re.compile(r",\s+(?:and |und |y )?|、| and | und | y |和")
_OTHERS: Final = re.compile(r"\d+ (?:others?|weitere|más|人|位.*)")


class Happening(NamedTuple):
    """What a system line reports. People called "you" are left out: an export does not say who made it."""

    kind: Kind
    actor: str | None
    subjects: tuple[str, ...]
    old: str | None
    name: str | None


@lru_cache(maxsize=256)  # a line is looked at once in each reading, and by its author and its text
def read_system(text: str) -> Happening | None:
    """Return what a system line reports; None when it reports nothing that can be told for sure."""
    if len(text) > LONGEST or not _HINT.search(text):
        return None
    for kind, pattern in _COMPILED:
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            subjects = tuple(name for name in map(_person, _names(found.get("subject"))) if name)
            if kind not in ("created", "renamed") and not subjects:
                return None
            return Happening(kind, _person(found.get("actor")), subjects, found.get("old"), found.get("name"))
    return None


def _names(listed: str | None) -> list[str]:
    """Cut an enumeration of people; "3 others" are nobody in particular."""
    return [name for name in _AND.split(listed or "") if name and not _OTHERS.fullmatch(name)]


def _person(name: str | None) -> str | None:
    cleaned = (name or "").strip().strip('\u200e\u200f\u2068\u2069\u202a\u202c~\u202f\xa0"“”「」').strip()
    return None if not cleaned or cleaned.lower() in _YOU else cleaned
