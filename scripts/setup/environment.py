"""The private environment: made once, filled from hashed requirement files, left alone while its stamp holds.

The stamp names the interpreter, the folder and the hash of every requirement file that was installed. Anything else than
an equal stamp leads to a new installation; an equal one costs a file read.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.setup.indexes import pip_index_url

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
STAMP = "setup.json"
LOG = "setup.log"
LEVELS = ("run", "test", "deep")
"""Each level's requirement file holds the ones before it, with the same pins; `scripts/lock.py` sees to that."""
NETWORK_WORDS = ("name resolution", "dns error", "failed to establish a new connection", "connection refused", "timed out")

Say = Callable[[str], None]


class SetupError(Exception):
    """What is missing and the mend, in one line for the person at the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A private environment: its folder and the name of the requirement file it is filled from."""

    folder: Path
    requirement: str

    @property
    def python(self) -> Path:
        """The interpreter inside; it exists only after `ensure`."""
        return self.folder / "bin" / "python"

    @property
    def installs(self) -> tuple[str, ...]:
        """Names of the requirement files that are satisfied once this one is installed."""
        if self.requirement in LEVELS:
            return LEVELS[: LEVELS.index(self.requirement) + 1]
        return (self.requirement,)


def main_environment(level: str) -> Environment:
    """Return the environment of the program itself, filled for a level of `LEVELS`."""
    return Environment(folder=ROOT / ".venv", requirement=level)


def ensure(environment: Environment, say: Say) -> Path:
    """Make or mend the environment and return its interpreter; an environment whose stamp holds is left alone.

    Raises SetupError with the mend in one line.
    """
    python = environment.python
    stamp = _read_stamp(environment.folder)
    wanted = _digest(environment.requirement)
    usable = python.exists() and (stamp.get("place") == _place(python) if stamp else _runs(python))
    if usable and stamp.get(environment.requirement) == wanted:
        return python
    if not usable:
        _check_can_make()
        stamp = {}
        with _timed(say, f"making {environment.folder.name} with Python {sys.version_info[0]}.{sys.version_info[1]}"):
            _make(environment.folder)
    count = sum("==" in line for line in _file(environment.requirement).read_text("utf-8").splitlines())
    with _timed(say, f"installing {count} packages of requirements/{environment.requirement}.txt"):
        _install(environment)
    if environment.requirement in LEVELS:
        _link_source(python)
    stamp |= {name: _digest(name) for name in environment.installs} | {"place": _place(python)}
    (environment.folder / STAMP).write_text(json.dumps(stamp, indent=1), "utf-8")
    return python


@contextmanager
def _timed(say: Say, what: str) -> Iterator[None]:
    """Say what goes on, with its duration when it has ended well."""
    say(f"{what} …")
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")


def _file(requirement: str) -> Path:
    return REQUIREMENTS / f"{requirement}.txt"


def _digest(requirement: str) -> str:
    return hashlib.sha256(_file(requirement).read_bytes()).hexdigest()


def _place(python: Path) -> str:
    """Interpreter and project folder: a moved folder or an upgraded system Python makes an environment useless."""
    return f"{python.resolve()} for {ROOT}"


def _read_stamp(folder: Path) -> dict[str, str]:
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _runs(python: Path) -> bool:
    """Whether an environment somebody else made can be adopted."""
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode == 0


def _check_can_make() -> None:
    """Raise SetupError where Debian has split `venv` off; pip's half of it is needed only where there is no uv."""
    needed = ("venv",) if _shared_uv() else ("venv", "ensurepip")
    if any(importlib.util.find_spec(name) is None for name in needed):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(f"this Python cannot make an environment (no venv module); mend: apt install python{version}-venv")


def _make(folder: Path) -> None:
    """Make an empty environment; pip is left out (it takes longer than all the rest) where uv does its work."""
    base = getattr(sys, "_base_executable", sys.executable)  # not an interpreter inside the folder that is being cleared
    command = [base, "-m", "venv", "--clear", *(["--without-pip"] if _shared_uv() else []), str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        said = " ".join((made.stdout + made.stderr).split())[-300:]
        raise SetupError(f"could not make {folder}: {said}; mend: make the folder writable, or remove it and start again")


def _shared_uv() -> str | None:
    """The uv of this machine, or None; one inside our own environments does not count, for they are made anew at times."""
    folders = (Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)
    found = (folder / "uv" for folder in folders if ROOT not in folder.resolve().parents)
    return next((str(path) for path in found if path.is_file() and os.access(path, os.X_OK)), None)


def _install(environment: Environment) -> None:
    """Install with uv (of this machine, or fetched by pip with its hash), and with plain pip where uv does not work."""
    log = environment.folder / LOG
    log.write_text("", "utf-8")
    pip = [str(environment.python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--retries", "2"]
    hashed = ["--require-hashes", "--only-binary", ":all:", "-r"]
    has_pip = any(environment.folder.glob("lib/python*/site-packages/pip"))
    uv = _shared_uv() or str(environment.folder / "bin" / "uv")
    if has_pip and not Path(uv).exists():
        _logged([*pip, *hashed, str(_file("tool"))], log)
    if Path(uv).exists():
        command = [uv, "pip", "install", "--python", str(environment.python), *hashed, str(_file(environment.requirement))]
        if _logged(command, log):
            return
    if has_pip and _logged([*pip, *hashed, str(_file(environment.requirement))], log):
        return
    raise SetupError(
        f"could not install the packages ({_reason(log)}); mend: check the network or set PIP_INDEX_URL to a mirror, "
        f"then start again (details: {log.relative_to(ROOT)})"
    )


def _logged(command: list[str], log: Path) -> bool:
    """Run an installer without prompts, its words appended to the log; return whether it succeeded."""
    with log.open("a", encoding="utf-8") as words:
        words.write(f"$ {' '.join(command)}\n")
        words.flush()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=_quiet_env(), check=False)
    return done.returncode == 0


def _quiet_env() -> dict[str, str]:
    """The caller's variables; uv is told the index and the certificates that pip would use."""
    env = dict(os.environ)
    index = pip_index_url(env)
    if index is not None:
        env.setdefault("UV_DEFAULT_INDEX", index)
    return {"UV_SYSTEM_CERTS": "true", "UV_NO_PROGRESS": "1", **env}


def _reason(log: Path) -> str:
    """Say in a few words why the installers failed: no network, or else the last line that names an error."""
    lines = [line.strip() for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    if any(word in line.lower() for line in lines for word in NETWORK_WORDS):
        return "the package index cannot be reached"
    told = [line for line in lines if "error" in line.lower() or "failed" in line.lower()]
    return (told or lines or ["no installer ran"])[-1][:200]


def _link_source(python: Path) -> None:
    """Make `import qunce` work everywhere in the environment, without a build step."""
    for packages in python.parent.parent.glob("lib/python*/site-packages"):
        (packages / "qunce.pth").write_text(f"{ROOT / 'src'}\n", "utf-8")
