"""Watch that who asks is answered in time: needs, threads, clocks. Knows no other engine area."""
