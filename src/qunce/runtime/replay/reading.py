"""Read the journal for one part of a replay."""

from __future__ import annotations

import os
from collections.abc import Callable

import django
from django.apps import apps
from django.db import connection

from qunce.domain.ids import GroupId
from qunce.runtime.replay.parts import Part, Task
from qunce.runtime.replay.walk import GroupResult

Progress = Callable[[int, int], None]
"""Called with events walked so far and in all, by the part that this process walks."""


def walk_part(task: Task, part: Part, progress: Progress = lambda done, total: None) -> dict[GroupId, GroupResult]:
    """Walk one part over the whole journal and return what came of its groups. Starts Django in a fresh process."""
    if not apps.ready:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunce.config.settings")
        django.setup()
    from qunce.engine.core import Program
    from qunce.journal.store import Journal
    from qunce.playbook.load import parse
    from qunce.readmodels.rows import Database
    from qunce.runtime.garbage import fewer_collections
    from qunce.runtime.happenings import Resolver
    from qunce.runtime.live import marks
    from qunce.runtime.replay.walk import Walk

    learnt = marks.learnt()
    program = Program(parse(task.files).playbook, task.version, learnt)
    against = None
    if task.against_files is not None:
        against = Program(parse(task.against_files).playbook, task.against_version, learnt)
    walk = Walk(
        program, against, task.span, wanted=part.groups.__contains__, foreign=part.foreign, foreign_against=part.foreign_against
    )
    journal, resolver = Journal(connection), Resolver(Database(connection))
    with fewer_collections():
        for batch in journal.read_all(0, task.head):
            walk.take(resolver.happenings(batch))
            progress(batch[-1].seq, task.head)
    return walk.finish()
