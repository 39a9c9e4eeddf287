"""List every kind of live connector with what it can do, for the page that shows it and for the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from qunce.connectors.base import DOING, READING, Ability, Capabilities, How, Quota
from qunce.connectors.dingtalk_robot.connector import CAPABILITIES as DINGTALK_ROBOT
from qunce.connectors.feishu_robot.connector import CAPABILITIES as FEISHU_ROBOT
from qunce.connectors.irc.capabilities import CAPABILITIES as IRC
from qunce.connectors.mail.connector import CAPABILITIES as MAIL
from qunce.connectors.matrix.capabilities import CAPABILITIES as MATRIX
from qunce.connectors.onebot11.capabilities import CAPABILITIES as ONEBOT11
from qunce.connectors.telegram.capabilities import CAPABILITIES as TELEGRAM
from qunce.connectors.webhook_in.capabilities import CAPABILITIES as WEBHOOK_IN
from qunce.connectors.wecom_robot.connector import CAPABILITIES as WECOM_ROBOT

ALL: Final[tuple[Capabilities, ...]] = (
    MATRIX, ONEBOT11, TELEGRAM, IRC, WECOM_ROBOT, DINGTALK_ROBOT, FEISHU_ROBOT, MAIL, WEBHOOK_IN,
)  # fmt: skip

_SIGNS: Final[dict[How, str]] = {"automatic": "yes", "human": "by hand", "impossible": "–"}


def capabilities_of(kind: str) -> Capabilities:
    """Return what a kind of channel can do. Raises KeyError for a kind there is not."""
    return {one.kind: one for one in ALL}[kind]


def written() -> str:
    """Return the tables of docs/connectors.md, between its two marks."""
    return "\n".join((*_table(READING, "What is read"), "", *_table(DOING, "What can be done"), "", *_notes(), "", *_quotas()))


def _table(names: tuple[str, ...], title: str) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield "| | " + " | ".join(one.en for one in ALL) + " |"
    yield "|---" * (len(ALL) + 1) + "|"
    for name in names:
        yield f"| `{name}` | " + " | ".join(_cell(one.ability(name)) for one in ALL) + " |"


def _cell(ability: Ability) -> str:
    return _SIGNS[ability.how] + (" ¹" if ability.en else "")


def _notes() -> Iterator[str]:
    yield "### ¹ What to know"
    for one in ALL:
        notes = [ability for ability in one.abilities if ability.en]
        if not notes and not one.warnings:
            continue
        yield ""
        yield f"**{one.en}** ({one.zh})"
        yield ""
        for ability in notes:
            yield f"- `{ability.name}`: {ability.en}. {ability.zh}。"
        for zh, en in one.warnings:
            yield f"- ⚠ {en} {zh}"


def _quotas() -> Iterator[str]:
    yield "### Quotas"
    yield ""
    yield "| channel | what | limit | read in | source |"
    yield "|---|---|---|---|---|"
    for one in ALL:
        for quota in one.quotas:
            yield f"| {one.en} | `{quota.name}` | {_limit(quota)} | {quota.stated} | {quota.source} |"


def _limit(quota: Quota) -> str:
    about = "" if quota.is_certain else "about "
    return f"{about}{quota.limit} in {quota.per_s} s, per {quota.scope}"
