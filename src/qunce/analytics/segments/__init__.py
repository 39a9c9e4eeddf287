"""Find all subjects of segments in the mirror, in one pass over the facts."""
