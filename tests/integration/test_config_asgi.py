"""The application as a server runs it: static files are collected, bodies are limited, Django answers the rest."""

import os
import subprocess
import sys
from pathlib import Path

PROBE = """
import asyncio, re, sys
import httpx
from qunce.config.asgi import application

async def endless():
    while True:
        yield b"x" * 65536

print("pages are read in:", "qunce.console.urls" in sys.modules)

async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1:8000") as client:
        page = await client.get("/login")
        style = re.search(r'/static/console/app[^"]*[.]css', page.text)[0]
        print(page.status_code, style != "/static/console/app.css", (await client.get(style)).status_code)
        for path in ("/login", "/imports"):
            declared = await client.post(path, content=endless(), headers={"content-length": "300000000"})
            unknown = await client.post(path, content=endless())
            print(path, declared.status_code, unknown.status_code)

asyncio.run(main())
"""


def test_a_server_answers_and_reads_no_large_body_of_a_stranger(tmp_path: Path) -> None:
    environment = {**os.environ, "QUNCE_DATA": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), "DATABASE_URL": ""}
    environment["DJANGO_SETTINGS_MODULE"] = "qunce.config.settings"
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["pages are read in: True", "200 True 200", "/login 413 413", "/imports 413 413"]
    assert "Warning" not in done.stderr
