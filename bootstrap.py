#!/usr/bin/env python3
# This door must parse on every Python, so that an old one can say what to do; the rest is in scripts/setup.
"""Set up Qunce in a private environment and run it, or run its checks: `run` and `test`."""

import sys

OLDEST = (3, 11)


def main():
    """Hand over to scripts/setup, or say in one line which Python is needed."""
    if sys.version_info < OLDEST:
        sys.stderr.write(
            "bootstrap: Python 3.11 or newer is needed, this is {}.{}; run it with a newer one, "
            "such as: python3.12 bootstrap.py run\n".format(*sys.version_info[:2])
        )
        return 1
    from scripts.setup.cli import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
