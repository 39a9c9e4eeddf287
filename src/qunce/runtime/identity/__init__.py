"""Say which accounts are one person: by keys, by people's decisions, and by suggestion. See docs/algorithms/identity.md."""
