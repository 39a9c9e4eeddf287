"""The zone of the first start stays, whatever the environment says later."""

from typing import Any

import pytest
from django.utils import timezone

from qunce.runtime import organisation

pytestmark = pytest.mark.django_db


def test_the_first_zone_stays(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    organisation.fix_zone()
    settings.TIME_ZONE = "America/New_York"
    organisation.fix_zone()
    assert organisation.zone().key == "Europe/Berlin"
    assert settings.TIME_ZONE == "Europe/Berlin"
    assert timezone.get_default_timezone_name() == "Europe/Berlin"


def test_without_a_decision_the_settings_hold(settings: Any) -> None:
    assert organisation.zone().key == settings.TIME_ZONE
    assert organisation.currency() == "CNY"
    organisation.decide("currency", "EUR")
    assert organisation.currency() == "EUR"
