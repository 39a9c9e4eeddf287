"""An https address switches every guard on, and nothing is left for `check --deploy` to say."""

import os
import subprocess
import sys
from pathlib import Path

PROBE = """
import django
django.setup()
from django.conf import settings
from django.test import Client
response = Client(SERVER_NAME="qunce.example").get("/login")
print(response.status_code, response.headers["Location"])
response = Client(SERVER_NAME="qunce.example").get("/login", secure=True)
print(response.status_code, response.headers["Strict-Transport-Security"], response.cookies["csrftoken"]["secure"])
print(Client(SERVER_NAME="evil.example").get("/login", secure=True).status_code)
print(settings.CSRF_TRUSTED_ORIGINS, settings.SESSION_COOKIE_SECURE, settings.BEHIND_PROXY)
"""


def _python(data: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "QUNCE_DATA": str(data),
        "QUNCE_PUBLIC_URL": "https://qunce.example",
        "DJANGO_SETTINGS_MODULE": "qunce.config.settings",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DATABASE_URL": "",
    }
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_deployment_check_has_nothing_to_say(tmp_path: Path) -> None:
    output = _python(tmp_path, "-m", "django", "check", "--deploy", "--fail-level", "WARNING")
    assert "System check identified no issues" in output


def test_https_is_demanded_and_remembered_and_other_hosts_are_refused(tmp_path: Path) -> None:
    assert _python(tmp_path, "-c", PROBE).splitlines() == [
        "301 https://qunce.example/login",
        "200 max-age=31536000 True",
        "400",
        "['https://qunce.example'] True True",
    ]
