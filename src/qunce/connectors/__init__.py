"""Platform ⇄ domain: one folder a platform, and `files` for what people exported themselves. Knows only `domain`."""
