"""Change one value inside a YAML text and leave every other character as it is: comments, order, quotes, blank lines.

`edits` compares the node that stands in the text with the value that shall stand there and returns the smallest replacements it
can make by keys and list items. Who calls it reads the result again and takes `replacement` of the whole when that went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

import yaml

FLOW_CHARS: Final = 96
"""Lists and records of plain values up to this long are written on one line."""
_ENDLESS: Final = 1_000_000


class _OneLine(yaml.SafeDumper):
    """Writes texts with any kind of line break as `"…\\n…"`, which nothing below can pull apart."""


def _text_node(dumper: _OneLine, value: str) -> yaml.ScalarNode:
    broken = any(char in value for char in "\n\r\x85\u2028\u2029")
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if broken else None)


_OneLine.add_representer(str, _text_node)


class Edit(NamedTuple):
    """Characters from `start` up to `end` become `text`."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with the edits made; they may not overlap."""
    for edit in sorted(edits, key=lambda one: (one.start, one.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def plain_of(node: yaml.Node) -> object:
    """Return what a node says as plain values, as the binder reads scalars; what YAML takes for a date stays text."""
    if isinstance(node, yaml.MappingNode):
        return {str(name.value): plain_of(value) for name, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain_of(item) for item in node.value]
    if node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"):
        try:
            return yaml.SafeLoader("").construct_object(node)
        except ValueError:
            return str(node.value)
    return str(node.value)


def same(one: object, other: object) -> bool:
    """Tell whether two plain values are the same in YAML too, where true is not 1; the order of keys does not count."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def edits(text: str, node: yaml.Node, value: object) -> list[Edit] | None:
    """Return what makes `node` say `value`; None = only a replacement of the whole will do."""
    if same(plain_of(node), value):
        return []
    if isinstance(node, yaml.MappingNode) and isinstance(value, dict) and value and not node.flow_style:
        return _mapping_edits(text, node, value)
    if isinstance(node, yaml.SequenceNode) and isinstance(value, list) and value and node.value and not node.flow_style:
        return _sequence_edits(text, node, value)
    return None


def replacement(text: str, node: yaml.Node, value: object, *, flow: bool = False) -> Edit:
    """Return the edit that writes an item of a list anew; `flow` = it stands between brackets."""
    written = in_flow(value) if flow else lay_out(value, node.start_mark.column)
    return Edit(node.start_mark.index, real_end(text, node), written)


def value_replacement(text: str, name: yaml.Node, node: yaml.Node, value: object) -> Edit:
    """Return the edit that writes the value of a key anew, on the line of the key or below it."""
    colon = text.index(":", name.end_mark.index) + 1
    end = max(colon, real_end(text, node))
    return Edit(colon, end, keyed(value, name.start_mark.column))


def keyed(value: object, column: int) -> str:
    """Return what stands after the colon of a key at `column`."""
    if one_line(value):
        return f" {in_flow(value)}"
    indent = column + 2
    return "\n" + " " * indent + lay_out(value, indent)


def lay_out(value: object, column: int) -> str:
    """Return a value as YAML; its first line has no indentation, the others stand at `column`."""
    pad = "\n" + " " * column
    if one_line(value):
        return in_flow(value)
    if isinstance(value, dict):
        return pad.join(f"{in_flow(name)}:{keyed(item, column)}" for name, item in value.items())
    if isinstance(value, list):
        return pad.join(f"- {lay_out(item, column + 2)}" for item in value)
    return in_flow(value)


def one_line(value: object) -> bool:
    """Tell whether a value is written on one line: what is plain, and short lists and records of what is plain."""
    if not isinstance(value, dict | list) or not value:
        return True
    if isinstance(value, dict) and not any(key in value for key in ("check", "do")) and len(value) > 3:
        return False
    inside = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, dict) for item in inside) and len(in_flow(value)) <= FLOW_CHARS


def in_flow(value: object) -> str:
    """Return a value as YAML on one line."""
    text = yaml.dump(value, Dumper=_OneLine, default_flow_style=True, allow_unicode=True, width=_ENDLESS, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def real_end(text: str, node: yaml.Node) -> int:
    """Return where the last character of a node ends; the marks of blocks reach over what follows them."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return real_end(text, last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[:end].rstrip())
    return end


def line_start(text: str, at: int) -> int:
    """Return where the line of a character begins."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Return where the next line begins."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def after_line(text: str, at: int, block: str) -> Edit:
    """Return the edit that puts lines below the line of a character."""
    end = line_end(text, at)
    broken = end > 0 and text[end - 1] == "\n"
    return Edit(end, end, block if broken else "\n" + block)


def _mapping_edits(text: str, node: yaml.MappingNode, value: Mapping[str, object]) -> list[Edit] | None:
    known = {str(name.value): (name, item) for name, item in node.value}
    if len(known) < len(node.value) or str(node.value[0][0].value) not in value:
        return None
    found: list[Edit] = []
    for key, (name, item) in known.items():
        if key not in value:
            start = line_start(text, name.start_mark.index)
            if text[start : name.start_mark.index].strip():
                return None
            found.append(Edit(start, line_end(text, max(name.end_mark.index, real_end(text, item))), ""))
            continue
        inner = edits(text, item, value[key])
        found += [value_replacement(text, name, item, value[key])] if inner is None else inner
    added: dict[int, list[str]] = {}
    anchor = real_end(text, node.value[0][1])
    column = node.start_mark.column
    for key, item in value.items():
        if key in known:
            anchor = max(known[key][0].end_mark.index, real_end(text, known[key][1]))
        else:
            added.setdefault(anchor, []).append(" " * column + f"{in_flow(key)}:{keyed(item, column)}\n")
    return found + [after_line(text, at, "".join(lines)) for at, lines in added.items()]


def _sequence_edits(text: str, node: yaml.SequenceNode, value: Sequence[object]) -> list[Edit] | None:
    old = [plain_of(item) for item in node.value]
    dash = " " * node.start_mark.column + "- "
    column = node.start_mark.column + 2
    found: list[Edit] = []
    for kind, low, high, first, last in _changes(old, value):
        pairs = min(high - low, last - first) if kind == "replace" else 0
        for at in range(pairs):
            inner = edits(text, node.value[low + at], value[first + at])
            found += [replacement(text, node.value[low + at], value[first + at])] if inner is None else inner
        for item in node.value[low + pairs : high]:
            start = line_start(text, item.start_mark.index)
            if text[start : item.start_mark.index].strip() != "-":
                return None
            found.append(Edit(start, line_end(text, real_end(text, item)), ""))
        block = "".join(f"{dash}{lay_out(item, column)}\n" for item in value[first + pairs : last])
        if block and low + pairs > 0:
            found.append(after_line(text, real_end(text, node.value[low + pairs - 1]), block))
        elif block:
            start = line_start(text, node.value[0].start_mark.index)
            if text[start : node.value[0].start_mark.index].strip() != "-":
                return None
            found.append(Edit(start, start, block))
    return found


def _changes(old: Sequence[object], new: Sequence[object]) -> list[tuple[str, int, int, int, int]]:
    """Return what differs: (kind, old from, old to, new from, new to)."""
    head = 0
    while head < min(len(old), len(new)) and same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    before = [repr(item) for item in old[head : len(old) - tail]]
    after = [repr(item) for item in new[head : len(new) - tail]]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        (kind, low + head, high + head, first + head, last + head)
        for kind, low, high, first, last in matcher.get_opcodes()
        if kind != "equal"
    ]
