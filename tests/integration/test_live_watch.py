"""One query sees what is new for the loop that reacts: rules, marks, and what people said."""

from __future__ import annotations

import pytest
from django.db import connection

from qunce.readmodels.rows import Database
from qunce.runtime import organisation
from qunce.runtime.live import leases, playbooks, watch
from qunce.runtime.live.marks import GENERATION
from qunce.runtime.models import DeskWord, Word
from qunce.testing.live import PLAYBOOK

pytestmark = pytest.mark.django_db

NOW_MS = 1_800_000_000_000


def test_rules_and_marks_are_seen_as_the_playbooks_say() -> None:
    database = Database(connection)
    assert watch.look(database).standing == playbooks.standing() == (0, 0)
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="first")
    assert watch.look(database).standing == playbooks.standing() == (1, 0)
    organisation.decide(GENERATION, "3")
    assert watch.look(database).standing == playbooks.standing() == (1, 3)


def test_words_are_seen_until_they_were_heard() -> None:
    database = Database(connection)
    assert not watch.look(database).words
    word = Word.objects.create(decision_id="d", group_id=1, kind="approved", said_ms=NOW_MS)
    assert (watch.look(database).words, watch.look(database).desk_words) == (True, False)
    matter = DeskWord.objects.create(thread_seq=1, group_id=1, identity_id=1, said_ms=NOW_MS)
    Word.objects.filter(pk=word.pk).update(after_seq=5)
    assert (watch.look(database).words, watch.look(database).desk_words) == (False, True)
    DeskWord.objects.filter(pk=matter.pk).update(after_seq=5)
    assert not watch.look(database).desk_words


def test_a_lease_is_renewed_by_its_holder_only() -> None:
    assert leases.take("react", "a", NOW_MS)
    assert leases.renew("react", "a", NOW_MS + 1)
    assert not leases.renew("react", "b", NOW_MS + 2)
    assert not leases.renew("nothing", "a", NOW_MS + 2)
