"""Find what makes no sense in canned responses, put their variables in, and say what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final, Literal

from qunce.domain.text import fold
from qunce.playbook.schema.replies import VARIABLES, Response
from qunce.playbook.schema.rules import Playbook
from qunce.playbook.units import placeholders

Found = tuple[str, str, str, str]
"""Path below the item, message, fix, code."""
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "invite": ("拉群", "invitation"), "rules": ("群规", "group rules"), "welcome": ("欢迎语", "welcome"),
    "intro": ("群介绍", "what the group is"), "activity": ("群活动", "activity"), "value": ("群价值", "why to stay"),
    "answer": ("答疑", "answer"),
}  # fmt: skip
STYLES: Final[Mapping[str, tuple[str, str]]] = {
    "novice": ("小白", "newcomers who want to be told"), "match": ("合拍", "people who talk as equals"),
    "flaunt": ("高调", "people who want to be seen"),
}  # fmt: skip
MATERIALS: Final[Mapping[str, tuple[str, str]]] = {
    "link": ("链接", "link"), "image": ("图片", "image"), "video": ("视频", "video"), "file": ("文件", "file"),
    "mini_program": ("小程序", "mini-program"),
}  # fmt: skip


def check_response(playbook: Playbook, response: Response) -> Iterator[Found]:
    """Yield what is wrong with a canned response."""
    if not response.text.strip():
        yield "text", "a response without words says nothing", "write what is said", "empty"
    try:
        unknown = [name for name in placeholders(response.text) if name not in VARIABLES]
    except ValueError as error:
        yield "text", f"braces do not match: {error}", "write {name}, and {{ for a brace itself", "template"
        unknown = []
    for name in dict.fromkeys(unknown):
        known = ", ".join(f"{{{variable}}}" for variable in VARIABLES)
        yield "text", f"unknown variable {{{name}}}", f"use one of {known}", "template"
    twin = next(
        (other for other in playbook.replies if other is not response and fold(other.text) == fold(response.text)), None
    )
    if twin is not None and twin.response_id < response.response_id:
        yield "text", f"{twin.response_id!r} says exactly the same", "keep one of them", "duplicate_id"
    for name, values in (("asks", response.asks), ("needs", response.needs), ("styles", response.styles)):
        if len({fold(value) for value in values}) < len(values):
            yield name, "something stands here twice", "write each once", "duplicate_id"
    for index, material in enumerate(response.materials):
        if material.kind == "link" and not material.ref.startswith(("https://", "http://")):
            yield (
                f"materials[{index}].ref",
                f"not the address of a page: {material.ref!r}",
                "begin it with https://",
                "reference",
            )


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return the words with their variables put in; one that is not known stays empty."""
    return template.format_map({name: values.get(name, "") for name in VARIABLES})


def fits_group(response: Response, names: tuple[str | None, ...]) -> bool:
    """Tell whether a response may be used in the group of that platform id and name."""
    return not response.groups or any(fnmatchcase(name, pattern) for pattern in response.groups for name in names if name)


def explain_response(response: Response, language: Literal["zh", "en"] = "zh") -> str:
    """Return what a canned response is for, in one line."""
    at = 0 if language == "zh" else 1
    words = [KINDS[response.kind][at], (("业务", "business") if response.business else ("非业务", "non-business"))[at]]
    words += [STYLES[style][at] for style in response.styles]
    name = response.title if at == 0 else response.title_en or response.title
    text = " ".join(response.text.split())
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return f"「{name}」（{'、'.join(words)}）：{shown}" if at == 0 else f"{name} ({', '.join(words)}): {shown}"
