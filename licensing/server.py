"""How gunicorn serves the portal in production: `gunicorn --config python:licensing.server licensing.wsgi`.

Its own lines are of the same kind as those of the portal, one JSON object each.
"""

import logging

# What Python warns of is a line like any other too.
logging.captureWarnings(True)

wsgi_app = "licensing.wsgi"
graceful_timeout = 30
control_socket_disable = True  # systemd asks by signals; a socket would need a home to lie in
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "licensing.logs.JsonLines"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Without handlers of their own, the lines are written once, also where Django has set up its log since.
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("gunicorn.error", "gunicorn.access")},
}
