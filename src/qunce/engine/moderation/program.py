"""Make a playbook ready to decide: automata built, rules sorted by trigger and group."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from qunce.domain.decisions import Mode
from qunce.engine.learning.lessons import Learnt
from qunce.engine.moderation.checks import COSTS, FINDERS, Find
from qunce.engine.moderation.checks.content import combination_source
from qunce.engine.moderation.concepts import concept_phrases, crisis_phrases
from qunce.engine.moderation.look import Tools
from qunce.engine.moderation.signs import BOUND, Reader, needs_of
from qunce.engine.text.phrases import Phrase, Scanner, wildcard
from qunce.playbook.load import Loaded
from qunce.playbook.schema import Ladder, Lexicon, Playbook, Rule, Term
from qunce.playbook.schema.checks import (
    CRISIS_KINDS,
    Check,
    Combination,
    ConceptCheck,
    Contact,
    Crisis,
    Length,
    Link,
    Model,
    ModelName,
    Mood,
    Newcomer,
    Pattern,
    QrCode,
    Terms,
    Trigger,
)  # fmt: skip
from qunce.playbook.units import Hours, parse_hours

_NOTHING_LEARNT: Final[Mapping[ModelName, Learnt]] = MappingProxyType({})

Occasion = Trigger | Literal["edit"]
"""What a rule can be asked on; an edited message is asked about its text only, it is no further message."""
OF_TEXT: Final = (Terms, Combination, Pattern, ConceptCheck, Contact, Link, QrCode, Length, Model, Crisis, Mood, Newcomer)


class ActiveRule(NamedTuple):
    """A rule with all it needs to be asked."""

    rule: Rule
    finds: tuple[tuple[Find, Check], ...]
    ladder: Ladder | None
    free: tuple[Hours, ...]
    needs: tuple[int, ...]
    """What a message must show for the rule to hold (`signs`): one sign of each."""


Asked = tuple[tuple[ActiveRule, Mode], ...]
"""Rules to be asked, each with the mode it has in the group."""
TRIGGERS: Final[tuple[Trigger, ...]] = ("message", "join", "profile")


class Plan:
    """The rules of one group, by what sets them off."""

    __slots__ = ("_by_signs", "reader", "table")

    def __init__(self, table: dict[Occasion, Asked], tools: Tools) -> None:
        self.table = table
        checks = [check for active, _ in table["message"] for _, check in active.finds]
        needs = [active.needs for active, _ in table["message"]]
        self.reader = Reader(checks, needs, tools.scanner, tools.blocklist)
        self._by_signs: dict[int, Asked] = {}

    def worth_asking(self, signs: int) -> Asked:
        """Return the rules that a message with these signs can set off, in their order."""
        rules = self._by_signs.get(signs)
        if rules is None:
            rules = self._by_signs[signs] = tuple(
                pair for pair in self.table["message"] if all(signs & need for need in pair[0].needs)
            )
        return rules


class Program:
    """A playbook's rules, compiled. Immutable; the same playbook always gives the same program."""

    def __init__(self, playbook: Playbook, version: str, learnt: Mapping[ModelName, Learnt]) -> None:
        self.playbook = playbook
        self.version = version
        self.exempt = playbook.exempt
        self.exempt_members = frozenset(playbook.exempt.members)
        ladders = {ladder.ladder_id: ladder for ladder in playbook.ladders}
        self.rules = tuple(_activate(rule, ladders) for rule in playbook.rules if rule.enabled)
        self.tools = Tools(Scanner(tuple(_phrases(playbook))), frozenset(playbook.blocklist), dict(learnt))
        self._plans: dict[tuple[str | None, str | None], Plan] = {}

    def plan(self, platform_id: str | None, name: str | None) -> Plan:
        """Return the rules of a group of these names, by what sets them off."""
        names = (platform_id, name)
        plan = self._plans.get(names)
        if plan is None:
            table = self._table(tuple(name for name in names if name))
            plan = self._plans[names] = Plan(table, self.tools)
        return plan

    def _table(self, names: tuple[str, ...]) -> dict[Occasion, Asked]:
        chosen = [(active, _mode(active.rule, names)) for active in self.rules if _applies(active.rule, names)]
        table: dict[Occasion, Asked] = {
            trigger: tuple(pair for pair in chosen if all(trigger in check.triggers for _, check in pair[0].finds))
            for trigger in TRIGGERS
        }
        table["edit"] = tuple(
            pair for pair in table["message"] if all(isinstance(check, OF_TEXT) for _, check in pair[0].finds)
        )
        return table


