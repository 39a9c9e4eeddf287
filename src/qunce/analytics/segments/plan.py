"""Compile one or many segments: one aggregation of the events for all of them, then one flag per segment and subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Final

import ibis

from qunce.analytics.segments import scans, wheel
from qunce.analytics.segments.measures import KEYS, Column, Distinct, combine, needs_of, picks_of
from qunce.analytics.segments.tables import SegmentTables
from qunce.analytics.tables import Expr, counted
from qunce.engine.segments.moment import Moment
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.catalogue import ATTRIBUTES, CODED
from qunce.playbook.segments.tree import (
    Age,
    AgeBetween,
    AllOf,
    AnyOf,
    Attr,
    Between,
    Compare,
    Did,
    Field,
    InPeriod,
    IsMissing,
    IsSet,
    Leaf,
    Node,
    Not,
    OneOf,
    Ref,
    Rule,
    Sample,
    Since,
    Tagged,
    Test,
)  # fmt: skip

_OF_GROUPS: Final = ("connector", "community")


class Plan:
    """What has to be computed for the `wanted` segments at one moment. Builds expressions; runs nothing."""

    def __init__(
        self, rules: Mapping[str, Rule], wanted: Sequence[str], now: Moment, currency: str, *, horizon_ms: int | None = None
    ) -> None:
        """`rules` holds the wanted segments and those they refer to; amounts are of `currency`.

        With `horizon_ms`, `flags` also tells until when the answers hold, as far as that moment; None = it does not.
        """
        self._rules, self._now, self._currency = rules, now, currency
        self._horizon_ms = horizon_ms
        self.wanted = tuple(dict.fromkeys(wanted))
        self.leaves: dict[Subject, list[Leaf]] = {}
        for name in self.wanted:
            found = self.leaves.setdefault(rules[name].of, [])
            found += [leaf for leaf in leaves_of(rules[name].body, rules) if leaf not in found]
        self._not_before = self._bounds()
        self._names: dict[Column, str] = {}
        self._distinct: dict[Distinct, str] = {}
        self._people: dict[str, str] = {}
        self._by_subject: dict[Subject, dict[Column, str]] = {of: {} for of in self.leaves}
        for of, found in self.leaves.items():
            for leaf in found:
                if isinstance(leaf, Did):
                    self._ask(of, leaf)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Kinds of subjects that are asked for."""
        return tuple(self.leaves)

    def segments_of(self, of: Subject) -> tuple[str, ...]:
        """Return the wanted segments about one kind of subject, in the order of the columns `s0`, `s1` …"""
        return tuple(name for name in self.wanted if self._rules[name].of == of)

    def draws(self) -> tuple[tuple[Subject, str], ...]:
        """Return the salts of samples, with whom they draw."""
        found = ((of, leaf.salt) for of, leaves in self.leaves.items() for leaf in leaves if isinstance(leaf, Sample))
        return tuple(dict.fromkeys(found))

    def first_day(self) -> int | None:
        """Return the first local day whose facts matter; None = all do."""
        starts = [column.pick.start.day for column in self._names]
        starts += [pick.start.day for wanted in self._distinct for pick in wanted.picks]
        days = [day for day in starts if day is not None]
        return None if len(days) < len(starts) else min(days, default=self._now.day)

    def _bounds(self) -> dict[tuple[Subject, Did], int | None]:
        """Return for leaves with `since` from when on events can matter, in all places where they stand; None = from ever."""
        found: dict[tuple[Subject, Did], int | None] = {}
        for name in self.wanted:
            of = self._rules[name].of
            for leaf, start_ms in sinces_of(self._rules[name].body, self._rules, self._now):
                known = found.get((of, leaf), start_ms)
                found[of, leaf] = None if known is None or start_ms is None else min(known, start_ms)
        return found

    def _needs(self, of: Subject, leaf: Did) -> tuple[Column, ...] | Distinct:
        return needs_of(leaf, of, self._now, self._not_before.get((of, leaf)))

    def _ask(self, of: Subject, leaf: Did) -> None:
        for column in (*self._columns(of, leaf), *self._oldest_columns(of, leaf)):
            name = self._names.setdefault(column, f"c{len(self._names)}")
            self._by_subject[of][column] = name
        needs = self._needs(of, leaf)
        if isinstance(needs, Distinct):
            if self._counts_members(needs):
                name = self._names[self._columns(of, leaf)[0]]
                self._people.setdefault(name, f"p{len(self._people)}")
            else:
                self._distinct.setdefault(needs, f"d{len(self._distinct)}")

    def _columns(self, of: Subject, leaf: Did) -> tuple[Column, ...]:
        needs = self._needs(of, leaf)
        if not isinstance(needs, Distinct):
            return needs
        return (Column(pick=needs.picks[0], op="count"),) if self._counts_members(needs) else ()

    def _oldest_columns(self, of: Subject, leaf: Did) -> tuple[Column, ...]:
        """Return what tells the oldest event in a window that moves, where somebody asks until when answers hold."""
        if self._horizon_ms is None or leaf.window is None or isinstance(leaf.window, Since):
            return ()
        picks = picks_of(leaf, of, self._now, self._not_before.get((of, leaf)))
        return tuple(Column(pick=pick, op="first") for pick in picks)

    def _people_name(self, of: Subject, leaf: Did) -> str:
        return self._people[self._names[self._columns(of, leaf)[0]]]

    @staticmethod
    def _counts_members(needs: Distinct) -> bool:
        """Tell whether counting rows of the cube will do: they are one per member and group already."""
        return needs.field == "member_id"

    def cube(self, tables: SegmentTables) -> Expr | None:
        """Return what accounts did, for all segments; None = nobody asks. Worth storing when several subjects use it."""
        columns = {column: name for column, name in self._names.items() if column.pick.source == "acted"}
        if not columns:
            return None
        per_group = any(self._by_subject[of] for of in self.subjects if of != "member")
        return scans.cube(tables, columns, per_group, self._now)

    def flags(self, of: Subject, tables: SegmentTables, cube: Expr | None) -> Expr:
        """Return `subject_id`, `group_id` (memberships; else 0) and one column per segment, 1 = belongs.

        With a horizon also `until_ms`, the earliest moment an answer could change without an event. Rows of subjects that
        belong nowhere, and whose answers hold beyond the horizon, are left out.
        """
        rows = self._joined(of, tables, cube)
        keys = KEYS[of]
        names = self.segments_of(of)
        if self._horizon_ms is not None:
            return self._with_until(of, rows, self._horizon_ms)
        flags = {f"s{i}": counted(self._node(of, self._rules[name].body, rows)) for i, name in enumerate(names)}
        found = rows.select(
            subject_id=rows[keys[0]].cast("int64"),
            group_id=rows.group_id.cast("int64") if of == "membership" else ibis.literal(0).cast("int64"),
            **flags,
        )
        return found.filter(reduce(or_, [found[flag] == 1 for flag in flags]))

    def _with_until(self, of: Subject, rows: Expr, horizon_ms: int) -> Expr:
        keys, leaves, names = KEYS[of], self.leaves[of], self.segments_of(of)
        # Leaves become columns first: trees speak of each of them several times.
        rows = rows.mutate(
            **{f"h{i}": counted(self._node(of, leaf, rows)) for i, leaf in enumerate(leaves)},
            **{f"u{i}": self._until(of, leaf, rows).cast("int64") for i, leaf in enumerate(leaves)},
        )

        def pair(leaf: Leaf) -> wheel.Pair:
            place = leaves.index(leaf)
            return rows[f"h{place}"] == 1, rows[f"u{place}"]

        trees = [wheel.walk(self._rules[name].body, lambda ref: self._rules[ref.segment_id].body, pair) for name in names]
        until = ibis.least(*(until for _, until in trees)) if len(trees) > 1 else trees[0][1]
        found = rows.select(
            subject_id=rows[keys[0]].cast("int64"),
            group_id=rows.group_id.cast("int64") if of == "membership" else ibis.literal(0).cast("int64"),
            **{f"s{i}": counted(holds) for i, (holds, _) in enumerate(trees)},
            until_ms=until.cast("int64"),
        )
        return found.filter(reduce(or_, [found.until_ms <= horizon_ms, *(found[f"s{i}"] == 1 for i in range(len(names)))]))

    def _until(self, of: Subject, leaf: Leaf, rows: Expr) -> Expr:
        if isinstance(leaf, Attr) and ATTRIBUTES[of][leaf.name].kind == "moment":
            return wheel.turns(rows[leaf.name], leaf.test, self._now)
        if isinstance(leaf, Tagged):
            holders = ("member", "membership") if of == "membership" else (of,)
            ends = [ibis.coalesce(rows[f"{self._tag(of, leaf)}_{holder}_until"], wheel.NEVER) for holder in holders]
            return ibis.least(*ends) if len(ends) > 1 else ends[0]
        if isinstance(leaf, Field) and leaf.kind == "moment":
            number = rows[f"{self._field(of, leaf)}n"]
            return wheel.turns(ibis.coalesce(number, 0), leaf.test, self._now, number.notnull())
        if not isinstance(leaf, Did):
            return ibis.literal(wheel.NEVER)
        columns = self._oldest_columns(of, leaf)
        first = [ibis.coalesce(rows[self._names[column]], 0) for column in columns]
        oldest = combine("first", first, 0) if first else None
        since = rows[leaf.window.attribute] if isinstance(leaf.window, Since) else None
        value = self._value(of, leaf, rows)
        return wheel.fades(leaf, value, oldest, since, self._now)

    def _joined(self, of: Subject, tables: SegmentTables, cube: Expr | None) -> Expr:
        rows = scans.subjects(tables, of)
        uses_group = any(isinstance(leaf, Attr) and leaf.name in _OF_GROUPS for leaf in self.leaves[of])
        if of == "membership" and uses_group:
            words = tables.group_profiles.select("group_id", *_OF_GROUPS)
            rows = rows.left_join(words.rename(words_group="group_id"), [("group_id", "words_group")]).drop("words_group")
        for number, (part, keys) in enumerate(self._parts(of, tables, cube)):
            renamed = part.rename(**{f"j{number}_{key}": key for key in keys})
            rows = rows.left_join(renamed, [(key, f"j{number}_{key}") for key in keys])
            rows = rows.drop(*[f"j{number}_{key}" for key in keys])
        return rows

    def _parts(self, of: Subject, tables: SegmentTables, cube: Expr | None) -> Iterator[tuple[Expr, tuple[str, ...]]]:
        keys = KEYS[of]
        columns = self._by_subject[of]
        did = {column: name for column, name in columns.items() if column.pick.source == "acted"}
        if did and cube is not None:
            people_of = {name: count for name, count in self._people.items() if name in did.values()} if of == "group" else {}
            yield scans.acted(tables, cube, of, did, people_of), keys
        met = {column: name for column, name in columns.items() if column.pick.source == "met"}
        if met:
            rows = scans.met_rows(tables, [column.pick for column in met], self._now)
            yield scans.measured(tables, rows, of, met, self._now), keys
        bought = {column: name for column, name in columns.items() if column.pick.source == "order"}
        if bought:
            yield scans.measured(tables, scans.order_rows(tables, self._currency, self._now), of, bought, self._now), keys
        for wanted, name in self._distinct.items():
            if wanted.of == of:
                yield scans.distinct(tables, wanted, name, self._currency, self._now), keys
        for leaf in self.leaves[of]:
            if isinstance(leaf, Tagged):
                yield from self._tagged(of, leaf, tables)
            elif isinstance(leaf, Field):
                yield self._field_values(of, leaf, tables), ("person",)
            elif isinstance(leaf, Sample):
                drawn = tables.draws.filter(tables.draws.salt == leaf.salt)
                yield drawn.select(**{keys[0]: drawn.unit, self._draw(of, leaf): drawn.bucket}), keys[:1]

    def _tagged(self, of: Subject, leaf: Tagged, tables: SegmentTables) -> Iterator[tuple[Expr, tuple[str, ...]]]:
        """Yield who has any of the tags; a membership also has the tags of its member."""
        name = self._tag(of, leaf)
        now_ms, held = self._now.now_ms, tables.tags
        held = held.filter((held.from_ms <= now_ms) & ((held.to_ms == 0) | (held.to_ms > now_ms)))
        for holder in ("member", "membership") if of == "membership" else (of,):
            rows = held.filter((held.of == holder) & held.tag.isin(list(leaf.tags)))
            keys = ("person", "group_id") if holder == "membership" else (KEYS[of][0],)
            columns = {keys[0]: rows.subject_id, **({"group_id": rows.group_id} if holder == "membership" else {})}
            if self._horizon_ms is not None:
                yield self._ends(f"{name}_{holder}_until", holder, leaf, columns, tables), keys
            once = rows.select(**columns).distinct()
            yield once.mutate(**{f"{name}_{holder}": ibis.literal(1).cast("int8")}), keys

    def _ends(self, name: str, holder: str, leaf: Tagged, columns: Mapping[str, Expr], tables: SegmentTables) -> Expr:
        """Return the next moment at which a tag of somebody begins or ends by itself."""
        held = tables.tags.filter((tables.tags.of == holder) & tables.tags.tag.isin(list(leaf.tags)))
        true = ibis.literal(True)
        edge = ibis.least(wheel.ahead(true, held.from_ms, self._now), wheel.ahead(true, held.to_ms, self._now))
        keyed = held.select(**{key: held[column.get_name()] for key, column in columns.items()}, edge=edge)
        keyed = keyed.filter(keyed.edge < wheel.NEVER)
        return keyed.group_by(list(columns)).agg(**{name: keyed.edge.min()})

    def _tag(self, of: Subject, leaf: Tagged) -> str:
        return f"t{self.leaves[of].index(leaf)}"

    def _field_values(self, of: Subject, leaf: Field, tables: SegmentTables) -> Expr:
        """Return the values of an attribute per member: as `…n` a number (null = none), as `…w` a word (empty = none)."""
        name = self._field(of, leaf)
        rows = tables.fields.filter(tables.fields.attribute == leaf.name)
        number = ibis.ifelse(rows.is_number == 1, rows.number, ibis.null("int64"))
        return rows.select(person=rows.member_id, **{f"{name}n": number, f"{name}w": rows.word})

    def _field(self, of: Subject, leaf: Field) -> str:
        return f"f{self.leaves[of].index(leaf)}"

    def _draw(self, of: Subject, leaf: Sample) -> str:
        return f"b{self.leaves[of].index(leaf)}"

    def _node(self, of: Subject, node: Node, rows: Expr) -> Expr:
        match node:
            case AllOf(parts):
                return reduce(and_, [self._node(of, part, rows) for part in parts])
            case AnyOf(parts):
                return reduce(or_, [self._node(of, part, rows) for part in parts])
            case Not(part):
                return ~self._node(of, part, rows)
            case Ref(segment_id):
                return self._node(of, self._rules[segment_id].body, rows)
            case Attr(name, test):
                return self._attribute(of, name, test, rows)
            case Field():
                return self._declared(self._field(of, node), node, rows)
            case Tagged():
                holders = ("member", "membership") if of == "membership" else (of,)
                has = [ibis.coalesce(rows[f"{self._tag(of, node)}_{holder}"], 0) == 1 for holder in holders]
                return reduce(or_, has)
            case Sample(share=share):
                return ibis.coalesce(rows[self._draw(of, node)], 10_000) < share
            case Did():
                return self._did(of, node, rows)

    def _attribute(self, of: Subject, name: str, test: Test, rows: Expr) -> Expr:
        column = rows[name]
        if isinstance(test, OneOf):
            if of == "membership" and name in CODED:
                return column.isin([CODED[name].index(word) + 1 for word in test.words])
            return ibis.coalesce(column, "").isin(list(test.words))
        if isinstance(test, IsSet | IsMissing):
            text = name in _OF_GROUPS or (of == "member" and name == "kind")
            there = ibis.coalesce(column, "") != "" if text else (column != 0) & (column <= self._now.now_ms)
            return there if isinstance(test, IsSet) else ~there
        return self._passes(column, test)

    def _declared(self, name: str, leaf: Field, rows: Expr) -> Expr:
        """Test a declared attribute. Unlike counts, 0 is a value, and dates may lie before 1970 and ahead."""
        number, word, test = rows[f"{name}n"], ibis.coalesce(rows[f"{name}w"], ""), leaf.test
        words = leaf.kind == "word"
        if isinstance(test, OneOf):
            return word.isin(list(test.words))
        if isinstance(test, IsSet | IsMissing):
            there = word != "" if words else number.notnull()
            return there if isinstance(test, IsSet) else ~there
        if isinstance(test, Compare | Between):
            return ibis.coalesce(self._passes(number, test), False)
        low_ms, high_ms = self._now.bounds(test)
        holds = number <= high_ms if low_ms is None else (number >= low_ms) & (number <= high_ms)
        return ibis.coalesce(holds, False)

    def _passes(self, value: Expr, test: Test) -> Expr:
        """Test a number, or a moment of which 0 stands for missing."""
        if isinstance(test, Compare):
            match test.op:
                case "=":
                    return value == test.value
                case "!=":
                    return value != test.value
                case ">=":
                    return value >= test.value
                case "<=":
                    return value <= test.value
                case ">":
                    return value > test.value
                case "<":
                    return value < test.value
        if isinstance(test, Between):
            return (value >= test.low) & (value <= test.high)
        if isinstance(test, IsSet | IsMissing):
            return value != 0 if isinstance(test, IsSet) else value == 0
        low_ms, high_ms = self._now.bounds(test)
        return (value >= (1 if low_ms is None else max(low_ms, 1))) & (value <= high_ms)

    def _did(self, of: Subject, leaf: Did, rows: Expr) -> Expr:
        holds = self._passes(self._value(of, leaf, rows), leaf.test)
        if isinstance(leaf.window, Since):
            since = rows[leaf.window.attribute]
            holds = holds & (since > 0) & (since <= self._now.now_ms)
        return holds

    def _value(self, of: Subject, leaf: Did, rows: Expr) -> Expr:
        """Return the measure of a leaf; 0 = nothing."""
        needs = self._needs(of, leaf)
        if isinstance(needs, Distinct):
            name = self._people_name(of, leaf) if self._counts_members(needs) else self._distinct[needs]
            return ibis.coalesce(rows[name], 0)
        start = needs[0].pick.start.day
        days = self._now.day - start + 1 if start is not None else 0
        return combine(needs[0].op, [ibis.coalesce(rows[self._names[column]], 0) for column in needs], days)


