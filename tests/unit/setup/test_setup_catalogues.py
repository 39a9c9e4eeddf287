"""The English catalogue: texts of both languages of source are collected, and every lack is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts import catalogues

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = 'from django.utils.translation import gettext as _, ngettext\n_("保存")\nngettext("%(n)d 个群", "%(n)d 个群", 2)\n'
PAGE = '<h1>{{ _("成员") }}</h1>{% trans name=x %}你好，{{ name }}{% endtrans %}'
ENGLISH = {"保存": "Save", "成员": "Members", "你好，%(name)s": "Hello, %(name)s"}


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "jinja2" / "console").mkdir(parents=True)
    (tmp_path / "views.py").write_text(PYTHON, "utf-8")
    (tmp_path / "jinja2" / "console" / "page.html").write_text(PAGE, "utf-8")
    monkeypatch.setattr(catalogues, "SOURCES", tmp_path)
    monkeypatch.setattr(catalogues, "CATALOGUE", tmp_path / "locale" / "django.po")
    return tmp_path


def _translate(english: dict[str, str]) -> None:
    """Fill the catalogue as a translator does, and compile it."""
    text = catalogues.CATALOGUE.read_text("utf-8")
    for chinese, translation in english.items():
        text = text.replace(f'msgid "{chinese}"\nmsgstr ""', f'msgid "{chinese}"\nmsgstr "{translation}"')
    plural = 'msgstr[0] ""\nmsgstr[1] ""'
    assert plural in text
    text = text.replace(plural, 'msgstr[0] "%(n)d group"\nmsgstr[1] "%(n)d groups"')
    catalogues.CATALOGUE.write_text(text, "utf-8")
    catalogues.step(check=False)


def test_a_new_text_is_named_until_it_has_its_english(sources: Path) -> None:
    count, lacks = catalogues.step(check=False)
    assert count == len(lacks) == 4
    _translate(ENGLISH)
    assert catalogues.step(check=True) == (4, [])
    (sources / "more.py").write_text('_("退出")\n', "utf-8")
    assert catalogues.step(check=True)[1][0] == "untranslated: '退出' (more.py)"


def test_a_check_changes_nothing(sources: Path) -> None:
    catalogues.step(check=True)
    assert not catalogues.CATALOGUE.exists()


def test_a_text_that_is_gone_makes_the_catalogue_stale(sources: Path) -> None:
    catalogues.step(check=False)
    _translate(ENGLISH)
    (sources / "jinja2" / "console" / "page.html").write_text("", "utf-8")
    assert any("added or removed" in lack for lack in catalogues.step(check=True)[1])
    assert catalogues.step(check=False) == (2, [])
    assert catalogues.step(check=True) == (2, [])


def test_a_translation_must_keep_the_placeholders(sources: Path) -> None:
    catalogues.step(check=False)
    _translate(ENGLISH | {"你好，%(name)s": "Hello, %(nmae)s"})
    assert catalogues.step(check=True)[1] == ["other placeholders: '你好，%(name)s' (jinja2/console/page.html)"]


def test_a_translation_that_was_not_compiled_is_named(sources: Path) -> None:
    catalogues.step(check=False)
    _translate(ENGLISH)
    text = catalogues.CATALOGUE.read_text("utf-8")
    catalogues.CATALOGUE.write_text(text.replace("Save", "Keep"), "utf-8")
    assert catalogues.step(check=True)[1] == ["django.mo is older than django.po"]
