"""Find what binds well but makes no sense: broken references, silent no-ops, impossible combinations.

A rule that cannot fire, a ladder nobody climbs or a term nobody can write is refused rather than ignored: who reads a playbook
must be able to believe it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Final
from zoneinfo import available_timezones

from qunce.domain.text import fold
from qunce.playbook.binding import Place
from qunce.playbook.duty import check_answers, check_duty, check_holidays
from qunce.playbook.errors import Problem
from qunce.playbook.profile import check_attribute, check_tag_group, segment_fields, tag_ids
from qunce.playbook.responses import check_response
from qunce.playbook.safety import UnsafePattern, check_pattern
from qunce.playbook.schema import Ladder, Lexicon, Playbook, Rule, Term
from qunce.playbook.schema.checks import (
    AnyCheck,
    Blocked,
    Combination,
    ConceptCheck,
    Contact,
    Crisis,
    Link,
    Media,
    Mood,
    Name,
    Newcomer,
    Pattern,
    QrCode,
    Terms,
    Trigger,
)  # fmt: skip
from qunce.playbook.schema.rules import NOTICE_NAMES
from qunce.playbook.segments.check import check_segment
from qunce.playbook.tiers import check_scheme
from qunce.playbook.units import parse_hours, placeholders

ID_FIELDS: Final = {
    "rules": "rule_id", "lexicons": "lexicon_id", "ladders": "ladder_id", "answers": "rule_id", "duties": "duty_id",
    "holidays": "holidays_id", "segments": "segment_id", "tiers": "scheme_id",
    "attributes": "attribute_id", "tag_groups": "group_id",
    "replies": "response_id",
}  # fmt: skip
Found = tuple[str, str, str, str]
"""Path below the item, message, fix, code."""


def check(
    playbook: Playbook, places: Mapping[tuple[str, int], Place], lines: Mapping[tuple[str, str], int]
) -> tuple[Problem, ...]:
    """Return every problem of a bound playbook; `places` and `lines` say where its parts stand."""
    problems: list[Problem] = []

    def note(section: str, index: int | None, found: Iterable[Found]) -> None:
        place = places[section, index] if index is not None else _place_of(section, lines)
        for path, message, fix, code in found:
            problems.append(_problem(place, path, lines, message, fix, code))

    note("playbook", None, _check_info(playbook))
    for section, items, checker in _sections(playbook):
        for index, item in enumerate(items):
            note(section, index, checker(item))
        for index, found in _repeated(section, items):
            note(section, index, [found])
    for section, index, found in _unused(playbook):
        note(section, index, [found])
    return tuple(problems)


def _sections(playbook: Playbook) -> Iterator[tuple[str, tuple[object, ...], Callable[..., Iterable[Found]]]]:
    yield "rules", playbook.rules, partial(_check_rule, playbook)
    yield "lexicons", playbook.lexicons, _check_lexicon
    yield "ladders", playbook.ladders, _check_ladder
    yield "answers", playbook.answers, partial(check_answers, playbook)
    yield "duties", playbook.duties, partial(check_duty, playbook)
    yield "holidays", playbook.holidays, partial(check_holidays, playbook)
    tags = tag_ids(playbook.tag_groups) if playbook.tag_groups else None
    fields = segment_fields(playbook.attributes)
    yield "segments", playbook.segments, partial(check_segment, playbook.segments, tags=tags, fields=fields)
    yield "tiers", playbook.tiers, partial(check_scheme, playbook.segments, tags=tags, fields=fields)
    yield "attributes", playbook.attributes, check_attribute
    checker = partial(check_tag_group, playbook.tag_groups, playbook.segments, playbook.attributes)
    yield "tag_groups", playbook.tag_groups, checker
    yield "replies", playbook.replies, partial(check_response, playbook)


def _place_of(section: str, lines: Mapping[tuple[str, str], int]) -> Place:
    return next((Place(file, path) for file, path in lines if path == section), Place("playbook.yaml", section))


def _problem(place: Place, path: str, lines: Mapping[tuple[str, str], int], message: str, fix: str, code: str) -> Problem:
    full = f"{place.path}{'.' if path and not path.startswith('[') else ''}{path}"
    known = full
    while (place.file, known) not in lines and known != place.path:
        known = known[: max(known.rfind("."), known.rfind("["))]
    return Problem(file=place.file, line=lines.get((place.file, known), 0), path=full, message=message, fix=fix, code=code)


def _repeated(section: str, items: tuple[object, ...]) -> Iterator[tuple[int, Found]]:
    field = ID_FIELDS[section]
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = getattr(item, field)
        if name in seen:
            yield index, (field, f"{name!r} stands twice", "give one of them another id", "duplicate_id")
        seen.add(name)


def _check_info(playbook: Playbook) -> Iterator[Found]:
    info = playbook.playbook
    if info.time_zone not in available_timezones():
        yield "time_zone", f"unknown time zone {info.time_zone!r}", "use a name such as Asia/Shanghai", "time_zone"
    if info.quiet_hours is not None:
        yield from _check_hours("quiet_hours", info.quiet_hours)
    yield from _check_template("notice", info.notice)
    yield from _check_template("warning", info.warning)
    decides = playbook.rules or playbook.answers or playbook.segments or playbook.tiers
    if not (decides or playbook.blocklist or playbook.attributes or playbook.tag_groups or playbook.replies):
        yield "", "a playbook without rules does nothing", "add a file with “rules:”", "no_op"
    if playbook.blocklist and not any(isinstance(item, Blocked) for rule in playbook.rules for item in rule.when):
        yield "", "there is a blocklist, and no rule looks at it", "add a rule with {check: blocked}", "no_op"


def _check_hours(path: str, text: str) -> Iterator[Found]:
    try:
        parse_hours(text)
    except ValueError as error:
        yield path, f"not hours: {text!r}", str(error), "hours"


def _check_template(path: str, text: str) -> Iterator[Found]:
    try:
        unknown = [name for name in placeholders(text) if name not in NOTICE_NAMES]
    except ValueError:
        yield path, "the braces do not match", "write {name}, or {{ for a brace", "template"
        return
    for name in unknown:
        choices = ", ".join(f"{{{known}}}" for known in sorted(NOTICE_NAMES))
        yield path, f"unknown placeholder {{{name}}}", f"use {choices}", "template"


def _check_ladder(ladder: Ladder) -> Iterator[Found]:
    if not ladder.steps:
        yield "steps", "a ladder without steps does nothing", "add a step such as {do: warn}", "no_op"
    grades = ("talk", "warn", "mute", "remove", "ban")
    previous = -1
    for index, step in enumerate(ladder.steps):
        path = f"steps[{index}]"
        if step.do == "mute" and step.for_s is None:
            yield path, "a mute without an end", "add “for: 30m”", "missing"
        if step.do != "mute" and step.for_s is not None:
            yield f"{path}.for", f"{step.do!r} has no duration", "delete “for”", "no_op"
        if step.do in ("talk", "warn") and step.clear_s is not None:
            yield f"{path}.clear", f"{step.do!r} takes no earlier messages back", "delete “clear”", "no_op"
        if step.notice is not None:
            yield from _check_template(f"{path}.notice", step.notice)
        if grades.index(step.do) < previous:
            yield (
                f"{path}.do",
                f"{step.do!r} after a harder step: the ladder would go down",
                "order the steps from mild to hard",
                "order",
            )
        previous = max(previous, grades.index(step.do))


def _check_lexicon(lexicon: Lexicon) -> Iterator[Found]:
    if not lexicon.terms:
        yield "terms", "a lexicon without terms does nothing", "add terms or delete it", "no_op"
    seen: dict[str, int] = {}
    for index, term in enumerate(lexicon.terms):
        text = term if isinstance(term, str) else term.text
        path = f"terms[{index}]"
        plain = "".join(char for char in fold(text) if char.isalnum() or char in "*?")
        solid = plain.replace("*", "").replace("?", "")
        if len(solid) < 2:
            yield path, f"{text!r} is too short: it would be found everywhere", "write at least 2 letters", "too_short"
        elif plain[0] in "*?" or plain[-1] in "*?":
            yield path, f"{text!r} begins or ends with a wildcard, which adds nothing", "delete the outer * or ?", "no_op"
        elif plain in seen:
            yield path, f"{text!r} is the same as terms[{seen[plain]}] once folded", "keep one of them", "duplicate_term"
        seen.setdefault(plain, index)
    folded = {fold(text) for text in (t if isinstance(t, str) else t.text for t in lexicon.terms)}
    for index, word in enumerate(lexicon.allow):
        if not any(term in fold(word) and term != fold(word) for term in folded):
            message = f"{word!r} holds no term of this lexicon in a longer word, so it rescues nothing"
            yield f"allow[{index}]", message, "delete it, or write the longer word in full", "no_op"


def _check_rule(playbook: Playbook, rule: Rule) -> Iterator[Found]:
    if not rule.when:
        yield "when", "a rule without checks", "add a check such as {check: terms, lexicons: [ads]}", "no_op"
        return
    yield from _check_combination(rule)
    for index, item in enumerate(rule.when):
        for path, message, fix, code in _check_one(playbook, item):
            yield f"when[{index}]{'.' if path else ''}{path}", message, fix, code
    if rule.ladder is not None and rule.ladder not in {ladder.ladder_id for ladder in playbook.ladders}:
        yield "ladder", f"no ladder {rule.ladder!r}", "add it under “ladders:” or name another", "reference"
    acts = {rule.mode, *rule.modes.values()} - {"observe"}
    if "act" in acts and rule.ladder is None and not rule.delete:
        yield (
            "mode",
            "act without a ladder and without delete does nothing",
            "name a ladder, set delete: true, or use suggest",
            "no_op",
        )
    yield from _check_only_people(rule)
    for index, hours in enumerate(rule.free_hours):
        yield from _check_hours(f"free_hours[{index}]", hours)
    if rule.applies_to == "staff" and rule.ladder is not None:
        ladder = next((item for item in playbook.ladders if item.ladder_id == rule.ladder), None)
        if ladder is not None and any(step.do != "talk" for step in ladder.steps):
            yield (
                "ladder",
                "colleagues are never warned, muted or removed by a rule",
                "use a ladder that only talks",
                "impossible",
            )
    for name, mode in rule.modes.items():
        if mode == rule.mode:
            yield f"modes.{name}", f"{mode!r} is the rule's mode anyway", "delete this line", "no_op"


def _check_only_people(rule: Rule) -> Iterator[Found]:
    """Leave a cry for help or a complaint to a person: no rule acts on it, nothing is prepared against who wrote it."""
    if not any(isinstance(item, Crisis | Mood) for item in rule.when):
        return
    why, code = "who complains or is in need is answered by a person", "impossible"
    if rule.mode == "act":
        yield "mode", f"{why}, never by a rule", "write “mode: suggest”: a colleague is asked", code
    for name, mode in rule.modes.items():
        if mode == "act":
            yield f"modes.{name}", f"{why}, never by a rule", "write “suggest”: a colleague is asked", code
    if rule.ladder is not None:
        yield "ladder", f"{why}, not with a sanction", "delete this line", code
    if rule.delete:
        yield "delete", f"{why}; deleting makes a crisis worse", "delete this line", code


def _check_combination(rule: Rule) -> Iterator[Found]:
    shared: frozenset[Trigger] = frozenset.intersection(*(item.triggers for item in rule.when))
    if not shared:
        names = " + ".join(str(item.__struct_config__.tag) for item in rule.when)
        yield "when", f"{names} can never hold at the same time", "split them into two rules", "impossible"
    if all(isinstance(item, Newcomer) for item in rule.when):
        yield "when", "newcomer alone would punish everybody who joins", "add what newcomers may not do", "impossible"
    tags = [item.__struct_config__.tag for item in rule.when]
    for tag in sorted({str(tag) for tag in tags if tags.count(tag) > 1 and tag != "terms"}):
        yield "when", f"{tag!r} stands twice in one rule", "join them, or split the rule", "impossible"
    if rule.delete and "message" not in shared:
        yield "delete", "there is no message to delete when somebody joins", "delete this line", "no_op"


def _check_one(playbook: Playbook, item: AnyCheck) -> Iterator[Found]:
    match item:
        case Terms(lexicons=names) | Name(lexicons=names):
            yield from _check_lexicon_names(playbook, item, names)
        case Combination(all_of=lists):
            yield from _check_lists(lists)
        case Pattern(any_of=patterns):
            yield from _check_patterns(patterns)
        case ConceptCheck(any_of=wanted):
            yield from _not_empty("any_of", wanted)
        case Contact(kinds=wanted):
            yield from _not_empty("kinds", wanted)
        case Media(types=wanted):
            yield from _not_empty("types", wanted)
        case Link(hosts=hosts, allow_hosts=allowed):
            yield from _check_hosts(hosts, allowed)
        case QrCode(allow_hosts=allowed):
            yield from _check_hosts((), allowed)
        case Newcomer(joined_within_s=None, first_messages=None):
            yield "", "newcomer without a limit never holds", "add joined_within: 24h or first_messages: 3", "no_op"
        case Blocked() if not playbook.blocklist and not _bans(playbook):
            yield "", "the blocklist is empty and no ladder ends in ban", "add blocklist: or a step {do: ban}", "no_op"
        case _:
            pass


def _not_empty(path: str, values: tuple[str, ...]) -> Iterator[Found]:
    if not values:
        yield path, "an empty list never holds", "name at least one", "no_op"


def _bans(playbook: Playbook) -> bool:
    return any(step.do == "ban" for ladder in playbook.ladders for step in ladder.steps)


def _check_lexicon_names(playbook: Playbook, item: Terms | Name, names: tuple[str, ...]) -> Iterator[Found]:
    known = {lexicon.lexicon_id: lexicon for lexicon in playbook.lexicons}
    if not names and (isinstance(item, Terms) or not (item.contact or item.like_staff)):
        yield "lexicons", "nothing is looked for", "name at least one lexicon", "no_op"
    for index, name in enumerate(names):
        if name not in known:
            yield f"lexicons[{index}]", f"no lexicon {name!r}", "add it under “lexicons:” or name another", "reference"
    if isinstance(item, Terms) and names and all(name in known for name in names):
        total = sum(len(known[name].terms) for name in names)
        if item.at_least > total:
            yield "at_least", f"{item.at_least} of {total} terms can never be found", f"write at most {total}", "impossible"
        gravest = max((_severity(term) for name in names for term in known[name].terms), default=1)
        if item.severity > gravest:
            message = f"no term of these lexicons is as grave as {item.severity}"
            yield "severity", message, f"write at most {gravest}, or give terms a severity", "impossible"


def _severity(term: str | Term) -> int:
    return Term(text=term).severity if isinstance(term, str) else term.severity


def _check_lists(lists: tuple[tuple[str, ...], ...]) -> Iterator[Found]:
    if len(lists) < 2:
        yield "all_of", "a combination needs two lists or more", "use a lexicon for single words", "impossible"
    if len(lists) > 5:
        yield "all_of", f"{len(lists)} lists are too many", "use at most 5", "bounds"
    for index, words in enumerate(lists):
        yield from _not_empty(f"all_of[{index}]", words)


def _check_patterns(patterns: tuple[str, ...]) -> Iterator[Found]:
    yield from _not_empty("any_of", patterns)
    for index, pattern in enumerate(patterns):
        try:
            check_pattern(pattern)
        except UnsafePattern as error:
            yield f"any_of[{index}]", str(error), error.fix, "regex"


def _check_hosts(hosts: tuple[str, ...], allowed: tuple[str, ...]) -> Iterator[Found]:
    for name, values in (("hosts", hosts), ("allow_hosts", allowed)):
        for index, host in enumerate(values):
            if "/" in host or ":" in host or "." not in host or host != host.lower():
                yield f"{name}[{index}]", f"{host!r} is not a host name", "write it as example.com", "host"
    for index, host in enumerate(hosts):
        if host in allowed:
            yield f"hosts[{index}]", f"{host!r} is forbidden and allowed", "keep one of them", "impossible"


def _unused(playbook: Playbook) -> Iterator[tuple[str, int, Found]]:
    used = {name for rule in playbook.rules for item in rule.when for name in getattr(item, "lexicons", ())}
    for index, lexicon in enumerate(playbook.lexicons):
        if lexicon.lexicon_id not in used:
            yield (
                "lexicons",
                index,
                ("lexicon_id", f"no rule looks in {lexicon.lexicon_id!r}", "use it in a rule or delete it", "no_op"),
            )
    climbed = {rule.ladder for rule in playbook.rules}
    for index, ladder in enumerate(playbook.ladders):
        if ladder.ladder_id not in climbed:
            yield (
                "ladders",
                index,
                ("ladder_id", f"no rule climbs {ladder.ladder_id!r}", "use it in a rule or delete it", "no_op"),
            )
