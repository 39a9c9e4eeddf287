"""Routes of the whole installation."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("qunce.console.urls"))]

handler400 = "qunce.console.views.errors.bad_request"
handler403 = "qunce.console.views.errors.forbidden"
handler404 = "qunce.console.views.errors.not_found"
handler500 = "qunce.console.views.errors.server_error"
