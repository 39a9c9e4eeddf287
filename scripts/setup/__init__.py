"""What `bootstrap.py` does, with the standard library only: the private environment, the start, the sequence of checks."""
