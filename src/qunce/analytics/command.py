"""Show metrics on the command line: `qunce metrics [ID] --since D --until D --by day|week|group|community --group G --json`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

import msgspec

from qunce.analytics.registry import Metric, MetricError, all_metrics, get_metric
from qunce.analytics.result import Result, Value
from qunce.analytics.tables import CELL_COLUMNS, Params

EPOCH: Final = date(1970, 1, 1).toordinal()
DEFAULT_DAYS: Final = 30
_DAY_COLUMNS: Final = ("day", "week", "cohort", "first_day")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("metric", nargs="?", metavar="ID", help="which metric; without it all are listed with definitions")
    parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="first local day (YYYY-MM-DD)")
    parser.add_argument(
        "--until", type=date.fromisoformat, metavar="DATE", help="last local day; default: the newest day there is"
    )
    parser.add_argument("--by", choices=sorted(CELL_COLUMNS), help="cut the numbers by day, week, group or community")
    parser.add_argument("--group", action="append", metavar="ID|NAME", help="only this group; may be given several times")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace, *, zone: ZoneInfo | None = None, out: TextIO | None = None) -> int:
    """Bring the mirror up to date and print what is asked for; return the exit code.

    `zone` is the organisation's; None = the one of the settings. `out` None = standard output.
    """
    out = out or sys.stdout
    if not args.metric:
        _list(args.json, out)
        return 0
    try:
        result = _compute(args, zone)
    except MetricError as error:
        sys.stderr.write(_explain(error) + "\n")
        return 2
    out.write(_as_json(result) if args.json else _as_text(get_metric(args.metric), result))
    return 0


def _compute(args: Namespace, zone: ZoneInfo | None) -> Result:
    from django.conf import settings
    from django.db import connection

    from qunce.analytics.engine import Engine
    from qunce.analytics.refresh import refresh
    from qunce.journal.mirror import MirrorStore

    metric = get_metric(args.metric)
    store = MirrorStore(Path(settings.DATA_DIR) / "mirror")
    refresh(connection=connection, store=store, zone=zone or ZoneInfo(settings.TIME_ZONE))
    engine = Engine(store)
    newest = None if args.until else engine.newest_day()
    until = _day(args.until or args.since or date(1970, 1, 1)) if newest is None else newest
    since = _day(args.since) if args.since else until - DEFAULT_DAYS + 1
    if since > until:
        raise MetricError("metric.period", since=str(_date(since)), until=str(_date(until)))
    by = (args.by,) if args.by else ()
    groups = _groups(args.group) if args.group else None
    return engine.compute(metric, Params(since_day=since, until_day=until, by=by, group_ids=groups))


def _groups(asked: list[str]) -> frozenset[int]:
    from qunce.readmodels.models import Group

    found: set[int] = set()
    for name in asked:
        rows = Group.objects.filter(pk=int(name)) if name.isdecimal() else Group.objects.filter(name=name)
        ids = list(rows.values_list("id", flat=True))
        if not ids:
            raise MetricError("metric.group", group=name)
        found.update(ids)
    return frozenset(found)


def _explain(error: MetricError) -> str:
    data = error.data
    match error.code:
        case "metric.unknown":
            return f"没有指标 {data['metric']} · no such metric; known: {_listed(data['known'])}"
        case "metric.by":
            return f"指标 {data['metric']} 不能这样细分 · cannot be cut like that; --by: {_listed(data['allowed'])}"
        case "metric.group":
            return f"没有群 {data['group']} · no such group"
        case _:
            return f"起始日 {data['since']} 晚于截止日 {data['until']} · --since is after --until"


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) and value else "–"


def _list(as_json: bool, out: TextIO) -> None:
    metrics = all_metrics()
    if as_json:
        fields = (
            "id", "name_zh", "name_en", "definition_zh", "definition_en", "unit", "denominator", "exclusions_zh",
            "exclusions_en", "version", "by",
        )  # fmt: skip
        listed = [{name: getattr(metric, name) for name in fields} for metric in metrics]
        out.write(msgspec.json.format(msgspec.json.encode(listed), indent=2).decode() + "\n")
        return
    for metric in metrics:
        cuts = " ".join(metric.by) or "–"
        out.write(f"{metric.id}  {metric.name_zh}  {metric.name_en}\n    {metric.definition_zh}\n    --by {cuts}\n")


def _as_json(result: Result) -> str:
    data = {
        "metric": result.metric_id,
        "version": result.version,
        "since": str(_date(result.since_day)),
        "until": str(_date(result.until_day)),
        "by": result.by,
        "unit": result.unit,
        "denominator": result.denominator,
        "mirror_version": result.mirror_version,
        "rows": [{name: _shown(name, value) for name, value in row.items()} for row in result.dicts()],
    }
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def _as_text(metric: Metric, result: Result) -> str:
    head = f"{metric.name_zh} {metric.name_en}  {_date(result.since_day)} – {_date(result.until_day)}  [{metric.unit}]\n"
    lines = ["\t".join(result.columns)]
    lines += ["\t".join(_cell(name, value) for name, value in row.items()) for row in result.dicts()]
    return head + "\n".join(lines) + "\n"


def _cell(name: str, value: Value) -> str:
    shown = _shown(name, value)
    if shown is None:
        return "–"
    return f"{shown:.4g}" if isinstance(shown, float) else str(shown)


def _shown(name: str, value: Value) -> Value:
    return str(_date(value)) if name in _DAY_COLUMNS and isinstance(value, int) else value


def _day(moment: date) -> int:
    return moment.toordinal() - EPOCH


def _date(day: int) -> date:
    return date.fromordinal(day + EPOCH)
