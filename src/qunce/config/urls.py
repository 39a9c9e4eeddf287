"""Routes of the whole installation."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("qunce.console.urls"))]
