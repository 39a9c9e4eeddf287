"""Read what a few subjects are and did as of now: from the mirror, the read models since, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from django.db.backends.base.base import BaseDatabaseWrapper

from qunce.analytics.columns import Ints, read_columns, restrict, statements
from qunce.analytics.refresh import CURRENCY, SOURCES, fact_sql, kinds_left_out
from qunce.analytics.segments.one import Key, Known, read_subjects
from qunce.analytics.segments.profiles import read_profiles
from qunce.analytics.segments.run import FACTS, SegmentEngine
from qunce.analytics.traits import with_traits
from qunce.playbook.schema.segments import Subject

_LAST: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom to read. `members` for members and memberships. Days: the first local day whose facts matter; None = all."""

    members: Collection[int] = ()
    groups: Collection[int] = ()
    first_day: int | None = None


class Reader:
    """Reads subjects over one connection and one mirror."""

    def __init__(self, connection: BaseDatabaseWrapper, engine: SegmentEngine, zone: ZoneInfo, currency: str) -> None:
        """`currency` is the organisation's: amounts in others do not count."""
        self._connection, self._engine, self._zone, self._currency = connection, engine, zone, currency

    def read(self, kinds: Mapping[Subject, Asked]) -> dict[Subject, Known]:
        """Return the subjects of these kinds that count, with what they did. Kinds asked alike are read once."""
        found: dict[Subject, Known] = {}
        for asked in dict.fromkeys(kinds.values()):
            rows = self._rows(asked)
            for of, wanted in kinds.items():
                if wanted == asked:
                    found[of] = read_subjects(of, rows, self._currency)
        return found

    def _rows(self, asked: Asked) -> dict[str, list[dict[str, Any]]]:
        accounts = self._accounts(asked.members)
        facts = self._facts(accounts, asked)
        met = {row[name] for row in facts for name in ("actor", "peer")} | set(accounts)
        groups = {row["group_id"] for row in facts} | set(asked.groups)
        groups |= self._groups_of(accounts)
        profiles = read_profiles(
            self._connection, self._zone, kinds_left_out(), CURRENCY[self._connection.vendor], members=asked.members,
            accounts=accounts, holders=accounts or (0,), groups=groups if asked.members else asked.groups,
        )  # fmt: skip
        profiles["member_profiles"] = with_traits(profiles["member_profiles"], self._engine.store)
        sql = restrict(statements("dimensions")["exceptions"].replace("{not_members}", kinds_left_out()), accounts=met - {0})
        return {
            "facts": facts,
            "exceptions": _dicts(read_columns(self._connection, sql, ("identity_id", "member_id", "excluded"))),
            "groups": self._not_groups(groups),
            **{name: table.to_pylist() for name, table in profiles.items()},
        }

    def _facts(self, accounts: Collection[int], asked: Asked) -> list[dict[str, Any]]:
        rows, cursors = self._engine.facts_about(accounts, asked.groups, asked.first_day)
        for source in SOURCES:
            sql = fact_sql(source).replace("{after}", str(cursors.get(source, 0))).replace("{upto}", str(_LAST))
            columns = read_columns(self._connection, sql, (*FACTS, "reply_to"))
            about = np.isin(columns["actor"], list(accounts)) | np.isin(columns["peer"], list(accounts))
            about |= np.isin(columns["group_id"], list(asked.groups))
            rows += _dicts({name: values[about] for name, values in columns.items()})
        return rows

    def _accounts(self, members: Collection[int]) -> list[int]:
        return self._ids(f"select id from identity where member_id in ({_listed(members)})") if members else []

    def _groups_of(self, accounts: Collection[int]) -> set[int]:
        sql = f"select distinct group_id as id from membership where identity_id in ({_listed(accounts)})"
        return set(self._ids(sql)) if accounts else set()

    def _not_groups(self, groups: Collection[int]) -> list[dict[str, Any]]:
        if not groups:
            return []
        found = self._ids(f"select id from chat_group where kind <> 'group' and id in ({_listed(groups)})")
        return [{"group_id": group_id, "kind": "other"} for group_id in found]

    def _ids(self, sql: str) -> list[int]:
        return [int(number) for number in read_columns(self._connection, sql, ("id",))["id"]]


def asked_of(of: Subject, keys: Collection[Key], first_day: int | None) -> Asked:
    """Return what to read for subjects of one kind."""
    subjects = tuple(sorted({key[0] for key in keys}))
    return Asked(groups=subjects, first_day=first_day) if of == "group" else Asked(members=subjects, first_day=first_day)


def _listed(ids: Collection[int]) -> str:
    return ", ".join(str(int(number)) for number in ids)


def _dicts(columns: Mapping[str, Ints]) -> list[dict[str, Any]]:
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*(values.tolist() for values in columns.values()), strict=True)]
