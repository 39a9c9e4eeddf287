"""Tiers: sort all members into levels, record who moved, and show it."""
