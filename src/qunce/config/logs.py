"""Say what goes into the logs: one line a record on stderr, with its fields; never message text, names or search words."""

from __future__ import annotations

import logging
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "status_code", "taskName"}


class FieldsFormatter(logging.Formatter):
    """Append the fields given as `extra=` to the line, as `key=value`."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of logging
        """Return the line of one record."""
        fields = " ".join(f"{key}={value}" for key, value in vars(record).items() if key not in _STANDARD)
        line = super().formatMessage(record)
        return f"{line} {fields}" if fields else line


def logging_config(level: str) -> dict[str, Any]:
    """Return the dictConfig of a server or command that logs from `level` upwards."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "fields": {"()": "qunce.config.logs.FieldsFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "fields"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "propagate": False},
            # Its lines hold whole addresses, so also what people searched for.
            "uvicorn.access": {"handlers": [], "propagate": False},
            # Its lines hold the names people typed; a lock-out is told by the audit instead.
            "axes": {"level": "CRITICAL"},
        },
    }
