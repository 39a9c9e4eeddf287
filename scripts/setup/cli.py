"""`bootstrap.py run` and `bootstrap.py test`: the arguments, and what follows from them."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.setup.compiling import remove_stale
from scripts.setup.environment import ROOT, SetupError, ensure, main_environment
from scripts.setup.preflight import check_port, check_writable


def main(argv: Sequence[str]) -> int:
    """Return the exit code: 0 well, 1 something is missing or a check failed, 2 wrong usage."""
    arguments, rest = _parser().parse_known_args(argv)
    try:
        if arguments.command == "run":
            return _run(arguments, rest)
        if arguments.command == "setup":
            ensure(main_environment(arguments.level), _say)
            return 0
        if arguments.command == "compile":
            return _compile(arguments)
        return _test(arguments, rest)
    except SetupError as error:
        sys.stderr.write(f"bootstrap: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up 群策 and run it, or run its checks.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="set up, make a demonstration community and start the console")
    run.add_argument("--data", type=Path, default=ROOT / "data", metavar="DIR", help="where everything is kept (./data)")
    run.add_argument("--port", type=int, default=8000, metavar="N", help="port of the console on 127.0.0.1 (8000)")
    run.add_argument("--no-demo", action="store_true", help="start without a demonstration community")
    run.add_argument("--no-serve", action="store_true", help="prepare everything, but start no server")
    test = commands.add_parser("test", help="run all checks; further arguments go to pytest")
    test.add_argument("--deep", action="store_true", help="run what is heavy to install or slow instead")
    test.add_argument("--only", nargs="+", metavar="CHECK", default=[], help="run only these checks, by their short names")
    setup = commands.add_parser("setup", help="only make or mend the private environment")
    setup.add_argument("level", nargs="?", choices=("run", "test", "deep"), default="run")
    compiled = commands.add_parser("compile", help="compile the decision core, to decide faster (needs a C compiler)")
    compiled.add_argument("--remove", action="store_true", help="take the compiled modules away again")
    return parser


def _compile(arguments: argparse.Namespace) -> int:
    from scripts.setup import compiling

    if arguments.remove:
        _say(f"took {compiling.remove()} compiled files away")
    else:
        _say(f"compiled {compiling.compile_engine(_say)} modules; restart the server to use them")
    return 0


def _run(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    data = arguments.data.expanduser().resolve()
    check_writable(data)
    if not arguments.no_serve:
        check_port(arguments.port)
    python = str(ensure(main_environment("run"), _say))
    remove_stale(_say)
    flags = [f"--{name.replace('_', '-')}" for name in ("no_demo", "no_serve") if getattr(arguments, name)]
    command = [python, "-m", "qunce.runtime.cli", "run", "--data", str(data), "--port", str(arguments.port), *flags, *rest]
    os.execv(python, command)


def _test(arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    # Only here: a start must not pay for reading the checks.
    from scripts.setup.checks import all_checks
    from scripts.setup.runner import run_checks

    python = ensure(main_environment("deep" if arguments.deep else "test"), _say)
    checks = all_checks(python, deep=arguments.deep, pytest_arguments=rest)
    unknown = set(arguments.only) - {check.name for check in checks}
    if unknown:
        raise SetupError(f"no such check: {', '.join(sorted(unknown))}; mend: use {', '.join(check.name for check in checks)}")
    return run_checks([check for check in checks if not arguments.only or check.name in arguments.only])


def _say(line: str) -> None:
    sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()
