"""The audit can be checked from the command line, and a change in it is found."""

import pytest

from qunce.accounts import audit
from qunce.accounts.models import AuditEntry
from qunce.runtime.cli.main import main

pytestmark = pytest.mark.django_db


def test_a_changed_audit_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("qunce.runtime.cli.main.make_ready", lambda: None)
    for number in range(3):
        audit.record(actor=None, action="settings.changed", target_type="organisation", target_id=number)
    assert main(["staff", "audit"]) == 0
    assert "3 audit entries" in capsys.readouterr().out
    AuditEntry.objects.filter(pk=AuditEntry.objects.order_by("pk")[1].pk).update(action="staff.created")
    assert main(["staff", "audit"]) == 1
    assert "was changed" in capsys.readouterr().out
