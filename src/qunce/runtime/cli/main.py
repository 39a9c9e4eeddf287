"""Choose the command, the data folder and the language of errors, then hand over."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """A command: a module with `add_arguments(parser)` and `run(args) -> int`."""

    module: str
    help: str
    database: bool = True
    """Whether Django and an up-to-date database are made ready before `run`."""
    only_with: str = ""
    """An argument without which no database is needed after all; empty = it always is."""


COMMANDS: Final[dict[str, Command]] = {
    "run": Command("qunce.runtime.cli.run", "start the console · 启动控制台"),
    "import": Command("qunce.runtime.cli.importing", "import chat exports and orders · 导入聊天记录与订单"),
    "metrics": Command("qunce.analytics.command", "list metrics, or compute one · 指标", only_with="metric"),
    "playbook": Command("qunce.runtime.cli.playbooks", "check, explain, diff, export, import playbooks · 规则手册"),
    "replay": Command("qunce.runtime.cli.replaying", "run a playbook over the past · 回放"),
    "segment": Command("qunce.runtime.cli.segments", "who belongs to a segment, and why · 分群"),
    "member": Command("qunce.runtime.cli.members", "merge and part accounts of one person · 身份合并"),
    "rebuild": Command("qunce.runtime.cli.rebuilding", "fold the journal again and compare · 重建并核对"),
    "staff": Command("qunce.runtime.cli.staff", "add staff, set a password · 员工账号"),
    "secrets": Command("qunce.runtime.cli.keys", "check stored secrets, give them a new key · 密钥"),
    "simulate": Command("qunce.testing.simulator.command", "make a believable community · 模拟社群", database=False),
    "bench": Command("qunce.runtime.bench.command", "measure speed and memory · 基准测试", database=False),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 done with something to look at, 2 not done."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="qunce", description="群策: community operations · 社群运营")
    parser.add_argument("--data", metavar="DIR", help="data folder (default: ./data, or $QUNCE_DATA)")
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    chosen = next((word for word in words if word in COMMANDS), None)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        sub.add_argument("--data", metavar="DIR", default=argparse.SUPPRESS, help="data folder")
        if name == chosen:
            import_module(command.module).add_arguments(sub)
    args = parser.parse_args(words)
    if args.version:
        from qunce import __version__

        sys.stdout.write(f"qunce {__version__}\n")
        return 0
    if args.command is None:
        parser.print_help()
        return 2
    return _run(COMMANDS[args.command], args)


def _run(command: Command, args: argparse.Namespace) -> int:
    try:
        # A command line talks to a person; the log is for what went wrong.
        os.environ.setdefault("QUNCE_LOG_LEVEL", "WARNING")
        if args.data:
            os.environ["QUNCE_DATA"] = str(Path(args.data).expanduser().resolve())
        if command.database and (not command.only_with or getattr(args, command.only_with)):
            make_ready()
        return int(import_module(command.module).run(args))
    except KeyboardInterrupt:
        sys.stderr.write("\nqunce: stopped; what was stored stays, and starting again goes on from there\n")
        return 130
    except BrokenPipeError:
        # The reader of a pipe left, as `head` does; give the interpreter nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UsageError as error:
        sys.stderr.write(f"qunce: {error}\n")
        return 2


class UsageError(Exception):
    """Something the person can mend; its text is one line that says what is wrong and what to do."""


def make_ready() -> None:
    """Start Django and bring the database's tables up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunce.config.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        import_module("qunce.runtime.organisation").fix_zone()
    except OperationalError as error:
        raise UsageError(f"the database cannot be opened ({error}); check the data folder's rights or DATABASE_URL") from error
