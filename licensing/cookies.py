"""Cookies besides Django's own."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class MessageStorage(CookieStorage):
    """Keeps messages in a cookie, which in production only this host can set, like every cookie of ours."""

    cookie_name = settings.MESSAGES_COOKIE_NAME
