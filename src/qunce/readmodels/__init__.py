"""Tables folded from the journal, the fold that writes them, and the selectors that screens read."""
