"""Settings of a portal that is served to try faults: pages of production, cookies and files of development."""

from licensing.settings import *  # noqa: F403 - all but what follows

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
