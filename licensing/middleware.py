"""What happens to every request, whoever sent it."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import MiddlewareNotUsed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from licensing.logs import current_request_id

GetResponse = Callable[[HttpRequest], HttpResponse]

_requests_log = logging.getLogger("licensing.requests")

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_NOT_USED_BY_ANY_PAGE = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)

_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [
            *(f"{feature}=()" for feature in _NOT_USED_BY_ANY_PAGE),
            "publickey-credentials-create=(self)",
            "publickey-credentials-get=(self)",
        ]
    ),
}

# Not "cookies": that would empty those of the whole registrable domain, and forget theme and language.
_FORGET_WHAT_WAS_SHOWN = '"cache", "storage"'


class RequestIdMiddleware:
    """Gives every request an id, which stands in its answer and in every line of the log that it causes.

    An id that a proxy in front gave is kept if it is one that can be searched for; anything else is replaced.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SANE_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # read by the log and the error pages
        mark = current_request_id.set(request_id)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id
            _requests_log.info("answered", extra={"facts": _facts(request, response, time.perf_counter() - began)})
        finally:
            current_request_id.reset(mark)
        return response


class HeadersMiddleware:
    """Tells browsers what none of our pages needs, and at sign-out to forget what they were shown."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if hasattr(request, "signed_out"):
            response.headers["Clear-Site-Data"] = _FORGET_WHAT_WAS_SHOWN
        return response


class MaintenanceMiddleware:
    """Answers every page with 503 while MAINTENANCE is set, without touching the database."""

    def __init__(self, get_response: GetResponse) -> None:
        if not settings.MAINTENANCE:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in (reverse("healthz"), reverse("readyz")):
            return self.get_response(request)
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "300"})


@receiver(user_logged_out)
def _remember_sign_out(request: HttpRequest, **kwargs: Any) -> None:
    """Mark the request, whichever page signed its user out."""
    request.signed_out = True  # type: ignore[attr-defined]  # read by HeadersMiddleware


def _facts(request: HttpRequest, response: HttpResponse, seconds: float) -> dict[str, object]:
    """What the log says about an answered request: never its address, which can hold what nobody else may have."""
    facts: dict[str, object] = {
        "method": request.method,
        "route": request.resolver_match.route if request.resolver_match else None,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000),
    }
    if hasattr(request, "reseller"):  # from then on the user has been read
        facts["user"] = request.user.pk
        facts["reseller"] = request.reseller.pk if request.reseller else None
    return facts
