"""Segments as they are meant: a frozen tree, what it may speak of, and how it is read from a playbook."""
