"""The words everyone speaks: ids, events, text folding. Pure: no Django, database, clock, network or randomness."""
