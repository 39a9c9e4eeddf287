"""What people do to attributes and tags: one by one or in bulk, looked at before, and taken back as a whole."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.events import AttributeSet, Event, Kept, TagPut, TagTaken
from qunce.playbook.values import BadValue, Value, read_value
from qunce.readmodels.models import AttributeValue, Identity, TagHolding
from qunce.readmodels.selectors.contacts import of_batch
from qunce.readmodels.selectors.profiles import standing
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest, batches
from qunce.runtime.models import ChangeBatch
from qunce.runtime.profile import contacts, making
from qunce.runtime.profile.vocabulary import in_force

MOST_AT_ONCE: Final = 20_000
"""Members one click may change; more are for a rule or a file, which run as jobs."""
CHUNK: Final = 2_000
OPEN_ATTRIBUTE: Final = "unknown attribute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What putting or taking a tag would do."""

    members: int
    already: int
    """Who have the tag, or have not where it is to be taken."""
    conflicts: tuple[tuple[str, int], ...] = ()
    """Other tags of an exclusive group that would go, with how many have them."""

    @property
    def changes(self) -> int:
        """How many would change."""
        return self.members - self.already


def new_batch_id() -> str:
    """Return a name for one action."""
    return uuid.uuid4().hex[:16]


# ── attributes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def do_set_attribute(*, actor: Staff | None, member_id: int, attribute_id: str, text: str) -> str:
    """Set an attribute of a member as written; return the batch. Raises CommandRefused for what is no value."""
    attribute = in_force().attributes.get(attribute_id)
    if attribute is None:
        raise CommandRefused(f"{OPEN_ATTRIBUTE} {attribute_id!r}")
    try:
        value = read_value(attribute, text)
    except BadValue as bad:
        raise CommandRefused(f"{bad.message}; {bad.fix}") from bad
    ids = _identities(member_id)
    bodies: list[tuple[int, Value | None, Kept]] = [(ids[0], value, "manual")]
    others = AttributeValue.objects.filter(identity_id__in=ids[1:], attribute=attribute_id, kept="manual").exclude(value=None)
    bodies += [(other, None, "manual") for other in others.values_list("identity_id", flat=True)]
    return _set(actor, member_id, attribute_id, bodies, "profile.set")


def do_clear_attribute(*, actor: Staff | None, member_id: int, attribute_id: str, kept: str) -> str:
    """Take the value away that one source has; return the batch. Raises CommandRefused when it has none."""
    ids = _identities(member_id)
    rows = AttributeValue.objects.filter(identity_id__in=ids, attribute=attribute_id, kept=kept).exclude(value=None)
    found = [(identity_id, None, kept) for identity_id in rows.values_list("identity_id", flat=True)]
    if not found:
        raise CommandRefused(f"no value of {attribute_id!r} from {kept!r}")
    return _set(actor, member_id, attribute_id, found, "profile.clear")  # type: ignore[arg-type]  # stored from a Kept


def _set(
    actor: Staff | None, member_id: int, attribute_id: str, values: list[tuple[int, Value | None, Kept]], action: str
) -> str:
    batch_id, moment = new_batch_id(), now_ms()
    accounts = making.accounts(identity for identity, _value, _kept in values)
    events = [
        making.event(
            AttributeSet(attribute=attribute_id, value=value, kept=kept, batch_id=batch_id, colleague=_name(actor)),
            moment, batch_id, person=accounts[identity],
        )
        for identity, value, kept in values
    ]  # fmt: skip
    with transaction.atomic():
        open_batch(batch_id, "attribute", actor, {"attribute": attribute_id, "members": 1}, moment)
        take(batch_id, events)
        audit.record(
            actor=actor, action=action, target_type="member", target_id=member_id,
            after={"attribute": attribute_id, "batch": batch_id},
        )  # fmt: skip
    return batch_id


