"""Matrix: rooms of a homeserver, read and kept in order by an account that is a member of them."""
