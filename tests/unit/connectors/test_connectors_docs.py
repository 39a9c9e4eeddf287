"""The page about channels says what the connectors declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from qunce import connectors
from qunce.connectors.catalogue import ALL, capabilities_of
from scripts.connector_tables import PAGE, page

FOLDER = Path(connectors.__file__).parent


def test_the_tables_are_those_of_the_connectors() -> None:
    text = PAGE.read_text("utf-8")
    assert text == page(text), "run python scripts/connector_tables.py"


def test_every_folder_is_in_the_catalogue() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/connector.py")}
    assert folders == {one.kind for one in ALL}


def test_a_kind_there_is_not_is_refused() -> None:
    assert capabilities_of("matrix").en == "Matrix"
    with pytest.raises(KeyError):
        capabilities_of("pigeon")
