"""Find who people are: newcomers, raids, repeated joins, suspicious names, the blocklist."""

from __future__ import annotations

from functools import lru_cache

from qunce.domain.decisions import Evidence
from qunce.domain.events import MemberUpdated
from qunce.engine.moderation.checks.content import contact_spans, spans_of
from qunce.engine.moderation.look import Look
from qunce.engine.moderation.state import Person
from qunce.engine.text.views import Views
from qunce.playbook.schema import checks as schema
from qunce.playbook.units import format_duration

MIN_NAME_CHARS = 2
MAX_SISTERS = 3
_STANDS = {"in": "in", "left": "left", "removed": "removed from"}


def find_newcomer(check: schema.Newcomer, look: Look) -> Evidence | None:
    """Hold within a time after joining, or among the first messages, or on both when both are asked for.

    Who was there before the first event we know of is no newcomer by time.
    """
    joined, sent = look.person.joined_ms, look.person.messages
    if check.joined_within_s is not None and (joined is None or look.ts_ms - joined > check.joined_within_s * 1_000):
        return None
    if check.first_messages is not None and (sent >= check.first_messages or joined is None):
        return None
    age = "" if joined is None else f"joined {max(0, look.ts_ms - joined) // 1_000} s ago, "
    return Evidence(check="newcomer", note=f"{age}message {sent + 1}")


def find_raid(check: schema.Raid, look: Look) -> Evidence | None:
    """Hold for each joiner from the n-th within the window on; the earlier ones of the wave are in the evidence."""
    since = look.ts_ms - check.window_s * 1_000
    wave = [join for join in look.group.joins if since < join[0] <= look.ts_ms and join[2] != look.person_id]
    people = {join[2] for join in wave}
    if len(people) + 1 < check.joins:
        return None
    note = f"{len(people) + 1} joins in {format_duration(check.window_s)}"
    return Evidence(check="raid", events=tuple(join[1] for join in wave), note=note)


def find_rejoin(check: schema.Rejoin, look: Look) -> Evidence | None:
    """Hold when this is at least the n-th join of the person within the window."""
    since = look.ts_ms - check.window_s * 1_000
    count = 1 + sum(since < joined <= look.ts_ms for joined in look.person.joins)
    if count < check.times:
        return None
    return Evidence(check="rejoin", note=f"{count} joins in {format_duration(check.window_s)}")


def find_sister(check: schema.Sister, look: Look) -> Evidence | None:
    """Hold when the joiner is, or lately was, in another group of the same community. Names the groups, three at most."""
    community, person = look.group.community, look.person_id
    if community is None or person is None:
        return None
    since = look.ts_ms - check.window_s * 1_000
    found: list[str] = []
    for group_id in look.state.communities.get(community, ()):
        sister = look.state.groups[group_id]
        there = sister.people.get(person) if sister is not look.group else None
        stands = _stands(there, since) if there is not None else ""
        if stands in check.was:
            found.append(f"{_STANDS[stands]} {sister.name or sister.platform_id or group_id}")
    if not found:
        return None
    more = f"; {len(found) - MAX_SISTERS} more" if len(found) > MAX_SISTERS else ""
    return Evidence(check="sister", note="; ".join(found[:MAX_SISTERS]) + more)


def _stands(person: Person, since_ms: int) -> str:
    """Return how somebody stands to a group: in, left, removed; empty = went too long ago."""
    if not person.left_ms:
        return "in"
    if person.left_ms <= since_ms:
        return ""
    return "removed" if person.removed else "left"


def find_name(check: schema.Name, look: Look) -> Evidence | None:
    """Hold when the name shows a watch term, a contact, or looks like a staff member's."""
    body = look.happening.event.body
    if isinstance(body, MemberUpdated) and body.field not in ("nickname", "card"):
        return None
    for lexicon in check.lexicons:
        spans = spans_of(look, look.hits(f"lexicon:{lexicon}"))
        if spans:
            return Evidence(check="name", spans=spans)
    if check.contact:
        spans = contact_spans(look, ("phone", "qq", "wechat"))
        if spans:
            return Evidence(check="name", spans=spans)
    if check.like_staff and _like_staff(look):
        return Evidence(check="name", note="like a colleague's name")
    return None


def _like_staff(look: Look) -> bool:
    name = look.views.shape
    if len(name) < MIN_NAME_CHARS:
        return False
    others = (other for person, other in look.state.staff_names.items() if person != look.person_id)
    return any(_shape(other) == name for other in others)


@lru_cache(maxsize=4_096)
def _shape(name: str) -> str:
    return Views(name).shape


def find_blocked(check: schema.Blocked, look: Look) -> Evidence | None:  # same shape for all
    """Hold when the person was removed for good anywhere, or stands on the playbook's blocklist, with any of their accounts."""
    if look.person_id is None:
        return None
    for account in look.happening.accounts:
        reasons = look.state.blocked.get(account)
        if reasons:
            return Evidence(check="blocked", note=reasons[-1])
    party = look.happening.event.subject or look.happening.event.actor
    if party is not None and party.platform_id in look.tools.blocklist:
        return Evidence(check="blocked", note="blocklist")
    if not look.tools.blocklist.isdisjoint(look.happening.others.values()):
        return Evidence(check="blocked", note="blocklist")
    return None
