"""See text as people read it, through disguises. Used by all engine areas; knows none of them."""
