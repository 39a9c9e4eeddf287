"""Let `python -m qunce.runtime.cli` be the command line."""

import sys

from qunce.runtime.cli.main import main

sys.exit(main())
