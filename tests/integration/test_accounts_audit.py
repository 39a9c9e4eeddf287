"""The audit chain shows every kind of tampering, and survives shredding."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from qunce.accounts.audit import details_of, record, shred, verify_chain
from qunce.accounts.models import AuditEntry, AuditHead, Role, Staff

pytestmark = pytest.mark.django_db


def _three_entries() -> list[AuditEntry]:
    ann = Staff.objects.create_user("ann", None, role=Role.ADMIN)
    return [
        record(actor=None, action="settings.changed", target_type="settings", target_id="retention_days"),
        record(actor=ann, action="member.flagged", target_id=7, before={"kind": "member"}, after={"kind": "bot"}),
        record(actor=ann, action="members.exported", after={"rows": 120, "ratio": 0.1, "day": "2026-01-01"}),
    ]


def test_an_untouched_chain_is_whole() -> None:
    entries = _three_entries()
    report = verify_chain()
    assert (report.ok, report.checked) == (True, 3)
    assert [entry.prev_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert details_of(entries[1]) == ({"kind": "member"}, {"kind": "bot"})


def test_an_empty_chain_is_whole() -> None:
    assert verify_chain().ok


def _edit(column: str, value: object) -> Callable[[list[AuditEntry]], object]:
    return lambda entries: AuditEntry.objects.filter(pk=entries[1].pk).update(**{column: value})


TAMPERING = {
    "the action is changed": (_edit("action", "member.viewed"), 1),
    "the actor is taken away": (_edit("actor", None), 1),
    "the target is changed": (_edit("target_id", "8"), 1),
    "the details are changed": (_edit("details", "{}"), 1),
    "the time is changed": (lambda entries: AuditEntry.objects.filter(pk=entries[1].pk).update(at=entries[0].at), 1),
    "its own hash is changed": (_edit("hash", "f" * 64), 1),
    "the first entry is removed": (lambda entries: entries[0].delete(), 1),
    "an entry in the middle is removed": (lambda entries: entries[1].delete(), 2),
    "the newest entry is removed": (lambda entries: entries[2].delete(), None),
    "the head is set back": (lambda entries: AuditHead.objects.update(hash=entries[1].hash), None),
}


@pytest.mark.parametrize("case", TAMPERING)
def test_tampering_is_found(case: str) -> None:
    entries = _three_entries()
    tamper, broken = TAMPERING[case]
    tamper(entries)
    report = verify_chain()
    assert not report.ok
    assert report.broken_at == (None if broken is None else entries[broken].pk)
    assert report.reason


def test_shredding_forgets_the_details_and_keeps_the_chain() -> None:
    entry = _three_entries()[1]
    shred(entry)
    entry.refresh_from_db()
    assert details_of(entry) == ({}, {})
    assert "bot" not in str(vars(entry))
    assert verify_chain().ok


def test_equal_details_have_different_hashes_so_that_shredded_ones_cannot_be_guessed() -> None:
    first, second = (record(actor=None, action="x", after={"kind": "bot"}) for _ in range(2))
    assert first.details_hash != second.details_hash


def test_a_deed_that_is_rolled_back_leaves_no_record_and_no_gap() -> None:
    record(actor=None, action="done")
    with transaction.atomic():
        record(actor=None, action="undone")
        transaction.set_rollback(True)
    record(actor=None, action="done")
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["done", "done"]
    assert verify_chain().ok


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_make_one_chain() -> None:
    def write(number: int) -> None:
        try:
            record(actor=None, action="deed", target_id=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(24)))
    report = verify_chain()
    assert (report.ok, report.checked) == (True, 24)
