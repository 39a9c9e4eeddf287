"""What runs inside the child processes: each function takes plain parameters and returns plain figures."""
