"""Routes of the whole installation."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = []
if find_spec("qunce.console.urls"):
    urlpatterns.append(path("", include("qunce.console.urls")))
