"""The same portal without the guard against locks that are held for long: it waits as long as it takes."""

from licensing.settings import LOCK_PATIENCE
from tests.faults.served import *  # noqa: F403 - all but what follows
from tests.faults.served import DATABASES

options = DATABASES["default"]["OPTIONS"]
if "timeout" in options:
    options["timeout"] = 60
else:
    options["options"] = options["options"].replace(f"lock_timeout={LOCK_PATIENCE}s", "lock_timeout=0")
