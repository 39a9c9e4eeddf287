"""Fill in one part of the draft as a form: read what was sent, say what it does and what is wrong with it, save it.

A sheet is never kept: it is made anew of the draft and of what was sent. The draft's own rule holds: who saves says which state
of the draft they have seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from qunce.accounts.models import Staff
from qunce.playbook import parts
from qunce.playbook.check import ID_FIELDS
from qunce.playbook.errors import InvalidPlaybook, Problem
from qunce.playbook.forms.fields import FormField, SectionForm, fields_of_form, sections
from qunce.playbook.forms.ops import operate
from qunce.playbook.forms.posted import Keys, Posted, Reader
from qunce.playbook.forms.saying import bind_part, bound, say
from qunce.playbook.forms.view import FieldView, Known, Viewer, placed
from qunce.playbook.load import parse
from qunce.readmodels.models import Group
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import drafts, playbooks

OPERATION, AS, TEXT = "_op", "_as", "_text"
"""Names in a form that are no key: the button for rows, whether the YAML was edited (`text`), and the YAML."""
NEW: Final = "+"
"""Key of a part that is not there yet."""
SINGLE: Final = parts.SINGLE
LATER: Final = frozenset({"no_op", "reference", "impossible", "cycle"})
"""Mistakes that another part may mend: a lexicon no rule uses yet. They are shown, and do not keep a part from being saved."""
MOST_GROUPS: Final = 300
CannotEdit = parts.CannotEdit
Titles = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One part on its form."""

    section: str
    key: str
    form: SectionForm
    files: Mapping[str, str]
    """The draft, or what it would begin with."""
    seen_ms: int
    """Token of the draft these are; 0 = there is none yet."""
    part: parts.Part | None
    """As it stands in the files; None = it is new."""
    values: object
    """What the form says."""
    keys: Keys
    views: tuple[FieldView, ...]
    after: Mapping[str, str] | None
    """The files with it; None = it could not be written."""
    problems: tuple[Problem, ...]
    """What is wrong with it."""
    loose: tuple[Problem, ...]
    """Those of them that stand at no field."""
    elsewhere: int
    """Mistakes of other parts."""
    words: Titles
    """What it does, in a sentence; empty = it cannot be said."""
    text: str
    """Its YAML."""
    text_error: str
    """Why its YAML cannot be read; empty = it can, or the form was filled in."""

    @property
    def new(self) -> bool:
        """Whether it is not in the draft yet."""
        return self.part is None and self.form.many

    @property
    def title(self) -> Titles:
        """Its own name in Chinese and English; empty = it has none yet."""
        title = str(self.named.get("title") or self.named.get(self.form.id_field) or "")
        return title, str(self.named.get("title_en") or title)

    def without_problems(self) -> Sheet:
        """Return it as it is shown while it is filled in: nobody has asked yet whether it is right."""
        if self.form.record is None or self.text_error:
            return self
        views = Viewer(_known(self.files, self.section, self.key), (), self.keys).record(self.form.record, self.named)
        return replace(self, views=views, problems=(), loose=())

    @property
    def named(self) -> dict[str, object]:
        """Its keys and values; empty for plain lists."""
        return self.values if isinstance(self.values, dict) else {}

    @property
    def blocking(self) -> bool:
        """Whether a mistake keeps it from being saved."""
        return self.after is None or any(problem.code not in LATER for problem in self.problems)


def sections_of_form() -> dict[str, SectionForm]:
    """Return the sections that have a form."""
    return sections()


def draft_files() -> tuple[Mapping[str, str], int]:
    """Return the files of the draft, or those in force that it would begin with, and the token of the draft; 0 = none."""
    known = drafts.draft()
    if known is not None:
        return known.files, known.saved_ms
    newest = playbooks.newest()
    return (dict(newest.files) if newest is not None else {}), 0


