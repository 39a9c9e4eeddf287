"""`qunce member`: accounts that are one person's, from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from qunce.runtime.cli.main import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("merges", "suggest", "merge", "unmerge", "accept", "refuse", "several"),
        help="merges: list suggestions and links; suggest: look for suggestions; merge A B, unmerge LINK; accept, refuse a "
        "suggestion; several: who is in several groups",
    )  # fmt: skip
    parser.add_argument("what", nargs="*", help="accounts (#number or platform id), a link's id, or a suggestion's number")
    parser.add_argument("--reason", default="", help="why, for the record")
    parser.add_argument("--limit", type=int, default=50, help="rows to list (default: 50)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    from qunce.runtime.identity.commands import MergeRefused

    try:
        found = _ACTIONS[args.action](args)
    except MergeRefused as refused:
        raise UsageError(refused.reason) from refused
    if args.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(args.action, found))
    return 0


def _merges(args: argparse.Namespace) -> dict[str, Any]:
    from qunce.runtime.identity import views

    suggestions, more = views.suggestions(None, limit=max(1, args.limit))
    return {
        "suggestions": [asdict(row) for row in suggestions],
        "more": more,
        "links": [asdict(row) for row in views.links(None, limit=max(1, args.limit))],
    }


def _suggest(_args: argparse.Namespace) -> dict[str, Any]:
    from qunce.runtime.identity import suggest

    return suggest.perform({}, lambda _progress: None)


def _merge(args: argparse.Namespace) -> dict[str, Any]:
    from qunce.runtime.identity.commands import do_link
    from qunce.runtime.identity.views import find_account, link_member

    if len(args.what) != 2:
        raise UsageError("name two accounts: qunce member merge '#12' wm_abc")
    found = [find_account(text) for text in args.what]
    for text, account in zip(args.what, found, strict=True):
        if account is None:
            raise UsageError(f"there is no account {text!r}, or several platforms have one; give its number, as #12")
    first, second = (account[0] for account in found if account is not None)
    link_id = do_link(actor=None, first_id=first, second_id=second, reason=args.reason)
    return {"link": link_id, "member": link_member(link_id)}


def _unmerge(args: argparse.Namespace) -> dict[str, Any]:
    from qunce.runtime.identity.commands import do_unlink

    link_id = _one(args, "a link's id, as `qunce member merges` lists it")
    return {"accounts": list(do_unlink(actor=None, link_id=link_id, reason=args.reason))}


def _accept(args: argparse.Namespace) -> dict[str, Any]:
    from qunce.runtime.identity.commands import do_accept

    return {"link": do_accept(actor=None, suggestion_id=_number(args))}


def _refuse(args: argparse.Namespace) -> dict[str, Any]:
    from qunce.runtime.identity.commands import do_refuse

    number = _number(args)
    do_refuse(actor=None, suggestion_id=number)
    return {"refused": number}


def _several(args: argparse.Namespace) -> dict[str, Any]:
    from qunce.readmodels.selectors.overlap import in_several

    return asdict(in_several(None, size=max(1, args.limit)))


def _one(args: argparse.Namespace, what: str) -> str:
    if len(args.what) != 1:
        raise UsageError(f"name {what}")
    return str(args.what[0])


def _number(args: argparse.Namespace) -> int:
    text = _one(args, "a suggestion's number, as `qunce member merges` lists it")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise UsageError(f"{text!r} is no suggestion's number")
    return int(text)


def _lines(action: str, found: dict[str, Any]) -> list[str]:
    if action == "merges":
        more = ["… and more: --limit"] if found["more"] else []
        return [*map(_suggestion, found["suggestions"]), *more, *map(_link, found["links"])]
    if action == "several":
        rows = [
            f"{row['member_id']}\t{row['name']}\t{row['accounts']}\t{'; '.join(name for _, name in row['groups'])}"
            for row in found["rows"]
        ]
        return [*rows, f"{found['total']:,} of {found['persons']:,} persons are in two groups or more"]
    return [f"{key}: {value}" for key, value in found.items()]


def _suggestion(row: dict[str, Any]) -> str:
    return f"suggestion {row['id']}\t{row['score']:.2f}\t{_side(row['left'])} = {_side(row['right'])}\t{_codes(row)}"


def _link(row: dict[str, Any]) -> str:
    state = "taken back" if row["undone_ms"] else "stands"
    return f"link {row['link_id']}\t{state}\t#{row['a_id']} = #{row['b_id']}\t{_codes(row)}"


def _side(side: dict[str, Any]) -> str:
    return f"#{side['identity_id']} {side['name']} ({side['connector']})"


def _codes(row: dict[str, Any]) -> str:
    return " ".join(f"{name}:{value}" if value else name for name, value in row["evidence"])


_ACTIONS = {
    "merges": _merges, "suggest": _suggest, "merge": _merge, "unmerge": _unmerge, "accept": _accept, "refuse": _refuse,
    "several": _several,
}  # fmt: skip
