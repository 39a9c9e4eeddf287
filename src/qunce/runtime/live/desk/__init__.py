"""The response desk: what waits for an answer, who looks after it, and what is written back."""
