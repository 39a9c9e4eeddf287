"""Ask again, right before something is done, whether it still should be: much may have happened since it was planned."""

from __future__ import annotations

from qunce.domain.commands import AnyCommand, MuteMember, SendDirect, SendMessage, UnmuteMember
from qunce.outbox.models import Delivery
from qunce.runtime.live import plans, undoing
from qunce.runtime.models import Case, CaseState

_SANCTIONS = ("member.mute", "member.kick", "member.ban")


def why_not(row: Delivery, command: AnyCommand, now_ms: int) -> str:
    """Return why a claimed delivery must not be carried out any more; empty = it may."""
    if not row.case_id or row.case_id.startswith("undo:"):
        return ""
    if Case.objects.filter(decision_id=plans.origin_of(row.case_id), state__in=(CaseState.UNDONE, CaseState.DECLINED)).exists():
        return "undone"
    if isinstance(command, MuteMember) and undoing.ends_ms(command) <= now_ms:
        return "too_late"
    if isinstance(command, UnmuteMember):
        return _why_not_lift(row, now_ms)
    if isinstance(command, SendMessage | SendDirect):
        return _why_not_say(row)
    return ""


def _why_not_lift(row: Delivery, now_ms: int) -> str:
    mute = Delivery.objects.filter(case_id=plans.origin_of(row.case_id), capability="member.mute").first()
    if mute is None or mute.state not in undoing.HAPPENED:
        return "not_muted"
    return "muted_again" if undoing.standing(mute, now_ms) else ""


def _why_not_say(row: Delivery) -> str:
    """A word that says why somebody was muted is untrue when nobody was."""
    states = Delivery.objects.filter(case_id=row.case_id, capability__in=_SANCTIONS).values_list("state", flat=True)
    return "not_carried_out" if states and not set(states) & set(undoing.HAPPENED) else ""
