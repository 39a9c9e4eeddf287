"""Look for accounts that may be one person's: of the same or a like name, or with a key that does not merge by itself.

    names of 2 to MOST_IN_BLOCK members ─┐
    names alike, in a common group      ─┤
    keys that too many share, or all     ├─▶ pairs ─▶ portraits ─▶ scores ─▶ open suggestions, decided ones untouched
    where keys do not merge by themselves┘

Only accounts within a block are compared, so the work grows with the number of like names, not with the square of members.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby
from typing import Any, Final

from django.db import connection, transaction

from qunce.accounts.models import Staff
from qunce.engine.identity.likeness import Alike, Background, Portrait, background, compare, grams, portrait
from qunce.engine.identity.names import core_of
from qunce.readmodels.models import Identity
from qunce.readmodels.rows import Database
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.identity.keys import shared_keys
from qunce.runtime.identity.nearness import near_pairs
from qunce.runtime.identity.settings import merge_settings
from qunce.runtime.models import Job, JobState, MergeSuggestion, SuggestionState

JOB_KIND: Final = "merges"
DAY_MS: Final = 86_400_000
MOST_IN_BLOCK: Final = 8
"""A name that more members bear says nothing."""
MOST_BLOCKS: Final = 20_000
MOST_NEAR: Final = 20_000
"""Pairs of like names that are looked at."""
MOST_KEPT: Final = 2_000
NEWEST: Final = 300
"""Messages of an account that are read."""
SAMPLE: Final = 6_000
"""Messages that tell what everybody writes."""
AT_LEAST: Final = 0.6
"""Score from which a pair is suggested; precision and recall in docs/algorithms/identity.md."""
KEY_SCORE: Final = 0.95
CROWDED_SCORE: Final = 0.6
_CHUNK: Final = 100
_STRETCH: Final = 2_000
Beat = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Pair:
    """Two accounts to be compared; `keys` are codes of keys they share."""

    score: float = 0.0
    keys: list[str] = field(default_factory=list)
    alike: Alike | None = None
    """How the names are alike; None = they are not."""


Pairs = dict[tuple[int, int], Pair]


def start(*, actor: Staff | None) -> int:
    """Queue a search, unless one waits already; return the job's id."""
    return jobs.enqueue_once(JOB_KIND, actor=actor, action="member.suggest")


def start_if_due(moment: int) -> int | None:
    """Queue the daily search, or the one after an import; None = nothing is due."""
    newest = jobs.newest(JOB_KIND)
    if newest is not None and _is_enough(newest, moment):
        return None
    return start(actor=None) if Identity.objects.exists() else None


def _is_enough(job: Job, moment: int) -> bool:
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        return True
    imported = Job.objects.filter(kind="import", state=JobState.DONE, finished_ms__gt=job.created_ms).exists()
    return not imported and job.created_ms > moment - DAY_MS


def perform(_params: dict[str, Any], beat: Beat) -> dict[str, Any]:
    """Search, and replace the open suggestions; return how many pairs were compared and how many are open."""
    database = Database(connection)
    pairs: Pairs = {}
    _by_name(database, pairs)
    _by_like_name(database, pairs)
    _by_key(database, pairs)
    compared = len(pairs)
    found = dict(_scored(database, pairs, beat))
    kept = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))[:MOST_KEPT]
    _store(kept, now_ms())
    return {"compared": compared, "open": MergeSuggestion.objects.filter(state=SuggestionState.OPEN).count()}


def _by_name(database: Database, pairs: Pairs) -> None:
    """Add the pairs of equal names; a name that is only an id is none."""
    kinds = "i.kind IN ('member', 'unknown') AND i.name <> i.platform_id AND i.folded_name <> ''"
    rows = database.query(
        "SELECT i.folded_name, i.id, i.member_id FROM identity i JOIN (SELECT i.folded_name FROM identity i "
        f"WHERE {kinds} GROUP BY i.folded_name HAVING count(DISTINCT i.member_id) BETWEEN 2 AND {MOST_IN_BLOCK} "
        f"ORDER BY i.folded_name LIMIT {MOST_BLOCKS}) b ON b.folded_name = i.folded_name "
        f"WHERE {kinds} ORDER BY i.folded_name, i.id"
    )
    for _, accounts in groupby(rows, key=lambda row: row[0]):
        # One account stands for each member: the others are merged with it already.
        firsts: dict[int, int] = {}
        for _, pk, member_id in accounts:
            firsts.setdefault(member_id, pk)
        for first, second in combinations(sorted(firsts.values()), 2):
            pairs.setdefault((first, second), Pair()).alike = "name"


def _by_like_name(database: Database, pairs: Pairs) -> None:
    """Add the pairs whose names are alike and that share a group; equal names are there already."""
    rows = database.query(
        "SELECT i.id, i.member_id, i.name, i.folded_name FROM identity i "
        "WHERE i.kind IN ('member', 'unknown') AND i.name <> i.platform_id AND i.folded_name <> '' ORDER BY i.id"
    )
    cores: dict[str, dict[int, tuple[int, str]]] = {}
    for pk, member_id, name, folded in rows:
        core = core_of(name)
        if core:
            cores.setdefault(core, {}).setdefault(member_id, (pk, folded))
    found: dict[tuple[int, int], Alike] = {}
    for members in cores.values():
        if 2 <= len(members) <= MOST_IN_BLOCK:
            for (first, one), (second, other) in combinations(sorted(members.values()), 2):
                if one != other:
                    found[first, second] = "core"
        if len(found) >= MOST_NEAR:
            break
    rare = sorted(core for core, members in cores.items() if len(members) == 1)
    for a, b in near_pairs(rare, MOST_NEAR):
        (member, (first, _one)), (other_member, (second, _other)) = (*cores[rare[a]].items(), *cores[rare[b]].items())
        if member != other_member:
            found.setdefault((min(first, second), max(first, second)), "near")
    for pair in _in_one_group(database, found):
        known = pairs.setdefault(pair, Pair())
        known.alike = known.alike or found[pair]


