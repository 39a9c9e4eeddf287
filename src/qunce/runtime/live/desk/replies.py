"""Write back to who waits: one delivery, through the channel of their group, or by a colleague's hand where it cannot send.

That it was said comes back as an event of its own (`reply.given`), with the colleague who wrote it: the platform knows our
account only, and the clock must not wait on for an answer that was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.commands import Content, SendMessage, capability_of
from qunce.domain.events import Conv, Event, MessageCreated, Party, ReplyGiven, Source
from qunce.domain.keys import native_key
from qunce.engine.desk.needs import is_holding
from qunce.engine.text.views import views_of
from qunce.journal.store import Journal
from qunce.outbox import queue
from qunce.outbox.models import Delivery, State
from qunce.outbox.queue import Plan, idem_key
from qunce.readmodels.models import Group, Identity
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import plans, wiring
from qunce.runtime.live.desk import responses
from qunce.runtime.live.desk.responses import MaterialRow
from qunce.runtime.models import Channel, DeskReply, DeskThread

MAX_CHARS: Final = 2_000
USEFUL_MS: Final = 6 * 3_600_000
"""An answer that could not leave for so long would only surprise."""
SIMULATED: Final = "simulated:"
"""How receipts begin of what was only pretended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How words get into a group: by us (`why` is empty), or by a colleague's hand, and why."""

    why: str

    @property
    def automatic(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRow:
    """An answer that was written, and where it stands."""

    delivery_id: int
    text: str
    staff: str
    state: str
    why: str
    created_ms: int
    by_hand: bool
    """It left by a colleague's hand, so the platform does not tell us its words."""
    to_add: tuple[MaterialRow, ...]
    """What its canned response names and a colleague must add by hand."""


def way_into(group_id: int) -> Way:
    """Return how words get into a group. Raises CommandRefused when the group is gone."""
    return way_of(_group(group_id)[1])


def do_reply(*, actor: Staff, thread: int, text: str, response_id: str = "", clock: Callable[[], int] = now_ms) -> State:
    """Answer who waits, quoting their question; return `ready`, or `human` where a colleague must say it by hand.

    The same words to the same question are one answer, however often they are sent. Whoever answers looks after the matter
    from here on if nobody does. Raises CommandRefused for no or too many words, and for an unknown thread.
    """
    said = text.strip()
    if not said:
        raise CommandRefused("nothing was written")
    if len(said) > MAX_CHARS:
        raise CommandRefused("this is too long to send")
    moment = clock()
    with transaction.atomic():
        row = DeskThread.objects.filter(pk=thread).first()
        if row is None:
            raise CommandRefused(f"no thread {thread}")
        plan = _plan(row, said, moment)
        if queue.enqueue([plan], moment):
            DeskReply.objects.create(
                idem_key=plan.idem_key, thread_seq=thread, asked_seq=row.asked_seq, staff_id=actor.pk,
                response_id=response_id, holding=is_holding(views_of(said)), created_ms=moment,
            )  # fmt: skip
            DeskThread.objects.filter(pk=thread, owner_id=None).update(owner_id=actor.pk)
            audit.record(
                actor=actor, action="desk.reply", target_type="thread", target_id=thread,
                after={"response": response_id, "chars": len(said), "state": str(plan.state)},
            )  # fmt: skip
    return plan.state


def replies_of(thread: int) -> tuple[ReplyRow, ...]:
    """Return what colleagues wrote to a matter, oldest first. Five queries at most."""
    rows = list(DeskReply.objects.filter(thread_seq=thread).order_by("id"))
    if not rows:
        return ()
    deliveries = {row.idem_key: row for row in Delivery.objects.filter(idem_key__in=[row.idem_key for row in rows])}
    names = {staff.pk: str(staff) for staff in Staff.objects.filter(pk__in={row.staff_id for row in rows})}
    to_add = responses.to_add({row.response_id for row in rows if row.response_id})
    return tuple(
        _reply(row, deliveries[row.idem_key], names.get(row.staff_id, ""), to_add.get(row.response_id, ()))
        for row in rows
        if row.idem_key in deliveries
    )


def given(row: Delivery, receipt: str, moment: int, *, by_hand: bool = False) -> tuple[Event, ...]:
    """Return the event that a delivery which is done was an answer; none when it was none, or was only pretended."""
    if row.case_id or row.identity_id is None or receipt.startswith(SIMULATED):
        return ()
    reply = DeskReply.objects.filter(idem_key=row.idem_key).first()
    person = Identity.objects.filter(pk=row.identity_id).values_list("platform_id", flat=True).first()
    group = Group.objects.filter(pk=row.group_id).first()
    if reply is None or person is None or group is None:
        return ()
    staff = Staff.objects.filter(pk=reply.staff_id).values_list("username", flat=True).first()
    command = plans.decode(row.command)
    content = command.content if isinstance(command, SendMessage) else Content(text="")
    body = ReplyGiven(
        staff=staff or "", answers=content.reply_to, message_id=receipt or None, by_hand=by_hand, holding=reply.holding
    )
    return (
        Event(
            ts_ms=moment,
            source=Source(connector=row.connector, account=row.account, origin="self"),
            body=body,
            dedupe_key=native_key("reply", row.idem_key),
            conv=Conv(platform_id=row.conv_id, kind=group.kind),  # type: ignore[arg-type]  # stored from a ConvKind
            subject=Party(platform_id=person),
        ),
    )


def record_given(row: Delivery, moment: int, *, by_hand: bool) -> None:
    """Take in what a colleague tells of an answer: that they said it by hand, or that it arrived after all.

    Call in the transaction that finishes the delivery.
    """
    if events := given(row, row.receipt, moment, by_hand=by_hand):
        Ingest(lambda: moment).take(events)


def _plan(row: DeskThread, text: str, moment: int) -> Plan:
    group, channel = _group(row.group_id)
    way = way_of(channel)
    person = Identity.objects.filter(pk=row.identity_id).values_list("platform_id", flat=True).first()
    asked = Journal(connection).at([row.asked_seq]).get(row.asked_seq)
    message_id = asked.event.body.message_id if asked is not None and isinstance(asked.event.body, MessageCreated) else None
    mentions = () if message_id or person is None else (person,)
    command = SendMessage(conv_id=group.platform_id, content=Content(text=text, reply_to=message_id, mentions=mentions))
    return Plan(
        idem_key=idem_key("reply", row.seq, row.asked_seq, text), connector=group.connector, account=group.account,
        conv_id=group.platform_id, group_id=group.pk, identity_id=row.identity_id, capability=capability_of(command),
        command=plans.encode(command), expires_ms=moment + USEFUL_MS, not_before_ms=moment,
        state=State.READY if way.automatic else State.HUMAN, reason=way.why,
    )  # fmt: skip


def _group(group_id: int) -> tuple[Group, Channel | None]:
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        raise CommandRefused(f"no group {group_id}")
    channels = Channel.objects.defer("settings").filter(connector=group.connector, account=group.account, enabled=True)
    return group, channels.first()


def way_of(channel: Channel | None) -> Way:
    """Return how words get into the groups of an enabled channel; None = there is none."""
    if channel is None or channel.connector not in wiring.KINDS:
        return Way(why="no_channel")
    if channel.mode != "live":
        return Way(why="simulated")
    how = wiring.KINDS[channel.connector].capabilities.ability("message.send").how
    return Way(why="" if how == "automatic" else how)


def _reply(row: DeskReply, delivery: Delivery, staff: str, to_add: tuple[MaterialRow, ...]) -> ReplyRow:
    command = plans.decode(delivery.command)
    return ReplyRow(
        delivery_id=delivery.pk, text=command.content.text if isinstance(command, SendMessage) else "", staff=staff,
        state=delivery.state, why=delivery.reason, created_ms=row.created_ms,
        by_hand=delivery.state == State.DONE and not delivery.receipt, to_add=to_add,
    )  # fmt: skip
