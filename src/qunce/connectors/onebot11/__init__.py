"""QQ through OneBot 11: an implementation of the protocol dials in over a WebSocket (reverse WebSocket)."""
