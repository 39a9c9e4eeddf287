"""Add, change, pause and resume channels. Credentials go in and are never shown again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.outbox import queue
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import wiring
from qunce.runtime.live.wiring import BadSettings
from qunce.runtime.models import Channel

MODES: Final = ("simulated", "live")


def do_add_channel(
    *, actor: Staff | None, connector: str, name: str, settings: Mapping[str, Any], mode: str = "simulated",
    clock: Callable[[], int] = now_ms,
) -> int:  # fmt: skip
    """Connect an account and return the channel's id. Raises CommandRefused for bad settings, or an account we have already."""
    parsed = _parsed(connector, settings)
    _check_mode(mode)
    account = str(wiring.KINDS[connector].account(parsed))
    try:
        with transaction.atomic():
            channel = Channel.objects.create(
                connector=connector, account=account, name=name.strip() or account, mode=mode, created_ms=clock(),
                settings=json.dumps(dict(settings), ensure_ascii=False),
            )  # fmt: skip
            audit.record(
                actor=actor, action="channel.add", target_type="channel", target_id=channel.pk,
                after={"connector": connector, "account": account, "mode": mode},
            )  # fmt: skip
    except IntegrityError:
        raise CommandRefused("this account is connected already") from None
    return int(channel.pk)


def do_change_channel(
    *, actor: Staff | None, channel_id: int, name: str | None = None, settings: Mapping[str, Any] | None = None,
    mode: str | None = None, enabled: bool | None = None,
) -> None:  # fmt: skip
    """Change a channel; None leaves a thing as it is. Settings that are left out or empty keep their value.

    Raises CommandRefused for bad settings, another account, or no such channel.
    """
    with transaction.atomic():
        channel = access_channel(channel_id)
        before = {"name": channel.name, "mode": channel.mode, "enabled": channel.enabled}
        if settings is not None:
            merged = {**json.loads(channel.settings or "{}"), **{key: value for key, value in settings.items() if value != ""}}
            parsed = _parsed(channel.connector, merged)
            if str(wiring.KINDS[channel.connector].account(parsed)) != channel.account:
                raise CommandRefused("another account is another channel: add it")
            channel.settings = json.dumps(merged, ensure_ascii=False)
            queue.resume(channel.connector, channel.account)
        if mode is not None:
            _check_mode(mode)
            channel.mode = mode
        channel.name = (name or "").strip() or channel.name
        channel.enabled = channel.enabled if enabled is None else enabled
        channel.revision += 1
        channel.save(update_fields=["name", "settings", "mode", "enabled", "revision"])
        after = {"name": channel.name, "mode": channel.mode, "enabled": channel.enabled, "settings": settings is not None}
        audit.record(
            actor=actor, action="channel.change", target_type="channel", target_id=channel_id, before=before, after=after
        )


def do_pause_channel(*, actor: Staff | None, channel_id: int, reason: str, clock: Callable[[], int] = now_ms) -> None:
    """Let a channel send nothing until `do_resume_channel`; reading goes on and what is due stays due."""
    with transaction.atomic():
        channel = access_channel(channel_id)
        queue.pause(channel.connector, channel.account, reason=reason, now_ms=clock())
        audit.record(actor=actor, action="channel.pause", target_type="channel", target_id=channel_id, after={"reason": reason})


def do_resume_channel(*, actor: Staff | None, channel_id: int) -> None:
    """Let a channel send again."""
    with transaction.atomic():
        channel = access_channel(channel_id)
        queue.resume(channel.connector, channel.account)
        audit.record(actor=actor, action="channel.resume", target_type="channel", target_id=channel_id)


def access_channel(channel_id: int) -> Channel:
    """Return a channel. Raises CommandRefused when there is none of that id."""
    channel = Channel.objects.filter(pk=channel_id).first()
    if channel is None:
        raise CommandRefused(f"no channel {channel_id}")
    return channel


def _parsed(connector: str, settings: Mapping[str, Any]) -> Any:
    try:
        return wiring.parse_settings(connector, settings)
    except BadSettings as error:
        raise CommandRefused(error.reason) from None


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise CommandRefused(f"unknown mode {mode!r}")
