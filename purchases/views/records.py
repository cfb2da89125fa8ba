"""What was bought: the list of purchases, and the page of one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import ResellerRequest
from contracts.services.permission import may_create_any_licenses
from listing.pages import At, query_asked
from purchases.models import Purchase
from purchases.services.drafts import open_drafts_of
from purchases.services.give_back import give_back_purchase, returnable
from purchases.services.lots import lot_of_purchase
from purchases.services.records import licenses_in, parts_of, purchases_of
from purchases.services.rules import PurchaseRefused
from purchases.views.answers import SeeOther
from purchases.views.licenses import line_address
from purchases.wording import terms_in_words
from text.amounts import count_text

DRAFTS_SHOWN = 25
"""More than above the Active tab, which shows the last changed ones."""


@require_safe
def purchases(request: ResellerRequest) -> HttpResponse:
    """The purchases, the newest first."""
    query = query_asked(request.GET)
    page, total = purchases_of(request.user, query=query, at=At.asked(request.GET))
    context = {
        "section": "purchases",
        "query": query,
        "purchases": page.rows,
        "total": total,
        "previous_url": page.previous and _list_address(q=query, before=page.previous),
        "next_url": page.next and _list_address(q=query, after=page.next),
        "may_buy": may_create_any_licenses(request.user),
        "open_drafts": open_drafts_of(request.user, limit=DRAFTS_SHOWN),
    }
    return render(request, "purchases/purchases.html", context)


@require_safe
def purchase(request: ResellerRequest, number: str) -> HttpResponse:
    """One purchase as it was placed, with its licenses. The page is the same for good."""
    rows = Purchase.objects.visible_to(request.user)
    related = rows.select_related("reseller", "account", "product", "contract", "placed_by")
    return _purchase_page(request, get_object_or_404(related, number=number))


@require_POST
def give_back(request: ResellerRequest, number: str) -> HttpResponse:
    """Return to stock what the purchase took from there."""
    rows = Purchase.objects.visible_to(request.user)
    related = rows.select_related("reseller", "account", "product", "contract", "placed_by")
    purchase = get_object_or_404(related, number=number)
    try:
        quantity = give_back_purchase(purchase, buyer=request.user, on=request.today)
    except PurchaseRefused as refusal:
        return _purchase_page(request, purchase, refusal=refusal)
    given_back = ngettext("%(count)s license is back in stock.", "%(count)s licenses are back in stock.", quantity)
    messages.success(request, given_back % {"count": count_text(quantity)})
    return SeeOther(purchase.get_absolute_url())


def _purchase_page(
    request: ResellerRequest, purchase: Purchase, *, refusal: PurchaseRefused | None = None
) -> HttpResponse:
    parts = [(part, line_address(part.state, part.line)) for part in parts_of(purchase, on=request.today)]
    licenses = licenses_in(purchase, at=At.asked(request.GET))
    here = purchase.get_absolute_url()
    context = {
        "section": "purchases",
        "purchase": purchase,
        "parts": parts,
        "lot": lot_of_purchase(purchase),
        "terms": terms_in_words(purchase.terms) if purchase.terms else [],
        "licenses": licenses.rows,
        "previous_url": licenses.previous and f"{here}?before={licenses.previous}",
        "next_url": licenses.next and f"{here}?after={licenses.next}",
        "may_buy": may_create_any_licenses(request.user),
        "returnable": returnable(purchase, on=request.today) if purchase.from_stock else None,
        "refusal": refusal,
    }
    return render(request, "purchases/purchase.html", context, status=409 if refusal else 200)


def _list_address(**parameters: str) -> str:
    return reverse("purchases", query={name: value for name, value in parameters.items() if value})
