"""Stock that arrives at the desk, and what can be read of it afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from contracts.models import ContractProduct
from stock.models import StockLot, StockMovement
from tests.admin.forms import errors
from tests.admin.others import held_elsewhere
from tests.factories import ContractFactory, ContractProductFactory, ProductFactory, receive

ADD = "/admin/stock/stocklot/add/"


def arrival(line: ContractProduct, **facts: Any) -> dict[str, Any]:
    """What the page of a new lot sends, with other facts where given."""
    use_by = line.contract.reseller.today() + timedelta(days=90)
    plain = {"contract": line.contract.pk, "product": line.product.pk, "quantity": "7", "use_by": use_by.isoformat()}
    return {**plain, "term_months": "", "end_rule": "", **facts}


def test_arrival_writes_the_lot_and_its_movement(desk: Client, operator: User) -> None:
    line = ContractProductFactory()

    answer = desk.post(ADD, arrival(line))

    assert answer.status_code == 302
    lot = StockLot.objects.get()
    assert (lot.contract, lot.product, lot.reseller) == (line.contract, line.product, line.contract.reseller)
    assert (lot.quantity, lot.remaining) == (7, 7)
    assert (lot.term_months, lot.end_rule) == (line.contract.term_months, line.contract.end_rule)
    movement = StockMovement.objects.get()
    assert (movement.lot, movement.change, movement.reason, movement.actor) == (lot, 7, "received", operator)


def test_arrival_may_have_a_term_and_an_end_rule_of_its_own(desk: Client) -> None:
    line = ContractProductFactory()

    desk.post(ADD, arrival(line, term_months="6", end_rule="month_end"))

    lot = StockLot.objects.get()
    assert (lot.term_months, lot.end_rule) == (6, "month_end")


def test_arrival_can_be_used_on_the_day_it_comes_in(desk: Client) -> None:
    line = ContractProductFactory()
    today = line.contract.reseller.today()

    desk.post(ADD, arrival(line, use_by=today.isoformat()))

    assert StockLot.objects.get().use_by == today


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"contract": ""}, "required"),
        ({"contract": "999999"}, "not one of the available choices"),
        ({"contract": "\x00"}, "Null characters"),
        ({"product": ""}, "required"),
        ({"product": "9" * 4000}, "not one of the available choices"),
        ({"quantity": ""}, "required"),
        ({"quantity": "0"}, "greater than or equal to 1"),
        ({"quantity": "-1"}, "greater than or equal to 1"),
        ({"quantity": "1.5"}, "whole number"),
        ({"quantity": "1000001"}, "less than or equal to 1000000"),
        ({"quantity": "9" * 5000}, "whole number"),
        ({"use_by": ""}, "required"),
        ({"use_by": "2000-01-01"}, "this day is over"),
        ({"use_by": "2027-02-30"}, "valid date"),
        ({"term_months": "0"}, "greater than or equal to 1"),
        ({"term_months": "121"}, "less than or equal to 120"),
        ({"end_rule": "someday"}, "not one of the available choices"),
        ({"end_rule": "contract_end"}, "is open-ended"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value)[:40],
)
def test_wrong_arrival_is_refused(desk: Client, facts: dict[str, Any], sentence: str) -> None:
    line = ContractProductFactory()

    page = desk.post(ADD, arrival(line, **facts))

    assert sentence in errors(page)
    assert not StockLot.objects.exists()
    assert not StockMovement.objects.exists()


def test_arrival_of_a_product_that_the_contract_lacks_is_refused(desk: Client) -> None:
    line, stranger = ContractProductFactory(), ProductFactory()

    page = desk.post(ADD, arrival(line, product=stranger.pk))

    assert f"does not have {stranger}" in errors(page)
    assert not StockLot.objects.exists()


def test_arrival_may_end_with_a_contract_that_ends(desk: Client) -> None:
    contract = ContractFactory()
    contract.ends_on = contract.reseller.today() + timedelta(days=365)
    contract.save()
    line = ContractProductFactory(contract=contract)

    desk.post(ADD, arrival(line, end_rule="contract_end"))

    assert StockLot.objects.get().end_rule == "contract_end"


def test_lot_shows_its_movements_and_cannot_be_changed_or_deleted(desk: Client) -> None:
    line = ContractProductFactory()
    lot = receive(line.contract, line.product, 3)
    page_of_lot = reverse("admin:stock_stocklot_change", args=[lot.pk])

    page = desk.get(page_of_lot)
    changed = desk.post(page_of_lot, arrival(line, quantity="9"))
    deleted = desk.post(reverse("admin:stock_stocklot_delete", args=[lot.pk]), {"post": "yes"})

    assert "Received" in page.text
    assert (changed.status_code, deleted.status_code) == (403, 403)
    lot.refresh_from_db()
    assert lot.quantity == 3


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_nothing_arrives_under_a_contract_that_is_held_for_too_long(desk: Client) -> None:
    line = ContractProductFactory()

    with held_elsewhere(line.contract):
        page = desk.post(ADD, arrival(line), follow=True)

    assert "in use for too long" in page.text
    assert not StockLot.objects.exists()
