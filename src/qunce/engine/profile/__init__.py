"""Propose attributes of members from what they say of themselves."""
