"""Show playbooks: the one in force in words, the gallery, the draft with its mistakes, and what publishing would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from qunce.accounts.models import Staff
from qunce.playbook import gallery
from qunce.playbook.diff import Change, diff
from qunce.playbook.errors import InvalidPlaybook, Problem
from qunce.playbook.explain import Language, explain_answers, explain_rule, group_rules
from qunce.playbook.load import Loaded, parse
from qunce.readmodels.models import Group
from qunce.runtime.live import playbooks
from qunce.runtime.models import PlaybookVersion

PlaybookInvalid = InvalidPlaybook
"""What screens catch, which know nothing of the package it comes from."""
Titles = tuple[str, str]
"""Name in Chinese and in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule as people read it."""

    rule_id: str
    title: Titles
    category: str
    mode: str
    modes: Mapping[str, str]
    """Mode in single groups, by the group's name or platform id as the playbook has it."""
    enabled: bool
    words: Titles
    """What it does, in a sentence."""
    reason: str
    severity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookView:
    """A playbook as people read it."""

    title: Titles
    label: str
    """Number and first letters of its hash; for one that is not published only the letters."""
    rules: tuple[RuleView, ...]
    answers: tuple[tuple[str, Titles], ...]
    """Rules of answering: (id, sentence)."""
    terms: int
    group_rules: str
    """The rules that members read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryRow:
    """A playbook that can be taken as a start."""

    name: str
    title: Titles
    rules: int
    terms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One published version."""

    number: int
    label: str
    reason: str
    author: str
    """Empty = the command line."""
    published_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of checking files."""

    problems: tuple[Problem, ...]
    """Every mistake; empty = the files can be published."""
    changes: tuple[Change, ...]
    """What publishing would change; empty with problems."""
    view: PlaybookView | None
    """None with problems."""
    first: bool
    """Whether nothing is published yet, so that all of it is new."""


def in_force() -> PlaybookView | None:
    """Return the playbook in force; None = none is published. Raises InvalidPlaybook when it no longer holds."""
    version = playbooks.newest()
    return _view(parse_cached(version), playbooks.label(version)) if version is not None else None


def rule_titles() -> dict[str, Titles]:
    """Return the titles of the rules in force by id; empty without a playbook that holds."""
    version = playbooks.newest()
    if version is None:
        return {}
    try:
        playbook = parse_cached(version).playbook
    except InvalidPlaybook:
        return {}
    rules = {rule.rule_id: (rule.title, rule.title_en or rule.title) for rule in playbook.rules}
    return rules | {rule.rule_id: (rule.title, rule.title_en or rule.title) for rule in playbook.answers}


def rule_of(rule_id: str) -> RuleView | None:
    """Return a rule of the playbook in force; None = it has none of that id."""
    version = playbooks.newest()
    if version is None:
        return None
    try:
        loaded = parse_cached(version)
    except InvalidPlaybook:
        return None
    return next((_rule(rule_id, loaded) for rule in loaded.playbook.rules if rule.rule_id == rule_id), None)


def of_version(number: int) -> tuple[VersionRow, dict[str, str]] | None:
    """Return a version with its files; None = there is none of that number."""
    version = playbooks.get(number)
    return (_versions([version])[0], dict(version.files)) if version is not None else None


def version_list() -> tuple[VersionRow, ...]:
    """Return the newest versions, newest first. Two queries."""
    return _versions(playbooks.versions())


def gallery_list() -> tuple[GalleryRow, ...]:
    """Return the playbooks that can be taken as a start."""
    return tuple(_gallery_row(name) for name in gallery.names())


def gallery_files(name: str) -> dict[str, str] | None:
    """Return the files of a playbook of the gallery; None = there is none of that name."""
    return gallery.texts(name) if name in gallery.names() else None


def check_files(files: Mapping[str, str]) -> Checked:
    """Check files and compare them with what is in force."""
    version = playbooks.newest()
    try:
        loaded = parse(files)
    except InvalidPlaybook as error:
        return Checked(problems=error.problems, changes=(), view=None, first=version is None)
    return Checked(problems=(), changes=_changes(version, loaded), view=_view(loaded, ""), first=version is None)


def group_names(keys: set[str]) -> dict[str, str]:
    """Return the names of groups that a playbook names by platform id. One query."""
    return dict(Group.objects.filter(platform_id__in=keys).values_list("platform_id", "name"))


def parse_cached(version: PlaybookVersion) -> Loaded:
    """Return a published version, read once. Raises InvalidPlaybook."""
    return _parsed(version.content_hash, tuple(sorted(version.files.items())))


@lru_cache(maxsize=4)
def _parsed(_content_hash: str, files: tuple[tuple[str, str], ...]) -> Loaded:
    return parse(dict(files))


@lru_cache(maxsize=32)
def _gallery_row(name: str) -> GalleryRow:
    book = gallery.load(name).playbook
    title = book.playbook.title, book.playbook.title_en or book.playbook.title
    return GalleryRow(name=name, title=title, rules=len(book.rules), terms=sum(len(one.terms) for one in book.lexicons))


def _changes(version: PlaybookVersion | None, loaded: Loaded) -> tuple[Change, ...]:
    if version is None:
        return ()
    try:
        return diff(parse_cached(version).playbook, loaded.playbook)
    except InvalidPlaybook:
        # What is in force no longer holds, so nothing can be compared; publishing anything that holds mends it.
        return ()


def _view(loaded: Loaded, label: str) -> PlaybookView:
    book = loaded.playbook
    return PlaybookView(
        title=(book.playbook.title, book.playbook.title_en or book.playbook.title),
        label=label or loaded.content_hash[:8],
        rules=tuple(_rule(rule.rule_id, loaded) for rule in book.rules),
        answers=tuple(
            (rule.rule_id, (_answers(loaded, rule.rule_id, "zh"), _answers(loaded, rule.rule_id, "en")))
            for rule in book.answers
        ),
        terms=sum(len(lexicon.terms) for lexicon in book.lexicons),
        group_rules=group_rules(book),
    )


def _rule(rule_id: str, loaded: Loaded) -> RuleView:
    book = loaded.playbook
    rule = next(rule for rule in book.rules if rule.rule_id == rule_id)
    return RuleView(
        rule_id=rule.rule_id, title=(rule.title, rule.title_en or rule.title), category=rule.category, mode=rule.mode,
        modes=rule.modes, enabled=rule.enabled, words=(explain_rule(rule, book, "zh"), explain_rule(rule, book, "en")),
        reason=rule.reason, severity=rule.severity,
    )  # fmt: skip


def _answers(loaded: Loaded, rule_id: str, language: Language) -> str:
    rule = next(rule for rule in loaded.playbook.answers if rule.rule_id == rule_id)
    return explain_answers(rule, loaded.playbook, language)


def _versions(versions: list[PlaybookVersion]) -> tuple[VersionRow, ...]:
    names = {staff.pk: str(staff) for staff in Staff.objects.filter(pk__in={version.author_id for version in versions})}
    return tuple(
        VersionRow(
            number=version.number, label=playbooks.label(version), reason=version.reason,
            author=names.get(version.author_id or 0, ""), published_ms=version.published_ms,
        )
        for version in versions
    )  # fmt: skip
