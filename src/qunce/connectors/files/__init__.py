"""Read chat exports and order files into events."""
