"""What happens while messages arrive: connect, take in, react, deliver; and what people say to it."""
