"""Fold the journal into the read models.

    Projector.apply(events)       batch by batch, in the transaction that appended them
    settle(database, positions)   afterwards: pair questions with answers where something changed

The result does not depend on how the events were cut into batches, and folding again from the start gives the same rows.
"""

from qunce.readmodels.projector.answers import settle
from qunce.readmodels.projector.fold import Projector

__all__ = ["Projector", "settle"]
