"""Hear members who appeal in their own words: 「申诉 …」 in the group or in a direct talk with our account.

The appeal goes to the newest case about them that is in force. Who was muted or removed can still write to the account.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from qunce.domain.events import MessageCreated
from qunce.domain.ids import IdentityId
from qunce.engine.happening import Happening
from qunce.runtime.live import gate
from qunce.runtime.models import Appeal, Case, CaseState

WORDS: Final = re.compile(r"\s*(?:@\S{1,40}\s+)?(?:我要|我想)?(?:申诉|申訴|appeal\b)[\s:：，,]*", re.IGNORECASE)
"""How a message begins that is an appeal."""
OPEN_MS: Final = 30 * 86_400_000
"""So long after a case it can be appealed this way."""
MAX_CHARS: Final = 2_000

Heard = tuple[IdentityId, str, int]
"""(who, in which words, when)"""


def heard(happening: Happening, published_ms: int) -> Heard | None:
    """Return the appeal a happening is; None = it is none."""
    body = happening.event.body
    if not isinstance(body, MessageCreated) or happening.actor is None:
        return None
    found = WORDS.match(body.text)
    if found is None or gate.is_ours(happening.event) or gate.is_history(happening.event, published_ms):
        return None
    return happening.actor, body.text[found.end() :][:MAX_CHARS], happening.event.ts_ms


def store(appeals: Iterable[Heard], now_ms: int) -> None:
    """Open appeals. Call in the transaction that moves the engine's cursor, after its decisions are stored."""
    for person, text, ts_ms in appeals:
        case = (
            Case.objects.filter(
                area="moderation", identity_id=person, state__in=(CaseState.DONE, CaseState.OPEN), ts_ms__gt=ts_ms - OPEN_MS
            )
            .order_by("-id")
            .first()
        )
        if case is not None:
            Appeal.objects.get_or_create(
                decision_id=case.decision_id, defaults={"text": text, "by_member": True, "opened_ms": now_ms}
            )
