"""Telegram: a bot that reads and keeps order in groups."""
