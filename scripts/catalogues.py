"""Keep the English message catalogue in step with the sources, whose texts are Chinese.

    .venv/bin/python scripts/catalogues.py            collect new texts, drop unused ones, compile
    .venv/bin/python scripts/catalogues.py --check    change nothing; exit 1 and name what is missing or stale

Texts come from `gettext` calls in Python and from `_()` and `{% trans %}` in Jinja templates, of every package. A text is
complete when it has an English one that is not marked fuzzy and names the same placeholders.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "qunce"
CATALOGUE = SOURCES / "console" / "locale" / "en" / "LC_MESSAGES" / "django.po"
METHODS = [("**/jinja2/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/jinja2/**.html": {"extensions": "jinja2.ext.do,jinja2.ext.loopcontrols", "silent": "false", "encoding": "utf-8"}}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)|\{(\w*)\}|%[sd]")


def main() -> int:
    """Return the exit code: 0 when the catalogue is complete, else 1 after naming each lack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    count, lacks = step(check=parser.parse_args().check)
    for lack in lacks:
        sys.stdout.write(f"{lack}\n")
    sys.stdout.write(f"{count} texts, {len(lacks)} lacks\n")
    return 1 if lacks else 0


def step(*, check: bool) -> tuple[int, list[str]]:
    """Collect and write, or only compare; return the number of texts and what is lacking."""
    catalogue, before = _stored()
    catalogue.update(_collected(), no_fuzzy_matching=True, update_creation_date=False)
    lacks = list(_lacks(catalogue))
    if check:
        lacks += (
            ["texts were added or removed since the last run of scripts/catalogues.py"]
            if _ids(before) != _ids(catalogue)
            else []
        )
        lacks += ["django.mo is older than django.po"] if _compiled(catalogue) != _bytes(CATALOGUE.with_suffix(".mo")) else []
    else:
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_bytes(_written(catalogue))
        CATALOGUE.with_suffix(".mo").write_bytes(_compiled(catalogue))
    return len(catalogue), lacks


def _stored() -> tuple[Catalog, Catalog]:
    """Return the stored catalogue twice: one to be updated, one to compare with."""
    text = _bytes(CATALOGUE)
    if not text:
        return _empty(), _empty()
    return read_po(io.BytesIO(text), locale="en"), read_po(io.BytesIO(text), locale="en")


def _empty() -> Catalog:
    return Catalog(locale="en", project="qunce", charset="utf-8", fuzzy=False)


def _collected() -> Catalog:
    """Return a catalogue of every text in the sources, without translations."""
    found = _empty()
    for path, line, ids, comments, context in extract_from_dir(
        str(SOURCES), METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        found.add(ids, None, [(path, line)], auto_comments=comments, context=context)
    return found


def _written(catalogue: Catalog) -> bytes:
    """Return the catalogue as text. Without line numbers it changes only when a text does."""
    out = io.BytesIO()
    write_po(out, catalogue, width=120, ignore_obsolete=True, sort_output=True, include_lineno=False)
    return out.getvalue()


def _compiled(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _ids(catalogue: Catalog) -> set[tuple[object, object]]:
    return {(message.id, message.context) for message in catalogue if message.id}


def _lacks(catalogue: Catalog) -> Iterator[str]:
    for message in catalogue:
        if not message.id:
            continue
        original, *_ = ids = _forms(message.id)
        translations = _forms(message.string)
        where = message.locations[0][0] if message.locations else "?"
        if not all(translations):
            yield f"untranslated: {original!r} ({where})"
        elif message.fuzzy:
            yield f"fuzzy: {original!r} ({where})"
        elif _placeholders(ids[-1]) != _placeholders(translations[-1]):
            yield f"other placeholders: {original!r} ({where})"


def _forms(text: object) -> tuple[str, ...]:
    """Return singular and plural, or the one form there is, as Babel gives them: a string, a sequence, or None."""
    if isinstance(text, list | tuple):
        return tuple(str(form or "") for form in text)
    return (str(text or ""),)


def _placeholders(text: str) -> list[str]:
    return sorted(match.group(0) for match in _PLACEHOLDER.finditer(text))


if __name__ == "__main__":
    sys.exit(main())
