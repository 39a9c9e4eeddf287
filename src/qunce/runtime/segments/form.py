"""Turn the conditions of a segment into the fields of a form, and back: what the builder shows and what it sends.

Every condition has a path (`r` is the list of all, `r.0.1` the second part of its first) and fields named `<path>.<field>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from qunce.playbook.schema.segments import Node, Segment, Subject, Written
from qunce.playbook.segments import catalogue
from qunce.playbook.units import UNITS

Kind = Literal["all", "any", "did", "attr", "tag", "segment", "sample"]
KINDS: Final[tuple[Kind, ...]] = ("did", "attr", "tag", "segment", "any", "all", "sample")
OPERATORS: Final = (">=", "<=", "=", ">", "<", "!=", "between")
AGES: Final = ("<=", ">=", "between", "today", "this_week", "this_month", "set", "missing")
WORDS: Final = ("is", "set", "missing")
WINDOWS: Final = ("", "1d", "3d", "7d", "14d", "30d", "60d", "90d", "180d", "365d", "today", "this_week", "this_month")
MOST_PARTS: Final = 60
"""Conditions a form may send; more are for the text."""
_DEPTH: Final = 5
_LONE: Final = ("today", "this_week", "this_month", "set", "missing")
_COMPARED: Final = re.compile(r"(>=|<=|!=|=|>|<)?\s*(.*)")
_AGE: Final = re.compile(r"(\d+)([smhd])")
WHERES: Final[dict[str, str]] = {"content": "content", "group": "group_id"}
"""Lists of a condition that narrow its events, by the field of the form, with the field of the event."""
_DISTINCT: Final[dict[str, tuple[str, ...]]] = {
    "member": ("peer", "group_id"), "membership": ("peer",), "group": ("member_id",),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cond:
    """One condition of the form, or a group of them."""

    kind: Kind
    negated: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Cond, ...] = ()

    def get(self, name: str) -> str:
        """Return what a field holds; empty = nothing."""
        return self.fields.get(name, "")

    def many(self, name: str) -> list[str]:
        """Return what a field holds as a list."""
        return [part for part in self.get(name).split("\n") if part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A segment as it is being written."""

    segment_id: str
    title: str
    title_en: str
    of: Subject
    parts: tuple[Cond, ...]

    def segment(self) -> Segment:
        """Return the segment; whether it makes sense is for the check to say."""
        return Segment(
            segment_id=self.segment_id, title=self.title, title_en=self.title_en, of=self.of,
            where=tuple(node_of(part) for part in self.parts),
        )  # fmt: skip


# ── From the form ────────────────────────────────────────────────────────────────────────────────────────────────────────


def posted(data: Mapping[str, str], lists: Mapping[str, list[str]]) -> Form:
    """Return what a form sent; `lists` holds fields of many values. Whatever makes no sense counts as not sent."""
    of = data.get("of", "member")
    subject: Subject = of if of in catalogue.ATTRIBUTES else "member"
    budget = iter(range(MOST_PARTS))
    return Form(
        segment_id=data.get("segment_id", "").strip()[:60], title=data.get("title", "").strip()[:80],
        title_en=data.get("title_en", "").strip()[:80], of=subject, parts=tuple(_posted("r", data, lists, budget, 0)),
    )  # fmt: skip


def _posted(
    path: str, data: Mapping[str, str], lists: Mapping[str, list[str]], budget: Iterator[int], depth: int
) -> Iterator[Cond]:
    for place in range(MOST_PARTS):
        name = f"{path}.{place}"
        kind = data.get(f"{name}.kind")
        if kind not in KINDS or depth > _DEPTH or next(budget, None) is None:
            return
        start = f"{name}."
        fields = {
            key[len(start) :]: "\n".join(lists.get(key, [value]))
            for key, value in data.items()
            if key.startswith(start) and "." not in key[len(start) :]
        }
        parts = tuple(_posted(name, data, lists, budget, depth + 1)) if kind in ("all", "any") else ()
        yield Cond(kind=kind, negated=fields.get("no") == "1", fields=fields, parts=parts)


