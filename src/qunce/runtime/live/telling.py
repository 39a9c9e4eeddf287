"""Give the console the words of the playbook: its mistakes in the reader's language, and the names of what checks find."""

from __future__ import annotations

from typing import Literal

from qunce.playbook.errors import Problem as Problem
from qunce.playbook.explain import CONCEPTS, CRISES
from qunce.playbook.forms.words import choice
from qunce.playbook.units import parse_duration, say_duration
from qunce.playbook.wording.chinese import in_chinese as in_chinese
from qunce.playbook.wording.chinese import problem_in
from qunce.playbook.wording.chinese import problem_line as problem_line

Language = Literal["zh", "en"]
Named = Literal["concept", "crisis", "kinds", "model"]


def mistake(problem: Problem, language: Language) -> tuple[str, str]:
    """Return what is wrong with a playbook, and what to write instead."""
    return problem_in(problem, language)


def name_of(what: Named, code: str, language: Language) -> str:
    """Return the name of a concept, a kind of crisis, a kind of contact or a model; an unknown code names itself."""
    tables = {"concept": CONCEPTS, "crisis": CRISES}
    pair = tables[what].get(code, (code, code)) if what in tables else choice(what, code)
    return pair[0 if language == "zh" else 1]


def span(written: str, language: Language) -> str:
    """Return `10m` as people say it. Raises ValueError for what is no duration."""
    return say_duration(parse_duration(written), language).strip()
