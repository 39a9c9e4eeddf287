"""Show operators their community: server-rendered pages, their templates, scripts and styles."""
