"""Plain rows of tiers for screens, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qunce.analytics import traits
from qunce.playbook.schema.tiers import Level, Scheme
from qunce.playbook.segments.describe import describe
from qunce.playbook.tiers import key_of, level_rules
from qunce.readmodels.selectors import tiers as selectors
from qunce.readmodels.selectors.days import Visible
from qunce.runtime import jobs, mirror
from qunce.runtime.tiers import sorting
from qunce.runtime.tiers.schemes import SHIPPED, Schemes, in_force

Titles = tuple[str, str]
"""In Chinese and in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelView:
    """A level as people read it. `share` is of all members; None = there are none."""

    level_id: str
    title: Titles
    words: Titles
    """Its conditions; empty = everybody else."""
    advice: Titles
    lowest: bool
    count: int = 0
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeView:
    """A scheme with its levels, the highest first."""

    scheme_id: str
    title: Titles
    ladder: bool
    levels: tuple[LevelView, ...]
    members: int

    def level(self, level_id: str) -> LevelView | None:
        """Return a level, or None: an older version of the scheme may have had others."""
        return next((level for level in self.levels if level.level_id == level_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How members stand: by which schemes, as of when. `as_of_ms` None = they were never sorted."""

    schemes: tuple[SchemeView, ...]
    shipped: bool
    as_of_ms: int | None
    sorted_ms: int | None
    waiting: bool
    failed: str
    """Why the newest sorting failed; empty = it did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTier:
    """Where one member stands in one scheme."""

    scheme_id: str
    scheme: Titles
    level: LevelView
    since_ms: int | None
    """None = from the beginning."""


def standing(visible: Visible) -> Standing:
    """Return all schemes with how many of the reader's members are on which level. Five queries."""
    schemes = in_force()
    counts, members = selectors.counts(visible), selectors.members(visible)
    done, newest = sorting.newest_run(), jobs.newest(sorting.JOB_KIND)
    return Standing(
        schemes=tuple(_scheme(scheme, schemes, counts, members) for scheme in schemes.schemes),
        shipped=schemes.version == SHIPPED, as_of_ms=done.result.get("as_of_ms") if done else None,
        sorted_ms=done.finished_ms if done else None, waiting=bool(newest and newest.state in ("queued", "running")),
        failed=newest.error if newest and newest.state == "failed" else "",
    )  # fmt: skip


def of_member(member_id: int) -> tuple[MemberTier, ...]:
    """Return where a member stands, scheme by scheme; empty = members were never sorted."""
    if sorting.newest_run() is None:
        return ()
    schemes, held = in_force(), selectors.of_member(member_id)
    found = []
    for scheme in schemes.schemes:
        shown = _scheme(scheme, schemes, {}, 0)
        level_id, since_ms = held.get(scheme.scheme_id, ("", None))
        level = shown.level(level_id) or shown.levels[-1]
        found.append(MemberTier(scheme_id=scheme.scheme_id, scheme=shown.title, level=level, since_ms=since_ms))
    return tuple(found)


def traits_of(member_id: int) -> dict[str, int] | None:
    """Return a member's scores by `playbook.segments.catalogue.TRAITS`, and `as_of_day`; None = there are none."""
    return traits.of_member(mirror.store(), member_id)


def worded(details: Sequence[Mapping[str, object]]) -> list[dict[str, Any]]:
    """Return details of `tier.moved` with the names of scheme and levels in both languages; ids where none is known."""
    known = in_force() if details else None
    found = []
    for detail in details:
        scheme = known.get(str(detail.get("scheme_id"))) if known else None
        levels = {level.level_id: (level.title, level.title_en or level.title) for level in scheme.levels} if scheme else {}
        name = str(detail.get("scheme_id") or "")
        titles = {"scheme": (scheme.title, scheme.title_en or scheme.title) if scheme else (name, name)}
        for side in ("old", "new"):
            level_id = str(detail.get(side) or "")
            titles[side] = levels.get(level_id, (level_id, level_id))
        found.append({**detail, **titles})
    return found


def _scheme(scheme: Scheme, schemes: Schemes, counts: dict[tuple[str, str], int], members: int) -> SchemeView:
    rules = level_rules((scheme,), schemes.segments, schemes.fields)
    higher = {level.level_id: counts.get((scheme.scheme_id, level.level_id), 0) for level in scheme.levels[:-1]}

    def shown(level: Level) -> LevelView:
        rule = rules.get(key_of(scheme.scheme_id, level.level_id))
        number = higher.get(level.level_id, members - sum(higher.values()))
        return LevelView(
            level_id=level.level_id, title=(level.title, level.title_en or level.title),
            words=(describe(rule.body, "member", "zh"), describe(rule.body, "member", "en")) if rule else ("", ""),
            advice=(level.advice, level.advice_en or level.advice), lowest=rule is None, count=number,
            share=number / members if members else None,
        )  # fmt: skip

    return SchemeView(
        scheme_id=scheme.scheme_id, title=(scheme.title, scheme.title_en or scheme.title), ladder=scheme.order == "ladder",
        levels=tuple(shown(level) for level in scheme.levels), members=members,
    )  # fmt: skip
