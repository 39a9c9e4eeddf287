"""Whether the compiled engine, where there is one, was made from these sources. Needs the standard library only.

`bootstrap.py compile` leaves compiled modules beside the sources, and Python prefers them. Older ones than the sources would
decide by code that nobody can read any more, so they are refused.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

ENGINE = Path(__file__).resolve().parent
STAMP = ENGINE / "compiled.json"


def digest() -> str:
    """Return a hash of the engine's sources and of the Python they are compiled for."""
    made = sha256(sys.implementation.cache_tag.encode("ascii"))
    for path in sorted(ENGINE.rglob("*.py")):
        made.update(path.relative_to(ENGINE).as_posix().encode("utf-8") + b"\0" + path.read_bytes() + b"\0")
    return made.hexdigest()


def is_stale() -> bool:
    """Return whether a compiled engine is there that was made from other sources, or for another Python."""
    try:
        return bool(json.loads(STAMP.read_text("utf-8"))["digest"] != digest())
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError):
        return True


def check() -> None:
    """Raise ImportError, with the mend, for a compiled engine of other sources."""
    if is_stale():
        raise ImportError(
            "the compiled engine is older than its sources; mend: python3 bootstrap.py compile "
            "(or `compile --remove` to run the sources)"
        )
