"""Settings of an installation, read from the environment. Everything has a working default.

QUNCE_DATA          data folder, made at the first start                        ./data
DATABASE_URL        postgresql://… ; empty means SQLite in the data folder      (empty)
QUNCE_PUBLIC_URL    address people use; https:// switches all HTTPS guards on   http://127.0.0.1:8000
QUNCE_TIME_ZONE     zone of the organisation's days and hours                   Asia/Shanghai
QUNCE_MAX_UPLOAD_MB largest import file a signed-in person may upload           4096
QUNCE_LOG_LEVEL     DEBUG, INFO, WARNING or ERROR                               INFO
QUNCE_DEBUG         1 shows error pages with source code; never on a network    (empty)
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from qunce.config.data_folder import prepare
from qunce.config.database import database
from qunce.config.logs import logging_config

DATA_DIR = prepare(Path(os.environ.get("QUNCE_DATA") or "data"))
PUBLIC_URL = (os.environ.get("QUNCE_PUBLIC_URL") or "http://127.0.0.1:8000").rstrip("/")
DEBUG = os.environ.get("QUNCE_DEBUG") == "1"

_public = urlsplit(PUBLIC_URL)
_https = _public.scheme == "https"
BEHIND_PROXY = _https
"""Our server speaks plain HTTP, so https means a proxy on this machine: it alone is believed about scheme and address."""

# ── What is installed ────────────────────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "qunce.accounts",
    "qunce.journal",
    "qunce.readmodels",
    "qunce.outbox",
    "qunce.runtime",
    "qunce.console",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "qunce.config.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "qunce.accounts.middleware.StaffSessionMiddleware",
    "qunce.console.middleware.OrganisationZoneMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "qunce.accounts.middleware.GuardedViewsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "qunce.config.urls"
ASGI_APPLICATION = "qunce.config.asgi.application"
WORKERS = ["qunce.runtime.background.supervisor.keep", "qunce.runtime.live.workers.live"]
"""Dotted names of the coroutine functions that run in the server's process from its start to its end."""
BACKGROUND = [
    "qunce.runtime.jobs.work", "qunce.runtime.mirror.follow", "qunce.runtime.segments.keep.follow",
    "qunce.runtime.profile.following.follow", "qunce.runtime.figures.make",
]  # fmt: skip
"""Those that run in a process of their own beside it, so that nobody who waits for an answer waits for them."""


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.template.context_processors.i18n",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": True,  # looks into each app's jinja2/ folder
        "OPTIONS": {"environment": "qunce.console.jinja.environment", "context_processors": _CONTEXT_PROCESSORS},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _CONTEXT_PROCESSORS},
    },
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = os.environ.get("QUNCE_TIME_ZONE") or "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True  # serves what has not been collected yet
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "qunce.config.static_files.CollectedOrPlain"},
}

# ── Storage ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

DATABASES = {"default": database(os.environ.get("DATABASE_URL", ""), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "uploads"
FIELD_KEYS_FILE = DATA_DIR / "secrets" / "field_keys"
IDENTITY_KEY_FILE = DATA_DIR / "secrets" / "identity_key"

# ── Safety ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

SECRET_KEY = (DATA_DIR / "secrets" / "secret_key").read_text("ascii").strip()
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 * 2**20
"""Largest request body, in bytes, outside UPLOAD_PATHS; `body_limit.py` holds it for every kind of body."""
MAX_UPLOAD_BYTES = int(os.environ.get("QUNCE_MAX_UPLOAD_MB") or "4096") * 2**20
UPLOAD_PATHS = ("/imports",)
ALLOWED_HOSTS = sorted({_public.hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"})
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in hx-headers; no script needs the cookie
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "qunce.console.views.errors.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False  # other names of the domain are not ours to decide about
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they want those two

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

AUTH_USER_MODEL = "accounts.Staff"
GROUPS_OF_COMMUNITIES = "qunce.config.scoping.group_ids_of"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_IDLE_LIMIT = timedelta(hours=12)

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "qunce.accounts.signing_in.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # 15 minutes are 15 minutes
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# ── Logs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

LOGGING = logging_config(os.environ.get("QUNCE_LOG_LEVEL") or "INFO")
