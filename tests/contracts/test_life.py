"""A contract's steps: which are possible, what is missing for them, and who, when and why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from contracts.models import Contract
from contracts.services.life import (
    Act,
    ContractCannotSell,
    ContractClosed,
    LifeRefused,
    ReasonMissing,
    StepNotAllowed,
    act_between,
    activate,
    close,
    missing_to_sell,
    next_acts,
    perform,
    resume,
    suspend,
)
from tests.factories import (
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    OperatorFactory,
    ProductFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

Status = Contract.Status


def sellable(**terms: Any) -> Contract:
    """A draft that lacks nothing."""
    line = ContractProductFactory(contract=ContractFactory(**{"status": Status.DRAFT, **terms}))
    ContractGrantFactory(contract=line.contract)
    return line.contract


@pytest.fixture
def operator() -> User:
    return OperatorFactory()


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        (activate, Status.DRAFT, Status.ACTIVE),
        (suspend, Status.ACTIVE, Status.SUSPENDED),
        (resume, Status.SUSPENDED, Status.ACTIVE),
        (close, Status.ACTIVE, Status.CLOSED),
        (close, Status.SUSPENDED, Status.CLOSED),
    ],
)
def test_step_is_taken_and_who_when_and_why_are_kept(
    operator: User, act: Callable[..., Contract], before: Status, after: Status
) -> None:
    contract = sellable(status=before)

    act(contract, by=operator, reason="Agreed by phone.")

    contract.refresh_from_db()
    assert contract.status == after
    version = contract.history.order_by("-history_id").first()
    assert (version.status, version.history_user_id, version.history_change_reason) == (
        after,
        operator.pk,
        "Agreed by phone.",
    )
    assert contract.history.order_by("-history_id")[1].status == before


STEPS = {
    Status.DRAFT: {Act.ACTIVATE},
    Status.ACTIVE: {Act.SUSPEND, Act.CLOSE},
    Status.SUSPENDED: {Act.RESUME, Act.CLOSE},
    Status.CLOSED: set(),
}


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("status", Status)
def test_only_the_next_steps_are_possible(operator: User, status: Status, act: Act) -> None:
    contract = sellable(status=status)
    versions = contract.history.count()
    assert (act in next_acts(status)) == (act in STEPS[status])
    if act in STEPS[status]:
        return

    with pytest.raises(LifeRefused) as refused:
        perform(act, contract, by=operator, reason="Because.")

    assert isinstance(refused.value, ContractClosed if status == Status.CLOSED else StepNotAllowed)
    contract.refresh_from_db()
    assert contract.status == status
    assert contract.history.count() == versions


def test_refused_step_names_the_possible_ones(operator: User) -> None:
    with pytest.raises(StepNotAllowed, match="Possible now: “Suspend”, “Close the contract”"):
        resume(sellable(status=Status.ACTIVE), by=operator, reason="Because.")


def test_closed_contract_refuses_with_the_way_on(operator: User) -> None:
    with pytest.raises(ContractClosed, match="Duplicate it"):
        resume(sellable(status=Status.CLOSED), by=operator, reason="Because.")


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize("act", Act)
def test_step_without_a_reason_is_refused(operator: User, act: Act, reason: str) -> None:
    contract = sellable(status=act.starts_from[0])

    with pytest.raises(ReasonMissing):
        perform(act, contract, by=operator, reason=reason)

    contract.refresh_from_db()
    assert contract.status == act.starts_from[0]


def test_step_of_somebody_else_is_seen(operator: User) -> None:
    contract = sellable(status=Status.ACTIVE)
    suspend(contract, by=operator, reason="First.")

    with pytest.raises(StepNotAllowed):
        suspend(contract, by=operator, reason="Second.")

    assert contract.history.filter(status=Status.SUSPENDED).count() == 1


def no_line(contract: Contract) -> None:
    contract.contract_products.all().delete()


def inactive_line(contract: Contract) -> None:
    contract.contract_products.update(is_active=False)


def retired_product(contract: Contract) -> None:
    contract.contract_products.update(product=ProductFactory(is_active=False))


def no_price(contract: Contract) -> None:
    contract.contract_products.update(unit_price=0)


def no_grant(contract: Contract) -> None:
    contract.grants.all().delete()


def grant_without_permission(contract: Contract) -> None:
    contract.grants.update(can_create_licenses=False)


def inactive_buyer(contract: Contract) -> None:
    User.objects.filter(grants__contract=contract).update(is_active=False)


def buyer_of_another_reseller(contract: Contract) -> None:
    contract.grants.update(user=UserFactory())


def inactive_reseller(contract: Contract) -> None:
    contract.reseller.is_active = False
    contract.reseller.save()


def over(contract: Contract) -> None:
    Contract.objects.filter(pk=contract.pk).update(ends_on=contract.reseller.today() - timedelta(days=1))


MISSING: dict[Callable[[Contract], None], str] = {
    no_line: "It has no product",
    inactive_line: "None of its products is on sale",
    retired_product: "None of its products is on sale",
    no_price: "costs nothing",
    no_grant: "No active user may create licenses",
    grant_without_permission: "No active user may create licenses",
    inactive_buyer: "No active user may create licenses",
    buyer_of_another_reseller: "No active user may create licenses",
    inactive_reseller: "is not active. Make the reseller active",
    over: "It ended on",
}


@pytest.mark.parametrize("act", [Act.ACTIVATE, Act.RESUME])
@pytest.mark.parametrize("lack", MISSING, ids=lambda lack: lack.__name__)
def test_contract_that_cannot_sell_is_not_made_active(
    operator: User, act: Act, lack: Callable[[Contract], None]
) -> None:
    contract = sellable(status=act.starts_from[0])
    lack(contract)
    versions = contract.history.count()

    with pytest.raises(ContractCannotSell) as refused:
        perform(act, contract, by=operator, reason="Because.")

    assert len(refused.value.missing) == 1
    assert MISSING[lack] in refused.value.missing[0]
    contract.refresh_from_db()
    assert contract.status == act.starts_from[0]
    assert contract.history.count() == versions


def test_everything_that_is_missing_is_listed_at_once(operator: User) -> None:
    contract = ContractFactory(status=Status.DRAFT)
    over(contract)
    inactive_reseller(contract)

    with pytest.raises(ContractCannotSell) as refused:
        activate(contract, by=operator, reason="Because.")

    assert len(refused.value.missing) == 4


def test_contract_that_ends_today_or_begins_later_can_sell() -> None:
    contract = sellable()
    today = contract.reseller.today()

    for starts_on, ends_on in ((today, today), (today + timedelta(days=30), None)):
        contract.starts_on, contract.ends_on = starts_on, ends_on
        assert missing_to_sell(contract) == []


def test_one_product_on_sale_at_a_price_is_enough() -> None:
    contract = sellable()
    ContractProductFactory(contract=contract, unit_price=0)
    ContractProductFactory(contract=contract, is_active=False)

    assert missing_to_sell(contract) == []


def test_act_between_two_statuses() -> None:
    found = {(before, after): act_between(before, after) for before in Status for after in Status}

    assert {pair: act for pair, act in found.items() if act} == {
        (Status.DRAFT, Status.ACTIVE): Act.ACTIVATE,
        (Status.ACTIVE, Status.SUSPENDED): Act.SUSPEND,
        (Status.SUSPENDED, Status.ACTIVE): Act.RESUME,
        (Status.ACTIVE, Status.CLOSED): Act.CLOSE,
        (Status.SUSPENDED, Status.CLOSED): Act.CLOSE,
    }
