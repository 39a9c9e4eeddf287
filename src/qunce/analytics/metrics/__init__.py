"""The expressions behind the registry, one module an area. Each builder takes the tables and the question."""
