"""Every route of the installation is guarded: by an action of the table, or by standing in the short list below."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from qunce.accounts.access import required_action
from qunce.accounts.permissions import ACTIONS

PUBLIC = {"login", "set-language", "set-theme"}
"""Names of the routes anybody may ask for."""


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry


ROUTES = dict(_routes(get_resolver()))


def _is_public(view: Any) -> bool:
    return not getattr(view, "login_required", True)


def test_every_route_requires_an_action_or_is_public_on_purpose() -> None:
    for route, entry in ROUTES.items():
        action = required_action(entry.callback)
        assert action in ACTIONS or (_is_public(entry.callback) and entry.name in PUBLIC), route


@pytest.mark.django_db
def test_strangers_are_sent_to_the_sign_in_everywhere() -> None:
    samples = {"int": "1", "str": "x", "slug": "x", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}
    for route, entry in ROUTES.items():
        if _is_public(entry.callback):
            continue
        address = "/" + route
        for name, converter in entry.pattern.converters.items():
            kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
            address = address.replace(f"<{kind}:{name}>", samples[kind]).replace(f"<{name}>", samples[kind])
        for method in ("get", "post"):
            response = getattr(Client(), method)(address)
            assert response.status_code == 302, (method, route)
            assert response["Location"].startswith("/login"), (method, route)
