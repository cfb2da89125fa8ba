"""Pages of the site itself."""

import sys

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language as django_set_language

from accounts.middleware import for_everyone
from accounts.models import User
from licensing.appearance import chosen_theme, keep_theme
from licensing.outages import is_database_away


@require_safe
@for_everyone
def home(request: HttpRequest) -> HttpResponse:
    """Go where the person works: operators to the admin, everybody else to the Active tab."""
    if isinstance(request.user, User) and request.user.is_staff and request.user.reseller_id is None:
        return redirect("admin:index")
    return redirect("licenses")


@require_POST
@login_not_required
@for_everyone
def set_theme(request: HttpRequest) -> HttpResponse:
    """Change the appearance and come back."""
    response = HttpResponseRedirect(_page_to_return_to(request))  # redirect() would take a bare word for a name
    keep_theme(response, request.POST.get("theme", ""))
    return response


@require_POST
@login_not_required
@for_everyone
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language in a cookie, which wins over the reseller's own."""
    return django_set_language(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that something failed, by which id it is found in the log, and whether waiting helps.

    Django calls this while it handles the error. A database that is away, full, locked or read-only is nothing that
    our code did: it is answered as what it is, and the next request may find it back.
    """
    context = {"theme": chosen_theme(request), "request_id": getattr(request, "request_id", "")}
    if is_database_away(sys.exception()):
        page = render_to_string("unavailable.html", context)
        return HttpResponse(page, status=503, headers={"Retry-After": "30", "Cache-Control": "no-store"})
    return HttpResponse(render_to_string("500.html", context), status=500, headers={"Cache-Control": "no-store"})


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Explain a form that was open for too long or came from elsewhere; nothing was saved."""
    return render(request, "csrf_failure.html", {"page": _page_to_return_to(request)}, status=403)


def _page_to_return_to(request: HttpRequest) -> str:
    """The page that a form of the shell names, else the one it was sent from."""
    for page in (request.POST.get("next"), request.headers.get("Referer")):
        if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
            return str(page)
    return resolve_url("home")
