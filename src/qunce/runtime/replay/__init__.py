"""Run a playbook over the stored past: who would have been warned, muted, removed; which answers were late, and by whom."""
