"""Share the groups out over processes, and join what they counted, so that the result is that of one process.

A ban in one group blocks the person in all, so after a first round the groups that a ban from another part concerns are
walked again, told of all bans elsewhere, until no ban changes any more. Playbooks that only observe ban nobody: one round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Protocol

import msgspec

from qunce.domain.decisions import Decision
from qunce.domain.ids import GroupId, IdentityId
from qunce.runtime.replay.walk import GroupResult, Span

Results = dict[GroupId, GroupResult]


class Part(msgspec.Struct, frozen=True):
    """A walk to be done by one process."""

    groups: frozenset[GroupId]
    foreign: tuple[Decision, ...] = ()
    foreign_against: tuple[Decision, ...] = ()


class Task(msgspec.Struct, frozen=True):
    """What all parts of a replay share, in a form that can be sent to another process."""

    files: dict[str, str]
    version: str
    against_files: dict[str, str] | None
    against_version: str
    span: Span
    head: int
    """Newest journal position to be read, so that all parts see the same past."""


Run = Callable[[Task, Sequence[Part]], list[Results]]
"""Walks parts, in this process or in others, and returns their results in the same order."""
Reach = Callable[[Iterable[IdentityId]], frozenset[GroupId]]
"""Returns the groups in which any of these people ever were."""


class Walker(Protocol):
    """Walks one part. A function of a module, so that another process can be told its name."""

    def __call__(self, task: Task, part: Part, /) -> Results: ...


def share_out(sizes: Mapping[GroupId, int], parts: int) -> list[frozenset[GroupId]]:
    """Return groups in that many parts of about equal size; the same sizes always give the same parts."""
    shares: list[list[GroupId]] = [[] for _ in range(max(1, parts))]
    loads = [0] * len(shares)
    for group_id, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        lightest = loads.index(min(loads))
        shares[lightest].append(group_id)
        loads[lightest] += size + 1
    return [frozenset(share) for share in shares if share]


def walk_all(task: Task, shares: Sequence[frozenset[GroupId]], run: Run, reach: Reach) -> Results:
    """Return the results of all groups, as one process would have found them."""
    results: Results = {}
    for found in run(task, [Part(groups=share) for share in shares]):
        results.update(found)
    if len(shares) < 2:
        return results
    home = {group_id: index for index, share in enumerate(shares) for group_id in share}
    again = _concerned(_bans(results), home, reach)
    while again:
        before = _bans(results)
        elsewhere = {group_id: result for group_id, result in results.items() if group_id not in again}
        part = Part(
            groups=again,
            foreign=_in_order(result.bans for result in elsewhere.values()),
            foreign_against=_in_order(result.against_bans for result in elsewhere.values()),
        )
        results.update(run(task, [part])[0])
        changed = before.symmetric_difference(_bans(results))
        wider = again | reach(person for _, _, person in changed)
        if wider & results.keys() <= again:
            return results
        again = frozenset(wider & results.keys())
    return results


def _bans(results: Results) -> set[tuple[GroupId, str, IdentityId]]:
    return {
        (group_id, f"{index}:{ban.decision_id}", ban.subject)
        for group_id, result in results.items()
        for index, bans in enumerate((result.bans, result.against_bans))
        for ban in bans
        if ban.subject is not None
    }


def _concerned(bans: set[tuple[GroupId, str, IdentityId]], home: Mapping[GroupId, int], reach: Reach) -> frozenset[GroupId]:
    """Return the groups where somebody was who was banned by a group of another part."""
    concerned: set[GroupId] = set()
    for group_id, _, person in bans:
        concerned |= {other for other in reach([person]) if other in home and home[other] != home[group_id]}
    return frozenset(concerned)


def _in_order(bans: Iterable[Sequence[Decision]]) -> tuple[Decision, ...]:
    return tuple(sorted((ban for some in bans for ban in some), key=lambda ban: (ban.event, ban.decision_id)))


def in_this_process(walker: Walker) -> Run:
    """Return a way to walk parts one after the other."""
    return lambda task, parts: [walker(task, part) for part in parts]


def in_processes(walker: Walker, here: Walker) -> Run:
    """Return a way to walk several parts at once, each in a fresh process with a database connection of its own.

    The first part is walked by `here` in this process, which would only wait otherwise.
    """

    def run(task: Task, parts: Sequence[Part]) -> list[Results]:
        if len(parts) == 1:
            return [here(task, parts[0])]
        with ProcessPoolExecutor(len(parts) - 1, mp_context=get_context("spawn")) as pool:
            others = [pool.submit(walker, task, part) for part in parts[1:]]
            first = here(task, parts[0])
            return [first, *(other.result() for other in others)]

    return run
