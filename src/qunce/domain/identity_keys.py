"""Bring the keys that accounts of one person share into one spelling, and refuse what is no key.

phone             13800138000, +86 138-0013-8000 and 008613800138000 are one; masked or shortened ones are none
unionid           as written; likewise external_userid and crm
email             in lower case
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal, get_args

KeyKind = Literal["unionid", "phone", "external_userid", "email", "crm"]
KEY_KINDS: Final[tuple[KeyKind, ...]] = get_args(KeyKind)
OWN_KEYS: Final[dict[KeyKind, str]] = {"external_userid": "wecom", "phone": "whatsapp"}
"""Kinds of key that are the account's own id on a platform."""

MIN_ID: Final = 4
"""Shorter ids are rather row numbers or answers such as `-`."""
MAX_ID: Final = 200
_PHONE: Final = re.compile(r"\+?[\d\s().-]+")
_MOBILE: Final = re.compile(r"(?P<country>86)?(?P<number>1[3-9]\d{9})")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def normal_key(kind: str, value: str) -> str | None:
    """Return the one spelling of a key's value; None when it cannot be a key of this kind (empty, masked, a placeholder)."""
    text = unicodedata.normalize("NFKC", value).strip()
    if not MIN_ID <= len(text) <= MAX_ID or len(set(text)) == 1:
        return None
    if kind == "phone":
        return _normal_phone(text)
    if kind == "email":
        return text.lower() if _EMAIL.fullmatch(text) else None
    return text if kind in KEY_KINDS and not re.search(r"\s|\*{2}", text) else None


def _normal_phone(text: str) -> str | None:
    if not _PHONE.fullmatch(text):
        return None
    digits = re.sub(r"\D", "", text)
    abroad = text.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00")
    mobile = _MOBILE.fullmatch(digits)
    if mobile and (mobile["country"] or not abroad):
        return "86" + mobile["number"]
    return digits if 7 <= len(digits) <= 15 and len(set(digits)) > 1 else None  # E.164, and short landlines
