"""What colleagues set down about groups: type, phase, charter, and what they decided about proposals."""
