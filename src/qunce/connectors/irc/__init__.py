"""IRC: a bot in the channels of one network."""
