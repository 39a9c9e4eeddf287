"""One function for each page or action. They ask selectors, figures and use cases, and render; nothing else."""
