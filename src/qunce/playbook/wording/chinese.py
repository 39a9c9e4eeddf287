"""Say a mistake of a playbook, and its mend, in Chinese.

The mistakes are found, kept and printed in English. A sentence is told from its values by `table`, so that nothing that finds
mistakes has to know another language; a value that is itself a sentence is said in Chinese too.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from qunce.playbook.errors import Problem
from qunce.playbook.units import parse_duration, say_duration
from qunce.playbook.wording.table import MENDS, MISTAKES, PIECES

_HOLE: Final = "{}"
_NUMBERED: Final = re.compile(r"\{(\d?)\}")
_QUOTED: Final = re.compile(r"'(.*)'|\"(.*)\"", re.DOTALL)
_DURATION: Final = re.compile(r"[1-9]\d{0,5}[smhd]")
_SENTENCES: Final = {**PIECES, **MENDS, **MISTAKES}
_DEEPEST: Final = 4
_BESIDE_CHINESE: Final = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff“])|(?<=[\u4e00-\u9fff”]) (?=[\u4e00-\u9fff])")


def problem_in(problem: Problem, language: str) -> tuple[str, str]:
    """Return mistake and mend in `zh` or `en`."""
    if language != "zh":
        return problem.message, problem.fix
    return in_chinese(problem.message), in_chinese(problem.fix)


def problem_line(problem: Problem) -> str:
    """Return file, line, path, mistake and mend in Chinese, as `str(problem)` says them in English."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    message, fix = problem_in(problem, "zh")
    return f"{place}：{problem.path}：{message}。改法：{fix}。"


def in_chinese(text: str) -> str:
    """Return the Chinese of a sentence about a playbook; one that is not known stays as it is."""
    return _BESIDE_CHINESE.sub("", _said(text, 0))


def _said(text: str, depth: int) -> str:
    if text in _SENTENCES and _HOLE not in text:
        return _SENTENCES[text]
    if depth < _DEEPEST:
        for pattern, chinese in _patterns():
            match = pattern.fullmatch(text)
            if match is not None:
                return _filled(chinese, [_value(value, depth) for value in match.groups()])
    return text


def _value(text: str, depth: int) -> str:
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None and text not in _SENTENCES:
        return f"“{quoted[1] if quoted[1] is not None else quoted[2]}”"
    if _DURATION.fullmatch(text):
        return say_duration(parse_duration(text), "zh").strip()
    return _said(text, depth + 1)


def _filled(chinese: str, values: list[str]) -> str:
    left = iter(values)
    return _NUMBERED.sub(lambda hole: values[int(hole[1])] if hole[1] else next(left), chinese)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the sentences with values, those that say most by themselves first."""
    holed = sorted((text for text in _SENTENCES if _HOLE in text), key=lambda text: (-len(text.replace(_HOLE, "")), text))
    return tuple((re.compile("(.+?)".join(map(re.escape, text.split(_HOLE))), re.DOTALL), _SENTENCES[text]) for text in holed)
