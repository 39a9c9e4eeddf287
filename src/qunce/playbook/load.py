"""Turn the files of a playbook into one bound, checked playbook.

Any file may hold any section; lists of the same section are joined in the order of the file names, single sections may stand
once. `parse` is pure; `read_folder` only gathers texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, get_origin

import msgspec
import yaml

from qunce.playbook.binding import Binder, Field, Place, fields_of, is_bad
from qunce.playbook.errors import InvalidPlaybook, Problem
from qunce.playbook.schema import SCHEMA_VERSION, Playbook
from qunce.playbook.write import to_plain

MAX_FILE_CHARS: Final = 4_000_000
MAX_DEPTH: Final = 40

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is built in: ten times faster on long lexicons, with the same marks."""

Lines = dict[tuple[str, str], int]


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook that may be used, with its content hash and where its parts stand."""

    playbook: Playbook
    content_hash: str
    lines: Lines

    @property
    def version(self) -> str:
        """Number and first letters of the hash: two different contents never share it."""
        return f"{self.playbook.playbook.version}-{self.content_hash[:8]}"


def read_folder(folder: Path) -> dict[str, str]:
    """Return the texts of all `.yaml` files below `folder`, by relative path. Raises FileNotFoundError without a folder."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    paths = sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.rglob(pattern))
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8-sig", "replace") for path in paths}


def parse(files: Mapping[str, str]) -> Loaded:
    """Return the playbook of these YAML files. Raises InvalidPlaybook with every problem."""
    from qunce.playbook.check import check

    binder = Binder()
    sections = _Sections(binder)
    for file in sorted(files):
        root = _compose(binder, file, files[file])
        if root is not None:
            sections.add(file, root)
    playbook = sections.finish()
    if playbook is None:
        raise InvalidPlaybook(tuple(sorted(binder.problems)))
    problems = (*binder.problems, *check(playbook, sections.places, binder.lines))
    if problems:
        raise InvalidPlaybook(tuple(sorted(problems)))
    return Loaded(playbook=playbook, content_hash=content_hash(playbook), lines=binder.lines)


def content_hash(playbook: Playbook) -> str:
    """Return the hash of what a playbook says, without its version number: layout, order of keys and comments do not count."""
    info = msgspec.structs.replace(playbook.playbook, version=1)
    canonical = msgspec.json.encode(to_plain(msgspec.structs.replace(playbook, playbook=info)), order="deterministic")
    return blake2b(canonical, digest_size=16).hexdigest()


class Places(dict[tuple[str, int], Place]):
    """The place of each item of each list section: (`rules`, 3) → file and path."""


class _Sections:
    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self._known = {name: field for name, field in fields_of(Playbook).items() if name != "schema_version"}
        self._lists: dict[str, list[object]] = {}
        self._single: dict[str, object] = {}
        self._bad = False
        self.places = Places()

    def add(self, file: str, root: yaml.MappingNode) -> None:
        place = Place(file, "")
        self._check_version(root, place)
        for name, node in root.value:
            key = str(name.value)
            if key == "schema_version":
                continue
            field = self._known.get(key)
            if field is None:
                choices = " | ".join(self._known)
                self._binder.problem(name, place.at(key), f"unknown section {key!r}", f"use {choices}", "unknown_key")
            elif get_origin(field.type) is tuple or _is_plain_list(field):
                self._extend(key, field, node, place.at(key))
            elif key in self._single:
                self._binder.problem(
                    name, place.at(key), f"section {key!r} stands in two files", "keep one of them", "duplicate_key"
                )
            else:
                self._single[key] = self._binder.bind(node, field.type, place.at(key))

    def _extend(self, key: str, field: Field, node: yaml.Node, place: Place) -> None:
        value = self._binder.bind(node, field.type, place)
        known = self._lists.setdefault(key, [])
        if is_bad(value):
            self._bad = True
            return
        for index, item in enumerate(value if isinstance(value, tuple) else ()):
            self.places[key, len(known)] = place.at(index)
            known.append(item)

    def _check_version(self, root: yaml.MappingNode, place: Place) -> None:
        first = root.value[0][0].value if root.value else None
        node = next((value for name, value in root.value if name.value == "schema_version"), None)
        if node is None:
            self._binder.problem(
                root,
                place.at("schema_version"),
                "missing key 'schema_version'",
                f"start the file with “schema_version: {SCHEMA_VERSION}”",
                "missing",
            )
        elif first != "schema_version":
            self._binder.problem(
                node, place.at("schema_version"), "schema_version is not the first key", "move it to the top", "order"
            )
        elif node.value != str(SCHEMA_VERSION):
            self._binder.problem(
                node,
                place.at("schema_version"),
                f"version {node.value!r} is not known here",
                f"write {SCHEMA_VERSION}",
                "version",
            )

    def finish(self) -> Playbook | None:
        if "playbook" not in self._single:
            self._binder.problem(
                None,
                Place("playbook.yaml", "playbook"),
                "no 'playbook' section",
                "add a file playbook.yaml with playbook_id, title and version",
                "missing",
            )
            return None
        values = {**self._single, **{key: tuple(items) for key, items in self._lists.items()}}
        if self._bad or any(is_bad(value) for value in values.values()):
            return None
        return Playbook(**values)  # type: ignore[arg-type]  # bound to these very annotations


def _is_plain_list(field: Field) -> bool:
    return getattr(field.type, "__origin__", None) is not None and get_origin(getattr(field.type, "__origin__", None)) is tuple


def _compose(binder: Binder, file: str, text: str) -> yaml.MappingNode | None:
    place = Place(file, "")
    if len(text) > MAX_FILE_CHARS:
        binder.problem(None, place, f"{len(text)} characters in one file", f"split it; at most {MAX_FILE_CHARS}", "size")
        return None
    try:
        problem = unsafe(text)
        root = None if problem else yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        message = f"not YAML: {error.problem or error.context or 'cannot be read'}"
        fix = "mend the indentation, quotes or brackets near this line"
        binder.problems.append(Problem(file=file, line=line, path="", message=message, fix=fix, code="yaml"))
        return None
    except (yaml.YAMLError, RecursionError) as error:
        binder.problem(
            None, place, f"not YAML: {type(error).__name__}", "save the file as UTF-8 text without control characters", "yaml"
        )
        return None
    if problem:
        binder.problems.append(Problem(file=file, line=problem[0], path="", message=problem[1], fix=problem[2], code="yaml"))
        return None
    if root is None:
        binder.problem(None, place, "the file is empty", "write something in it or delete it", "empty")
        return None
    if not isinstance(root, yaml.MappingNode):
        binder.problem(root, place, "the file does not hold sections", "start with “schema_version: 1”", "type")
        return None
    return root


def unsafe(text: str) -> tuple[int, str, str] | None:
    """Return line, message and fix for what a playbook does not need and an attacker does: aliases and endless nesting.

    None = there is none of it. Raises YAMLError for what is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            return line, "aliases (*name) are not allowed", "write the value out"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            return line, "nested too deeply", f"use at most {MAX_DEPTH} levels"
    return None
