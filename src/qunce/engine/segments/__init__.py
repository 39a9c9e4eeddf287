"""Decide whether one subject belongs to a segment, and say why."""
