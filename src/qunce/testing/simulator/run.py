"""Run the simulated community hour by hour and yield its events in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from qunce.domain.events import ConnectorStatus, Event

from . import commerce, growth, routines
from .groups import Group, lay_out
from .people import People, source_of
from .rhythm import DAY, HOUR, MINUTE, OFFSET, Day, day_of, local_day, poisson
from .scenes import play_any
from .stage import Stage

Act = Callable[[int], None]


class _Run:
    def __init__(self, *, groups: int, members: int, days: int, seed: int, end_ms: int, activity: float) -> None:
        self.end_ms = end_ms
        self.activity = activity
        self.first_day = local_day(end_ms - 1) - days + 1
        self.last_day = self.first_day + days - 1
        self.groups = lay_out(groups=groups, members=members, first_day=self.first_day, days=days, seed=seed)
        self.people = People(seed)
        self.stage = Stage(seed=seed, day=day_of(self.first_day))
        self.rng = Random(f"{seed}:plan")
        self.flagged: set[str] = set()
        self.open: list[Group] = []
        self.neighbours: dict[str, list[Group]] = {}

    def events(self) -> Iterator[Event]:
        """Yield everything before `end_ms`."""
        for index in range(self.first_day, self.last_day + 1):
            day = self.stage.day = day_of(index)
            self._connectors(day)
            for group in self.groups:
                if group.first_day == index:
                    self._open(group, day)
            hours: list[list[tuple[Group, Act]]] = [[] for _ in range(24)]
            for group in self.open:
                if not group.dismissed:
                    self._plan(group, day, hours)
            for hour, acts in enumerate(hours):
                yield from self._play(day.start_ms + hour * HOUR, acts)

    def _play(self, start_ms: int, acts: list[tuple[Group, Act]]) -> Iterator[Event]:
        if start_ms >= self.end_ms:
            return
        random = self.rng.random
        for group, act in acts:
            if not group.dismissed:
                act(start_ms + int(random() * HOUR))
        for event in self.stage.timeline.take(start_ms // HOUR):
            if event.ts_ms < self.end_ms:
                yield event

    def _connectors(self, day: Day) -> None:
        for platform in dict.fromkeys(group.platform for group in self.groups):
            source = source_of(platform)
            if day.index == self.first_day:
                self.stage.record(day.start_ms, source, ConnectorStatus(state="up"), key="status")
            elif self.rng.random() < 0.02:
                at = day.start_ms + int(self.rng.random() * 20 * HOUR)
                self.stage.record(at, source, ConnectorStatus(state="down", code="timeout"), key="status")
                self.stage.record(at + 20 * MINUTE, source, ConnectorStatus(state="up"), key="status")

    def _open(self, group: Group, day: Day) -> None:
        """Open a group at eight or nine in the morning of its first day."""
        at = day.start_ms + 8 * HOUR + int(self.rng.random() * 40 * MINUTE)
        routines.open_group(self.stage, group, at, self.flagged)
        self.open.append(group)
        self.neighbours.setdefault(group.platform, []).append(group)

    def _plan(self, group: Group, day: Day, hours: list[list[tuple[Group, Act]]]) -> None:
        """Put the day of one group into the hours: chance follows the rhythm of its theme, plans follow the clock."""
        stage, rng, size = self.stage, self.rng, group.size()
        earliest = 9 if day.index == group.first_day else 0
        pools, mood, fate = group.pools, group.mood(day), self.activity
        keen = 0.30 * len(pools["chatter"]) + 0.12 * len(pools["asker"]) + 0.15 * len(pools["hunter"])
        keen += 0.4 * len(pools["koc"]) + 0.012 * len(pools["lurker"])
        talks = poisson(rng.random(), 1.5 * keen * mood * day.talk * fate)
        orders = poisson(rng.random(), size * 0.007 * (0.4 + 0.6 * min(mood, 1.5)) * day.orders * group.theme.order_rate * fate)
        lost = {"flourishing": 0.0018, "steady": 0.003, "fading": 0.008, "popup": 0.012}[group.phase]
        leaves = poisson(rng.random(), size * lost * (1.6 if day.is_member_day else 1.0))

        def put(count: int, act: Act) -> None:
            if count:
                for hour in rng.choices(range(24), cum_weights=group.hours, k=count):
                    hours[max(hour, earliest)].append((group, act))

        self._plan_joins(group, day, hours, earliest)
        put(talks, lambda ts: play_any(stage, group, ts, self.people))
        put(orders, lambda ts: commerce.order(stage, group, ts))
        put(orders, lambda ts: _click(stage, group, ts))
        put(leaves, lambda ts: growth.goodbye(stage, group, ts, rng))
        put(poisson(rng.random(), size * 0.0008), lambda ts: growth.new_card(stage, group, ts))
        for hour, act in self._routines(group, day, mood):
            if hour >= earliest:
                hours[hour].append((group, act))

    def _plan_joins(self, group: Group, day: Day, hours: list[list[tuple[Group, Act]]], earliest: int) -> None:
        counts: dict[int, int] = {}
        for hour in self.rng.choices(range(24), cum_weights=group.hours, k=group.joins_of(day)):
            counts[max(hour, earliest)] = counts.get(max(hour, earliest), 0) + 1
        for hour, count in counts.items():
            # Joins stand before the talk of their hour, so that newcomers can speak in it.
            hours[hour].insert(0, (group, self._joining(group, count)))

    def _joining(self, group: Group, count: int) -> Act:
        def join(ts_ms: int) -> None:
            start, random = ts_ms // HOUR * HOUR, self.rng.random
            neighbours = self.neighbours[group.platform]
            names = [
                growth.newcomer(self.stage, group, at, self.people, neighbours)
                for at in sorted(start + int(random() * 55 * MINUTE) for _ in range(count))
            ]
            growth.greet(self.stage, group, start + 56 * MINUTE, names)

        return join

    def _routines(self, group: Group, day: Day, mood: float) -> Iterator[tuple[int, Act]]:
        stage, chance = self.stage, self.rng.random
        if day.weekday == 0 and day.index > group.first_day:
            yield 9, lambda ts: routines.put_notice(stage, group, ts)
        if day.is_member_day and mood > 0.05:
            yield 10, lambda ts: routines.member_day(stage, group, ts)
        if day.festival is not None:
            yield 10, lambda ts: routines.festival_notice(stage, group, ts)
        if chance() < 0.5 * mood:
            yield 9, lambda ts: routines.topic(stage, group, ts)
        if chance() < 0.6 * mood:
            yield (12 if chance() < 0.5 else 19), lambda ts: routines.promote(stage, group, ts)
        if chance() < 0.6 * mood:
            hour = {"running": 6, "silver": 6, "reading": 21, "fresh": 17, "beauty": 22}.get(group.theme.key, 20)
            yield hour, lambda ts: routines.check_in(stage, group, ts)
        if group.phase == "steady" and group.days > 30 and day.index == group.first_day + group.days // 2:
            yield 11, lambda ts: routines.rename(stage, group, ts, f"{group.conv.name}（进阶）")
        if group.phase == "popup" and group.number % 2 and day.index == group.first_day + 28:
            yield 15, lambda ts: self._dismiss(group, ts)

    def _dismiss(self, group: Group, ts_ms: int) -> None:
        """Dismiss a group after everything agreed for it."""
        last = self.stage.timeline.last_ms(group.conv.platform_id)
        routines.dismiss(self.stage, group, max(ts_ms, last + 10 * MINUTE))


def _click(stage: Stage, group: Group, ts_ms: int) -> None:
    commerce.click(stage, group, ts_ms)


def simulate(*, groups: int, members: int, days: int, seed: int, end_ms: int, activity: float = 1.0) -> Iterator[Event]:
    """Yield the events of the simulated brand 春风里, in order of time.

    `members` is about how many people join one of the `groups` (a few percent of spammers come on top; some join several
    groups). The simulation covers `days` local days (UTC+8); the last one is the day of the moment before `end_ms`, and ends
    there. `activity` multiplies talk and orders. The same arguments give the same events. Memory grows with members, not with
    events. Raises ValueError for arguments that are not positive.
    """
    if min(groups, members, days) < 1 or activity <= 0:
        raise ValueError("groups, members, days and activity must be positive")
    if end_ms < days * DAY + OFFSET:
        raise ValueError("the simulation would begin before 1970")
    return _Run(groups=groups, members=members, days=days, seed=seed, end_ms=end_ms, activity=activity).events()
