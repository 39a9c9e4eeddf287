"""Find who people are: newcomers, raids, repeated joins, suspicious names, the blocklist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from qunce.domain.decisions import Evidence
from qunce.domain.events import MemberUpdated
from qunce.domain.ids import IdentityId
from qunce.engine.moderation.checks.content import contact_spans, spans_of
from qunce.engine.moderation.look import NOBODY, Look
from qunce.engine.moderation.state import GroupState, Person
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
    """Hold when this is at least the n-th join of the person, by any of their accounts, within the window."""
    since = look.ts_ms - check.window_s * 1_000
    joins = {
        account: sum(since < joined <= look.ts_ms for joined in look.group.people.get(account, NOBODY).joins)
        for account in look.happening.accounts
    }
    count = 1 + sum(joins.values())
    if count < check.times:
        return None
    note = f"{count} joins in {format_duration(check.window_s)}"
    return Evidence(check="rejoin", note=note, links=_links(look, (account for account in joins if joins[account])))


def find_sister(check: schema.Sister, look: Look) -> Evidence | None:
    """Hold when the joiner is, or lately was, in another group of the same community, or by another account in this one.

    All accounts of the person are looked for. Names the groups, three at most, and the links by which an account was found.
    """
    if look.person_id is None:
        return None
    since = look.ts_ms - check.window_s * 1_000
    found: list[str] = []
    by: list[IdentityId] = []
    for group in (look.group, *_sisters(look)):
        stood = _stood(group, look, since, check.was)
        if stood is None:
            continue
        account, stands = stood
        other = " by another account" if account != look.person_id else ""
        found.append(f"{_STANDS[stands]} {group.name or group.platform_id or 'a group'}{other}")
        by.append(account)
    if not found:
        return None
    more = f"; {len(found) - MAX_SISTERS} more" if len(found) > MAX_SISTERS else ""
    return Evidence(check="sister", note="; ".join(found[:MAX_SISTERS]) + more, links=_links(look, by))


def _sisters(look: Look) -> list[GroupState]:
    """Return the other groups of the same community; a group without a community has none."""
    community = look.group.community
    if community is None:
        return []
    groups = (look.state.groups[group_id] for group_id in look.state.communities.get(community, ()))
    return [group for group in groups if group is not look.group]


def _stood(group: GroupState, look: Look, since_ms: int, was: Collection[str]) -> tuple[IdentityId, str] | None:
    """Return the account of the joiner that stands to a group as asked for, and how; the joining one itself first."""
    for account in look.happening.accounts:
        there = group.people.get(account)
        if there is None or (group is look.group and account == look.person_id):
            continue
        stands = _stands(there, since_ms)
        if stands in was:
            return account, stands
    return None


def _links(look: Look, accounts: Iterable[IdentityId]) -> tuple[str, ...]:
    """Return the links that lead to these accounts, each once."""
    others = look.happening.others
    return tuple(dict.fromkeys(link for account in accounts if account in others for link in others[account].links))


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
            return Evidence(check="blocked", note=reasons[-1], links=_links(look, (account,)))
    party = look.happening.event.subject or look.happening.event.actor
    if party is not None and party.platform_id in look.tools.blocklist:
        return Evidence(check="blocked", note="blocklist")
    listed = [account for account, other in look.happening.others.items() if other.platform_id in look.tools.blocklist]
    return Evidence(check="blocked", note="blocklist", links=_links(look, listed[:1])) if listed else None