def _in_one_group(database: Database, found: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs that are or were in a common group."""
    waiting = sorted(found)
    for start_at in range(0, len(waiting), _STRETCH):
        chunk = waiting[start_at : start_at + _STRETCH]
        test, params = database.in_list("identity_id", sorted({pk for pair in chunk for pk in pair}))
        groups: dict[int, set[int]] = defaultdict(set)
        for identity_id, group_id in database.query(f"SELECT identity_id, group_id FROM membership WHERE {test}", params):
            groups[identity_id].add(group_id)
        yield from (pair for pair in chunk if not groups[pair[0]].isdisjoint(groups[pair[1]]))


def _by_key(database: Database, pairs: Pairs) -> None:
    settings = merge_settings()
    for key, _, accounts in shared_keys(database):
        crowded = len(accounts) > settings.most_accounts
        if settings.by_keys and not crowded:
            continue
        firsts: dict[int, int] = {}
        for account in accounts:
            firsts.setdefault(account.member_id, account.id)
        ids = sorted(firsts.values())
        # A crowded key says little about each pair: it is offered with the first account only, and not without end.
        for first, second in zip(ids[:1] * len(ids), ids[1 : MOST_IN_BLOCK + 1], strict=False):
            pair = pairs.setdefault((first, second), Pair())
            pair.keys.append(f"key:{key}" if not crowded else f"shared:{key}:{len(accounts)}")
            pair.score = max(pair.score, CROWDED_SCORE if crowded else KEY_SCORE)


def _scored(database: Database, pairs: Pairs, beat: Beat) -> Iterator[tuple[tuple[int, int], tuple[float, tuple[str, ...]]]]:
    """Yield the pairs that are likely enough, with score and evidence."""
    known = _background(database) if pairs else Background(accounts=0, holders={})
    waiting = sorted(pairs)
    for start_at in range(0, len(waiting), _CHUNK):
        chunk = waiting[start_at : start_at + _CHUNK]
        portraits = _portraits(database, sorted({pk for pair in chunk for pk in pair}), known)
        for first, second in chunk:
            pair = pairs[first, second]
            likeness = compare(portraits[first], portraits[second], pair.alike or "name")
            evidence = likeness.evidence if pair.alike else likeness.evidence[1:]
            score = max(pair.score, likeness.score if pair.alike else 0.0)
            if score >= AT_LEAST:
                yield (first, second), (round(score, 3), (*pair.keys, *evidence))
        beat({"done": min(start_at + _CHUNK, len(waiting)), "total": len(waiting)})


def _background(database: Database) -> Background:
    texts: dict[int, list[str]] = defaultdict(list)
    sql = f"SELECT identity_id, text FROM message WHERE identity_id IS NOT NULL AND text <> '' ORDER BY seq DESC LIMIT {SAMPLE}"
    for identity_id, text in database.query(sql):
        texts[identity_id].append(text)
    return background(grams(lines)[0] for lines in texts.values())


def _portraits(database: Database, ids: Sequence[int], known: Background) -> dict[int, Portrait]:
    test, params = database.in_list("identity_id", ids)
    rows = database.query(
        "SELECT identity_id, group_id, ts_ms, text FROM (SELECT identity_id, group_id, ts_ms, text, row_number() OVER "
        "(PARTITION BY identity_id ORDER BY ts_ms DESC, seq DESC) AS place FROM message "
        f"WHERE {test} AND deleted_ms IS NULL) m "
        f"WHERE place <= {NEWEST} ORDER BY identity_id, place",
        params,
    )
    groups: dict[int, set[int]] = defaultdict(set)
    for identity_id, group_id in database.query(f"SELECT identity_id, group_id FROM membership WHERE {test}", params):
        groups[identity_id].add(group_id)
    spoken = {pk: list(found) for pk, found in groupby(rows, key=lambda row: int(row[0]))}
    made = {}
    for pk in ids:
        said = spoken.get(pk, [])
        counts, chars = grams(row[3] for row in said) if said else (Counter[str](), 0)
        made[pk] = portrait(counts, chars, [(row[1], row[2]) for row in said], groups[pk], known)
    return made


def _store(found: Iterable[tuple[tuple[int, int], tuple[float, tuple[str, ...]]]], moment: int) -> None:
    """Replace the open suggestions; decided ones stay as they were decided."""
    with transaction.atomic():
        decided = set(MergeSuggestion.objects.exclude(state=SuggestionState.OPEN).values_list("a_id", "b_id"))
        MergeSuggestion.objects.filter(state=SuggestionState.OPEN).delete()
        MergeSuggestion.objects.bulk_create(
            MergeSuggestion(a_id=a, b_id=b, score=score, evidence=" ".join(evidence), made_ms=moment)
            for (a, b), (score, evidence) in found
            if (a, b) not in decided
        )
