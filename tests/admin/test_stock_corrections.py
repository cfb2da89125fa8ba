"""Stock that is corrected at the desk: for a reason, by who may, and once."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from stock.models import StockLot, StockMovement
from stock.services.take import Taking, take_stock
from tests.admin.forms import errors
from tests.factories import ContractProductFactory, OperatorFactory, UserFactory, receive


@pytest.fixture
def lot(db: None) -> StockLot:
    line = ContractProductFactory()
    return receive(line.contract, line.product, 10)


def page_of(lot: StockLot) -> str:
    return reverse("admin:stock_stocklot_change", args=[lot.pk])


def correction_of(lot: StockLot) -> str:
    return reverse("admin:stock_stocklot_correct", args=[lot.pk])


def correction(**fields: Any) -> dict[str, Any]:
    """What the page of a correction sends for a lot with one movement."""
    return {"change": "-3", "reason_text": "Counted anew.", "movements_seen": "1", **fields}


def remaining(lot: StockLot) -> int:
    return StockLot.objects.get(pk=lot.pk).remaining


def test_lot_s_page_leads_to_its_correction(desk: Client, lot: StockLot) -> None:
    page = desk.get(page_of(lot))
    form = desk.get(correction_of(lot))

    assert correction_of(lot) in page.text
    assert "10 of 10 left" in form.text
    assert not form.context["errors"]
    assert "default-src 'none'" in form.headers["Content-Security-Policy"]


def test_correction_is_written_with_its_reason_and_shown(desk: Client, operator: User, lot: StockLot) -> None:
    page = desk.post(correction_of(lot), correction(reason_text="  Counted\tanew. "), follow=True)

    assert page.redirect_chain == [(page_of(lot), 302)]
    assert "corrected by -3" in page.text
    assert "Counted anew." in page.text
    assert remaining(lot) == 7
    movement = StockMovement.objects.get(reason="corrected")
    assert (movement.lot, movement.change, movement.actor) == (lot, -3, operator)
    assert movement.reference == "Counted anew."
    assert LogEntry.objects.get().get_change_message() == "Corrected: -3. Counted anew."


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"change": ""}, "required"),
        ({"change": "0"}, "changes nothing"),
        ({"change": "1.5"}, "whole number"),
        ({"change": "three"}, "whole number"),
        ({"change": "-11"}, "This stock holds 10."),
        ({"change": "1"}, "take the rest in as new stock"),
        ({"change": "9" * 30}, "take the rest in as new stock"),
        ({"change": "9" * 5000}, "whole number"),
        ({"reason_text": ""}, "required"),
        ({"reason_text": " "}, "required"),
        ({"reason_text": "x" * 201}, "at most 200 characters"),
        ({"reason_text": "a\x00b"}, "cannot be shown"),
        ({"movements_seen": ""}, "required"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value)[:40],
)
def test_wrong_correction_is_refused(desk: Client, lot: StockLot, fields: dict[str, Any], sentence: str) -> None:
    page = desk.post(correction_of(lot), correction(**fields))

    assert sentence in errors(page)
    assert remaining(lot) == 10
    assert not StockMovement.objects.filter(reason="corrected").exists()


def test_refused_correction_keeps_what_was_typed(desk: Client, lot: StockLot) -> None:
    page = desk.post(correction_of(lot), correction(change="-11"))

    assert 'value="-11"' in page.text
    assert 'value="Counted anew."' in page.text


def test_correction_that_is_sent_twice_corrects_once(desk: Client, lot: StockLot) -> None:
    desk.post(correction_of(lot), correction())

    page = desk.post(correction_of(lot), correction(), follow=True)

    assert "nothing was corrected now" in page.text
    assert remaining(lot) == 7


def test_correction_of_stock_that_changed_meanwhile_is_not_made(desk: Client, lot: StockLot) -> None:
    take_stock([Taking(lot, 4)], actor=UserFactory(), reference="P-1")

    page = desk.post(correction_of(lot), correction(), follow=True)

    assert "nothing was corrected now" in page.text
    assert remaining(lot) == 6


def test_only_who_may_change_lots_corrects_them(client: Client, lot: StockLot) -> None:
    reader = OperatorFactory(is_superuser=False)
    reader.user_permissions.add(Permission.objects.get(codename="view_stocklot"))
    client.force_login(reader)

    page, form, sent = (
        client.get(page_of(lot)),
        client.get(correction_of(lot)),
        client.post(correction_of(lot), correction()),
    )

    assert correction_of(lot) not in page.text
    assert (page.status_code, form.status_code, sent.status_code) == (200, 403, 403)
    assert remaining(lot) == 10


def test_who_may_change_lots_corrects_them_without_being_a_superuser(client: Client, lot: StockLot) -> None:
    clerk = OperatorFactory(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_stocklot", "change_stocklot"]))
    client.force_login(clerk)

    client.post(correction_of(lot), correction())

    assert remaining(lot) == 7


def test_reseller_s_user_does_not_get_in(client: Client, lot: StockLot) -> None:
    client.force_login(UserFactory(reseller=lot.reseller))

    answer = client.post(correction_of(lot), correction())

    assert answer.status_code == 302
    assert remaining(lot) == 10


@pytest.mark.parametrize("key", ["0", "9" * 40])
def test_correction_of_a_lot_that_does_not_exist_is_not_found(desk: Client, key: str) -> None:
    assert desk.get(f"/admin/stock/stocklot/{key}/correct/").status_code == 404
    assert desk.post(f"/admin/stock/stocklot/{key}/correct/", correction()).status_code == 404
