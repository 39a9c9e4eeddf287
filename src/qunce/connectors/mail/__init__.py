"""Tell colleagues by e-mail; sending only."""
