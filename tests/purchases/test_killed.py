"""A server that is killed between any two statements leaves nothing half-done, and the retry does it once."""

from itertools import count

import pytest
from django.urls import reverse

from purchases.models import Fulfilment, License, Purchase, Purpose
from stock.models import StockMovement
from tests.purchases.killed import dies_while_it_answers, form_of
from tests.purchases.orders import an_order, disagreements, press_buy, stock_for, written
from tests.purchases.wizard import Wizard, begin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]

LEAST = 15
"""With fewer statements than any of these acts needs, a test would have killed nobody in the middle."""


def about_to_move() -> Wizard:
    """At the preview of a move of 3 from two lots."""
    draft = an_order(quantity=3, purpose=Purpose.MOVE, fulfilment=Fulfilment.STOCK)
    stock_for(draft, 2)
    stock_for(draft, 5)
    return begin(draft)


def test_move_that_is_killed_between_any_two_statements_moves_nothing_and_its_retry_moves_once() -> None:
    for statements in count(1):
        wizard = about_to_move()
        shown = wizard.fingerprint()
        form = form_of(wizard.client, wizard.url("buy"), {"fingerprint": shown})
        before = written()

        is_killed = dies_while_it_answers(form, after=statements)
        after = written()
        retry = wizard.buy(shown)

        assert (after == before) is is_killed
        purchase = Purchase.objects.get(draft_id=wizard.draft.pk)
        assert (retry.status_code, retry.headers["Location"]) == (303, purchase.get_absolute_url())
        assert License.objects.valid().filter(purchase=purchase).count() == 3
        moved = StockMovement.objects.filter(reason="allocated", reference=purchase.number)
        assert list(moved.order_by("pk").values_list("change", flat=True)) == [-2, -1]
        assert disagreements() == []
        if not is_killed:
            break
    assert statements > LEAST


def test_giving_back_that_is_killed_between_any_two_statements_gives_nothing_back_and_its_retry_all() -> None:
    for statements in count(1):
        wizard = about_to_move()
        purchase = press_buy(wizard.draft)
        form = form_of(wizard.client, reverse("give_back", args=[purchase.number]))
        before = written()

        is_killed = dies_while_it_answers(form, after=statements)
        after = written()
        retry = wizard.client.post(form.address)

        assert (after == before) is is_killed
        assert retry.status_code == (303 if is_killed else 409)
        assert not License.objects.valid().filter(purchase=purchase).exists()
        returned = StockMovement.objects.filter(reason="returned", reference=purchase.number)
        assert list(returned.order_by("pk").values_list("change", flat=True)) == [2, 1]
        assert disagreements() == []
        if not is_killed:
            break
    assert statements > LEAST
