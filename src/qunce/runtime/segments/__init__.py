"""Keep who belongs to which segment: full runs, and what changes between them."""
