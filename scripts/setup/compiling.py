"""Compile the decision core with mypyc: the same sources decide 1.2 to 2 times as fast. Optional; it needs a C compiler.

Compiled modules stand beside their sources, where Python prefers them, with a stamp that names the sources they were made from
(`qunce.engine.freshness`). `bootstrap.py run` takes stale ones away, so that an upgrade by new files never runs old decisions.
"""

import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from types import ModuleType

from scripts.setup.environment import ROOT, Environment, SetupError, ensure, main_environment

SOURCE = ROOT / "src"
ENGINE = SOURCE / "qunce" / "engine"
GROUP = "qunce_engine"
_STRUCT = re.compile(r"^class .*\(.*Struct", re.MULTILINE)
_BUILD = """
import sys
from pathlib import Path
from mypyc.build import mypycify
from setuptools import setup
place, group, python, *modules = sys.argv[1:]
config = Path(place, "mypy.ini")
config.write_text("[mypy]")
sys.argv[1:] = ["build_ext", "--inplace", "--build-temp", place, "--build-lib", place]
flags = ["--config-file", str(config), "--cache-dir", place + "/mypy", "--python-executable", python]
flags += ["--ignore-missing-imports", "--follow-imports=silent"]
made = mypycify([*flags, *modules], opt_level="2", debug_level="0", target_dir=place, group_name=group)
setup(name=group, packages=[], ext_modules=made)
"""

Say = Callable[[str], None]


def modules() -> list[str]:
    """Return the modules that can be compiled, as paths below `src`.

    Those that define records stay: msgspec reads annotations, which a compiled class has in a coarser form.
    """
    paths = (path for path in sorted(ENGINE.rglob("*.py")) if path.name not in ("__init__.py", "freshness.py"))
    return [path.relative_to(SOURCE).as_posix() for path in paths if not _STRUCT.search(path.read_text("utf-8"))]


def compile_engine(say: Say) -> int:
    """Compile, and return how many modules. Raises SetupError with the mend; then the sources run as before."""
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        raise SetupError("there is no C compiler; mend: apt install gcc python3-dev (without one the engine runs uncompiled)")
    python = ensure(Environment(folder=ROOT / ".venv-compile", requirement="compile"), say)
    remove()
    chosen = modules()
    say(f"compiling {len(chosen)} modules of the engine, about a minute …")
    with tempfile.TemporaryDirectory() as place:
        command = [str(python), "-c", _BUILD, place, GROUP, str(ensure(main_environment("run"), say)), *chosen]
        done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        remove()
        said = " ".join((done.stdout + done.stderr).split())[-400:]
        raise SetupError(f"the engine was not compiled: {said}; mend: apt install gcc python3-dev, then again")
    _freshness().STAMP.write_text(json.dumps({"digest": _freshness().digest()}), "utf-8")
    return len(chosen)


def remove() -> int:
    """Take compiled modules away; return how many there were. The sources run from then on."""
    _freshness().STAMP.unlink(missing_ok=True)
    found = [*ENGINE.rglob("*.so"), *SOURCE.glob(f"{GROUP}__mypyc*.so")]
    for path in found:
        path.unlink()
    return len(found)


def remove_stale(say: Say) -> None:
    """Take a compiled engine of other sources away."""
    if _freshness().is_stale():
        remove()
        say("took the compiled engine away, its sources have changed; `bootstrap.py compile` makes it anew")


def _freshness() -> ModuleType:
    """Return `qunce.engine.freshness` without importing the engine, which this Python may not be able to."""
    spec = importlib.util.spec_from_file_location("freshness", ENGINE / "freshness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
