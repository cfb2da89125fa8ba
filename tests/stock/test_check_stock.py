"""Stock is compared with its movements and its licenses, and each difference named."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from purchases.models import Fulfilment, License
from stock.models import StockLot, StockMovement
from stock.services.correct import correct
from stock.services.give_back import give_back
from stock.services.lapse import lapse
from stock.services.take import Taking, take_stock
from tests.factories import LicenseFactory, OperatorFactory, PurchaseFactory, receive
from tests.guard.unguarded import unguarded
from tests.purchases.orders import a_line, an_order, press_buy, stock_for

pytestmark = pytest.mark.django_db


def a_lot() -> StockLot:
    """A lot of 10 to which everything has happened: 6 taken and 2 of them given back, 3 lost and 1 found."""
    line = a_line()
    lot = receive(line.contract, line.product, 10)
    today = line.contract.reseller.today()
    purchase = PurchaseFactory(contract=line.contract, product=line.product, quantity=6, from_stock=6)
    take_stock([Taking(lot, 6)], actor=purchase.placed_by, reference=purchase.number)
    licenses = [LicenseFactory(purchase=purchase, stock_lot=lot) for _ in range(6)]
    give_back([Taking(lot, 2)], actor=purchase.placed_by, reference=purchase.number, on=today)
    License.objects.filter(pk__in=[license.pk for license in licenses[:2]]).update(cancelled_at=timezone.now())
    correct(lot, -3, reason_text="Lost.", actor=purchase.placed_by, on=today)
    correct(lot, 1, reason_text="Found.", actor=purchase.placed_by, on=today)
    return StockLot.objects.get(pk=lot.pk)


def check_stock() -> tuple[list[str], int]:
    """What the command says, line by line, and the status it exits with."""
    said = StringIO()
    try:
        call_command("check_stock", stdout=said)
    except SystemExit as exit_:
        return said.getvalue().splitlines(), int(exit_.code or 0)
    return said.getvalue().splitlines(), 0


def move(lot: StockLot, change: int, reason: str) -> None:
    """Write a movement past the services."""
    StockMovement.objects.create(lot=lot, change=change, reason=reason, created_at=timezone.now())


def test_nothing_is_said_where_all_agrees() -> None:
    a_lot()
    a_lot()

    assert check_stock() == (["Lots checked: 2. Lots that disagree: 0."], 0)


def test_lapsed_lot_agrees() -> None:
    lot = a_lot()
    StockLot.objects.update(use_by="2020-01-01")
    lapse(at=timezone.now())

    assert StockLot.objects.get(pk=lot.pk).remaining == 0
    assert check_stock() == (["Lots checked: 1. Lots that disagree: 0."], 0)


def test_purchase_from_stock_agrees() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK)
    lots = [stock_for(draft, 2) for _ in range(2)]

    press_buy(draft)

    assert sum(StockLot.objects.get(pk=lot.pk).remaining for lot in lots) == 1
    assert check_stock() == (["Lots checked: 2. Lots that disagree: 0."], 0)


def _change_what_remains(lot: StockLot) -> None:
    StockLot.objects.filter(pk=lot.pk).update(remaining=3)


def _lose_a_license(lot: StockLot) -> None:
    license = License.objects.filter(stock_lot=lot, cancelled_at=None).order_by("pk")[:1].get()
    with unguarded() as execute:
        execute("DELETE FROM purchases_license WHERE id = %s", license.pk)


def _make_a_license(lot: StockLot) -> None:
    LicenseFactory(contract=lot.contract, product=lot.product, stock_lot=lot)


def _cancel_a_license(lot: StockLot) -> None:
    license = License.objects.filter(stock_lot=lot, cancelled_at=None).order_by("pk")[:1].get()
    License.objects.filter(pk=license.pk).update(cancelled_at=timezone.now())


def _make_returned_licenses_valid(lot: StockLot) -> None:
    with unguarded():
        License.objects.filter(stock_lot=lot).update(cancelled_at=None)


def _take_one_more_in_and_lose_it(lot: StockLot) -> None:
    move(lot, 1, "received")
    move(lot, -1, "corrected")


def _return_two_and_lose_a_license(lot: StockLot) -> None:
    move(lot, 2, "returned")
    _lose_a_license(lot)


BROKEN: dict[str, tuple[Callable[[StockLot], None], list[str]]] = {
    "what remains was changed": (
        _change_what_remains,
        ["The lot holds 3; by its movements, it should hold 4."],
    ),
    "a movement was written alone": (
        lambda lot: move(lot, -1, "corrected"),
        ["The lot holds 4; by its movements, it should hold 3."],
    ),
    "a license is gone": (_lose_a_license, ["By the movements, 6 went to accounts; by the licenses, 5."]),
    "a license came without a movement": (
        _make_a_license,
        ["By the movements, 6 went to accounts; by the licenses, 7."],
    ),
    "a license was cancelled without coming back": (
        _cancel_a_license,
        ["By the movements, 2 came back; by the licenses, 3."],
    ),
    "what came back is still valid": (
        _make_returned_licenses_valid,
        ["By the movements, 2 came back; by the licenses, 0."],
    ),
    "more came in than the lot says": (
        _take_one_more_in_and_lose_it,
        ["By the lot, 10 came in; by its movements, 11."],
    ),
    "several at once": (
        _return_two_and_lose_a_license,
        [
            "The lot holds 4; by its movements, it should hold 6.",
            "By the movements, 6 went to accounts; by the licenses, 5.",
            "By the movements, 4 came back; by the licenses, 2.",
        ],
    ),
}

every_difference = pytest.mark.parametrize(("break_books", "differences"), BROKEN.values(), ids=BROKEN)


@every_difference
def test_each_difference_is_named_and_fails_the_command(
    break_books: Callable[[StockLot], None], differences: list[str]
) -> None:
    a_lot()
    lot = a_lot()
    break_books(lot)

    said, status = check_stock()

    assert said == [
        *(f"Lot {lot.pk}: {difference}" for difference in differences),
        "Lots checked: 2. Lots that disagree: 1.",
    ]
    assert status == 1


@every_difference
def test_lot_s_page_at_the_desk_shows_the_same(
    client: Client, break_books: Callable[[StockLot], None], differences: list[str]
) -> None:
    lot = a_lot()
    client.force_login(OperatorFactory())
    address = reverse("admin:stock_stocklot_change", args=[lot.pk])

    before = client.get(address)
    break_books(lot)
    after = client.get(address)

    assert "Agrees." in before.text
    assert "Agrees." not in after.text
    assert " ".join(differences) in after.text


def test_lot_without_any_movement_is_found() -> None:
    lot = a_lot()
    StockLot.objects.create(
        reseller=lot.reseller,
        contract=lot.contract,
        product=lot.product,
        quantity=5,
        remaining=5,
        use_by=lot.use_by,
        term_months=12,
        end_rule="anniversary",
        received_at=timezone.now(),
    )

    said, status = check_stock()

    assert [sentence.split(": ", 1)[1] for sentence in said[:2]] == [
        "By the lot, 5 came in; by its movements, 0.",
        "The lot holds 5; by its movements, it should hold 0.",
    ]
    assert status == 1


def test_all_lots_are_compared_in_one_statement() -> None:
    counts = []

    for quantity in (1, 30):
        for _ in range(quantity):
            a_lot()
        with CaptureQueriesContext(connection) as statements:
            check_stock()
        counts.append(len(statements))

    assert counts == [1, 1]


def test_nothing_is_changed() -> None:
    lot = a_lot()
    _change_what_remains(lot)
    before = list(StockMovement.objects.order_by("pk").values())

    check_stock()

    assert StockLot.objects.get(pk=lot.pk).remaining == 3
    assert list(StockMovement.objects.order_by("pk").values()) == before
