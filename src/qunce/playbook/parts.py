"""Find, change, add and remove one part of a playbook (a rule, a lexicon …) in its files, and nothing beside it.

A part is known by its section and key: its id, `-` for sections that are a single part, `@3` for one without an id of its own.
Files that are no YAML hold no parts; they are mended as text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import msgspec
import yaml

from qunce.playbook.check import ID_FIELDS
from qunce.playbook.errors import PlaybookError
from qunce.playbook.load import unsafe
from qunce.playbook.schema import SCHEMA_VERSION, Playbook
from qunce.playbook.splice import (
    Edit,
    after_line,
    apply,
    edits,
    in_flow,
    keyed,
    lay_out,
    line_end,
    line_start,
    plain_of,
    real_end,
    replacement,
    same,
    value_replacement,
)
from qunce.playbook.write import FILES

SINGLE: Final = "-"
SECTIONS: Final = tuple(field.name for field in msgspec.structs.fields(Playbook) if field.name != "schema_version")
Files = Mapping[str, str]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CannotEdit(PlaybookError):
    """A part that cannot be changed in the text as it stands; it can be edited as text."""

    code = "playbook.cannot_edit"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part as it stands in its file."""

    section: str
    key: str
    file: str
    path: str
    """Its path in the file: `rules[2]`; what problems of it begin with."""
    plain: object
    """Its keys and values as plain YAML values; a list for sections that are plain lists."""

    @property
    def values(self) -> dict[str, object]:
        """Its keys and values; empty when it is no record."""
        return dict(self.plain) if isinstance(self.plain, dict) else {}


def parts(files: Files) -> tuple[Part, ...]:
    """Return every part, section by section in the order in which they are joined."""
    found = [(section, file, path, plain) for file in sorted(files) for section, path, plain in _parts_in(files[file])]
    seen = Counter((section, _id_of(section, plain)) for section, _, _, plain in found)
    numbers: Counter[str] = Counter()
    result = []
    for section, file, path, plain in found:
        numbers[section] += 1
        name = _id_of(section, plain)
        key = SINGLE if section not in ID_FIELDS else name if name and seen[section, name] == 1 else f"@{numbers[section]}"
        result.append(Part(section=section, key=key, file=file, path=path, plain=plain))
    return tuple(sorted(result, key=lambda part: SECTIONS.index(part.section)))


def find(files: Files, section: str, key: str) -> Part | None:
    """Return a part; None = there is none."""
    return next((part for part in parts(files) if part.section == section and part.key == key), None)


def broken_files(files: Files) -> tuple[str, ...]:
    """Return the files that are no YAML with sections, so that they hold no parts."""
    return tuple(sorted(set(files) - {file for file, _ in _roots(files)}))


def text_of(files: Files, part: Part) -> str:
    """Return a part's own text, without the indentation it has in its file."""
    text, (_, node) = files[part.file], _locate(files, part)
    start, end = node.start_mark.index, line_end(text, real_end(text, node))
    flow = isinstance(node, yaml.CollectionNode) and node.flow_style
    written = text[start : real_end(text, node) if flow else end].rstrip()
    first, *others = written.split("\n")
    pad = " " * node.start_mark.column
    return "\n".join([first, *(line.removeprefix(pad) if line.strip() else "" for line in others)]) + "\n"


def changed(files: Files, part: Part, value: object) -> dict[str, str]:
    """Return the files with a part that says `value`; nothing else in them differs. Raises CannotEdit."""
    if same(part.plain, value):
        return dict(files)
    text, (name, node) = files[part.file], _locate(files, part)
    small = edits(text, node, value)
    tries = [small] if small is not None else []
    tries.append([value_replacement(text, name, node, value) if name is not None else _item(files, part, node, value)])
    for attempt in tries:
        result = {**files, part.file: apply(text, attempt)}
        if _stands(result, files, part, value):
            return result
    raise CannotEdit(f"{part.file}: {part.path} cannot be changed here")


def changed_text(files: Files, part: Part, written: str) -> dict[str, str]:
    """Return the files with a part whose own text is `written`, comments and all. Raises CannotEdit when that is no YAML."""
    value = read(written)
    text, (name, node) = files[part.file], _locate(files, part)
    lines = written.rstrip().split("\n")
    column = node.start_mark.column
    if name is not None and column <= name.start_mark.column:
        column = name.start_mark.column + 2
    body = ("\n" + " " * column).join(lines).replace("\n" + " " * column + "\n", "\n\n")
    start = node.start_mark.index
    if name is not None and not (isinstance(node, yaml.CollectionNode) and not node.flow_style):
        start, body = text.index(":", name.end_mark.index) + 1, "\n" + " " * column + body
    result = {**files, part.file: apply(text, [Edit(start, max(start, real_end(text, node)), body)])}
    return result if _stands(result, files, part, value) else changed(files, part, value)


def added(files: Files, section: str, value: object) -> dict[str, str]:
    """Return the files with one more part at the end of its section. Raises CannotEdit when its file is no YAML."""
    places = [(file, name, node) for file, root in _roots(files) for name, node in root.value if str(name.value) == section]
    if not places:
        return _new_section(files, section, value)
    file, name, node = places[-1]
    text = files[file]
    if section not in ID_FIELDS:
        raise CannotEdit(f"{file}: there is a section {section!r}")
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        column = node.start_mark.column
        apart = "\n" if _apart(text, node) else ""
        edit = after_line(text, real_end(text, node), f"{apart}{' ' * column}- {lay_out(value, column + 2)}\n")
    else:
        old = plain_of(node)
        edit = value_replacement(text, name, node, [*(old if isinstance(old, list) else []), value])
    result = {**files, file: apply(text, [edit])}
    if len(parts(result)) != len(parts(files)) + 1:
        raise CannotEdit(f"{file}: nothing can be added to {section!r}")
    return result


