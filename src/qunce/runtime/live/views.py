"""Show what the live loops did: cases with why and what was done, deliveries, channels, appeals.

Plain rows for screens; `group_ids` limits to the groups somebody may see, None = all. Texts come from the transcript, so a
retracted or erased message shows as such.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count, Q, QuerySet

from qunce.accounts.models import Staff
from qunce.domain.commands import AnyCommand, SendDirect, SendMessage
from qunce.domain.decisions import Action, Decision, Evidence
from qunce.journal.store import Journal
from qunce.outbox.models import Attempt, Delivery, State
from qunce.readmodels.models import PLAYED, Group, Message
from qunce.readmodels.selectors.people import Person, persons
from qunce.readmodels.selectors.transcript import Line, messages
from qunce.runtime.live import cases, plans, playbooks, undoing
from qunce.runtime.live.memory import REACT
from qunce.runtime.models import Appeal, Case, CaseState, Mark, Word

PAGE: Final = 50
MAX_EVIDENCE: Final = 60
"""So many messages are shown as evidence; a flood may rest on more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case in a list."""

    case_id: str
    place: int
    """Where it stands in lists; give it as `before` to go on."""
    group_id: int
    group: str
    played: bool
    """It happened in a practice room."""
    subject: Person | None
    rule_id: str
    category: str
    version: str
    mode: str
    verdict: str
    score: float
    state: str
    ts_ms: int
    reason: str
    """The rule's reason, as members read it."""
    appeal: str
    """State of its appeal; empty = there is none."""
    seq: int
    """Journal position of what was decided on."""
    text: str
    """What the message says; empty = it says nothing, is none, or was taken back by its author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a list, newest first. `older` goes on behind it; None = that is all."""

    rows: tuple[CaseRow, ...]
    older: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One thing that was, is or will be done."""

    delivery_id: int
    case_id: str
    """The decision it goes back to; empty = none."""
    purpose: str
    """`act`, `lift` (ends a mute) or `undo`."""
    capability: str
    state: str
    why: str
    """Code of why it is where it is; empty = nothing to say."""
    group_id: int
    subject_id: int | None
    text: str
    """What is or was said; empty = it says nothing."""
    not_before_ms: int
    until_ms: int | None
    """End of a mute; None = it has none."""
    updated_ms: int
    attempts: int
    staff: str
    """Who approved, declined or tapped; empty = nobody had to."""
    stays: str
    """What an undo cannot give back: `message`, `place`, `words`; empty = all of it can."""
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """Why one check held, with the messages it rests on."""

    evidence: Evidence
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSpan:
    """A stretch of a message's text in which something was found."""

    start: int
    end: int
    what: str
    """The term or pattern; empty = unnamed."""
    view: str
    """How it was found: plain, sound, shape, split …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordView:
    """What a person said to a case."""

    kind: str
    staff: str
    said_ms: int
    heard: bool
    """Whether the engine has taken it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealView:
    """A member's objection."""

    appeal_id: int
    case_id: str
    text: str
    by_member: bool
    state: str
    answer: str
    opened_ms: int
    resolved_ms: int | None
    resolved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDetail:
    """All there is to a case."""

    row: CaseRow
    decided_ms: int
    offence: int
    ladder: str
    covered_by: str
    """Graver case on the same message that does the acting; empty = none."""
    message: Line | None
    """What was decided on; None = no message (a join, a new name) or not there any more."""
    evidence: tuple[EvidenceView, ...]
    actions: tuple[Action, ...]
    deliveries: tuple[DeliveryRow, ...]
    """What it did, what ends it, and what took it back, in this order."""
    words: tuple[WordView, ...]
    said: str
    """Why it was declined or undone."""
    decided_by: str
    appeal: AppealView | None
    earlier: tuple[CaseRow, ...]
    """Newest other cases about the same person, in any group."""
    marks: tuple[tuple[str, bool], ...]
    """Lessons given about the message: (model, label)."""
    can_approve: bool
    can_decline: bool
    can_undo: bool
    can_appeal: bool
    can_teach: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits for a person."""

    cases: int
    appeals: int
    tasks: int
    """Human tasks: what a platform lets only people do."""
    unknown: int
    """Deliveries of which nobody knows whether they arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """How the engine stands."""

    head: int
    behind: int
    """Events it has not reacted to yet."""
    version: str
    """Label of the playbook in force; empty = none is published."""
    published_ms: int | None
    invalid: str
    """Why the playbook in force cannot be used; empty = it can."""


def case_list(
    *, state: str | None = None, group_ids: Collection[int] | None = None, group_id: int | None = None,
    identity_id: int | None = None, rule_id: str | None = None, before: int | None = None, limit: int = PAGE,
) -> Page:  # fmt: skip
    """Return cases of moderation, newest first; None = any. Five queries."""
    rows = _scoped(Case.objects.filter(area="moderation"), group_ids)
    wanted = {"state": state, "group_id": group_id, "identity_id": identity_id, "rule_id": rule_id}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-id")[: limit + 1])
    return Page(rows=_rows(found[:limit]), older=found[limit - 1].pk if len(found) > limit else None)


