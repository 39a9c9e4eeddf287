"""Show the channels: whether each is up, what is automatic, what a person must tap, what is impossible."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from qunce.connectors.base import Ability, Quota
from qunce.outbox.models import OPEN, Delivery, Pause
from qunce.runtime.live import wiring
from qunce.runtime.live.wiring import SettingField
from qunce.runtime.models import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel in a list."""

    channel_id: int
    connector: str
    title: tuple[str, str]
    """Name of its kind: (zh, en)."""
    account: str
    name: str
    mode: str
    enabled: bool
    status: str
    code: str
    status_ms: int | None
    heard_ms: int | None
    away_ms: int | None
    """When it went down the last time; None = it never did."""
    back_ms: int | None
    """When it came back; None = it has not."""
    paused: str | None
    """Why it may not send; None = it may."""
    waiting: int
    """Deliveries that still need something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDetail:
    """All there is to a channel but its secrets."""

    row: ChannelRow
    automatic: tuple[Ability, ...]
    human: tuple[Ability, ...]
    impossible: tuple[Ability, ...]
    quotas: tuple[Quota, ...]
    idempotent: bool
    catches_up: bool
    """What happened while it was away is read afterwards."""
    warnings: tuple[tuple[str, str], ...]
    """(zh, en)"""
    settings: Mapping[str, object]
    """What it is connected with; secrets are left out."""
    fields: tuple[SettingField, ...]
    deliveries: Mapping[str, int]
    """How many deliveries stand in each state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """A kind of channel that can be connected."""

    connector: str
    title: tuple[str, str]
    fields: tuple[SettingField, ...]
    warnings: tuple[tuple[str, str], ...]
    sends_only: bool


def channel_list() -> tuple[ChannelRow, ...]:
    """Return the channels by name. Three queries."""
    rows = list(Channel.objects.defer("settings").order_by("name", "pk"))
    pauses = {(pause.connector, pause.account): pause.reason for pause in Pause.objects.all()}
    counted = Delivery.objects.filter(state__in=OPEN).values_list("connector", "account").annotate(n=Count("pk"))
    open_counts = {(connector, account): n for connector, account, n in counted}
    return tuple(_row(row, pauses.get((row.connector, row.account)), open_counts) for row in rows)


def channel_detail(channel_id: int) -> ChannelDetail | None:
    """Return a channel; None = there is none of that id."""
    row = next((row for row in channel_list() if row.channel_id == channel_id), None)
    if row is None:
        return None
    capabilities = wiring.KINDS[row.connector].capabilities
    stored = json.loads(Channel.objects.values_list("settings", flat=True).get(pk=channel_id) or "{}")
    secrets = {one.name for one in wiring.setting_fields(row.connector) if one.secret}
    mine = Delivery.objects.filter(connector=row.connector, account=row.account)
    hows = ("automatic", "human", "impossible")
    by_how = {how: tuple(one for one in capabilities.abilities if one.how == how) for how in hows}
    return ChannelDetail(
        row=row,
        automatic=by_how["automatic"],
        human=by_how["human"],
        impossible=by_how["impossible"],
        quotas=capabilities.quotas,
        idempotent=capabilities.idempotent == "yes",
        catches_up=capabilities.ability("catch_up").how == "automatic",
        warnings=capabilities.warnings,
        settings={name: value for name, value in stored.items() if name not in secrets},
        fields=wiring.setting_fields(row.connector),
        deliveries=dict(mine.values_list("state").annotate(n=Count("pk"))),
    )


def kinds() -> tuple[KindRow, ...]:
    """Return the kinds of channels that can be connected."""
    return tuple(
        KindRow(
            connector=name,
            title=(kind.capabilities.zh, kind.capabilities.en),
            fields=wiring.setting_fields(name),
            warnings=kind.capabilities.warnings,
            sends_only=kind.capabilities.ability("message.read").how != "automatic",
        )
        for name, kind in wiring.KINDS.items()
    )


def _row(row: Channel, paused: str | None, open_counts: Mapping[tuple[str, str], int]) -> ChannelRow:
    capabilities = wiring.KINDS[row.connector].capabilities
    return ChannelRow(
        channel_id=row.pk, connector=row.connector, title=(capabilities.zh, capabilities.en), account=row.account,
        name=row.name,
        mode=row.mode, enabled=row.enabled, status=row.status, code=row.code, status_ms=row.status_ms, heard_ms=row.heard_ms,
        away_ms=row.away_ms, back_ms=row.back_ms,
        paused=paused, waiting=open_counts.get((row.connector, row.account), 0),
    )  # fmt: skip
