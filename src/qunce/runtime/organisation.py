"""Say what the organisation decided about itself: its name, its zone, its currency."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from qunce.runtime.models import Setting

DEFAULT_NAME = "群策"
DEFAULT_CURRENCY = "CNY"


def value(name: str, default: str) -> str:
    """Return a decision, or `default` when none was taken."""
    found = Setting.objects.filter(name=name).values_list("value", flat=True).first()
    return found if found is not None else default


def decide(name: str, new: str) -> None:
    """Store a decision. Call inside the transaction that audits it."""
    Setting.objects.update_or_create(name=name, defaults={"value": new})


def zone() -> ZoneInfo:
    """Return the zone of local days. Fixed when the data folder is made (`fix_zone`)."""
    return ZoneInfo(value("zone", settings.TIME_ZONE))


def fix_zone() -> None:
    """Keep the zone of the first start for ever, and let everything in this process go by it.

    Days are stored as numbers of this zone: another one in the environment later must not mix two kinds of days.
    """
    decided, _ = Setting.objects.get_or_create(name="zone", defaults={"value": settings.TIME_ZONE})
    if decided.value != settings.TIME_ZONE:
        settings.TIME_ZONE = decided.value
        timezone.get_default_timezone.cache_clear()  # type: ignore[attr-defined]  # a cached function, unknown to the stubs


def currency() -> str:
    """Return the currency (ISO 4217) in which members' spend is summed. Changing it means a rebuild."""
    return value("currency", DEFAULT_CURRENCY)


def name() -> str:
    """Return what the organisation calls itself on screen."""
    return value("name", DEFAULT_NAME)
