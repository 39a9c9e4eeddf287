"""Change the rows of a form that is not saved yet: add one, take one out, move one up or down.

An operation is what a button sends: `add:when:flood`, `remove:when.1`, `up:when.1`, `down:when.n2`. It changes only what was
sent; reading the form afterwards gives the changed record.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from qunce.playbook.forms.fields import FormField, fields_of_form, kinds_of, tag_field
from qunce.playbook.forms.posted import MOST_ROWS, Posted, unit_of


def operate(fields: Sequence[FormField], posted: Posted, operation: str) -> dict[str, list[str]]:
    """Return what was sent with the operation carried out; one that makes no sense changes nothing."""
    sent = {name: list(values) for name, values in posted.items()}
    verb, _, rest = operation.partition(":")
    path, _, kind = rest.partition(":")
    if verb == "add":
        _add(fields, sent, path, kind)
    elif verb in ("remove", "up", "down"):
        _change(sent, path, verb)
    return sent


def field_at(fields: Sequence[FormField], path: str, posted: Posted) -> FormField | None:
    """Return the field at a path of a form: `when`, `steps.0.notice`; None = there is none."""
    name, _, rest = path.partition(".")
    field = next((one for one in fields if one.name == name), None)
    return field if field is None or not rest else _inside(field, name, rest, posted)


def _inside(field: FormField, path: str, rest: str, posted: Posted) -> FormField | None:
    row, _, below = rest.partition(".")
    record = field.record
    if field.widget == "union":
        kinds = kinds_of(field)
        name = tag_field(next(iter(kinds.values())))
        record = kinds.get(next(iter(posted.get(f"{path}.{row}.{name}", ())), ""))
    if record is None or not below:
        return None
    prefix = f"{path}.{row}."
    inner = {key.removeprefix(prefix): values for key, values in posted.items() if key.startswith(prefix)}
    return field_at(fields_of_form(record), below, inner)


def _add(fields: Sequence[FormField], sent: dict[str, list[str]], path: str, kind: str) -> None:
    field = field_at(fields, path, sent)
    if field is None or field.widget not in ("records", "record", "union", "lists", "table"):
        return
    keys = _keys(sent, path)
    if len(keys) >= MOST_ROWS or (field.widget == "record" and keys):
        return
    key = next(f"n{number}" for number in count(1) if f"n{number}" not in keys)
    sent[f"{path}.#"] = [",".join([*keys, key])]
    row = f"{path}.{key}"
    if field.widget == "lists":
        sent[row] = [""]
    elif field.widget == "table":
        sent[f"{row}.key"] = [""]
        first = field.item.choices[:1] if field.item is not None else ()
        sent[f"{row}.value"] = [first[0].code if first else ""]
    elif field.widget == "union":
        record = kinds_of(field).get(kind)
        if record is None:
            sent[f"{path}.#"] = [",".join(keys)]
            return
        sent[f"{row}.{tag_field(record)}"] = [kind]
        _suggest(fields_of_form(record), sent, row)
    elif field.record is not None:
        _suggest(fields_of_form(field.record), sent, row)


def _suggest(fields: Sequence[FormField], sent: dict[str, list[str]], row: str) -> None:
    """Fill in the example where a number or a duration must stand; the other fields are for people."""
    for field in fields:
        if field.required and field.examples and field.widget in ("number", "duration"):
            sent[f"{row}.{field.name}"] = [
                field.examples[0].rstrip("smhd") if field.widget == "duration" else field.examples[0]
            ]
            if field.widget == "duration":
                sent[f"{row}.{field.name}.unit"] = [unit_of(field.examples[0])]


def _change(sent: dict[str, list[str]], path: str, verb: str) -> None:
    owner, _, key = path.rpartition(".")
    keys = _keys(sent, owner)
    if key not in keys:
        return
    at = keys.index(key)
    if verb == "remove":
        keys.remove(key)
    else:
        other = at + (-1 if verb == "up" else 1)
        if 0 <= other < len(keys):
            keys[at], keys[other] = keys[other], keys[at]
    sent[f"{owner}.#"] = [",".join(keys)]


def _keys(sent: Posted, path: str) -> list[str]:
    return [key for key in next(iter(sent.get(f"{path}.#", ())), "").split(",") if key]
