"""Replay: the use case behind the command and the page."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import msgspec
from django.db import connection

from qunce.accounts.staff import names_of as staff_names
from qunce.domain.ids import GroupId, IdentityId
from qunce.journal.store import Journal
from qunce.playbook import gallery
from qunce.playbook.load import Loaded, parse, read_folder
from qunce.readmodels.models import Group, Identity, Membership, Message
from qunce.readmodels.rows import Database
from qunce.runtime.models import PlaybookVersion
from qunce.runtime.replay.difference import Difference
from qunce.runtime.replay.parts import Results, Task, in_processes, in_this_process, share_out, walk_all
from qunce.runtime.replay.reading import Progress, walk_part
from qunce.runtime.replay.report import GroupRow, Names, Report, rule_rows, side_of, verdicts
from qunce.runtime.replay.tally import Count, Key, Tally, join_counts, joined
from qunce.runtime.replay.walk import Span

TEXT_CHARS = 80


class ReplayRefused(Exception):
    """A replay that cannot be done; the text says why and what to do."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed."""

    playbook: dict[str, str]
    """Texts of the YAML files by relative path."""
    against: dict[str, str] | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    """None = up to the newest event."""
    group_ids: frozenset[int] | None = None
    """None = all groups."""
    processes: int = 1


def files_of(source: str) -> dict[str, str]:
    """Return the files of a playbook named by a folder, by the number of a published version, or as `gallery:muying`.

    Raises ReplayRefused when there is none.
    """
    if source.startswith("gallery:"):
        name = source.removeprefix("gallery:")
        if name not in gallery.names():
            raise ReplayRefused(f"the gallery has no {name!r}; it has {', '.join(gallery.names())}")
        return gallery.texts(name)
    if Path(source).is_dir():
        return read_folder(Path(source))
    number = source.partition("-")[0].removeprefix("v")
    version = PlaybookVersion.objects.filter(pk=int(number)).first() if number.isdecimal() else None
    if version is None:
        raise ReplayRefused(f"there is no folder and no published version {source!r}; give a folder or a number")
    return dict(version.files)


def replay(request: Request, progress: Progress = lambda done, total: None) -> Report:
    """Run a playbook over the past, and compare it with another one when asked.

    Raises InvalidPlaybook with every problem of either playbook, and ReplayRefused when the tables are behind the journal.
    """
    began = time.perf_counter()
    loaded = parse(request.playbook)
    against = parse(request.against) if request.against is not None else None
    task = _task(request, loaded, against)
    sizes = _sizes(request.group_ids)
    shares = share_out(sizes, request.processes)
    walker = partial(walk_part, progress=progress)
    run = in_processes(walk_part, here=walker) if len(shares) > 1 else in_this_process(walker)
    results = walk_all(task, shares, run, reach)
    return _report(request, loaded, against, task, results, time.perf_counter() - began)


def _task(request: Request, loaded: Loaded, against: Loaded | None) -> Task:
    journal = Journal(connection)
    head = journal.head()
    if journal.cursor_position("readmodels") < head:
        raise ReplayRefused("the tables are behind the journal; run “qunce rebuild” first")
    newest = Database(connection).query("SELECT max(ts_ms) FROM journal_event")[0][0]
    return Task(
        files=request.playbook,
        version=loaded.version,
        against_files=request.against,
        against_version=against.version if against is not None else "",
        span=Span(since_ms=request.since_ms, until_ms=request.until_ms or int(newest or 0) + 1),
        head=head,
    )


def _sizes(wanted: frozenset[int] | None) -> dict[GroupId, int]:
    rows = Group.objects.order_by("id").values_list("id", "message_count")
    return {GroupId(pk): count for pk, count in rows if wanted is None or pk in wanted}


def reach(people: Iterable[IdentityId]) -> frozenset[GroupId]:
    """Return the groups in which any of these people ever were, by any of their accounts."""
    persons = Identity.objects.filter(pk__in=list(people)).values("member_id")
    rows = Membership.objects.filter(identity__member_id__in=persons).values_list("group_id", flat=True).distinct()
    return frozenset(GroupId(pk) for pk in rows)


def _report(request: Request, loaded: Loaded, against: Loaded | None, task: Task, results: Results, seconds: float) -> Report:
    tally = joined(result.tally for result in results.values())
    other = joined(result.against for result in results.values() if result.against is not None)
    difference = _difference(result.difference for result in results.values() if result.difference is not None)
    names = names_of((tally, other), (difference.added, difference.removed), results)
    titles = _titles(loaded)
    old_titles = {**titles, **_titles(against)} if against is not None else titles
    return Report(
        events=sum(result.events for result in results.values()),
        messages=sum(result.messages for result in results.values()),
        groups=tuple(
            GroupRow(
                group_id=group_id,
                group=names.groups.get(group_id, ""),
                messages=result.messages,
                decisions=verdicts(result.tally),
                against=verdicts(result.against) if result.against is not None else None,
            )
            for group_id, result in sorted(results.items())
        ),
        since_ms=request.since_ms,
        until_ms=task.span.until_ms,
        seconds=round(seconds, 3),
        processes=request.processes,
        side=side_of(tally, task.version, titles, names),
        against=side_of(other, task.against_version, old_titles, names) if against is not None else None,
        added=rule_rows(difference.added, titles, names),
        removed=rule_rows(difference.removed, old_titles, names),
        same=difference.same,
    )


def _difference(parts: Iterable[Difference]) -> Difference:
    whole = Difference()
    for part in parts:
        join_counts(whole.added, part.added)
        join_counts(whole.removed, part.removed)
        whole.same += part.same
    return whole


def _titles(loaded: Loaded) -> dict[str, str]:
    rules = {rule.rule_id: rule.title for rule in loaded.playbook.rules}
    return rules | {rule.rule_id: rule.title for rule in loaded.playbook.answers}


def names_of(tallies: Iterable[Tally], differences: Iterable[dict[Key, Count]], groups: Iterable[int]) -> Names:
    """Return what the ids in counts and samples are called; `groups` are those to be named."""
    people: set[int] = set()
    seqs: set[int] = set()
    logins: set[str] = set()
    samples = [sample for counts in differences for count in counts.values() for sample in count.samples]
    for tally in tallies:
        samples += [sample for count in tally.counts.values() for sample in count.samples]
        samples += tally.late
        people |= tally.responders.keys()
        logins |= tally.colleagues.keys()
    for sample in samples:
        seqs.add(sample.seq)
        people |= {sample.person, sample.responder}
        logins.add(sample.staff)
    database = Database(connection)
    received: dict[int, int] = {}
    if seqs:
        test, params = database.in_list("seq", sorted(seqs))
        received = dict(database.query(f"SELECT seq, received_ms FROM journal_event WHERE {test}", params))
    texts = Message.objects.filter(seq__in=seqs, deleted_ms=None).values_list("seq", "text")
    return Names(
        groups=dict(Group.objects.filter(pk__in=list(groups)).values_list("id", "name")),
        people=dict(Identity.objects.filter(pk__in=people - {0}).values_list("id", "name")),
        received_ms=received,
        texts={seq: text[:TEXT_CHARS] for seq, text in texts},
        staff=staff_names(logins),
    )
