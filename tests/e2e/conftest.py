"""The one way in which tests in a browser come by a console."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.e2e.consoles import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.e2e.consoles import Console, Starter


@pytest.fixture(scope="module")
def start_console(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Starter]:
    """Start consoles that end with the module."""
    with ExitStack() as started:

        def start(name: str, seed: str = "") -> Console:
            return started.enter_context(running(tmp_path_factory.mktemp(name), seed, chromium))

        yield start
