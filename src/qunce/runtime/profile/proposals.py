"""Propose attributes from chat, and let people decide; what the playbook is sure enough of is taken by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.events import AttributeSet
from qunce.engine.profile.extract import Found, Phrases
from qunce.journal.store import Journal
from qunce.readmodels.models import AttributeValue, Identity, Message
from qunce.readmodels.selectors.days import Visible
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import batches
from qunce.runtime.models import Proposal
from qunce.runtime.profile import making
from qunce.runtime.profile.changing import CHUNK, new_batch_id, open_batch, take
from qunce.runtime.profile.views import Title, title_of
from qunce.runtime.profile.vocabulary import Vocabulary, in_force

JOB_KIND: Final = "proposals"
CURSOR: Final = "proposals"
"""How far the messages have been looked through."""
STRIDE: Final = 5_000
PAGE: Final = 50
_NOT_MEMBERS: Final = ("staff", "bot", "house_persona", "system")
Beat = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """A proposal with the message behind it."""

    id: int
    member_id: int
    name: str
    attribute: str
    title: Title
    type: str
    unit: str
    value: str | int | float | bool
    confidence: float
    said_ms: int
    seq: int
    group_id: int
    text: str
    known: str
    """Another value that some source has; empty = none."""


def start(*, actor: Staff | None) -> int:
    """Queue a look through the messages since the last one, unless one waits already; return the job's id."""
    return jobs.enqueue_once(JOB_KIND, actor=actor)


def start_if_due() -> int | None:
    """Queue a look when there are messages that nobody has looked through; None = there are none."""
    position = Journal(connection).cursor_position(CURSOR)
    return start(actor=None) if Message.objects.filter(seq__gt=position).exists() else None