# ── tags ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def preview_tag(member_ids: Sequence[int], tag: str, *, put: bool) -> Preview:
    """Say what putting or taking a tag would do to these members. Raises CommandRefused for a tag that is not there."""
    words, moment = in_force(), now_ms()
    if put:
        check_tag(tag)
    have = _holding_members(member_ids, (tag,), moment)
    members = len(set(member_ids))
    if not put:
        return Preview(members=members, already=members - len(have.get(tag, set())))
    rivals = _holding_members(member_ids, tuple(words.rivals(tag)), moment)
    conflicts = tuple(sorted((name, len(found)) for name, found in rivals.items()))
    return Preview(members=members, already=len(have.get(tag, set())), conflicts=conflicts)


def do_put_tag(
    *, actor: Staff | None, member_ids: Sequence[int], tag: str, reason: str = "", until_ms: int | None = None
) -> str:  # fmt: skip
    """Put a tag on members who have not got it from a colleague; return the batch.

    In an exclusive group their other tags go. Raises CommandRefused for unknown tags and members, and for too many.
    """
    moment = now_ms()
    check_tag(tag)
    first = _first_identities(member_ids)
    if until_ms is not None and until_ms <= moment:
        raise CommandRefused("the end of a tag must lie ahead")
    batch_id = new_batch_id()
    events = putting(first, tag, actor, batch_id, moment, reason=reason, until_ms=until_ms)
    return _bulk(actor, batch_id, "tag.put", tag, list(first), events, moment)


def putting(
    first: Mapping[int, int], tag: str, actor: Staff | None, batch_id: str, moment: int, *, reason: str = "",
    until_ms: int | None = None,
) -> Iterator[Event]:  # fmt: skip
    """Yield what puts a tag on members, each with its first account, and takes its rivals away."""
    words = in_force()
    for chunk in batches(sorted(first.items()), CHUNK):
        accounts = making.accounts(identity for _member, identity in chunk)
        yield from taking([member for member, _identity in chunk], words.rivals(tag), actor, batch_id, moment)
        held = set(
            TagHolding.objects.filter(standing(moment), identity_id__in=list(accounts), tag=tag, target="member",
                                      kept="manual", until_ms=until_ms).values_list("identity_id", flat=True)
        )  # fmt: skip
        for identity, account in accounts.items():
            if identity not in held:
                body = TagPut(
                    target="member", tag=tag, reason=reason.strip()[:200], until_ms=until_ms, batch_id=batch_id,
                    colleague=_name(actor),
                )  # fmt: skip
                yield making.event(body, moment, batch_id, person=account)


def do_take_tag(*, actor: Staff | None, member_ids: Sequence[int], tag: str) -> str:
    """Take a tag away from members, whoever put it; return the batch. Rules do not put it again by themselves."""
    moment, batch_id = now_ms(), new_batch_id()
    first = _first_identities(member_ids)

    def bodies() -> Iterator[Event]:
        for chunk in batches(sorted(first), CHUNK):
            yield from taking(chunk, frozenset({tag}), actor, batch_id, moment)

    return _bulk(actor, batch_id, "tag.take", tag, list(first), bodies(), moment)


def do_take_holding(*, actor: Staff | None, member_id: int, holding_id: int) -> str:
    """Take one tag of a member or of its membership away from one who put it; return the batch."""
    row = TagHolding.objects.filter(pk=holding_id, identity_id__in=_identities(member_id), taken_ms=None).first()
    if row is None:
        raise CommandRefused(f"no tag {holding_id}")
    moment, batch_id = now_ms(), new_batch_id()
    person = making.accounts([row.identity_id])[row.identity_id]
    group = making.groups([row.group_id]).get(row.group_id)
    body = TagTaken(
        target=row.target, tag=row.tag, kept=row.kept, rule_id=row.rule_id, batch_id=batch_id, colleague=_name(actor),  # type: ignore[arg-type]  # stored from the event
    )  # fmt: skip
    events = [making.event(body, moment, batch_id, person=person, group=group)]
    return _bulk(actor, batch_id, "tag.take", row.tag, [member_id], iter(events), moment)


