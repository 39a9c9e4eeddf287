"""`qunce playbook check|explain|diff|export|import|list`"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.wording.chinese import problem_line
from qunce.runtime.cli.main import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "In the console every part has a form, with a trial: 规则 → 草稿 (/playbook/edit); docs/playbook.md."
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    source = "folder, number of a published version, or gallery:NAME"
    check = tasks.add_parser("check", help="name every mistake with file, line and mend")
    check.add_argument("playbook", metavar="DIR", help=source)
    check.add_argument("--json", action="store_true", help="print the problems as JSON, in English")
    check.add_argument("--language", choices=("zh", "en"), default="en", help="of the mistakes and their mends")
    explain = tasks.add_parser("explain", help="say in words what it does")
    explain.add_argument("playbook", metavar="DIR", help=source)
    explain.add_argument("--language", choices=("zh", "en"), default="zh")
    explain.add_argument("--rules", action="store_true", help="only the group rules that members read")
    diff = tasks.add_parser("diff", help="compare two playbooks part by part")
    diff.add_argument("old", metavar="OLD", help=source)
    diff.add_argument("new", metavar="NEW", help=source)
    diff.add_argument("--json", action="store_true", help="print the changes as JSON")
    export = tasks.add_parser("export", help="write a published version, or one of the gallery, into a folder")
    export.add_argument("playbook", metavar="VERSION", help=source)
    export.add_argument("folder", metavar="DIR", type=Path, help="folder to write; must be empty or new")
    take = tasks.add_parser("import", help="check a folder and publish it as the next version")
    take.add_argument("playbook", metavar="DIR", help=source)
    take.add_argument("--reason", required=True, help="why; shown in the list of versions")
    tasks.add_parser("list", help="published versions, and the gallery")


def run(args: argparse.Namespace) -> int:
    """Do one task; return 1 when two playbooks differ, 2 when one cannot be used."""
    tasks = {"check": _check, "explain": _explain, "diff": _diff, "export": _export, "import": _import, "list": _list}
    try:
        return tasks[args.task](args)
    except InvalidPlaybook as error:
        if args.task == "check" and args.json:
            _print_json([{name: getattr(problem, name) for name in problem.__struct_fields__} for problem in error.problems])
        else:
            chinese = getattr(args, "language", "en") == "zh" and args.task == "check"
            sys.stderr.write("".join(f"{problem_line(problem) if chinese else problem}\n" for problem in error.problems))
            sys.stderr.write(f"共 {len(error.problems)} 处\n" if chinese else f"{len(error.problems)} problem(s)\n")
        return 2


def _files(source: str) -> dict[str, str]:
    from qunce.runtime.replay.service import ReplayRefused, files_of

    try:
        return files_of(source)
    except ReplayRefused as error:
        raise UsageError(str(error)) from error


def _check(args: argparse.Namespace) -> int:
    from qunce.playbook.load import parse

    loaded = parse(_files(args.playbook))
    book = loaded.playbook
    if args.json:
        _print_json([])
        return 0
    sys.stdout.write(
        f"{book.playbook.title} {loaded.version}: {len(book.rules)} rules, {len(book.answers)} answer rules, "
        f"{sum(len(lexicon.terms) for lexicon in book.lexicons):,} terms; all is well\n"
    )
    return 0


def _explain(args: argparse.Namespace) -> int:
    from qunce.playbook.explain import explain, group_rules
    from qunce.playbook.load import parse

    playbook = parse(_files(args.playbook)).playbook
    sys.stdout.write(group_rules(playbook) if args.rules else explain(playbook, args.language))
    return 0


def _diff(args: argparse.Namespace) -> int:
    import msgspec

    from qunce.playbook.diff import diff
    from qunce.playbook.load import parse

    changes = diff(parse(_files(args.old)).playbook, parse(_files(args.new)).playbook)
    if args.json:
        _print_json(msgspec.to_builtins(changes))
        return 1 if changes else 0
    for change in changes:
        place = ".".join(word for word in (change.section, change.item_id, change.key) if word)
        what = {"added": f"+ {place}: {change.new}", "removed": f"- {place}: {change.old}"}
        sys.stdout.write(what.get(change.kind, f"~ {place}: {change.old} → {change.new}").removesuffix(": None") + "\n")
    sys.stdout.write(f"{len(changes)} change(s)\n")
    return 1 if changes else 0


def _export(args: argparse.Namespace) -> int:
    folder: Path = args.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; name a new folder")
    files = _files(args.playbook)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    sys.stdout.write(f"{len(files)} files in {folder}\n")
    return 0


def _import(args: argparse.Namespace) -> int:
    from qunce.runtime.commands import CommandRefused
    from qunce.runtime.live.playbooks import do_publish

    try:
        number = do_publish(actor=None, files=_files(args.playbook), reason=args.reason)
    except CommandRefused as error:
        raise UsageError(error.reason) from error
    sys.stdout.write(f"version {number} is in force\n")
    return 0


def _list(_args: argparse.Namespace) -> int:
    from qunce.playbook import gallery
    from qunce.runtime.models import PlaybookVersion

    for version in PlaybookVersion.objects.defer("files").order_by("-number"):
        sys.stdout.write(f"{version.number}-{version.content_hash[:8]}  {version.reason}\n")
    for name in gallery.names():
        sys.stdout.write(f"gallery:{name}  {gallery.load(name).playbook.playbook.title}\n")
    return 0


def _print_json(data: object) -> None:
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
