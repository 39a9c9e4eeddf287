"""Which package index this machine's pip is set to; uv does not read pip's settings, and a mirror may be the only way."""

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path


def pip_index_url(env: Mapping[str, str]) -> str | None:
    """Return the index set by PIP_INDEX_URL or in pip's own files, the most personal first, or None for the default."""
    if env.get("PIP_INDEX_URL"):
        return env["PIP_INDEX_URL"]
    return next((index for path in _files(env) if (index := _index_in(path)) is not None), None)


def _files(env: Mapping[str, str]) -> Iterator[Path]:
    home = Path(env.get("HOME", "/"))
    if env.get("PIP_CONFIG_FILE"):
        yield Path(env["PIP_CONFIG_FILE"])
    yield Path(env.get("XDG_CONFIG_HOME", home / ".config")) / "pip" / "pip.conf"
    yield home / ".pip" / "pip.conf"
    yield Path("/etc/xdg/pip/pip.conf")
    yield Path("/etc/pip.conf")


def _index_in(path: Path) -> str | None:
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        settings.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return None
    for section in ("install", "global"):
        index = settings.get(section, "index-url", fallback=settings.get(section, "index_url", fallback=None))
        if index:
            return index
    return None
