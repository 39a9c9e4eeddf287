"""Serve styles, scripts and pictures under names that change with their content, compressed, cached for ever.

They are collected into the data folder by `collect`. Before that (in tests, in a fresh checkout) they are served as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.http import HttpResponse
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

if TYPE_CHECKING:
    from django.http import HttpRequest


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise has no types
    """Answer with the whole file at once: under ASGI a streamed one is read whole too, with a warning each time."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Return a file that whitenoise found, in the best encoding, or what the headers ask for (304, a range)."""
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        return HttpResponse(content, status=int(found.status), headers=dict(found.headers))


class CollectedOrPlain(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Give a file its hashed name once files have been collected, and its plain name until then."""

    def create_compressor(self, **options: Any) -> Compressor:
        """Compress with gzip alone: brotli saves a fifth more, and takes 9 s of the first start instead of 0.3 s."""
        return Compressor(use_brotli=False, **options)

    def stored_name(self, name: str) -> str:
        """Return the name under which `name` is served. Raises ValueError for a file that was not there when collecting."""
        return str(super().stored_name(name)) if self.hashed_files else name


def collect() -> bool:
    """Collect and compress the static files when they changed since the last time; tell whether they had."""
    manifest = Path(settings.STATIC_ROOT) / CollectedOrPlain.manifest_name
    if manifest.exists() and manifest.stat().st_mtime >= _newest_s():
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    return True


def _newest_s() -> float:
    """Return when a source file, or a folder (a file was added or removed), last changed, in seconds since 1970."""
    newest = 0.0
    for finder in get_finders():
        for name, storage in finder.list(None):
            path = Path(storage.path(name))
            newest = max(newest, path.stat().st_mtime, path.parent.stat().st_mtime)
    return newest
