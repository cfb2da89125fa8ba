"""Orders for tests: a draft with every question answered, and what can be done with it on one fixed day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account, User
from contracts.models import ContractProduct
from products.models import Product
from purchases.models import License, Purchase, PurchaseDraft
from purchases.services.buy import buy
from purchases.services.facts import PurchaseFacts
from purchases.services.quote import PreviewOutdated, Quote, quote_from
from purchases.services.rules import PurchaseRefused
from purchases.services.steps import Step
from purchases.services.stock_audit import audit
from stock.models import StockLot, StockMovement
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    PurchaseDraftFactory,
    UserFactory,
    receive,
)

TODAY = date(2026, 11, 24)
"""The day on which the orders are bought, unless a test names another."""


def a_line(
    *,
    unit_price: Decimal = Decimal("100.00"),
    maximum_quantity: int | None = None,
    product: Product | None = None,
    **terms: Any,
) -> ContractProduct:
    """A product at 100.00 under a contract of its own, which is in force since the year began and has the terms."""
    contract = ContractFactory(**{"starts_on": date(2026, 1, 1), **terms})
    fields: dict[str, Any] = {"product": product} if product is not None else {}
    return ContractProductFactory(contract=contract, unit_price=unit_price, maximum_quantity=maximum_quantity, **fields)


def an_order(
    *,
    line: ContractProduct | None = None,
    account: Account | None = None,
    buyer: User | None = None,
    quantity: int = 3,
    **answers: Any,
) -> PurchaseDraft:
    """A draft that every rule accepts: 3 licenses of a line for an account that has none.

    A buyer that is given holds the grants that the test gave.
    """
    line = line or a_line()
    reseller = line.contract.reseller
    if buyer is None:
        buyer = UserFactory(reseller=reseller)
        ContractGrantFactory(contract=line.contract, user=buyer)
    return PurchaseDraftFactory(
        user=buyer,
        contract=line.contract,
        account=account or AccountFactory(reseller=reseller),
        product=line.product,
        quantity=quantity,
        **answers,
    )


def stock_for(draft: PurchaseDraft, quantity: int, *, use_by: date = date(2027, 5, 31), **terms: Any) -> StockLot:
    """A lot that the order may take from."""
    assert draft.contract is not None
    assert draft.product is not None
    return receive(draft.contract, draft.product, quantity, use_by=use_by, **terms)


def facts_of(draft: PurchaseDraft, *, on: date = TODAY) -> PurchaseFacts:
    """The facts of the draft and its user as they are stored now."""
    buyer = User.objects.select_related("reseller").get(pk=draft.user_id)
    return PurchaseFacts(PurchaseDraft.objects.with_choices().get(pk=draft.pk), buyer=buyer, on=on)


def refusal_of(draft: PurchaseDraft, step: Step, *, on: date = TODAY) -> PurchaseRefused:
    """What a rule says against the draft's answer at the step; fails if nothing does."""
    with pytest.raises(PurchaseRefused) as refused:
        facts_of(draft, on=on).check(step)
    return refused.value


def quote_of(draft: PurchaseDraft, *, on: date = TODAY) -> Quote:
    """What the preview of the draft shows."""
    return quote_from(facts_of(draft, on=on))


def press_buy(draft: PurchaseDraft, *, fingerprint: str | None = None, on: date = TODAY) -> Purchase:
    """Buy what the preview shows now, or what it showed when it had the fingerprint."""
    shown = quote_of(draft, on=on).fingerprint if fingerprint is None else fingerprint
    buyer = User.objects.get(pk=draft.user_id)
    return buy(PurchaseDraft.objects.get(pk=draft.pk), buyer=buyer, fingerprint=shown, on=on)


def outdated(draft: PurchaseDraft, fingerprint: str, *, on: date = TODAY) -> PreviewOutdated:
    """What is said when Buy is pressed on a preview with that fingerprint; nothing must have been bought."""
    with nothing_is_written(), pytest.raises(PreviewOutdated) as refused:
        press_buy(draft, fingerprint=fingerprint, on=on)
    return refused.value


@contextmanager
def nothing_is_written() -> Iterator[None]:
    """Fail if what is done meanwhile leaves any purchase, license or movement, cancels one or takes from a lot."""
    before = written()
    yield
    assert written() == before


def written() -> dict[str, object]:
    """All that buying and giving back write."""
    return {
        "purchases": sorted(Purchase.objects.values_list("pk", flat=True)),
        "licenses": sorted(License.objects.values_list("pk", "cancelled_at")),
        "movements": sorted(StockMovement.objects.values_list("pk", flat=True)),
        "lots": sorted(StockLot.objects.values_list("pk", "remaining")),
    }


def disagreements() -> list[str]:
    """What lots, movements and licenses tell differently."""
    return [difference for _lot, differences in audit(StockLot.objects.all()) for difference in differences]
