"""How many statements buying takes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purchases.models import Fulfilment, License, PurchaseDraft
from purchases.services.buy import buy
from tests.factories import LicenseFactory
from tests.purchases.orders import TODAY, a_line, an_order, quote_of, stock_for

pytestmark = pytest.mark.django_db

BATCH = 1_000


def statements_of_buying(draft: PurchaseDraft) -> int:
    """How many statements it takes to buy the draft, those that begin and end the transaction included."""
    shown = quote_of(draft).fingerprint
    draft = PurchaseDraft.objects.get(pk=draft.pk)
    buyer = draft.user
    with CaptureQueriesContext(connection) as statements:
        buy(draft, buyer=buyer, fingerprint=shown, on=TODAY)
    return len(statements)


def test_buying_three_licenses_from_two_lots_and_new_takes_at_most_20_statements() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 1)
    stock_for(draft, 1)

    assert statements_of_buying(draft) <= 20
    assert (License.objects.filter(stock_lot=None).count(), License.objects.exclude(stock_lot=None).count()) == (1, 2)


def test_buying_ten_thousand_licenses_takes_the_statements_of_three_and_one_for_each_further_batch() -> None:
    few = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    many = an_order(quantity=10_000, fulfilment=Fulfilment.STOCK_THEN_NEW)
    for draft in (few, many):
        stock_for(draft, 1)
        stock_for(draft, 1)

    assert statements_of_buying(many) - statements_of_buying(few) == 10_000 / BATCH - 1
    assert License.objects.count() == 10_003


def test_buying_takes_the_same_statements_from_many_lots_and_for_an_account_that_has_many_licenses() -> None:
    few = an_order(quantity=1, fulfilment=Fulfilment.STOCK)
    many = an_order(quantity=60, fulfilment=Fulfilment.STOCK)
    stock_for(few, 1)
    for _ in range(60):
        stock_for(many, 1)
        LicenseFactory(account=many.account, product=many.product, contract=many.contract, starts_on=TODAY)
        a_line(reseller=many.reseller)

    assert statements_of_buying(many) == statements_of_buying(few)
