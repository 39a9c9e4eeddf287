"""Link accounts by a person's decision, and take links back: audited, as events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.domain.events import Event, IdentityLinked, IdentityUnlinked, Party, Source
from qunce.domain.keys import native_key
from qunce.readmodels.models import Identity, IdentityLink
from qunce.readmodels.projector.links import side_of
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import MergeSuggestion, SuggestionState

Refusal = Literal["unknown_account", "one_account", "same_member", "not_members", "unknown_link", "already_undone", "not_open"]
MAX_REASON: Final = 500
REASONS: Final[dict[Refusal, str]] = {
    "unknown_account": "there is no such account; see its number on the member's page",
    "one_account": "name two accounts",
    "same_member": "the accounts belong to one member already",
    "not_members": "staff, bots and house personas stay apart; flag the account as a member first",
    "unknown_link": "there is no such link",
    "already_undone": "the link was taken back already",
    "not_open": "the suggestion was decided already, or a newer search took it away",
}


class MergeRefused(CommandRefused):
    """A merge that makes no sense; `code` is one of `Refusal`."""

    def __init__(self, code: Refusal) -> None:
        super().__init__(REASONS[code])
        self.code = code


def do_link(
    *, actor: Staff | None, first_id: int, second_id: int, by: Literal["manual", "suggestion"] = "manual", reason: str = "",
    score: float = 1.0, evidence: Sequence[str] = (),
) -> str:  # fmt: skip
    """Say that two accounts (identity ids) are one person's; return the link's id. Raises MergeRefused."""
    first, second = _two(first_id, second_id)
    moment = now_ms()
    link_id = f"{by}:{first.pk}-{second.pk}:{moment}"
    body = IdentityLinked(
        link_id=link_id, other_connector=second.connector, other_account=second.account,
        other_platform_id=second.platform_id, by=by, reason=reason.strip()[:MAX_REASON], score=round(score, 3),
        evidence=tuple(evidence),
    )  # fmt: skip
    said = {"accounts": [first.pk, second.pk], "members": [first.member_id, second.member_id], "link": link_id, "by": by}
    with transaction.atomic():
        audit.record(
            actor=actor, action="member.merge", target_type="member", target_id=min(first.member_id, second.member_id),
            after=said | {"score": round(score, 3), "evidence": list(evidence)},
        )  # fmt: skip
        _take(first, "linked", body, link_id, moment)
    return link_id


def do_unlink(*, actor: Staff | None, link_id: str, reason: str = "") -> tuple[int, int]:
    """Take a link back; return the two accounts. Raises MergeRefused."""
    link = IdentityLink.objects.filter(link_id=link_id).first()
    if link is None:
        raise MergeRefused("unknown_link")
    if link.undone_ms is not None:
        raise MergeRefused("already_undone")
    identity = Identity.objects.get(pk=link.a_id)
    before = {"accounts": [link.a_id, link.b_id], "member": identity.member_id, "link": link_id, "by": link.by}
    moment = now_ms()
    with transaction.atomic():
        audit.record(
            actor=actor, action="member.unmerge", target_type="member", target_id=identity.member_id, before=before,
        )  # fmt: skip
        MergeSuggestion.objects.filter(link_id=link_id, state=SuggestionState.ACCEPTED).update(
            state=SuggestionState.REFUSED, decided_ms=moment, staff_id=actor.pk if actor else None
        )
        body = IdentityUnlinked(link_id=link_id, reason=reason.strip()[:MAX_REASON])
        _take(identity, "unlinked", body, link_id, moment)
    return link.a_id, link.b_id


def do_separate(*, actor: Staff | None, identity_id: int, reason: str = "") -> int:
    """Take back every link of an account, so that it stands alone; return how many. Raises MergeRefused when it has none."""
    links = list(_standing(identity_id))
    if not links:
        raise MergeRefused("unknown_link")
    with transaction.atomic():
        for link_id in links:
            do_unlink(actor=actor, link_id=link_id, reason=reason)
    return len(links)


def _standing(identity_id: int) -> Sequence[str]:
    rows = IdentityLink.objects.filter(undone_ms=None)
    found = [
        *rows.filter(a_id=identity_id).values_list("link_id", "seq"),
        *rows.filter(b_id=identity_id).values_list("link_id", "seq"),
    ]
    return [link_id for link_id, _ in sorted(found, key=lambda row: row[1])]


def _two(first_id: int, second_id: int) -> tuple[Identity, Identity]:
    if first_id == second_id:
        raise MergeRefused("one_account")
    found = {row.pk: row for row in Identity.objects.filter(pk__in=(first_id, second_id))}
    if len(found) < 2:
        raise MergeRefused("unknown_account")
    first, second = found[min(found)], found[max(found)]
    if first.member_id == second.member_id:
        raise MergeRefused("same_member")
    if side_of(first.kind) != "person" or side_of(second.kind) != "person":
        raise MergeRefused("not_members")
    return first, second


def _take(identity: Identity, verb: str, body: IdentityLinked | IdentityUnlinked, link_id: str, moment: int) -> None:
    source = Source(connector=identity.connector, account=identity.account, origin="self")
    event = Event(
        ts_ms=moment, source=source, subject=Party(platform_id=identity.platform_id), body=body,
        dedupe_key=native_key(verb, link_id),
    )  # fmt: skip
    ingest = Ingest()
    ingest.take([event])
    ingest.settle()


def do_accept(*, actor: Staff | None, suggestion_id: int) -> str:
    """Merge what was suggested; return the link's id. Raises MergeRefused, also when it was decided already."""
    with transaction.atomic():
        row = _open(suggestion_id)
        evidence = tuple(row.evidence.split())
        link_id = do_link(
            actor=actor, first_id=row.a_id, second_id=row.b_id, by="suggestion", score=row.score, evidence=evidence
        )
        _decide(row, actor, SuggestionState.ACCEPTED, link_id)
    return link_id


def do_refuse(*, actor: Staff | None, suggestion_id: int) -> None:
    """Say that two accounts are two persons; they are not suggested again. Raises MergeRefused."""
    with transaction.atomic():
        row = _open(suggestion_id)
        _decide(row, actor, SuggestionState.REFUSED)
        audit.record(
            actor=actor, action="member.merge_refused", target_type="suggestion", target_id=row.pk,
            after={"accounts": [row.a_id, row.b_id], "score": row.score},
        )  # fmt: skip


def _open(suggestion_id: int) -> MergeSuggestion:
    row = MergeSuggestion.objects.select_for_update().filter(pk=suggestion_id, state=SuggestionState.OPEN).first()
    if row is None:
        raise MergeRefused("not_open")
    return row


def _decide(row: MergeSuggestion, actor: Staff | None, state: SuggestionState, link_id: str = "") -> None:
    row.state, row.link_id, row.decided_ms, row.staff_id = state, link_id, now_ms(), actor.pk if actor else None
    row.save(update_fields=["state", "link_id", "decided_ms", "staff_id"])
