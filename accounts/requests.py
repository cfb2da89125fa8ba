"""The request as portal views get it, and who sits at the desk."""

from datetime import date

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Reseller, User


class ResellerRequest(HttpRequest):
    """A request of a signed-in user of a reseller; made by ResellerMiddleware."""

    user: User
    reseller: Reseller
    today: date
    htmx: HtmxDetails


def operator_of(request: HttpRequest) -> User:
    """Who sits at the desk. Raises PermissionDenied for anybody else."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
