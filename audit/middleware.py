"""Where requests come from."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.refusals import write_owed
from audit.services import requested_from


class AuditMiddleware:
    """Lets the audit log know from where it is done what a request does, and writes first what is owed to it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        write_owed()
        with requested_from(request):
            return self.get_response(request)
