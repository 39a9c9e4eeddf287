"""Settings of the tests: those of an installation whose data folder lives as long as this process."""

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="qunce-test-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["QUNCE_DATA"] = _data
os.environ.pop("QUNCE_PUBLIC_URL", None)

from qunce.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
