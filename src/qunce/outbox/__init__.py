"""Deliveries and human tasks: what has been decided to do, exactly where it stands, and how it may be done."""