def taking(
    member_ids: Sequence[int], tags: frozenset[str], actor: Staff | None, batch_id: str, moment: int
) -> Iterator[Event]:  # fmt: skip
    """Yield what takes these tags away from members, from each who put them."""
    if not tags:
        return
    ids = Identity.objects.filter(member_id__in=member_ids).values("pk")
    rows = list(TagHolding.objects.filter(standing(moment), identity_id__in=ids, tag__in=tags, target="member"))
    accounts = making.accounts(row.identity_id for row in rows)
    for row in rows:
        body = TagTaken(
            target="member", tag=row.tag, kept=row.kept, rule_id=row.rule_id, batch_id=batch_id, colleague=_name(actor),  # type: ignore[arg-type]  # stored from a Kept
        )  # fmt: skip
        yield making.event(body, moment, batch_id, person=accounts[row.identity_id])


def _bulk(
    actor: Staff | None, batch_id: str, kind: str, tag: str, members: list[int], events: Iterator[Event], moment: int
) -> str:  # fmt: skip
    with transaction.atomic():
        open_batch(batch_id, kind, actor, {"tag": tag, "members": len(members)}, moment)
        changes = take(batch_id, events)
        audit.record(
            actor=actor, action=f"profile.{kind}", target_type="member", target_id=members[0] if len(members) == 1 else "",
            after={"tag": tag, "members": len(members), "changes": changes, "batch": batch_id},
        )  # fmt: skip
    return batch_id


def check_tag(tag: str) -> None:
    """Raise CommandRefused for what is no tag of a member."""
    found = in_force().tags.get(tag)
    if found is None:
        raise CommandRefused(f"unknown tag {tag!r}")
    if found[0].target != "member":
        raise CommandRefused(f"{tag!r} is a tag of a {found[0].target}")


def _holding_members(member_ids: Sequence[int], tags: Sequence[str], moment: int) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    if not tags:
        return found
    for chunk in batches(list(dict.fromkeys(member_ids)), CHUNK):
        owners = dict(Identity.objects.filter(member_id__in=chunk).values_list("pk", "member_id"))
        rows = TagHolding.objects.filter(standing(moment), identity_id__in=list(owners), tag__in=tags, target="member")
        for tag, identity in rows.values_list("tag", "identity_id"):
            found.setdefault(tag, set()).add(owners[identity])
    return found


def _first_identities(member_ids: Sequence[int]) -> dict[int, int]:
    """Return the first account of each member. Raises CommandRefused when one is unknown, none is given, or too many are."""
    wanted = list(dict.fromkeys(member_ids))
    if not wanted:
        raise CommandRefused("nobody is chosen")
    if len(wanted) > MOST_AT_ONCE:
        raise CommandRefused(f"{len(wanted)} members are too many at once; use a rule, or at most {MOST_AT_ONCE}")
    found = {member: identity for chunk in batches(wanted, CHUNK) for member, identity in first_identities(chunk).items()}
    missing = [member for member in wanted if member not in found]
    if missing:
        raise CommandRefused(f"no member {missing[0]}")
    return found


def first_identities(member_ids: Iterable[int]) -> dict[int, int]:
    """Return the first account of each of a few members; unknown ones are left out."""
    return dict(Identity.objects.filter(member_id__in=list(member_ids)).order_by("-pk").values_list("member_id", "pk"))