def changed(form: Form, do: str) -> Form:
    """Return a form after a button: `add KIND PATH`, `del PATH`; anything else changes nothing."""
    words = do.split(" ")
    if len(words) == 3 and words[0] == "add" and words[1] in KINDS:
        return replace(form, parts=_added(form.parts, _places(words[2]), new(words[1], form.of)))
    if len(words) == 2 and words[0] == "del":
        return replace(form, parts=_removed(form.parts, _places(words[1])))
    return form


def new(kind: Kind, of: Subject) -> Cond:
    """Return a fresh condition to be filled in."""
    if kind == "did":
        return Cond(kind=kind, fields={"event": "message", "window": "7d", "measure": "times", "op": ">=", "v1": "1"})
    if kind == "attr":
        name = next(iter(catalogue.ATTRIBUTES[of])) if of == "member" else "first_seen_at"
        return Cond(kind=kind, fields={"name": name, "op": "set"})
    if kind in ("any", "all"):
        return Cond(kind=kind, parts=(new("did", of),))
    if kind == "sample":
        return Cond(kind=kind, fields={"share": "10%", "salt": "holdout"})
    return Cond(kind=kind)


def _places(path: str) -> list[int]:
    return [int(part) for part in path.split(".")[1:] if part.isdecimal() and len(part) < 4]


def _added(parts: tuple[Cond, ...], places: list[int], one: Cond) -> tuple[Cond, ...]:
    if not places:
        return (*parts, one)
    return tuple(
        replace(part, parts=_added(part.parts, places[1:], one)) if place == places[0] else part
        for place, part in enumerate(parts)
    )


def _removed(parts: tuple[Cond, ...], places: list[int]) -> tuple[Cond, ...]:
    if not places:
        return parts
    if len(places) == 1:
        return tuple(part for place, part in enumerate(parts) if place != places[0])
    return tuple(
        replace(part, parts=_removed(part.parts, places[1:])) if place == places[0] else part
        for place, part in enumerate(parts)
    )


# ── To conditions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def node_of(cond: Cond) -> Node:
    """Return the condition as the playbook writes it."""
    node = _node(cond)
    return Node(not_=node) if cond.negated else node


def _node(cond: Cond) -> Node:
    match cond.kind:
        case "all":
            return Node(all_of=tuple(node_of(part) for part in cond.parts))
        case "any":
            return Node(any_of=tuple(node_of(part) for part in cond.parts))
        case "attr":
            return Node(attr=cond.get("name"), is_=_written(cond))
        case "tag":
            tags = tuple(tag.strip() for tag in re.split(r"[\n,，]", cond.get("tags")) if tag.strip())
            return Node(tag=tags)
        case "segment":
            return Node(segment=cond.get("ref"))
        case "sample":
            return Node(sample=cond.get("share"), salt=cond.get("salt") or None)
        case "did":
            return _did(cond)


def _did(cond: Cond) -> Node:
    events = tuple(dict.fromkeys(cond.many("event")))
    window = cond.get("window")
    since = window.removeprefix("since:") if window.startswith("since:") else None
    written = _written(cond)
    measure, _, of_what = cond.get("measure").partition(":")
    where = _where(cond)
    if measure == "times" and written == ">=1":
        return Node(did=events, within=None if since else window or None, since=since, where=where)
    return Node(
        did=events, within=None if since else window or None, since=since, where=where,
        times=written if measure not in ("days", "sum", "distinct", "first", "last") else None,
        days=written if measure == "days" else None, first=written if measure == "first" else None,
        last=written if measure == "last" else None, sum={of_what: written} if measure == "sum" else None,
        distinct={of_what: written} if measure == "distinct" else None,
    )  # fmt: skip


