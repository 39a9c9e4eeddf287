"""Bootstrap, loops, use cases and the command line: the only place where the pure core meets input and output."""