def leaves_of(node: Node, rules: Mapping[str, Rule]) -> Iterator[Leaf]:
    """Yield the leaves of a tree, references opened up."""
    match node:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves_of(part, rules)
        case Not(part):
            yield from leaves_of(part, rules)
        case Ref(segment_id):
            yield from leaves_of(rules[segment_id].body, rules)
        case _:
            yield node


def sinces_of(node: Node, rules: Mapping[str, Rule], now: Moment) -> Iterator[tuple[Did, int | None]]:
    """Yield leaves with `since`, and the earliest moment that conditions beside them leave to the attribute; None = any.

    「入群 3 到 10 天」 beside 「入群以来没有发言」 makes older messages irrelevant: who joined earlier is out in any case.
    """
    match node:
        case AllOf(parts):
            ages = [part for part in parts if isinstance(part, Attr) and isinstance(part.test, Age | AgeBetween | InPeriod)]
            for part in parts:
                if isinstance(part, Did) and isinstance(part.window, Since):
                    starts = [now.bounds(age.test)[0] for age in ages if age.name == part.window.attribute]
                    yield part, max((start for start in starts if start is not None), default=None)
                else:
                    yield from sinces_of(part, rules, now)
        case AnyOf(parts):
            for part in parts:
                yield from sinces_of(part, rules, now)
        case Not(part):
            yield from sinces_of(part, rules, now)
        case Ref(segment_id):
            yield from sinces_of(rules[segment_id].body, rules, now)
        case Did(window=Since()):
            yield node, None
        case _:
            pass