def removed(files: Files, part: Part) -> dict[str, str]:
    """Return the files without a part; a section goes with its last part, a file with its last section. Raises CannotEdit."""
    text = files[part.file]
    root = dict(_roots(files))[part.file]
    name, node = next((name, node) for name, node in root.value if str(name.value) == part.section)
    items = node.value if part.section in ID_FIELDS else []
    if len(items) > 1:
        item = items[_index(part)]
        start = line_start(text, item.start_mark.index)
        if node.flow_style or text[start : item.start_mark.index].strip() != "-":
            rest = [plain_of(other) for other in items if other is not item]
            return {**files, part.file: apply(text, [value_replacement(text, name, node, rest)])}
        edit = Edit(start, line_end(text, real_end(text, item)), "")
    elif len([key for key, _ in root.value if str(key.value) != "schema_version"]) == 1:
        return {file: kept for file, kept in files.items() if file != part.file}
    else:
        end = max(name.end_mark.index, real_end(text, node))
        edit = Edit(line_start(text, name.start_mark.index), line_end(text, end), "")
    return {**files, part.file: apply(text, [edit])}


def read(written: str) -> object:
    """Return what a part's own text says. Raises CannotEdit with the line when it is no YAML or uses aliases."""
    try:
        if refused := unsafe(written):
            raise CannotEdit(f"line {refused[0]}: {refused[1]}")
        node = yaml.compose(written, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise CannotEdit(f"line {line}: {error.problem or error.context or 'cannot be read'}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise CannotEdit(type(error).__name__) from error
    if node is None:
        raise CannotEdit("it is empty")
    return plain_of(node)


def _roots(files: Files) -> Iterator[tuple[str, yaml.MappingNode]]:
    for file in sorted(files):
        root = _root(files[file])
        if root is not None:
            yield file, root


@lru_cache(maxsize=64)
def _parts_in(text: str) -> tuple[tuple[str, str, object], ...]:
    """Return section, path and values of each part of a file. Who gets them may not change them."""
    root = _root(text)
    found: list[tuple[str, str, object]] = []
    for name, node in root.value if root is not None else ():
        section = str(name.value)
        if section in ID_FIELDS and isinstance(node, yaml.SequenceNode):
            found += [(section, f"{section}[{at}]", plain_of(item)) for at, item in enumerate(node.value)]
        elif section in SECTIONS and section not in ID_FIELDS:
            found.append((section, section, plain_of(node)))
    return tuple(found)


@lru_cache(maxsize=64)
def _root(text: str) -> yaml.MappingNode | None:
    try:
        root = None if unsafe(text) else yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError):
        return None
    return root if isinstance(root, yaml.MappingNode) else None


def _id_of(section: str, plain: object) -> str:
    name = plain.get(ID_FIELDS.get(section, ""), "") if isinstance(plain, dict) else ""
    return name if isinstance(name, str) and "/" not in name and name[:1] not in ("@", "-", "+") else ""


def _index(part: Part) -> int:
    return int(part.path[part.path.index("[") + 1 : -1])


def _locate(files: Files, part: Part) -> tuple[yaml.Node | None, yaml.Node]:
    """Return a part's node, and its key when it is a section of its own."""
    root = dict(_roots(files))[part.file]
    name, node = next((name, node) for name, node in root.value if str(name.value) == part.section)
    return (name, node) if part.section not in ID_FIELDS else (None, node.value[_index(part)])


def _item(files: Files, part: Part, node: yaml.Node, value: object) -> Edit:
    root = dict(_roots(files))[part.file]
    flow = next(bool(whole.flow_style) for name, whole in root.value if str(name.value) == part.section)
    return replacement(files[part.file], node, value, flow=flow)


def _stands(result: Files, files: Files, part: Part, value: object) -> bool:
    """Tell whether the part says what it should and every other part says what it said."""
    before = [(one.section, one.path, one.file, one.plain) for one in parts(files)]
    after = [(one.section, one.path, one.file, one.plain) for one in parts(result)]
    if [one[:3] for one in before] != [one[:3] for one in after]:
        return False
    return all(
        same(new[3], value if (new[1], new[2]) == (part.path, part.file) else old[3])
        for old, new in zip(before, after, strict=True)
    )


def _apart(text: str, node: yaml.SequenceNode) -> bool:
    """Tell whether the items of a list are kept apart by blank lines."""
    if len(node.value) < 2:
        return isinstance(node.value[-1], yaml.MappingNode) and not node.value[-1].flow_style
    between = text[real_end(text, node.value[-2]) : node.value[-1].start_mark.index]
    return "\n\n" in between


def _new_section(files: Files, section: str, value: object) -> dict[str, str]:
    file = FILES.get(section, f"{section}.yaml")
    body = f"{in_flow(section)}:{_section_body([value] if section in ID_FIELDS else value)}\n"
    if file not in files:
        return {**files, file: f"schema_version: {SCHEMA_VERSION}\n\n{body}"}
    if file in broken_files(files):
        raise CannotEdit(f"{file} is no YAML; mend it first")
    text = files[file]
    return {**files, file: f"{text}{'' if text.endswith(chr(10)) else chr(10)}\n{body}"}


def _section_body(value: object) -> str:
    return "\n  " + lay_out(value, 2) if isinstance(value, list) and value and isinstance(value[0], dict) else keyed(value, 0)
