"""Make and measure what moderation ships: tables, models, and how well they do on real messages."""
