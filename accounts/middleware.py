"""What every request of a signed-in person carries: tenant, day, language, and no traces in caches."""

import zoneinfo
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponseBase]


def for_everyone(view: View) -> View:
    """Mark a view that also serves people without a reseller, such as the operator's staff."""
    view.for_everyone = True  # type: ignore[attr-defined]  # the way Django marks views: login_required = False
    return view


class ResellerMiddleware:
    """Puts `reseller` and `today` on the request, in the reseller's time zone and language.

    Signed-in people without a reseller are told so on every page that is not marked `for_everyone`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        reseller = user.reseller if isinstance(user, User) else None
        request.reseller = reseller  # type: ignore[attr-defined]  # makes it a ResellerRequest
        if reseller is None:
            response = self.get_response(request)
        else:
            request.today = reseller.today()  # type: ignore[attr-defined]  # makes it a ResellerRequest
            if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
                translation.activate(reseller.language)
                request.LANGUAGE_CODE = translation.get_language()
            with timezone.override(zoneinfo.ZoneInfo(reseller.time_zone)):
                response = self.get_response(request)
        if user.is_authenticated:
            add_never_cache_headers(response)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> HttpResponse | None:
        if not isinstance(request.user, User) or request.user.reseller is not None:
            return None
        match = request.resolver_match
        if getattr(view, "for_everyone", False) or (match is not None and "admin" in match.app_names):
            return None
        return render(request, "accounts/no_reseller.html", status=403)


class ReturnMiddleware:
    """Brings whoever was asked to sign in back to the page they were on, where the address they sent to is no page.

    A form's address may take no GET. And for htmx, the login page would be swapped into the middle of whatever was
    open, so it is visited as a whole.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        asked_to_sign_in = response.get("Location", "").startswith(f"{resolve_url(settings.LOGIN_URL)}?")
        if not asked_to_sign_in:
            return response
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(redirect_to_login(_page_in(request, "HX-Current-URL")).url)
        if request.method == "POST":
            return redirect_to_login(_page_in(request, "Referer"))
        return response


def _page_in(request: HttpRequest, header: str) -> str:
    """The page of ours that the header names, without its host; the home page if it names none."""
    address = request.headers.get(header, "")
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}):
        return resolve_url("home")
    page = urlsplit(address)
    return page.path + (f"?{page.query}" if page.query else "") or resolve_url("home")
