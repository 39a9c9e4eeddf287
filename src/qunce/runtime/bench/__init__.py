"""Measure speed and memory: `qunce bench`. See docs/benchmark.md.

command ─▶ cases (what, against what) ─▶ children (one process each, data folders of their own) ─▶ work (inside them)
"""
