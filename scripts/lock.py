"""Turn requirements/*.in into hashed requirement files that install on every supported Python and system.

    python3 scripts/lock.py              keep the pins there are, add what is new
    python3 scripts/lock.py --upgrade    take the newest versions the .in files allow

Needs uv (on PATH or in .venv). The files hold versions and hashes only, no addresses, so that a mirror serves as well.
"""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LEVELS = ("run", "test", "deep")
APART = ("synapse", "tool", "compile")
OLDEST_PYTHON = "3.11"
_PIN = re.compile(r"^([a-zA-Z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def main(arguments: list[str]) -> None:
    """Write every file, each level bound to the pins of the one below; raise when a level left them."""
    for name in (*LEVELS, *APART):
        below = LEVELS[LEVELS.index(name) - 1] if name in LEVELS[1:] else None
        _compile(name, below, arguments)
    for lower, upper in pairwise(LEVELS):
        strays = pins(lower) - pins(upper)
        if strays:
            raise SystemExit(f"{upper}.txt does not hold what {lower}.txt pins: {sorted(strays)}")


def pins(name: str) -> set[tuple[str, str]]:
    """Return the (package, version) pairs of a requirement file."""
    return set(_PIN.findall((REQUIREMENTS / f"{name}.txt").read_text("utf-8")))


def _compile(name: str, below: str | None, arguments: list[str]) -> None:
    output = REQUIREMENTS / f"{name}.txt"
    command = [_uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", OLDEST_PYTHON]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--no-config"]
    command += ["--constraints", str(REQUIREMENTS / f"{below}.txt")] if below else []
    # What this machine's installers are set to must not reach the files.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    subprocess.run([*command, *arguments, str(REQUIREMENTS / f"{name}.in"), "--output-file", str(output)], env=env, check=True)
    text = output.read_text("utf-8")
    if "/" in text:
        raise SystemExit(f"{output.name} holds an address or a path")


def _uv() -> str:
    own = REQUIREMENTS.parent / ".venv" / "bin" / "uv"
    return str(own) if own.exists() else "uv"


if __name__ == "__main__":
    main(sys.argv[1:])