def _where(cond: Cond) -> dict[str, Written] | None:
    try:
        kept = json.loads(cond.get("where") or "{}")
    except ValueError:
        kept = {}
    found: dict[str, Written] = {
        str(name): tuple(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in (kept.items() if isinstance(kept, dict) else ())
    }
    for ours, name in WHERES.items():
        chosen = tuple(dict.fromkeys(cond.many(ours)))
        if chosen:
            found[name] = chosen[0] if len(chosen) == 1 else chosen
    return found or None


def _written(cond: Cond) -> Written:
    """Return the written condition of the fields `op`, `v1`, `v2`, `unit`."""
    op, first, second, unit = (cond.get(name).strip() for name in ("op", "v1", "v2", "unit"))
    if op in _LONE:
        return op
    if op == "is":
        words = tuple(part.strip() for part in re.split(r"[\n,，]", cond.get("v1")) if part.strip())
        return words[0] if len(words) == 1 else words
    if op == "between":
        return (f"{first}{unit}", f"{second}{unit}")
    return f"{op or '>='}{first}{unit}"


# ── From conditions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def form_of(segment: Segment) -> Form:
    """Return the form of a written segment."""
    return Form(
        segment_id=segment.segment_id, title=segment.title, title_en=segment.title_en, of=segment.of,
        parts=tuple(part for node in segment.where for part in _conds(node)),
    )  # fmt: skip


def _conds(node: Node) -> Iterator[Cond]:
    """Yield a condition; one of several measures becomes several, which all have to hold as before."""
    if node.not_ is not None:
        inner = tuple(_conds(node.not_))
        one = inner[0] if len(inner) == 1 else Cond(kind="all", parts=inner)
        yield Cond(kind="all", negated=True, parts=(one,)) if one.negated else replace(one, negated=True)
    elif node.all_of is not None or node.any_of is not None:
        parts = node.all_of if node.all_of is not None else node.any_of or ()
        kind: Kind = "all" if node.all_of is not None else "any"
        yield Cond(kind=kind, parts=tuple(_one(part) for part in parts))
    elif node.attr is not None:
        yield Cond(kind="attr", fields={"name": node.attr, **_fields(node.is_)})
    elif node.tag is not None:
        yield Cond(kind="tag", fields={"tags": ", ".join(node.tag)})
    elif node.segment is not None:
        yield Cond(kind="segment", fields={"ref": node.segment})
    elif node.sample is not None:
        yield Cond(kind="sample", fields={"share": node.sample, "salt": node.salt or ""})
    elif node.did is not None:
        yield from _did_conds(node)


def _one(node: Node) -> Cond:
    found = tuple(_conds(node))
    return found[0] if len(found) == 1 else Cond(kind="all", parts=found)


def _did_conds(node: Node) -> Iterator[Cond]:
    window = f"since:{node.since}" if node.since else node.within or ""
    common = {"event": "\n".join(node.did or ()), "window": window}
    kept = dict(node.where or {})
    for ours, name in WHERES.items():
        written = kept.get(name)
        if written is not None and written not in _LONE:
            common[ours] = "\n".join((written,) if isinstance(written, str) else written)
            del kept[name]
    if kept:
        common["where"] = json.dumps(kept, ensure_ascii=False)
    simple = (("times", node.times), ("days", node.days), ("first", node.first), ("last", node.last))
    found = [(name, written) for name, written in simple if written is not None]
    found += [(f"sum:{name}", written) for name, written in (node.sum or {}).items()]
    found += [(f"distinct:{name}", written) for name, written in (node.distinct or {}).items()]
    for measure, written in found or [("times", ">=1")]:
        yield Cond(kind="did", fields={**common, "measure": measure, **_fields(written)})


def _fields(written: Written | None) -> dict[str, str]:
    if written is None:
        return {"op": "set"}
    if isinstance(written, tuple):
        ages = [_AGE.fullmatch(part) for part in written]
        if len(written) == 2 and all(ages):
            low, high, unit = _same_unit(*written)
            return {"op": "between", "v1": low, "v2": high, "unit": unit}
        if len(written) == 2 and all(re.fullmatch(r"-?[\d.]+", part) for part in written):
            return {"op": "between", "v1": written[0], "v2": written[1]}
        return {"op": "is", "v1": ", ".join(written)}
    if written in _LONE:
        return {"op": written}
    match = _COMPARED.fullmatch(written)
    op, text = (match[1] or "", match[2]) if match else ("", written)
    age = _AGE.fullmatch(text)
    if age is not None and op:
        return {"op": op, "v1": age[1], "unit": age[2]}
    if re.fullmatch(r"-?[\d.]+", text):
        return {"op": op or "=", "v1": text}
    return {"op": "is", "v1": written}


def _same_unit(low: str, high: str) -> tuple[str, str, str]:
    if low[-1] == high[-1]:
        return low[:-1], high[:-1], low[-1]
    unit = min(low[-1], high[-1], key=lambda one: UNITS[one])
    first, second = (str(int(text[:-1]) * UNITS[text[-1]] // UNITS[unit]) for text in (low, high))
    return first, second, unit


# ── What can be chosen ───────────────────────────────────────────────────────────────────────────────────────────────────


def measures_of(cond: Cond, of: Subject) -> list[str]:
    """Return the measures that all chosen events can be asked for."""
    kinds = [catalogue.EVENTS[name] for name in cond.many("event") if name in catalogue.EVENTS]
    found = ["times", "days", "first", "last"]
    if kinds:
        found += [f"sum:{name}" for name in kinds[0].sums if all(name in kind.sums for kind in kinds)]
        found += [f"distinct:{name}" for name in _DISTINCT[of] if all(name in kind.distinct for kind in kinds)]
    return found


def wheres_of(cond: Cond) -> tuple[str, ...]:
    """Return by which lists of the form all chosen events can be narrowed."""
    kinds = [catalogue.EVENTS[name] for name in cond.many("event") if name in catalogue.EVENTS]
    return tuple(ours for ours, name in WHERES.items() if kinds and all(name in kind.wheres for kind in kinds))


def value_kind(cond: Cond, of: Subject, declared: Mapping[str, catalogue.Attribute]) -> str:
    """Return what kind of value a condition tests: `number`, `money`, `moment`, `word`, `id`."""
    if cond.kind == "did":
        measure = cond.get("measure")
        return "moment" if measure in ("first", "last") else "money" if measure == "sum:amount" else "number"
    attribute = catalogue.ATTRIBUTES[of].get(cond.get("name")) or declared.get(cond.get("name"))
    return attribute.kind if attribute else "word"


def tidy(form: Form, declared: Mapping[str, catalogue.Attribute]) -> Form:
    """Return a form whose fields fit together: another event or attribute leaves no operator behind that it cannot have."""
    return replace(form, parts=tuple(_tidied(part, form.of, declared) for part in form.parts))


def _tidied(cond: Cond, of: Subject, declared: Mapping[str, catalogue.Attribute]) -> Cond:
    if cond.kind in ("all", "any"):
        return replace(cond, parts=tuple(_tidied(part, of, declared) for part in cond.parts))
    if cond.kind not in ("did", "attr"):
        return cond
    fields = dict(cond.fields)
    if cond.kind == "did":
        if cond.get("measure") not in measures_of(cond, of):
            fields |= {"measure": "times"}
        for ours in WHERES.keys() - set(wheres_of(cond)):
            fields.pop(ours, None)
    kind = value_kind(replace(cond, fields=fields), of, declared)
    allowed = operators(kind, in_attr=cond.kind == "attr", declared=fields.get("name", "") in declared)
    if fields.get("op") not in allowed:
        fields |= {"op": allowed[0], "v1": {"moment": "7", "word": ""}.get(kind, "1"), "v2": ""}
    if kind == "moment":
        fields["unit"] = fields.get("unit") or "d"
    else:
        fields.pop("unit", None)
    return replace(cond, fields=fields)


def operators(kind: str, *, in_attr: bool, declared: bool = False) -> tuple[str, ...]:
    """Return the comparisons that a kind of value can have."""
    if kind == "moment":
        return AGES if in_attr else (*AGES[:6], ">", "<", "set", "missing")
    if kind in ("word", "id"):
        return WORDS
    return (*OPERATORS, "set", "missing") if declared else OPERATORS


def places(form: Form) -> dict[str, str]:
    """Return the path of each condition in the form by its path in the written segment."""
    found: dict[str, str] = {}

    def walk(parts: tuple[Cond, ...], written: str, path: str) -> None:
        for place, part in enumerate(parts):
            here = f"{written}[{place}]" + (".not" if part.negated else "")
            found[here] = f"{path}.{place}"
            if part.kind in ("all", "any"):
                walk(part.parts, f"{here}.{part.kind}", f"{path}.{place}")

    walk(form.parts, "where", "r")
    return found


def place_of(problem_path: str, known: Mapping[str, str]) -> str:
    """Return the condition of the form that a mistake is in; empty = the segment as a whole."""
    best = max((written for written in known if problem_path.startswith(written)), key=len, default="")
    return known.get(best, "")
