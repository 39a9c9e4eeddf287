"""Simulate believable Chinese communities: the brand 春风里 and its groups. See `testing/docs.md`."""

from .run import simulate

__all__ = ["simulate"]
