"""Recognise what stands in place of a message in a WhatsApp export: deleted, left out, attached, edited."""

from __future__ import annotations

import re
from typing import Final, Literal

MediaType = Literal["image", "video", "voice", "sticker", "file", "card", "other"]

_DELETED: Final = re.compile(
    r"(?:This message was deleted(?P<admin> by admin.*)?|You deleted this message(?: as admin)?|Diese Nachricht wurde gelöscht"
    r"|Du hast diese Nachricht gelöscht|(?:Se eliminó este mensaje|Este mensaje fue eliminado|Eliminaste este mensaje)"
    r"|[此该這这]+(?:条|條|則)?[消訊][息息]?已[被]?(?:删除|刪除)|你?已?(?:删除|刪除)了?[此這这](?:条|條|則)?[消訊]息)[.。]?"
)
_OMITTED: Final = re.compile(
    r"<?\s?(?P<kind>media|image|photo|video|audio|voice message|sticker|GIF|document|Contact card|video note)s? omitted\s?>?"
    r"|<Medien ausgeschlossen>|(?P<de>Bild|Foto|Video|Audio|Sticker|GIF|Dokument|Kontaktkarte) weggelassen"
    r"|<(?:Multimedia|Archivo|Medio)s? omitido>|(?P<es>imagen|[Vv]ideo|audio|sticker|GIF|documento) omitid[oa]"
    r"|<?(?:省略多媒体文件|已忽略多媒体文件|媒体文件已忽略|忽略多媒体文件|略過多媒體檔|多媒體檔案已略去|媒体已省略)>?"
    r"|(?:已)?(?:忽略|省略)(?:了)?(?P<zh>图片|圖片|图像|视频|影片|视像|音频|音訊|语音|贴图|貼圖|文档|文件)"
    r"|(?P<zh2>图片|圖片|图像|视频|影片|音频|音訊|语音|贴图|貼圖|文档|文件)已(?:忽略|省略|略去)",
    re.IGNORECASE,
)
_ATTACHED: Final = re.compile(r"<(?:attached|Anhang|adjunto|附件)[:：]\s?(?P<file>[^<>\n]{1,255})>")
_FILE_FIRST: Final = re.compile(
    r"(?P<file>[^\n]{1,255}?\.\w{1,8}) ?[(（](?:file attached|Datei angehängt|archivo adjunto|(?:文件)?附件|已附加文件)[)）]"
)
EDITED: Final = re.compile(
    r"\s?\u200e?<(?:This message was edited|Diese Nachricht wurde bearbeitet|Se editó este mensaje.?|此[消訊]息已[编編].)>$"
)
_WORDS: Final[dict[MediaType, tuple[str, ...]]] = {
    "image": ("image", "photo", "bild", "foto", "imagen", "图片", "圖片", "图像"),
    "video": ("video", "video note", "视频", "影片", "视像"),
    "voice": ("audio", "voice message", "音频", "音訊", "语音"),
    "sticker": ("sticker", "gif", "贴图", "貼圖"),
    "file": ("document", "dokument", "documento", "文档", "文件"),
    "card": ("contact card", "kontaktkarte"),
}  # fmt: skip
_ENDINGS: Final[dict[MediaType, tuple[str, ...]]] = {
    "image": ("jpg", "jpeg", "png", "heic", "gif"),
    "video": ("mp4", "mov", "3gp", "mkv"),
    "voice": ("opus", "m4a", "mp3", "ogg", "aac", "amr"),
    "sticker": ("webp",),
    "card": ("vcf",),
}


def deleted_by(text: str) -> Literal["author", "moderator"] | None:
    """Return who deleted the message that only this notice is left of; None if the text is no such notice."""
    match = _DELETED.fullmatch(text.strip())
    return None if not match else "moderator" if match["admin"] or text.rstrip(".").endswith("as admin") else "author"


def omitted_media(text: str) -> MediaType | None:
    """Return the kind of medium an export left out at this place (`other` where it only says media); None if it did not."""
    match = _OMITTED.fullmatch(text.strip())
    if not match:
        return None
    word = next((found for found in match.groups() if found), "").lower()
    for kind, words in _WORDS.items():
        if word in words:
            return kind
    return "other"


def attached_file(text: str) -> tuple[MediaType, str, str] | None:
    """Return (kind, file name, caption) of an attachment; None if there is none."""
    match = _ATTACHED.search(text) or _FILE_FIRST.match(text)
    if not match:
        return None
    file = match["file"].strip()
    ending = file.rpartition(".")[2].lower()
    kinds: list[MediaType] = [kind for kind, endings in _ENDINGS.items() if ending in endings]
    return kinds[0] if kinds else "file", file, (text[: match.start()] + text[match.end() :]).strip()
