"""The application a server runs: Django and the doors for platforms, behind the body limit, with the in-process workers."""

from __future__ import annotations

import os

import django
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunce.config.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - settings and apps are there from here on
from django.urls import get_resolver  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

from qunce.accounts.sessions import is_signed_in  # noqa: E402
from qunce.api.inbound import with_doors  # noqa: E402
from qunce.config.body_limit import BodyLimit  # noqa: E402
from qunce.config.lifespan import with_workers  # noqa: E402
from qunce.config.static_files import collect  # noqa: E402

collect()  # before the handler, whose middleware reads the names once
# All pages are read in now: the first one asked for would do it, and hold up what the live loops do meanwhile.
get_resolver().url_patterns  # noqa: B018 - asking for it is what reads them

application = with_workers(
    BodyLimit(
        app=with_doors(ASGIHandler()),  # type: ignore[arg-type]  # the stubs type ASGI messages as closed records
        small=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        large=settings.MAX_UPLOAD_BYTES,
        upload_paths=settings.UPLOAD_PATHS,
        cookie=settings.SESSION_COOKIE_NAME,
        is_signed_in=is_signed_in,
    ),
    [import_string(name) for name in settings.WORKERS],
)
