"""Fetch the front end's third-party files into the repository, named and checked by vendor.json.

    python3 scripts/vendor.py            write the files
    python3 scripts/vendor.py --check    write nothing; exit 1 when a file differs from its package

Packages come by `npm pack` from whatever registry npm is set up for; their sha512 must be the one in vendor.json. Only the
named files are taken. Users of 群策 need neither npm nor this script: the result is committed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "qunce" / "console" / "static" / "vendor"
# A browser asks for source maps, and hashed static storage refuses to collect files that name one it does not have.
SOURCE_MAP = re.compile(rb"\n?(?://|/\*)# sourceMappingURL=\S+(?: \*/)?\s*\Z")
# The icons are inlined, so what is equal in all of them is added by the template function instead.
ICON = re.compile(r"<path (?!stroke=\"none\")[^>]*/>|<(?:circle|rect|line|polyline)[^>]*/>")


def fetch(spec: str, integrity: str, folder: Path) -> Path:
    """Return the tarball of `spec`. Exits when its sha512 is not `integrity` (`sha512-<base64>`)."""
    done = subprocess.run(
        ["npm", "pack", spec, "--silent", "--pack-destination", str(folder)], check=True, capture_output=True, text=True
    )
    tarball = folder / done.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode("ascii")
    if f"sha512-{digest}" != integrity:
        sys.exit(f"{spec}: the package is not the one vendor.json names (sha512-{digest})")
    return tarball


def clean(name: str, data: bytes) -> bytes:
    """Return a file as it is kept: without its source map, an icon reduced to its strokes."""
    if name.endswith(".svg"):
        return ("".join(ICON.findall(data.decode("utf-8"))) + "\n").encode("utf-8")
    return SOURCE_MAP.sub(b"", data).rstrip() + b"\n"


def wanted() -> dict[str, bytes]:
    """Return every kept file by its name below the vendor folder."""
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in json.loads((ROOT / "scripts" / "vendor.json").read_text("utf-8"))["packages"]:
            names = dict(package["files"])
            names |= {f"icons/outline/{icon}.svg": f"icons/{icon}.svg" for icon in package.get("icons", ())}
            with tarfile.open(fetch(package["package"], package["integrity"], Path(folder))) as tar:
                for inside, kept in names.items():
                    member = tar.extractfile(f"package/{inside}")
                    if member is None:
                        sys.exit(f"{package['package']} has no file {inside}")
                    files[kept] = clean(kept, member.read())
            if text := package.get("licence_text"):
                files[text["name"]] = ("\n".join(text["lines"]) + "\n").encode("utf-8")
    return files


def main() -> int:
    """Write or check the vendor folder."""
    parser = argparse.ArgumentParser(description="Fetch the front end's third-party files.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on a difference")
    check = parser.parse_args().check
    files = wanted()
    present = {path.relative_to(TARGET).as_posix() for path in TARGET.rglob("*") if path.is_file()}
    stale = sorted(present - files.keys())
    changed = sorted(n for n, data in files.items() if n not in present or (TARGET / n).read_bytes() != data)
    if check:
        for name in (*stale, *changed):
            print(f"differs: {name}")
        return 1 if stale or changed else 0
    for name in stale:
        (TARGET / name).unlink()
    for name in changed:
        (TARGET / name).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / name).write_bytes(files[name])
    print(f"{len(files)} files, {sum(map(len, files.values())) / 1e6:.2f} MB, {len(changed)} written, {len(stale)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
