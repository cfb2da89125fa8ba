"""The contracts as the reseller sees them: the list, and the page of one."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.requests import ResellerRequest
from contracts.models import QUANTITY_LIMIT, Contract
from contracts.standing import Standing, standing_of
from listing.pages import At, Order, query_asked
from listing.tallies import tally
from purchases.services.choices import check_contract, contracts_of
from purchases.services.contracts import (
    accounts_named_by,
    buyers_under,
    latest_purchases_under,
    products_under,
    stock_under,
)
from purchases.services.rules import PurchaseRefused
from purchases.services.terms import contract_terms
from purchases.wording import terms_in_words

CONTRACTS_SHOWN = 25

CONTRACTS = Order({"number": str})


@dataclass(frozen=True)
class ShownContract:
    """A contract as the list shows it."""

    contract: Contract
    standing: Standing
    may_buy: bool


@require_safe
def contracts(request: ResellerRequest) -> HttpResponse:
    """The contracts of the reseller by number, and under which of them the user may buy."""
    query = query_asked(request.GET)
    found = contracts_of(request.user).matching(query)
    page = CONTRACTS.page(found, size=CONTRACTS_SHOWN, at=At.asked(request.GET))
    context = {
        "query": query,
        "contracts": [
            ShownContract(
                contract, standing_of(contract, on=request.today), may_buy=_refusal(request, contract) is None
            )
            for contract in page.rows
        ],
        "total": tally(found),
        "previous_url": page.previous and _list_address(q=query, before=page.previous),
        "next_url": page.next and _list_address(q=query, after=page.next),
    }
    return render(request, "purchases/contracts.html", context)


@require_safe
def contract(request: ResellerRequest, number: str) -> HttpResponse:
    """The conditions, products, stock and buyers of a contract, what was bought under it, and Buy."""
    contract: Any = get_object_or_404(contracts_of(request.user), number=number)
    query = query_asked(request.GET)
    context = {
        "contract": contract,
        "standing": standing_of(contract, on=request.today),
        "refusal": _refusal(request, contract),
        "terms": terms_in_words(contract_terms(contract)),
        "query": query,
        "quantity_limit": QUANTITY_LIMIT,
        "products": products_under(contract, on=request.today, query=query),
        "stock": stock_under(contract, on=request.today),
        "buyers": buyers_under(contract),
        "named_accounts": accounts_named_by(contract),
        "purchases": latest_purchases_under(contract),
        "all_purchases_url": reverse("purchases", query={"q": contract.number}),
    }
    return render(request, "purchases/contract.html", context)


def _refusal(request: ResellerRequest, contract: Contract) -> PurchaseRefused | None:
    """What keeps the user from buying under the contract, if anything does."""
    try:
        check_contract(contract, buyer=request.user, on=request.today)
    except PurchaseRefused as refusal:
        return refusal
    return None


def _list_address(**parameters: str) -> str:
    return reverse("contracts", query={name: value for name, value in parameters.items() if value})
