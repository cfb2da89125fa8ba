#!/usr/bin/env python
"""Django's command line for this site."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "licensing.settings")
    if sys.argv[1:2] != ["runserver"]:
        os.environ.setdefault("IS_COMMAND", "true")  # it may take its time, unlike a request: see the settings
    execute_from_command_line(sys.argv)
