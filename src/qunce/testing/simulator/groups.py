"""Lay out the groups of the brand: themes, platforms, sizes, fates, staff."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from qunce.domain.events import Conv, Party, Source

from .people import SPEAKING, Archetype, Member, Platform, source_of
from .rhythm import Day, cumulative_hours, day_of
from .texts.common import SLOTS
from .texts.phrases import Slots, Theme
from .texts.themes import THEMES

Phase = Literal["flourishing", "steady", "fading", "popup"]
Role = Literal["manager", "executor", "supervisor", "support_agent"]

ROLE_TITLES: Final[dict[Role, str]] = {
    "manager": "群管理",
    "executor": "群执行",
    "supervisor": "群督导",
    "support_agent": "客服",
}
_STAFF_NAMES: Final = ("小满", "谷雨", "立夏", "白露", "霜降", "惊蛰", "清明", "芒种", "秋分", "小雪", "大暑", "寒露")

_THEME_ORDER: Final = (0, 1, 2, 3, 4, 0, 1, 3, 5, 2)
_PLATFORM_ORDER: Final[tuple[Platform, ...]] = ("wecom", "wecom", "qq", "wecom", "telegram", "wecom", "wechat")
_PHASE_ORDER: Final[tuple[Phase, ...]] = ("flourishing", "steady", "fading", "flourishing", "steady", "popup", "fading")
_VOICES: Final[tuple[tuple[Archetype, float], ...]] = (
    ("chatter", 0.56), ("koc", 0.68), ("hunter", 0.81), ("asker", 0.92), ("lurker", 1.0),
)  # fmt: skip
"""Who speaks up, as cumulative shares."""

_PERSONAS: Final = {"silver": "开心老李", "running": "跑不快的阿南"}
_CAPACITY: Final[dict[Platform, int]] = {"wecom": 480, "wechat": 480, "qq": 1_900, "telegram": 100_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The brand's own people in a group."""

    staff: dict[Role, Member]
    bot: Member
    persona: Member

    def all(self) -> Iterator[Member]:
        """Yield everyone, staff first."""
        yield from self.staff.values()
        yield self.bot
        yield self.persona


class Group:
    """One group, its members by archetype, and its fate."""

    def __init__(
        self, *, number: int, conv: Conv, source: Source, platform: Platform, theme: Theme, phase: Phase, first_day: int,
        days: int, quota: int, team: Team, slowness: float,
    ) -> None:  # fmt: skip
        self.number = number
        self.conv = conv
        self.source = source
        self.platform: Platform = platform
        self.theme = theme
        self.phase: Phase = phase
        self.first_day = first_day
        self.days = days
        """Local days from its creation to the end of the simulation."""
        self.quota = quota
        """How many new people join it over its life."""
        self.team = team
        self.slowness = slowness
        """Factor on the staff's answering times."""
        self.slots: Slots = {**SLOTS, **theme.slots, "community": (theme.community,)}
        self.hours = cumulative_hours(theme.hours)
        self.pools: dict[Archetype, list[Member]] = {name: [] for name in ("silent", *SPEAKING)}
        self.ids: set[str] = set()
        self.buyers: list[Member] = []
        self.messages = 0
        self.joined = 0
        self.dismissed = False
        self._join_weight = 0.0
        self._join_total = sum(self._join_share(day_of(first_day + age), age) for age in range(days)) or 1.0

    @property
    def moderates(self) -> bool:
        """Whether the platform lets staff mute members and take messages back."""
        return self.platform in ("qq", "telegram")

    def size(self) -> int:
        """Return the number of members."""
        return sum(map(len, self.pools.values()))

    def mood(self, day: Day) -> float:
        """Return the factor of the group's fate on its talk."""
        age = day.index - self.first_day
        share = age / max(self.days, 1)
        if self.phase == "flourishing":
            return 0.7 + 0.9 * share
        if self.phase == "fading":
            return 1.1 * math.exp(-3.2 * share)
        if self.phase == "popup":
            return 2.2 * math.exp(-age / 6) + 0.01
        return 0.9

    def joins_of(self, day: Day) -> int:
        """Return how many new people join on a day; call once a day, in order."""
        self._join_weight += self._join_share(day, day.index - self.first_day)
        due = int(self.quota * self._join_weight / self._join_total + 1e-9) - self.joined
        self.joined += due
        return due

    def _join_share(self, day: Day, age: int) -> float:
        launch, steady, tau = {
            "flourishing": (3.0, 0.25, 3.0), "steady": (5.0, 0.12, 3.0), "fading": (6.0, 0.04, 4.0), "popup": (9.0, 0.004, 1.5),
        }[self.phase]  # fmt: skip
        return (launch * math.exp(-age / tau) + steady) * day.joins

    def add(self, member: Member) -> None:
        """Take a member in."""
        pool = self.pools[member.archetype]
        member.at = len(pool)
        pool.append(member)
        self.ids.add(member.party.platform_id)

    def remove(self, member: Member) -> None:
        """Let a member go: nobody picks them any more."""
        self._unpool(member)
        self.ids.discard(member.party.platform_id)

    def _unpool(self, member: Member) -> None:
        pool = self.pools[member.archetype]
        last = pool.pop()
        if last is not member:
            pool[member.at] = last
            last.at = member.at
        member.at = -1

    def pick(self, random: Callable[[], float], archetype: Archetype, ts_ms: int) -> Member | None:
        """Return a member of an archetype who can speak at `ts_ms`, the older ones more often; None if there is none."""
        pool = self.pools[archetype]
        for _ in range(4):
            if not pool:
                return None
            draw = random()
            member = pool[int(len(pool) * draw**1.5)]
            if member.fades_ms < ts_ms and archetype != "lurker":
                self._unpool(member)
                member.archetype = "lurker"
                self.pools["lurker"].append(member)
                member.at = len(self.pools["lurker"]) - 1
            elif member.joined_ms < ts_ms and member.muted_ms <= ts_ms:
                return member
        return None

    def voice(self, random: Callable[[], float], ts_ms: int) -> Member | None:
        """Return somebody who speaks up at `ts_ms`; None in an empty or silent group."""
        draw = random()
        wanted = next(name for name, upto in _VOICES if draw < upto)
        return self.pick(random, wanted, ts_ms) or self.pick(random, "chatter", ts_ms) or self.pick(random, "lurker", ts_ms)


