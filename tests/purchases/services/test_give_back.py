"""Giving back what was moved from stock: within seven days, to its lots, and once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db.models import Sum

from accounts.models import User
from contracts.models import ContractGrant
from purchases.models import Fulfilment, License, Purchase
from purchases.services.give_back import GivingBackTooLate, NothingToGiveBack, give_back_purchase, returnable
from purchases.services.rules import PermissionMissing
from stock.models import StockLot, StockMovement
from tests.factories import UserFactory
from tests.purchases.orders import TODAY, an_order, nothing_is_written, press_buy, stock_for

pytestmark = pytest.mark.django_db

LAST_DAY = TODAY + timedelta(days=7)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC), tick=False):
        yield


def moved(
    quantity: int = 3, *, use_by: date = date(2027, 5, 31), fulfilment: Fulfilment = Fulfilment.STOCK
) -> Purchase:
    """A purchase that took from two lots of two."""
    draft = an_order(quantity=quantity, fulfilment=fulfilment)
    stock_for(draft, 2, use_by=use_by)
    stock_for(draft, 2, use_by=date(2027, 6, 30))
    return press_buy(draft)


def give_back(purchase: Purchase, *, on: date = TODAY, buyer: User | None = None) -> int:
    return give_back_purchase(Purchase.objects.get(pk=purchase.pk), buyer=buyer or purchase.placed_by, on=on)


def test_licenses_return_to_their_lots_and_become_invalid() -> None:
    purchase = moved(3)

    quantity = give_back(purchase, on=LAST_DAY)

    assert quantity == 3
    assert not License.objects.valid().filter(purchase=purchase).exists()
    assert list(StockLot.objects.order_by("pk").values_list("remaining", flat=True)) == [2, 2]
    returned = StockMovement.objects.filter(reason="returned", reference=purchase.number).order_by("lot")
    assert list(returned.values_list("change", "actor")) == [(2, purchase.placed_by.pk), (1, purchase.placed_by.pk)]
    for lot in StockLot.objects.all():
        assert lot.movements.aggregate(sum=Sum("change"))["sum"] == lot.remaining


def test_new_licenses_of_the_same_purchase_stay() -> None:
    purchase = moved(6, fulfilment=Fulfilment.STOCK_THEN_NEW)

    assert give_back(purchase) == 4

    assert License.objects.valid().filter(purchase=purchase, stock_lot=None).count() == 2


def test_it_is_too_late_on_the_eighth_day() -> None:
    purchase = moved(3)

    with nothing_is_written(), pytest.raises(GivingBackTooLate, match="until 1 December 2026"):
        give_back(purchase, on=LAST_DAY + timedelta(days=1))


def test_a_lot_past_its_use_by_takes_nothing_back() -> None:
    purchase = moved(3, use_by=TODAY)

    with nothing_is_written(), pytest.raises(GivingBackTooLate, match="to be used by 24 November 2026"):
        give_back(purchase, on=TODAY + timedelta(days=1))


def test_a_lot_takes_back_on_its_last_day() -> None:
    purchase = moved(3, use_by=TODAY + timedelta(days=1))

    assert give_back(purchase, on=TODAY + timedelta(days=1)) == 3


def test_the_days_are_counted_where_the_reseller_is() -> None:
    with time_machine.travel(datetime(2026, 11, 23, 22, 30, tzinfo=UTC), tick=False):  # past midnight in Istanbul
        purchase = moved(3)

    shown = returnable(purchase, on=TODAY)

    assert shown is not None
    assert shown.until == LAST_DAY
    assert give_back(purchase, on=LAST_DAY) == 3


def test_a_second_time_nothing_is_left() -> None:
    purchase = moved(3)
    give_back(purchase)

    with nothing_is_written(), pytest.raises(NothingToGiveBack):
        give_back(purchase)


def test_a_purchase_of_new_licenses_has_nothing_to_give_back() -> None:
    purchase = press_buy(an_order(quantity=3))

    with nothing_is_written(), pytest.raises(NothingToGiveBack):
        give_back(purchase)
    assert returnable(purchase, on=TODAY) is None


def test_only_who_may_create_licenses_under_the_contract_gives_back() -> None:
    purchase = moved(3)
    colleague = UserFactory(reseller=purchase.reseller)
    ContractGrant.objects.create(contract=purchase.contract, user=colleague, can_create_licenses=False)

    for stranger in (colleague, UserFactory()):
        with nothing_is_written(), pytest.raises(PermissionMissing):
            give_back(purchase, buyer=stranger)


def test_who_was_disabled_or_lost_the_grant_meanwhile_gives_nothing_back() -> None:
    disabled, withdrawn = moved(3), moved(3)
    User.objects.filter(pk=disabled.placed_by_id).update(is_active=False)
    ContractGrant.objects.filter(user=withdrawn.placed_by_id).update(can_create_licenses=False)

    for purchase in (disabled, withdrawn):
        with nothing_is_written(), pytest.raises(PermissionMissing):
            give_back(purchase, buyer=purchase.placed_by)


def test_the_deadline_is_known_from_the_start() -> None:
    purchase, soon = moved(3), moved(3, use_by=TODAY + timedelta(days=2))

    shown, shown_soon = returnable(purchase, on=TODAY), returnable(soon, on=TODAY)

    assert shown is not None
    assert (shown.quantity, shown.until) == (3, LAST_DAY)
    assert shown_soon is not None
    assert shown_soon.until == TODAY + timedelta(days=2)
    assert returnable(purchase, on=LAST_DAY) is not None
    assert returnable(purchase, on=LAST_DAY + timedelta(days=1)) is None
