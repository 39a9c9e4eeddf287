"""Profiles: attributes and tags of members, memberships and groups, put, taken and undone by people, files and rules."""
