"""The decision core; see docs.md."""

from qunce.engine import freshness

if freshness.STAMP.exists():
    freshness.check()
