"""Property tests here have no time limit for one example: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("qunce", deadline=None)
settings.load_profile("qunce")
