"""A step of a contract's life, or a change of its prices, while somebody buys: before the purchase, or after it."""

from collections.abc import Callable
from concurrent.futures import wait
from decimal import Decimal
from functools import partial

import pytest
from django.db import OperationalError, transaction
from django.test import Client
from django.urls import reverse

from contracts.models import Contract
from contracts.services.life import Act, StepNotAllowed, close, suspend
from contracts.services.prices import by_percentage, change_prices, fingerprint_of, plan_prices
from purchases.models import License, Purchase, PurchaseDraft
from purchases.services.buy import buy
from purchases.services.quote import PreviewOutdated
from purchases.services.rules import ContractNotActive
from tests.admin.others import held_elsewhere
from tests.factories import OperatorFactory
from tests.purchases.at_once import PATIENCE, Pause, all_at_once, meanwhile
from tests.purchases.orders import TODAY, a_line, an_order, nothing_is_written, quote_of
from tests.purchases.test_races import A_WHILE, BUYERS, pressing_buy, writing

__all__ = ["writing"]  # the fixture

pytestmark = pytest.mark.django_db(transaction=True)

Change = Callable[[Contract], object]


def raise_prices(contract: Contract) -> None:
    keys = list(contract.contract_products.values_list("pk", flat=True))
    new_price = by_percentage(Decimal(20))
    shown = fingerprint_of(contract, plan_prices(contract, keys, new_price))
    change_prices(contract, keys, new_price, fingerprint=shown, by=OperatorFactory(), reason="New year.")


CHANGES: dict[str, tuple[Change, type[Exception]]] = {
    "suspension": (lambda contract: suspend(contract, by=OperatorFactory(), reason="Unpaid."), ContractNotActive),
    "closing": (lambda contract: close(contract, by=OperatorFactory(), reason="Over."), ContractNotActive),
    "new prices": (raise_prices, PreviewOutdated),
}
every_change = pytest.mark.parametrize(("change", "refusal"), CHANGES.values(), ids=CHANGES)


def contract_of(draft: PurchaseDraft) -> Contract:
    assert draft.contract is not None
    return draft.contract


@every_change
def test_act_that_comes_first_stops_the_purchase(change: Change, refusal: type[Exception]) -> None:
    draft = an_order()
    press = pressing_buy(draft, quote_of(draft).fingerprint)
    pause = Pause()

    def change_slowly() -> None:
        with transaction.atomic():
            change(contract_of(draft))
            pause.reach()

    with nothing_is_written(), meanwhile(change_slowly) as changing:
        assert pause.is_reached.wait(timeout=PATIENCE)
        with meanwhile(press) as pressing, pause:
            assert not wait([pressing], timeout=A_WHILE).done
            pause.may_go_on.set()
            assert isinstance(pressing.exception(timeout=PATIENCE), refusal)
        changing.result(timeout=PATIENCE)


@every_change
def test_act_that_comes_second_waits_for_the_purchase(change: Change, refusal: type[Exception], writing: Pause) -> None:
    draft = an_order()
    contract = contract_of(draft)

    with meanwhile(pressing_buy(draft, quote_of(draft).fingerprint)) as pressing:
        assert writing.is_reached.wait(timeout=PATIENCE)
        with meanwhile(lambda: change(contract)) as changing, writing:
            assert not wait([changing], timeout=A_WHILE).done
            writing.may_go_on.set()
            changing.result(timeout=PATIENCE)
        purchase = pressing.result(timeout=PATIENCE)

    assert (purchase.unit_price, License.objects.count()) == (Decimal("100.00"), 3)
    contract.refresh_from_db()
    if refusal is ContractNotActive:
        assert purchase.placed_at <= contract.history.latest().history_date
    stored = Purchase.objects.values().get()
    assert (stored["unit_price"], stored["total"]) == (Decimal("100.00"), Decimal("300.00"))


def test_suspension_among_many_purchases_comes_after_those_that_were_made() -> None:
    line = a_line()
    drafts = [an_order(line=line, quantity=1) for _ in range(BUYERS)]
    presses = [pressing_buy(draft, quote_of(draft).fingerprint) for draft in drafts]
    operator = OperatorFactory()

    def suspend_until_it_is_done() -> None:
        for _ in range(5):
            try:
                suspend(line.contract, by=operator, reason="Unpaid.")
            except OperationalError:  # the others held the contract for too long
                continue
            return

    middle = len(presses) // 2
    acts: list[Callable[[], Purchase | None]] = [*presses[:middle], suspend_until_it_is_done, *presses[middle:]]

    outcomes = all_at_once(acts)

    bought = [outcome for outcome in outcomes if isinstance(outcome, Purchase)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, ContractNotActive)]
    assert (len(bought) + len(refused), outcomes[middle]) == (BUYERS, None)
    assert Purchase.objects.count() == License.objects.count() == len(bought)
    suspended_at = line.contract.history.latest().history_date
    assert all(purchase.placed_at <= suspended_at for purchase in bought)
    late = an_order(line=line)
    with pytest.raises(ContractNotActive):
        buy(late, buyer=late.user, fingerprint="", on=TODAY)


def test_step_taken_by_many_at_once_is_taken_once() -> None:
    contract = a_line().contract
    operators = [OperatorFactory() for _ in range(BUYERS)]

    outcomes = all_at_once([partial(suspend, contract, by=each, reason="Unpaid.") for each in operators])

    assert [outcome for outcome in outcomes if not isinstance(outcome, StepNotAllowed)] == [contract]
    assert contract.history.filter(status="suspended").count() == 1


@pytest.mark.postgresql_only
@pytest.mark.parametrize("act", [Act.SUSPEND, Act.CLOSE])
def test_step_that_waits_for_too_long_is_told_at_the_desk(client: Client, act: Act) -> None:
    contract = a_line().contract
    client.force_login(OperatorFactory())
    address = reverse(f"admin:contracts_contract_{act}", args=[contract.pk])

    with held_elsewhere(contract):
        page = client.post(address, {"reason": "Unpaid."}, follow=True)

    assert "in use for too long" in page.text
    contract.refresh_from_db()
    assert contract.status == "active"