def case_detail(case_id: str, group_ids: Collection[int] | None = None) -> CaseDetail | None:
    """Return a case of moderation; None = there is none of that id that may be seen."""
    case = _scoped(Case.objects.filter(area="moderation", decision_id=case_id), group_ids).first()
    if case is None:
        return None
    decision = cases.decision_of(case)
    lines = _lines(decision)
    deliveries = _deliveries_of(case_id)
    appeal = Appeal.objects.filter(decision_id=case_id).first()
    words = list(Word.objects.filter(decision_id=case_id).order_by("id"))
    names = _staff_names([case.decided_by, *(word.staff_id for word in words), appeal.resolved_by if appeal else None])
    others = Case.objects.filter(area="moderation", identity_id=case.identity_id).exclude(pk=case.pk)
    message = lines.get(case.seq)
    return CaseDetail(
        row=_rows([case])[0],
        decided_ms=decision.decided_ms,
        offence=decision.offence,
        ladder=decision.ladder or "",
        covered_by=decision.covered_by or "",
        message=message,
        evidence=tuple(
            EvidenceView(evidence=one, lines=tuple(lines[seq] for seq in one.events if seq in lines))
            for one in decision.evidence
        ),
        actions=decision.actions,
        deliveries=deliveries,
        words=tuple(
            WordView(kind=word.kind, staff=names.get(word.staff_id, ""), said_ms=word.said_ms, heard=word.after_seq is not None)
            for word in words
        ),
        said=case.reason,
        decided_by=names.get(case.decided_by, ""),
        appeal=_appeal(appeal, names) if appeal else None,
        earlier=_rows(list(_scoped(others, group_ids).order_by("-id")[:10])) if case.identity_id is not None else (),
        marks=tuple(Mark.objects.filter(seq=case.seq, revoked_ms=None).order_by("model").values_list("model", "label")),
        can_approve=case.state == CaseState.OPEN,
        can_decline=case.state == CaseState.OPEN,
        can_undo=case.state == CaseState.DONE,
        can_appeal=case.state in (CaseState.OPEN, CaseState.DONE) and (appeal is None or appeal.state == "open"),
        can_teach=message is not None and bool(message.text.strip()),
    )


def delivery_list(
    *, state: str | None = None, connector: str | None = None, account: str | None = None,
    group_ids: Collection[int] | None = None, limit: int = PAGE,
) -> tuple[DeliveryRow, ...]:  # fmt: skip
    """Return deliveries, newest first; None = any. Two queries."""
    rows = Delivery.objects.all() if group_ids is None else Delivery.objects.filter(group_id__in=group_ids)
    wanted = {"state": state, "connector": connector, "account": account}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    return _delivery_rows(list(rows.order_by("-pk")[:limit]))


def delivery(delivery_id: int, group_ids: Collection[int] | None = None) -> DeliveryRow | None:
    """Return a delivery; None = there is none of that id that may be seen."""
    row = Delivery.objects.filter(pk=delivery_id).first()
    if row is None or (group_ids is not None and row.group_id not in group_ids):
        return None
    return _delivery_rows([row])[0]


def people_of(rows: Iterable[DeliveryRow]) -> dict[int, Person]:
    """Return whom deliveries concern, by identity id. One query."""
    return persons(row.subject_id for row in rows)


def spans_of(evidence: Evidence) -> tuple[FoundSpan, ...]:
    """Return what a check found in the message."""
    return tuple(FoundSpan(start=span.start, end=span.end, what=span.what, view=span.view) for span in evidence.spans)


def attempts(delivery_id: int) -> tuple[tuple[int, str, str], ...]:
    """Return every try at a delivery, oldest first: (ts_ms, outcome, code)."""
    rows = Attempt.objects.filter(delivery_id=delivery_id).order_by("pk")
    return tuple(rows.values_list("at_ms", "outcome", "code"))


def appeal_list(*, state: str = "open", group_ids: Collection[int] | None = None) -> tuple[tuple[AppealView, CaseRow], ...]:
    """Return appeals with their cases, newest first."""
    appeals = list(Appeal.objects.filter(state=state).order_by("-pk")[: PAGE * 2])
    found = _scoped(Case.objects.filter(decision_id__in=[appeal.decision_id for appeal in appeals]), group_ids)
    rows = {row.case_id: row for row in _rows(list(found))}
    names = _staff_names(appeal.resolved_by for appeal in appeals)
    return tuple((_appeal(appeal, names), rows[appeal.decision_id]) for appeal in appeals if appeal.decision_id in rows)


