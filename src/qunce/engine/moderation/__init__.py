"""Keep order in a group: find, weigh and sanction. Knows no other engine area."""
