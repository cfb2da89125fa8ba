"""The request as portal views get it."""

from datetime import date

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Reseller, User


class ResellerRequest(HttpRequest):
    """A request of a signed-in user of a reseller; made by ResellerMiddleware."""

    user: User
    reseller: Reseller
    today: date
    htmx: HtmxDetails
