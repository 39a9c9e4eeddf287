"""What people decide in the console, as events: recorded, audited, and folded like everything else."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.events import AnyBody, Conv, Event, GroupUpdated, MemberUpdated, Party, Source
from qunce.domain.keys import native_key
from qunce.readmodels.models import Group, Identity
from qunce.runtime import organisation
from qunce.runtime.clock import now_ms
from qunce.runtime.ingest import Ingest

KINDS = ("member", "staff", "bot", "house_persona")


class CommandRefused(Exception):
    """A command that makes no sense; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def do_flag_member(*, actor: Staff | None, member_id: int, kind: str) -> None:
    """Say what a member is: one of KINDS. Staff, bots and house personas leave all member metrics, past ones too.

    Raises CommandRefused for an unknown kind or member.
    """
    if kind not in KINDS:
        raise CommandRefused(f"unknown kind {kind!r}")
    identities = list(Identity.objects.filter(member_id=member_id).order_by("id"))
    if not identities:
        raise CommandRefused(f"no member {member_id}")
    moment = now_ms()
    events = [
        _own(
            identity.connector, identity.account, moment, MemberUpdated(field="kind", old=identity.kind, new=kind),
            native_key("kind", identity.platform_id, kind, str(moment)), subject=Party(platform_id=identity.platform_id),
        )
        for identity in identities
    ]  # fmt: skip
    with transaction.atomic():
        audit.record(
            actor=actor, action="member.flag", target_type="member", target_id=member_id,
            before={"kind": identities[0].kind}, after={"kind": kind},
        )  # fmt: skip
        _take(events)


def do_set_community(*, actor: Staff | None, group_ids: Sequence[int], community: str) -> None:
    """Put groups into a community, by name; an empty name takes them out. Raises CommandRefused for unknown groups."""
    groups = list(Group.objects.filter(pk__in=group_ids).select_related("community").order_by("id"))
    if len(groups) != len(set(group_ids)):
        raise CommandRefused("unknown group")
    moment = now_ms()
    new = community.strip()
    events = []
    for group in groups:
        old = group.community.name if group.community else None
        body = GroupUpdated(field="community", old=old, new=new or None)
        key = native_key("community", group.platform_id, new, str(moment))
        # The group's own newest moment, so that a decision of ours does not look like life in the group.
        ts_ms = group.last_ms or moment
        conv = Conv(platform_id=group.platform_id, kind=group.kind)  # type: ignore[arg-type]  # stored from a ConvKind
        events.append(_own(group.connector, group.account, ts_ms, body, key, conv=conv))
    with transaction.atomic():
        audit.record(
            actor=actor, action="group.set_community", target_type="group",
            target_id=",".join(str(group.pk) for group in groups), after={"community": new},
        )  # fmt: skip
        _take(events)


def do_change_organisation(*, actor: Staff, name: str, currency: str) -> bool:
    """Store the organisation's name and currency; return True when a rebuild is needed for the change to show in sums."""
    with transaction.atomic():
        before = {"name": organisation.name(), "currency": organisation.currency()}
        after = {"name": name.strip() or organisation.DEFAULT_NAME, "currency": currency.strip().upper()}
        for key, new in after.items():
            organisation.decide(key, new)
        audit.record(actor=actor, action="settings.changed", target_type="organisation", before=before, after=after)
    return before["currency"] != after["currency"]


def _own(
    connector: str, account: str, ts_ms: int, body: AnyBody, key: str, *, subject: Party | None = None, conv: Conv | None = None
) -> Event:  # fmt: skip
    source = Source(connector=connector, account=account, origin="self")
    return Event(ts_ms=ts_ms, source=source, body=body, dedupe_key=key, subject=subject, conv=conv)


def _take(events: list[Event]) -> None:
    ingest = Ingest()
    ingest.take(events)
    ingest.settle()
