"""Work that nobody waits for, in a process of its own beside the server: jobs, mirror, segments, figures."""
