"""Carry out what a form asks for, and tell its reader how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages

from qunce.accounts.access import can
from qunce.console import asked
from qunce.console.live_labels import refused
from qunce.runtime.commands import CommandRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


def out(request: HttpRequest, command: Callable[[], object], done: str) -> bool:
    """Call `command`; the next page says `done`, or why it was refused. Return whether it was done."""
    try:
        command()
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
        return False
    messages.success(request, done)
    return True


def may_teach(request: HttpRequest) -> bool:
    """Return whether the reader may teach: a model judges in every group, so only those who see every group may change it."""
    return can(asked.staff_of(request), "case.teach") and asked.visible(request) is None
