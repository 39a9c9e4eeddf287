"""Feishu custom bot: sends into one group."""
