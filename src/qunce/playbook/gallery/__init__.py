"""Playbooks that can be used as they are, one folder each; every rule observes until somebody decides otherwise.

What stands in `common` is part of each of them.
"""

from __future__ import annotations

from importlib.resources import as_file, files

from qunce.playbook.load import Loaded, parse, read_folder


def names() -> tuple[str, ...]:
    """Return the names of the playbooks of the gallery."""
    return tuple(
        sorted(item.name for item in files("qunce.playbook.gallery").iterdir() if item.joinpath("playbook.yaml").is_file())
    )


def texts(name: str) -> dict[str, str]:
    """Return the files of a playbook, to be copied. Raises KeyError for an unknown name."""
    if name not in names():
        raise KeyError(name)
    with as_file(files("qunce.playbook.gallery").joinpath(name)) as folder:
        return {**profile(), **_folder("common"), **read_folder(folder)}


def load(name: str) -> Loaded:
    """Return a playbook of the gallery. Raises KeyError for an unknown name."""
    return parse(texts(name))


def segments() -> dict[str, str]:
    """Return the file of example segments, to be added to a playbook."""
    return _folder("segments")


def tiers() -> dict[str, str]:
    """Return the file of tiers that hold where a playbook has none of its own, to be added to one that shall change them."""
    return _folder("tiers")


def profile() -> dict[str, str]:
    """Return the files of attributes and tags: part of every playbook of the gallery, and in force where one has none."""
    return _folder("profile")


def _folder(name: str) -> dict[str, str]:
    with as_file(files("qunce.playbook.gallery").joinpath(name)) as folder:
        return read_folder(folder)