def _identities(member_id: int) -> list[int]:
    ids = list(Identity.objects.filter(member_id=member_id).order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise CommandRefused(f"no member {member_id}")
    return ids


def _name(actor: Staff | None) -> str:
    return str(actor.pk) if actor else ""


# ── batches ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_batch(batch_id: str, kind: str, actor: Staff | None, summary: dict[str, Any], moment: int) -> None:
    """Note that an action begins; done again, it goes on with the same batch."""
    ChangeBatch.objects.get_or_create(
        batch_id=batch_id, defaults={"kind": kind, "actor_id": actor.pk if actor else None, "made_ms": moment,
                                     "summary": summary},
    )  # fmt: skip


def take(batch_id: str, events: Iterable[Event], ingest: Ingest | None = None) -> int:
    """Take the events of a batch in, chunk by chunk; return how many changes the batch has now."""
    ingest = ingest or Ingest()
    added = 0
    for chunk in batches(events, CHUNK):
        added += len(ingest.take(chunk).events)
    batch = ChangeBatch.objects.get(batch_id=batch_id)
    batch.changes += added
    batch.save(update_fields=["changes"])
    return batch.changes


def undoable(batch_id: str) -> int:
    """Return how many rows a batch still stands in: what others changed since is not undone."""
    rows = TagHolding.objects.filter(batch_id=batch_id).count()
    return rows + AttributeValue.objects.filter(batch_id=batch_id).count() + of_batch(batch_id).count()


def do_undo_batch(*, actor: Staff | None, batch_id: str) -> tuple[int, int]:
    """Make everything what it was before a batch; return how many were restored, and how many others changed since.

    Raises CommandRefused for an unknown batch, and for one that was undone already.
    """
    batch = ChangeBatch.objects.filter(batch_id=batch_id).first()
    if batch is None or batch.undone_ms is not None:
        raise CommandRefused("no such change, or it was undone already")
    moment = now_ms()
    with transaction.atomic():
        if ChangeBatch.objects.filter(batch_id=batch_id, undone_ms=None).update(undone_ms=moment) != 1:
            raise CommandRefused("it was undone already")
        ingest, restored = Ingest(), 0
        for chunk in batches(_undoing(batch_id, _name(actor), moment), CHUNK):
            restored += len(ingest.take(chunk).events)
        kept = max(0, batch.changes - restored)
        audit.record(
            actor=actor, action="profile.undo", target_type="batch", target_id=batch_id,
            after={"restored": restored, "kept": kept},
        )  # fmt: skip
    return restored, kept


def _undoing(batch_id: str, colleague: str, moment: int) -> Iterator[Event]:
    yield from contacts.undoing(batch_id, moment)
    values = list(AttributeValue.objects.filter(batch_id=batch_id).order_by("pk").values_list("pk", flat=True))
    for chunk in batches(values, CHUNK):
        rows = list(AttributeValue.objects.filter(pk__in=chunk).order_by("pk"))
        accounts = making.accounts(row.identity_id for row in rows)
        for row in rows:
            states = json.loads(row.earlier or "[]")
            if not states or states[-1] is not None:
                before = json.loads(states[-1][0] or "null") if states else None
                body = AttributeSet(
                    attribute=row.attribute, value=before, kept=row.kept, colleague=colleague, undoes=batch_id,  # type: ignore[arg-type]  # stored from a Kept
                )  # fmt: skip
                yield making.event(body, moment, f"undo/{batch_id}", person=accounts[row.identity_id])
    holdings = list(TagHolding.objects.filter(batch_id=batch_id).order_by("pk").values_list("pk", flat=True))
    for chunk in batches(holdings, CHUNK):
        tagged = list(TagHolding.objects.filter(pk__in=chunk).order_by("pk"))
        accounts, groups = making.accounts(row.identity_id for row in tagged), making.groups(row.group_id for row in tagged)
        for holding in tagged:
            if not holding.earlier or json.loads(holding.earlier)[-1] is not None:
                yield making.event(
                    _restoring(holding, colleague, batch_id), moment, f"undo/{batch_id}",
                    person=accounts.get(holding.identity_id), group=groups.get(holding.group_id),
                )  # fmt: skip


def _restoring(row: TagHolding, colleague: str, batch_id: str) -> TagPut | TagTaken:
    """Return what undoing says of a holding: it stands again, or it is gone again."""
    states = json.loads(row.earlier or "[]")
    given: dict[str, Any] = {
        "target": row.target, "tag": row.tag, "kept": row.kept, "rule_id": row.rule_id, "colleague": colleague,
        "undoes": batch_id,
    }  # fmt: skip
    if not states:
        return TagTaken(**given)
    _version, reason, _confidence, _evidence, put_ms, until_ms, taken_ms, *_rest = states[-1]
    if put_ms is None or taken_ms is not None:
        return TagTaken(**given)
    return TagPut(**given, reason=reason, until_ms=until_ms)
