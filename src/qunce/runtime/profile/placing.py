"""What people do to the tags of groups, and of members in one group: put and taken by hand, taken back as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.events import Event, TagPut, TagTaken
from qunce.readmodels.models import Membership, TagHolding
from qunce.readmodels.selectors.profiles import standing
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.profile import making
from qunce.runtime.profile.changing import MOST_AT_ONCE, new_batch_id, open_batch, take
from qunce.runtime.profile.vocabulary import in_force

NOBODY = 0
"""Account of a tag that is of the group itself."""


def do_tag_group(*, actor: Staff | None, group_id: int, tag: str, reason: str = "") -> str:
    """Put a tag on a group; return the batch. Raises CommandRefused for an unknown tag or group."""
    return _put(actor, group_id, [NOBODY], tag, "group", reason)


def do_tag_places(*, actor: Staff | None, group_id: int, identity_ids: Sequence[int], tag: str, reason: str = "") -> str:
    """Put a tag on accounts in one group; return the batch.

    Raises CommandRefused for an unknown tag, and when somebody was never in the group, nobody is chosen, or too many are.
    """
    wanted = list(dict.fromkeys(identity_ids))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise CommandRefused("nobody is chosen" if not wanted else f"{len(wanted)} members are too many at once")
    there = Membership.objects.filter(group_id=group_id, identity_id__in=wanted).count()
    if there != len(wanted):
        raise CommandRefused("not everybody is in this group")
    return _put(actor, group_id, wanted, tag, "membership", reason)


def do_take_place(*, actor: Staff | None, group_id: int, holding_id: int) -> str:
    """Take one tag of a group, or of somebody in it, away from one who put it; return the batch."""
    row = TagHolding.objects.filter(pk=holding_id, group_id=group_id, taken_ms=None).first()
    if row is None:
        raise CommandRefused(f"no tag {holding_id}")
    moment, batch_id = now_ms(), new_batch_id()
    return _do(actor, batch_id, "tag.take", group_id, row.tag, 1, _taking([row], actor, batch_id, moment), moment)


def _put(actor: Staff | None, group_id: int, identity_ids: list[int], tag: str, target: str, reason: str) -> str:
    words, moment, batch_id = in_force(), now_ms(), new_batch_id()
    found = words.tags.get(tag)
    if found is None or found[0].target != target:
        raise CommandRefused(f"{tag!r} is no tag of a {target}")
    group = making.groups([group_id]).get(group_id)
    if group is None:
        raise CommandRefused(f"no group {group_id}")
    held = TagHolding.objects.filter(standing(moment), target=target, group_id=group_id, identity_id__in=identity_ids)
    rivals = list(held.filter(tag__in=words.rivals(tag)))
    own = set(held.filter(tag=tag, kept="manual", until_ms=None).values_list("identity_id", flat=True))
    people = making.accounts(identity_ids)

    def events() -> Iterator[Event]:
        yield from _taking(rivals, actor, batch_id, moment)
        for identity in identity_ids:
            if identity not in own:
                body = TagPut(
                    target=found[0].target, tag=tag, reason=reason.strip()[:200], batch_id=batch_id,
                    colleague=str(actor.pk) if actor else "",
                )  # fmt: skip
                yield making.event(body, moment, batch_id, person=people.get(identity), group=group)

    return _do(actor, batch_id, "tag.put", group_id, tag, len(identity_ids), events(), moment)


def _taking(rows: list[TagHolding], actor: Staff | None, batch_id: str, moment: int) -> Iterator[Event]:
    people, groups = making.accounts(row.identity_id for row in rows), making.groups({row.group_id for row in rows})
    for row in rows:
        body = TagTaken(
            target=row.target, tag=row.tag, kept=row.kept, rule_id=row.rule_id, batch_id=batch_id,  # type: ignore[arg-type]  # stored from the event
            colleague=str(actor.pk) if actor else "",
        )  # fmt: skip
        yield making.event(body, moment, batch_id, person=people.get(row.identity_id), group=groups.get(row.group_id))


def _do(
    actor: Staff | None, batch_id: str, kind: str, group_id: int, tag: str, number: int, events: Iterator[Event], moment: int
) -> str:  # fmt: skip
    with transaction.atomic():
        open_batch(batch_id, kind, actor, {"tag": tag, "members": number, "group": group_id}, moment)
        changes = take(batch_id, events)
        audit.record(
            actor=actor, action=f"profile.{kind}", target_type="group", target_id=group_id,
            after={"tag": tag, "members": number, "changes": changes, "batch": batch_id},
        )  # fmt: skip
    return batch_id
