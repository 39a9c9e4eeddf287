"""Signed rows from any other system, over HTTP."""