def lay_out(*, groups: int, members: int, first_day: int, days: int, seed: int) -> list[Group]:
    """Return the groups, each with its share of the members, its team and its first day."""
    rng = Random(f"{seed}:groups")
    platforms = [_PLATFORM_ORDER[n] if n < 7 else _any_platform(rng) for n in range(groups)]
    quotas = _quotas(rng, members, platforms)
    counts: dict[str, int] = {}
    made = []
    for number, (platform, quota) in enumerate(zip(platforms, quotas, strict=True)):
        theme = THEMES[_THEME_ORDER[number % len(_THEME_ORDER)]]
        phase = (
            _PHASE_ORDER[number] if number < 7 else rng.choices(("flourishing", "steady", "fading", "popup"), (3, 4, 2, 1))[0]
        )
        nth = counts[theme.key] = counts.get(theme.key, 0) + 1
        day = first_day + _delay(rng, phase, first_day, days, number)
        name = f"{theme.stem} {nth} 群" if phase != "popup" else f"春风里{_occasion(day)}快闪群 {number + 1}"
        made.append(Group(
            number=number, conv=Conv(platform_id=_conv_id(platform, seed, number), name=name), source=source_of(platform),
            platform=platform, theme=theme, phase=phase, first_day=day, days=first_day + days - day, quota=quota,
            team=_team(platform, theme, number), slowness=rng.choice((0.7, 0.9, 1.0, 1.0, 1.3, 2.5)),
        ))  # fmt: skip
    return made


def _any_platform(rng: Random) -> Platform:
    return rng.choices(("wecom", "qq", "wechat", "telegram"), (62, 16, 12, 10))[0]


def _conv_id(platform: Platform, seed: int, number: int) -> str:
    tail = f"{seed & 0xFFFFFFFF:x}{number:05d}"
    return {"wecom": f"wrCFL{tail}", "qq": f"qq{tail}", "wechat": f"{tail}@chatroom", "telegram": f"-100{tail}"}[platform]


def _quotas(rng: Random, members: int, platforms: list[Platform]) -> list[int]:
    """Share `members` out by a Zipf-like law; what a platform's largest group cannot hold goes to the others."""
    ranks = list(range(len(platforms)))
    rng.shuffle(ranks)
    weights = [1 / (rank + 2) ** 0.7 for rank in ranks]
    quotas = [0] * len(platforms)
    left, open_groups = members, list(range(len(platforms)))
    while left and open_groups:
        total = sum(weights[n] for n in open_groups)
        shares = {n: min(int(left * weights[n] / total), _CAPACITY[platforms[n]] - quotas[n]) for n in open_groups}
        if not any(shares.values()):
            break
        for n, share in shares.items():
            quotas[n] += share
        left -= sum(shares.values())
        open_groups = [n for n in open_groups if quotas[n] < _CAPACITY[platforms[n]]]
    for n in range(left):
        quotas[n % len(quotas)] += 1
    return quotas


def _delay(rng: Random, phase: Phase, first_day: int, days: int, number: int) -> int:
    """Return after how many days a group is made: most at the start, some later, pop-up groups before the sale."""
    if phase == "popup":
        sale = next((d for d in range(days) if (f := day_of(first_day + d).festival) and f.name == "双十一"), days // 3)
        return max(0, sale - 3)
    late = number >= 4 and rng.random() < 0.35
    return int(rng.random() * days * 0.7) if late else int(rng.random() * min(days, 4))


def _occasion(first_day: int) -> str:
    festival = day_of(first_day + 3).festival
    return festival.name if festival else "尝新"


def _team(platform: Platform, theme: Theme, number: int) -> Team:
    shift = number // 8
    staff: dict[Role, Member] = {}
    for place, role in enumerate(ROLE_TITLES):
        key = "brand" if role == "support_agent" else theme.key
        nth = shift if role == "manager" else 0
        name = _STAFF_NAMES[(sum(map(ord, key)) + place * 5 + nth) % len(_STAFF_NAMES)]
        staff[role] = _own(f"cfl_{platform}_{role}_{key}_{nth + 1}", "staff", f"春风里 {name}·{ROLE_TITLES[role]}")
    return Team(
        staff=staff,
        bot=_own(f"cfl_{platform}_bot", "bot", "春风小助手"),
        persona=_own(f"cfl_{platform}_persona_{theme.key}", "unknown", _PERSONAS.get(theme.key, "小鱼爱生活")),
    )  # fmt: skip


def _own(platform_id: str, kind: Literal["staff", "bot", "unknown"], name: str) -> Member:
    return Member(Party(platform_id=platform_id, kind=kind, name=name), "koc", joined_ms=0, fades_ms=2**62)
