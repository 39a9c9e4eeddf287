"""Signing in and staying in: limits against guessing, CSRF, idle sessions, headers, language."""

from datetime import timedelta

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from qunce.accounts.models import AuditEntry, Role, Staff
from qunce.accounts.sessions import is_signed_in
from qunce.accounts.staff import do_change_staff, do_set_language, do_set_password

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.accounts_urls")]

PASSWORD = "correct horse 12"


@pytest.fixture
def ann() -> Staff:
    return Staff.objects.create_user("ann", PASSWORD, role=Role.SUPERVISOR)


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss", PASSWORD, role=Role.ADMIN)


def _sign_in(client: Client, password: str = PASSWORD, *, username: str = "ann", ip: str = "10.0.0.1") -> int:
    return client.post("/login", {"username": username, "password": password}, REMOTE_ADDR=ip).status_code


def _signed_in(staff: Staff) -> Client:
    client = Client()
    assert _sign_in(client, username=staff.username) == 302
    return client


@pytest.mark.usefixtures("ann")
class TestGuessing:
    def test_the_sixth_guess_is_locked_out_even_with_the_right_password(self) -> None:
        client = Client()
        assert [_sign_in(client, "wrong") for _ in range(5)] == [401, 401, 401, 401, 429]
        assert _sign_in(client) == 429
        assert client.get("/").status_code == 302

    def test_another_address_and_another_person_are_not_locked(self, boss: Staff) -> None:
        for _ in range(6):
            _sign_in(Client(), "wrong")
        assert _sign_in(Client(), ip="10.0.0.2") == 302
        assert _sign_in(Client(), username=boss.username) == 302

    def test_the_lock_opens_after_fifteen_minutes_though_guessing_goes_on(self) -> None:
        start = timezone.now()
        with time_machine.travel(start, tick=False):
            for _ in range(6):
                _sign_in(Client(), "wrong")
        with time_machine.travel(start + timedelta(minutes=14), tick=False):
            assert _sign_in(Client()) == 429
        with time_machine.travel(start + timedelta(minutes=15, seconds=1), tick=False):
            assert _sign_in(Client()) == 302

    def test_success_forgets_the_failures_before_it(self) -> None:
        for _ in range(3):
            assert [_sign_in(Client(), "wrong") for _ in range(4)] == [401] * 4
            assert _sign_in(Client()) == 302

    def test_a_lock_is_audited_once_and_strangers_names_are_not_kept(self, ann: Staff) -> None:
        for _ in range(9):
            _sign_in(Client(), "wrong")
            _sign_in(Client(), "wrong", username="nobody")
        assert list(AuditEntry.objects.values_list("action", "target_id")) == [("session.locked", str(ann.pk))]

    def test_inactive_staff_cannot_sign_in(self, ann: Staff, boss: Staff) -> None:
        do_change_staff(actor=boss, staff_id=ann.pk, is_active=False)
        assert _sign_in(Client()) == 401


class TestSessions:
    def test_signing_in_and_out_is_audited(self, ann: Staff) -> None:
        client = _signed_in(ann)
        assert client.post("/logout").status_code == 302
        assert client.get("/").status_code == 302
        assert list(AuditEntry.objects.order_by("id").values_list("action", "actor")) == [
            ("session.opened", ann.pk),
            ("session.closed", ann.pk),
        ]

    def test_a_link_cannot_sign_anybody_out(self, ann: Staff) -> None:
        client = _signed_in(ann)
        assert client.get("/logout").status_code == 405
        assert client.get("/").status_code == 200

    def test_an_idle_session_ends_and_a_used_one_does_not(self, ann: Staff) -> None:
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            client = _signed_in(ann)
            for _ in range(3):
                clock.shift(settings.SESSION_IDLE_LIMIT - timedelta(minutes=2))
                assert client.get("/").status_code == 200
            clock.shift(settings.SESSION_IDLE_LIMIT + timedelta(minutes=2))
            assert client.get("/").status_code == 302

    def test_last_use_is_noted_once_a_minute(self, ann: Staff) -> None:
        with time_machine.travel(timezone.now(), tick=False) as clock:
            client = _signed_in(ann)
            client.get("/")
            first = Staff.objects.get(pk=ann.pk).last_seen
            assert first is not None
            clock.shift(50)
            with CaptureQueriesContext(connection) as queries:
                client.get("/")
            assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
            assert Staff.objects.get(pk=ann.pk).last_seen == first
            clock.shift(20)
            client.get("/")
            assert Staff.objects.get(pk=ann.pk).last_seen == first + timedelta(seconds=70)

    def test_dismissal_and_a_new_password_end_running_sessions(self, ann: Staff, boss: Staff) -> None:
        client = _signed_in(ann)
        do_set_password(actor=boss, staff_id=ann.pk, password="another good one 7")
        assert client.get("/").status_code == 302
        ann.refresh_from_db()
        client = Client()
        assert _sign_in(client, "another good one 7") == 302
        do_change_staff(actor=boss, staff_id=ann.pk, is_active=False)
        assert client.get("/").status_code == 302

    def test_the_chosen_language_counts_before_the_browsers(self, ann: Staff) -> None:
        client = _signed_in(ann)
        assert client.get("/", headers={"accept-language": "en"}).content == b"en"
        assert client.get("/", headers={"accept-language": "zh-CN"}).content == b"zh-hans"
        do_set_language(actor=ann, language="en")
        assert client.get("/", headers={"accept-language": "zh-CN"}).content == b"en"

    def test_the_body_limit_knows_who_is_signed_in(self, ann: Staff) -> None:
        key = _signed_in(ann).cookies[settings.SESSION_COOKIE_NAME].value
        ask = async_to_sync(is_signed_in)
        assert ask(key)
        assert not ask("x" * 32)
        assert not ask("")
        Staff.objects.filter(pk=ann.pk).update(is_active=False)
        assert not ask(key)
        assert Session.objects.count() == 1


class TestAnswers:
    def test_a_post_without_the_token_is_refused(self, ann: Staff) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
        for path in ("/", "/login", "/logout", "/groups/1/flag", "/health"):
            assert client.post(path).status_code == 403, path

    @pytest.mark.parametrize(
        ("path", "status"),
        [("/health", 200), ("/", 302), ("/missing", 404), ("/groups/1/flag", 302)],
        ids=["a page", "a redirect", "a missing page", "a guarded page"],
    )
    def test_every_answer_carries_the_strict_policy(self, path: str, status: int) -> None:
        self._check(Client().get(path), status)

    def test_refusals_and_locks_carry_it_too(self, ann: Staff) -> None:
        strict = Client(enforce_csrf_checks=True)
        self._check(strict.post("/login"), 403)
        host = Staff.objects.create_user("host", PASSWORD, role=Role.HOST)
        self._check(_signed_in(host).get("/groups/1/flag"), 403)
        for _ in range(5):
            _sign_in(Client(), "wrong")
        self._check(Client().post("/login", {"username": "ann", "password": "x"}, REMOTE_ADDR="10.0.0.1"), 429)

    @staticmethod
    def _check(response: object, status: int) -> None:
        assert getattr(response, "status_code") == status  # noqa: B009 - any kind of answer
        headers = getattr(response, "headers")  # noqa: B009
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in str(policy)
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