def perform(params: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Look through the new messages; done twice it proposes nothing twice."""
    started, words = time.monotonic(), in_force()
    journal, phrases = Journal(connection), Phrases(tuple(words.attributes.values()))
    last = Message.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    looked = proposed = accepted = 0
    after = journal.cursor_position(CURSOR)
    while after < last:
        rows = list(
            Message.objects.filter(seq__gt=after, seq__lte=last, identity__isnull=False)
            .exclude(identity__kind__in=_NOT_MEMBERS).order_by("seq")
            .values_list("seq", "identity_id", "ts_ms", "text", "deleted_ms")[:STRIDE]
        )  # fmt: skip
        upto = rows[-1][0] if rows else last
        found = [
            (seq, identity, ts_ms, item)
            for seq, identity, ts_ms, text, deleted in rows
            if deleted is None
            for item in phrases.find(text)
        ]
        with transaction.atomic():
            fresh = _store(found)
            sure = [row for row in fresh if _is_sure(words, row)]
            _accept(words, sure, None)
            journal.move_cursor(CURSOR, upto)
        looked, proposed, accepted = looked + len(rows), proposed + len(fresh), accepted + len(sure)
        after = upto
        beat({"done": after, "total": last})
    seconds = round(time.monotonic() - started, 2)
    return {"looked": looked, "proposed": proposed, "accepted": accepted, "seconds": seconds}


def _is_sure(words: Vocabulary, row: Proposal) -> bool:
    limit = words.attributes[row.attribute].auto_accept_above
    return limit is not None and row.confidence >= limit


def _store(found: Iterable[tuple[int, int, int, Found]]) -> list[Proposal]:
    """Keep what is new: neither proposed before, whatever became of it, nor known already."""
    wanted: dict[tuple[int, str, str], Proposal] = {}
    for seq, identity, ts_ms, item in found:
        value = json.dumps(item.value, ensure_ascii=False)
        wanted[identity, item.attribute, value] = Proposal(
            identity_id=identity, attribute=item.attribute, value=value, phrase=item.phrase, confidence=item.confidence,
            seq=seq, said_ms=ts_ms,
        )  # fmt: skip
    ids = {identity for identity, _attribute, _value in wanted}
    known = set(Proposal.objects.filter(identity_id__in=ids).values_list("identity_id", "attribute", "value"))
    rows = AttributeValue.objects.filter(identity_id__in=ids).exclude(value=None)
    known |= {
        (identity, name, _plain(value)) for identity, name, value in rows.values_list("identity_id", "attribute", "value")
    }
    fresh = [row for key, row in wanted.items() if key not in known]
    return list(Proposal.objects.bulk_create(fresh))


def _plain(value: str | None) -> str:
    return json.dumps(json.loads(value or "null"), ensure_ascii=False)


def _accept(words: Vocabulary, rows: Sequence[Proposal], actor: Staff | None) -> str:
    """Set what is proposed, as one batch; return it, empty when there was nothing."""
    if not rows:
        return ""
    moment, batch_id = now_ms(), new_batch_id()
    attributes = sorted({words.attributes[row.attribute].title for row in rows if row.attribute in words.attributes})
    open_batch(batch_id, "proposals", actor, {"what": ", ".join(attributes), "members": len(rows)}, moment)
    accounts = making.accounts(row.identity_id for row in rows)
    # Of two things a member said, the later one is what counts.
    ordered = sorted(rows, key=lambda row: (row.said_ms, row.seq))
    newest = {(row.identity_id, row.attribute): row for row in ordered}
    take(
        batch_id,
        (
            making.event(
                AttributeSet(
                    attribute=row.attribute, value=json.loads(row.value), kept="chat", confidence=row.confidence,
                    evidence=(row.seq,), batch_id=batch_id, colleague=str(actor.pk) if actor else "",
                ),
                moment, batch_id, person=accounts[row.identity_id],
            )
            for row in newest.values()
            if row.identity_id in accounts
        ),
    )  # fmt: skip
    for chunk in batches([row.pk for row in rows], CHUNK):
        Proposal.objects.filter(pk__in=chunk, state="open").update(
            state="accepted", decided_ms=moment, decided_by=actor.pk if actor else None
        )
    return batch_id


def _open(visible: Visible) -> Any:
    rows = Proposal.objects.filter(state="open")
    if visible is not None:
        rows = rows.filter(seq__in=Message.objects.filter(group_id__in=visible).values("seq"))
    return rows


def do_accept(*, actor: Staff, ids: Sequence[int], visible: Visible) -> str:
    """Accept proposals; return the batch. Raises CommandRefused when none of them waits."""
    return _decide(actor, list(_open(visible).filter(pk__in=list(ids)).order_by("pk")))


def do_accept_above(*, actor: Staff, attribute: str, confidence: float, visible: Visible) -> str:
    """Accept all proposals of an attribute that are at least this sure. Raises CommandRefused when there is none."""
    return _decide(actor, list(_open(visible).filter(attribute=attribute, confidence__gte=confidence).order_by("pk")))


def _decide(actor: Staff, rows: list[Proposal]) -> str:
    if not rows:
        raise CommandRefused("nothing waits any more")
    with transaction.atomic():
        batch_id = _accept(in_force(), rows, actor)
        audit.record(
            actor=actor, action="profile.accept", target_type="batch", target_id=batch_id, after={"proposals": len(rows)}
        )
    return batch_id


def do_refuse(*, actor: Staff, ids: Sequence[int], visible: Visible) -> int:
    """Refuse proposals, so that the same is not proposed again; return how many."""
    wanted = list(_open(visible).filter(pk__in=list(ids)).values_list("pk", flat=True))
    with transaction.atomic():
        rows = Proposal.objects.filter(pk__in=wanted, state="open")
        count = rows.update(state="refused", decided_ms=now_ms(), decided_by=actor.pk)
        audit.record(actor=actor, action="profile.refuse", target_type="proposal", after={"proposals": count})
    return count


def waiting(visible: Visible) -> tuple[tuple[str, Title, int], ...]:
    """Return how many proposals of which attribute wait."""
    words = in_force()
    counts: dict[str, int] = {}
    for name in _open(visible).order_by().values_list("attribute", flat=True):
        counts[name] = counts.get(name, 0) + 1
    return tuple((name, title_of(words.attributes[name]), counts[name]) for name in words.attributes if name in counts)


def page(visible: Visible, attribute: str) -> tuple[ProposalView, ...]:
    """Return the surest proposals that wait, of one attribute or of all (empty)."""
    words = in_force()
    rows = _open(visible).filter(attribute__in=[attribute] if attribute else list(words.attributes))
    found = list(rows.order_by("-confidence", "-seq")[:PAGE])
    people = {
        pk: (member, name)
        for pk, member, name in Identity.objects.filter(pk__in=[row.identity_id for row in found]).values_list(
            "pk", "member_id", "name"
        )
    }
    said = {
        seq: (group, text)
        for seq, group, text in Message.objects.filter(seq__in=[row.seq for row in found]).values_list(
            "seq", "group_id", "text"
        )
    }
    others = AttributeValue.objects.filter(identity_id__in=list(people)).exclude(value=None)
    known = {(row.identity_id, row.attribute): str(json.loads(row.value or "null")) for row in others}
    views = []
    for row in found:
        item = words.attributes[row.attribute]
        member, name = people.get(row.identity_id, (0, ""))
        group, text = said.get(row.seq, (0, ""))
        views.append(
            ProposalView(
                id=row.pk, member_id=member, name=name, attribute=row.attribute, title=title_of(item), type=item.type,
                unit=item.unit, value=json.loads(row.value), confidence=row.confidence, said_ms=row.said_ms, seq=row.seq,
                group_id=group, text=text, known=known.get((row.identity_id, row.attribute), ""),
            )
        )  # fmt: skip
    return tuple(views)