def compile_rules(loaded: Loaded, learnt: Mapping[ModelName, Learnt] = _NOTHING_LEARNT) -> Program:
    """Return the program of a checked playbook, with what its models have learnt. 10,000 terms take under a second."""
    return Program(loaded.playbook, loaded.version, learnt)


def _activate(rule: Rule, ladders: dict[str, Ladder]) -> ActiveRule:
    ordered = sorted(rule.when, key=lambda check: COSTS[type(check)])
    return ActiveRule(
        rule=rule,
        finds=tuple((FINDERS[type(check)], check) for check in ordered),
        ladder=ladders[rule.ladder] if rule.ladder is not None else None,
        free=tuple(parse_hours(hours) for hours in rule.free_hours),
        needs=(BOUND[rule.applies_to], *needs_of(rule.when)),
    )


def _applies(rule: Rule, names: tuple[str, ...]) -> bool:
    return not rule.groups or any(fnmatchcase(name, pattern) for pattern in rule.groups for name in names)


def _mode(rule: Rule, names: tuple[str, ...]) -> Mode:
    return next((rule.modes[name] for name in names if name in rule.modes), rule.mode)


def _phrases(playbook: Playbook) -> list[Phrase]:
    checks = [check for rule in playbook.rules if rule.enabled for check in rule.when]
    used = {name for check in checks for name in getattr(check, "lexicons", ())}
    phrases = [phrase for lexicon in playbook.lexicons if lexicon.lexicon_id in used for phrase in lexicon_phrases(lexicon)]
    wanted = {f"concept:{name}" for check in checks if isinstance(check, ConceptCheck) for name in check.any_of}
    phrases += [phrase for phrase in concept_phrases() if phrase.source in wanted]
    feared = {f"crisis:{kind}" for check in checks if isinstance(check, Crisis) for kind in check.any_of or CRISIS_KINDS}
    phrases += [phrase for phrase in crisis_phrases() if phrase.source in feared]
    combinations = dict.fromkeys(check for check in checks if isinstance(check, Combination))
    phrases += [_combination(check) for check in combinations]
    return phrases


def lexicon_phrases(lexicon: Lexicon) -> list[Phrase]:
    """Return the phrases of a lexicon: its terms, and its allow words."""
    source = f"lexicon:{lexicon.lexicon_id}"
    views = frozenset(lexicon.views)
    phrases = [_term(source, term if isinstance(term, Term) else Term(text=term), views) for term in lexicon.terms]
    phrases += [Phrase(source=source, what=word, groups=((word,),), rescue=True) for word in lexicon.allow]
    return phrases


def _term(source: str, term: Term, views: frozenset[str]) -> Phrase:
    if "*" in term.text or "?" in term.text:
        groups, gaps = wildcard(term.text)
        return Phrase(
            source=source, what=term.text, groups=groups, gaps=gaps, ordered=True, severity=term.severity, views=frozenset()
        )
    return Phrase(source=source, what=term.text, groups=((term.text,),), severity=term.severity, views=views)


def _combination(check: Combination) -> Phrase:
    what = "+".join(words[0] for words in check.all_of)
    return Phrase(source=combination_source(check), what=what, groups=check.all_of, within=check.within_chars)
