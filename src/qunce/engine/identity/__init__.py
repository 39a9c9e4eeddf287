"""Tell how likely two accounts are one person, from what they wrote, when and where. Pure; docs/algorithms/identity.md."""