def waiting(group_ids: Collection[int] | None = None) -> Waiting:
    """Return how much waits for a person. Three queries."""
    open_cases = _scoped(Case.objects.filter(area="moderation", state=CaseState.OPEN), group_ids).count()
    rows = Delivery.objects.filter(state__in=(State.HUMAN, State.UNKNOWN))
    if group_ids is not None:
        rows = rows.filter(group_id__in=group_ids)
    counts = dict(rows.values_list("state").annotate(n=Count("pk")))
    appeals = Appeal.objects.filter(state="open")
    if group_ids is not None:
        mine = Case.objects.filter(group_id__in=group_ids).values("decision_id")
        appeals = appeals.filter(decision_id__in=mine)
    return Waiting(
        cases=open_cases, appeals=appeals.count(), tasks=counts.get(State.HUMAN, 0), unknown=counts.get(State.UNKNOWN, 0)
    )


def loop() -> Loop:
    """Return how the engine stands. Four small queries."""
    journal = Journal(connection)
    head = journal.head()
    version = playbooks.newest()
    return Loop(
        head=head,
        behind=max(0, head - journal.cursor_position(REACT)),
        version=playbooks.label(version, playbooks.standing()[1]) if version else "",
        published_ms=version.published_ms if version else None,
        invalid=playbooks.invalid_reason(),
    )


def _scoped(rows: QuerySet[Case], group_ids: Collection[int] | None) -> QuerySet[Case]:
    return rows if group_ids is None else rows.filter(group_id__in=group_ids)


def _rows(found: list[Case]) -> tuple[CaseRow, ...]:
    wanted = Group.objects.filter(pk__in={case.group_id for case in found}).values_list("pk", "name", "connector")
    groups = {pk: (name, connector == PLAYED) for pk, name, connector in wanted}
    people = persons(case.identity_id for case in found)
    ids = [case.decision_id for case in found]
    appeals = dict(Appeal.objects.filter(decision_id__in=ids).values_list("decision_id", "state"))
    said = Message.objects.filter(Q(deleted_ms=None) | Q(deleted_by="moderator"), pk__in=[case.seq for case in found])
    texts = dict(said.values_list("pk", "text"))
    return tuple(
        CaseRow(
            case_id=case.decision_id, place=case.pk, group_id=case.group_id, group=groups.get(case.group_id, ("", False))[0],
            played=groups.get(case.group_id, ("", False))[1],
            subject=people.get(case.identity_id or 0), rule_id=case.rule_id, category=case.category, version=case.version,
            mode=case.mode, verdict=case.verdict, score=case.score, state=case.state, ts_ms=case.ts_ms,
            reason=cases.decision_of(case).reason, appeal=appeals.get(case.decision_id, ""),
            seq=case.seq, text=texts.get(case.seq, ""),
        )
        for case in found
    )  # fmt: skip


def _lines(decision: Decision) -> dict[int, Line]:
    seqs = dict.fromkeys([decision.event])
    for one in decision.evidence:
        seqs.update(dict.fromkeys(one.events))
    return {line.seq: line for line, _ in messages(list(seqs)[:MAX_EVIDENCE])}


def _deliveries_of(case_id: str) -> tuple[DeliveryRow, ...]:
    ids = [case_id, plans.lift_of(case_id), plans.undo_of(case_id)]
    rows = list(Delivery.objects.filter(case_id__in=ids))
    rows.sort(key=lambda row: (ids.index(row.case_id), row.place, row.pk))
    return _delivery_rows(rows)


def _delivery_rows(rows: list[Delivery]) -> tuple[DeliveryRow, ...]:
    names = _staff_names(row.decided_by for row in rows)
    return tuple(_delivery(row, names) for row in rows)


def _delivery(row: Delivery, names: dict[int | None, str]) -> DeliveryRow:
    command = plans.decode(row.command)
    purpose = row.case_id.partition(":")[0] if plans.origin_of(row.case_id) != row.case_id else "act"
    return DeliveryRow(
        delivery_id=row.pk, case_id=plans.origin_of(row.case_id), purpose=purpose, capability=row.capability, state=row.state,
        why=row.reason, group_id=row.group_id, subject_id=row.identity_id, text=_said(command),
        not_before_ms=row.not_before_ms, until_ms=getattr(command, "until_ms", None), updated_ms=row.updated_ms,
        attempts=row.attempts, staff=names.get(row.decided_by, ""), stays=undoing.stays(row),
        simulated=row.receipt.startswith("simulated:"),
    )  # fmt: skip


def _said(command: AnyCommand) -> str:
    return command.content.text if isinstance(command, SendMessage | SendDirect) else ""


def _appeal(appeal: Appeal, names: dict[int | None, str]) -> AppealView:
    return AppealView(
        appeal_id=appeal.pk, case_id=appeal.decision_id, text=appeal.text, by_member=appeal.by_member, state=appeal.state,
        answer=appeal.answer, opened_ms=appeal.opened_ms, resolved_ms=appeal.resolved_ms,
        resolved_by=names.get(appeal.resolved_by, ""),
    )  # fmt: skip


def _staff_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    wanted = {pk for pk in ids if pk}
    return {staff.pk: str(staff) for staff in Staff.objects.filter(pk__in=wanted)} if wanted else {}
