"""Measure how well suggestions find one person behind two accounts."""