def sheet(section: str, key: str, *, posted: Posted | None = None, copy_of: str = "") -> Sheet | None:
    """Return a part on its form; None = there is no such section or part.

    `posted` is what the form sent, None = it was not sent yet; `copy_of` is the key of the part that a new one begins as.
    """
    form = sections().get(section)
    files, seen_ms = draft_files()
    if form is None or form.many == (key == SINGLE):
        return None
    part = parts.find(files, section, key) if key != NEW else None
    model = parts.find(files, section, copy_of) if copy_of and key == NEW else None
    if (part is None and key not in (NEW, SINGLE)) or (copy_of and model is None):
        return None
    base = part.plain if part is not None else _copied(form, files, model) if model is not None else None
    values, keys, error = _read(form, base, posted)
    written = (posted or {}).get(TEXT, ("",))[-1].replace("\r\n", "\n") if _as_text(posted) else None
    after, refused = _write(form, files, part, values, written)
    made = Sheet(
        section=section, key=key, form=form, files=files, seen_ms=seen_ms, part=part, values=values, keys=keys, views=(),
        after=after, problems=(), loose=(), elsewhere=0, words=("", ""), text=written or "", text_error=error or refused,
    )  # fmt: skip
    return _judged(made)


def do_save(made: Sheet, *, actor: Staff | None, seen_ms: int) -> str:
    """Save a part into the draft and return its key there. Raises CommandRefused when the draft is another one by now."""
    if made.blocking or made.after is None:
        raise CommandRefused("the part has mistakes")
    place = _place(made)
    newest = playbooks.newest()
    origin = str(newest.number) if made.seen_ms == 0 and newest is not None else ""
    drafts.do_save_draft(actor=actor, files=made.after, origin=origin, seen_ms=seen_ms)
    return next((part.key for part in parts.parts(made.after) if (part.file, part.path) == place), made.key)


def do_remove(section: str, key: str, *, actor: Staff | None, seen_ms: int) -> None:
    """Take a part out of the draft. Raises CommandRefused without it, or when the draft is another one by now."""
    files, part = _access(section, key)
    _save(parts.removed(files, part), actor=actor, seen_ms=seen_ms)


def do_switch(section: str, key: str, *, on: bool, actor: Staff | None, seen_ms: int) -> None:
    """Switch a part on or off in the draft. Raises CommandRefused as `do_remove` does, and for a part without a switch."""
    files, part = _access(section, key)
    record = sections()[section].record
    if record is None or all(field.name != "enabled" for field in fields_of_form(record)):
        raise CommandRefused("this part has no switch")
    changed = Reader({"enabled": ["on" if on else "off"]}).record(fields_of_form(record), part.values)
    _save(parts.changed(files, part, changed), actor=actor, seen_ms=seen_ms)


def _access(section: str, key: str) -> tuple[Mapping[str, str], parts.Part]:
    files, _seen = draft_files()
    part = parts.find(files, section, key)
    if part is None:
        raise CommandRefused("the part is not there any more")
    return files, part


def _save(files: Mapping[str, str], *, actor: Staff | None, seen_ms: int) -> None:
    newest = playbooks.newest()
    origin = str(newest.number) if seen_ms == 0 and newest is not None else ""
    drafts.do_save_draft(actor=actor, files=files, origin=origin, seen_ms=seen_ms)


def _read(form: SectionForm, base: object, posted: Posted | None) -> tuple[object, Keys, str]:
    """Return what was filled in, the rows of its lists, and why its text cannot be read."""
    start: object = base if base is not None else {} if form.record is not None else []
    if posted is None:
        return start, {}, ""
    if _as_text(posted):
        try:
            return parts.read(posted[TEXT][-1].replace("\r\n", "\n")), {}, ""
        except CannotEdit as error:
            return start, {}, str(error)
    if form.record is None:
        value = Reader(posted).value(_list_field(form), start, form.name)
        return value if isinstance(value, list) else start, {}, ""
    fields = fields_of_form(form.record)
    reader = Reader(operate(fields, posted, (posted.get(OPERATION) or [""])[-1]))
    return reader.record(fields, start if isinstance(start, dict) else {}), reader.keys, ""


