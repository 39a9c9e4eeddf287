"""`qunce run`: make the data folder and the demonstration, then serve the console."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from importlib import import_module

from qunce.runtime.cli.main import UsageError

LOOPS = ("channels", "react")
"""Parts that run without the console: `channels` connects, takes in and delivers, `react` decides."""
BACKGROUND = "background"
"""Jobs, mirror, segments and figures. The console starts such a process beside itself; it waits where one works already."""
SWITCH_S = 0.0005
"""How long a thread that computes may keep the interpreter from one that waits for it.

Deciding gives it away for each look into the automata and the database; with Python's own 5 ms, a metric computed in another
thread made each message wait that long, several times.
"""
DEMO = {"groups": 24, "members": 3_000, "days": 120, "seed": 2026}
"""Size of the demonstration community: about 110,000 events, a few seconds to make."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
    parser.add_argument("--no-demo", action="store_true", help="start empty instead of with a demonstration community")
    parser.add_argument("--no-serve", action="store_true", help="set up everything, then stop")
    parser.add_argument(
        "--only", choices=("console", *LOOPS, BACKGROUND),
        help="run one part alone, beside other processes on the same PostgreSQL database",
    )  # fmt: skip
    parser.add_argument("--with-server", action="store_true", help="with --only background: end when the standard input does")


def run(args: argparse.Namespace) -> int:
    if args.only in LOOPS:
        sys.setswitchinterval(SWITCH_S)
        return _loop_alone(args.only)
    if args.only == BACKGROUND:
        return _background(with_server=args.with_server)
    if not args.no_serve:
        _check_port(args.host, args.port)
    if not args.no_demo:
        make_demo()
    sys.setswitchinterval(SWITCH_S)
    login = _first_login()
    address = f"http://{args.host}:{args.port}/"
    if args.no_serve:
        sys.stdout.write(f"Ready. Start the console with: ./qunce run --port {args.port}\n" + login)
        return 0
    sys.stdout.write(f"群策 is at {address}\n" + login)
    sys.stdout.flush()
    _serve(args.host, args.port, loops=args.only is None)
    return 0


def _loop_alone(name: str) -> int:
    from qunce.runtime.live import workers

    _say(name)
    asyncio.run(workers.alone(getattr(workers, name)))
    return 0


def _background(*, with_server: bool) -> int:
    from qunce.runtime.background import process

    if not with_server:
        _say(BACKGROUND)
    process.run(with_server=with_server)
    return 0


def _say(name: str) -> None:
    sys.stdout.write(f"群策 runs {name} here; stop with Ctrl+C\n")
    sys.stdout.flush()


def make_demo() -> None:
    """Fill an empty journal with the simulated community. Does nothing when there is anything in it."""
    from tqdm import tqdm

    from qunce.runtime.clock import now_ms
    from qunce.runtime.ingest import Ingest, batches
    from qunce.runtime.mirror import refresh

    ingest = Ingest()
    if ingest.journal.head():
        return
    simulate = import_module("qunce.testing.simulator").simulate
    sys.stdout.write("Making a demonstration community (leave it out with --no-demo) …\n")
    sys.stdout.flush()
    with tqdm(unit=" events", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        for chunk in batches(simulate(end_ms=now_ms(), **DEMO), 8_000):
            ingest.take(chunk)
            bar.update(len(chunk))
    ingest.settle()
    refresh()


def _first_login() -> str:
    from qunce.accounts.staff import create_first_admin

    made = create_first_admin()
    if made is None:
        return "Sign in with your account (forgot the password? ./qunce staff password NAME)\n"
    return f"First login: {made[0]}   password: {made[1]}   (shown only now; change it under your name)\n"


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port") from error


def _serve(host: str, port: int, *, loops: bool) -> None:
    import uvicorn
    from django.conf import settings

    if not loops:
        settings.WORKERS = [name for name in settings.WORKERS if ".live." not in name]
    uvicorn.run(
        "qunce.config.asgi:application", host=host, port=port, log_level="warning", timeout_graceful_shutdown=3,
        proxy_headers=settings.BEHIND_PROXY, server_header=False, lifespan="on",
    )  # fmt: skip