def _as_text(posted: Posted | None) -> bool:
    return posted is not None and (posted.get(AS) or [""])[-1] == "text" and bool(posted.get(TEXT))


def _list_field(form: SectionForm) -> FormField:
    if form.field is None:
        raise TypeError(f"{form.name} is no plain list")
    return form.field


def _write(
    form: SectionForm, files: Mapping[str, str], part: parts.Part | None, values: object, written: str | None
) -> tuple[Mapping[str, str] | None, str]:
    """Return the files with the part, or why there are none."""
    try:
        if part is None:
            return (files if not values and not form.many else parts.added(files, form.name, values)), ""
        if not values and not form.many:
            return parts.removed(files, part), ""
        if written is not None:
            return parts.changed_text(files, part, written), ""
        return parts.changed(files, part, values), ""
    except CannotEdit as error:
        return None, str(error)


def _place(made: Sheet) -> tuple[str, str]:
    """Return file and path of the part in the files with it."""
    if made.part is not None:
        return made.part.file, made.part.path
    before = {(one.file, one.path) for one in parts.parts(made.files)}
    added = [(one.file, one.path) for one in parts.parts(made.after or {}) if (one.file, one.path) not in before]
    return added[-1] if added else ("", "")


def _judged(made: Sheet) -> Sheet:
    """Return the sheet with its mistakes, each at its field, its sentence and its text."""
    found = _problems(made.after)
    file, path = _place(made)
    own = tuple(
        one for one in found if one.file == file and (one.path == path or one.path.startswith((f"{path}.", f"{path}[")))
    )
    known = _known(made.files, made.section, made.key)
    viewer = Viewer(known, [(one.path[len(path) :].removeprefix("."), one) for one in own], made.keys)
    if made.form.record is None:
        views: tuple[FieldView, ...] = (viewer.field(_list_field(made.form), made.values, made.section, ""),)
    else:
        views = viewer.record(made.form.record, made.named)
    at_fields = placed(views)
    whole = parts.find(made.after, made.section, _key_in(made)) if made.after is not None and path else None
    text = made.text or (parts.text_of(made.after, whole) if made.after is not None and whole is not None else "")
    book = bound(made.after if made.after is not None else made.files)
    return replace(
        made, views=views, problems=own, loose=tuple(one for one in own if id(one) not in at_fields), text=text,
        elsewhere=len(found) - len(own), words=say(bind_part(made.section, made.values), book),
    )  # fmt: skip


def _key_in(made: Sheet) -> str:
    place = _place(made)
    return next((one.key for one in parts.parts(made.after or {}) if (one.file, one.path) == place), made.key)


def _problems(files: Mapping[str, str] | None) -> tuple[Problem, ...]:
    if files is None:
        return ()
    try:
        parse(files)
    except InvalidPlaybook as error:
        return error.problems
    return ()


def _known(files: Mapping[str, str], section: str, key: str) -> Known:
    ids: dict[str, list[tuple[str, str]]] = {name: [] for name in ID_FIELDS}
    categories: dict[str, None] = {}
    for one in parts.parts(files):
        if one.section in ids and not one.key.startswith("@") and (one.section, one.key) != (section, key):
            ids[one.section].append((one.key, str(one.values.get("title") or one.key)))
        category = one.values.get("category")
        if isinstance(category, str):
            categories[category] = None
    names = tuple(Group.objects.order_by("name").values_list("name", flat=True)[:MOST_GROUPS])
    return Known(
        ids={name: tuple(known) for name, known in ids.items()},
        suggestions={"category": tuple(sorted(categories)), "modes": names, "groups": names},
    )


def _copied(form: SectionForm, files: Mapping[str, str], model: parts.Part) -> dict[str, object]:
    """Return a part under an id that is free."""
    taken = {one.key for one in parts.parts(files) if one.section == form.name}
    stem = f"{model.values.get(form.id_field) or form.name}_copy"
    free = next(
        name for number in range(1, len(taken) + 2) if (name := stem if number == 1 else f"{stem}{number}") not in taken
    )
    return {**model.values, form.id_field: free}
