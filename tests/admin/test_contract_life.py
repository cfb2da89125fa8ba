"""The steps of a contract's life at the desk: buttons, list actions, the status on the form, closed contracts."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from contracts.models import Contract
from contracts.services.life import Act, next_acts
from tests.admin.forms import contract_page
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    ProductFactory,
    PurchaseFactory,
    ResellerFactory,
    UserFactory,
)

ADD = "/admin/contracts/contract/add/"
LIST = "/admin/contracts/contract/"
Status = Contract.Status


def sellable(status: str, **terms: Any) -> Contract:
    line = ContractProductFactory(contract=ContractFactory(status=status, **terms))
    ContractGrantFactory(contract=line.contract)
    return line.contract


def address(contract: Contract, page: str) -> str:
    return reverse(f"admin:contracts_contract_{page}", args=[contract.pk])


def status_of(contract: Contract) -> str:
    return Contract.objects.values_list("status", flat=True).get(pk=contract.pk)


def page_as_sent(contract: Contract, **terms: Any) -> dict[str, Any]:
    """What the contract's page sends, with its lines left as they are."""
    lines = [
        {"id": line.pk, "contract": contract.pk, "unit_price": line.unit_price, "is_active": "on"}
        for line in contract.contract_products.all()
    ]
    grants = [{"id": grant.pk, "contract": contract.pk, "can_create_licenses": "on"} for grant in contract.grants.all()]
    return contract_page(
        {
            "reseller": contract.reseller_id,
            "number": contract.number,
            "title": contract.title,
            "starts_on": contract.starts_on.isoformat(),
            "status": contract.status,
            "initial-status": contract.status,
            **terms,
        },
        products=lines,
        grants=grants,
        stored=(len(lines), len(grants)),
    )


@pytest.fixture
def several_contracts(settings: Settings) -> None:
    """Let steps be taken with several contracts: each is held in a transaction of its own."""
    settings.ZEAL_ALLOWLIST = [
        {"model": "contracts.Contract", "field": "*"},
        {"model": "contracts.HistoricalContract", "field": "*"},
    ]


@pytest.mark.parametrize(
    ("act", "before"),
    [(act, before) for act in Act for before in act.starts_from],
)
def test_button_asks_why_and_takes_the_step(desk: Client, operator: User, act: Act, before: Status) -> None:
    contract = sellable(before)
    shown = desk.get(address(contract, "change"))
    asked = desk.get(address(contract, act))

    answer = desk.post(address(contract, act), {"reason": "Agreed by phone."}, follow=True)

    assert address(contract, act) in shown.text
    assert 'name="reason"' in asked.text
    assert status_of(contract) == act.leads_to
    version = contract.history.latest()
    assert (version.history_user_id, version.history_change_reason) == (operator.pk, "Agreed by phone.")
    assert contract.number in "".join(str(message) for message in answer.context["messages"])


@pytest.mark.parametrize("act", Act)
def test_step_without_a_reason_is_asked_again(desk: Client, act: Act) -> None:
    contract = sellable(act.starts_from[0])

    page = desk.post(address(contract, act), {"reason": " "})

    assert page.status_code == 200
    assert "Say why" in page.text
    assert status_of(contract) == act.starts_from[0]


@pytest.mark.parametrize("status", Status)
def test_only_the_next_steps_have_buttons(desk: Client, status: Status) -> None:
    contract = sellable(status)

    page = desk.get(address(contract, "change"))

    assert {act for act in Act if f'href="{address(contract, act)}"' in page.text} == set(next_acts(status))


@pytest.mark.parametrize(
    ("act", "status"), [(act, status) for act in Act for status in Status if act not in next_acts(status)]
)
def test_forged_step_is_refused(desk: Client, act: Act, status: Status) -> None:
    contract = sellable(status)

    desk.get(address(contract, act))
    page = desk.post(address(contract, act), {"reason": "Because."}, follow=True)

    assert status_of(contract) == status
    assert page.redirect_chain == [(address(contract, "change"), 302)]


@pytest.mark.parametrize("act", [Act.ACTIVATE, Act.RESUME])
def test_page_of_a_step_that_would_be_refused_lists_what_is_missing(desk: Client, act: Act) -> None:
    contract = ContractFactory(status=act.starts_from[0])

    page = desk.get(address(contract, act))
    desk.post(address(contract, act), {"reason": "Because."})

    assert "It has no product" in page.text
    assert "No active user may create licenses" in page.text
    assert 'type="submit" class="default"' not in page.text
    assert status_of(contract) == act.starts_from[0]


def test_step_needs_the_right_to_change_contracts(client: Client, db: None) -> None:
    contract = sellable(Status.ACTIVE)
    client.force_login(UserFactory(reseller=None, is_staff=True))

    for act in Act:
        assert client.get(address(contract, act)).status_code == 403
        assert client.post(address(contract, act), {"reason": "Because."}).status_code == 403
    assert status_of(contract) == Status.ACTIVE


def test_step_is_refused_without_a_token(operator: User) -> None:
    contract = sellable(Status.ACTIVE)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)

    answer = browser.post(address(contract, Act.SUSPEND), {"reason": "Because."})

    assert answer.status_code == 403
    assert status_of(contract) == Status.ACTIVE


def test_step_with_an_unknown_contract_is_not_found(desk: Client) -> None:
    assert desk.get(reverse("admin:contracts_contract_suspend", args=[999])).status_code == 404


# List actions


def run_action(desk: Client, act: Act, contracts: list[Contract], **sent: str) -> Any:
    chosen = {"action": f"{act}_selected", "_selected_action": [contract.pk for contract in contracts]}
    return desk.post(LIST, {**chosen, **sent}, follow=True)


@pytest.mark.usefixtures("several_contracts")
def test_list_action_asks_why_and_steps_with_those_that_can(desk: Client, operator: User) -> None:
    able, unable, closed = sellable(Status.ACTIVE), sellable(Status.SUSPENDED), sellable(Status.CLOSED)
    other = sellable(Status.ACTIVE)

    asked = run_action(desk, Act.SUSPEND, [able, unable, closed])
    assert status_of(able) == Status.ACTIVE
    done = run_action(desk, Act.SUSPEND, [able, unable, closed], post="yes", reason="Unpaid.")

    assert asked.context["able"] == [able]
    assert set(asked.context["unable"]) == {unable, closed}
    assert [status_of(each) for each in (able, unable, closed, other)] == [
        Status.SUSPENDED,
        Status.SUSPENDED,
        Status.CLOSED,
        Status.ACTIVE,
    ]
    assert able.history.latest().history_change_reason == "Unpaid."
    assert able.history.latest().history_user_id == operator.pk
    told = " ".join(str(message) for message in done.context["messages"])
    assert "done with 1 contract" in told
    assert "Refused for 2 contracts" in told


@pytest.mark.usefixtures("several_contracts")
def test_list_action_tells_what_is_missing(desk: Client) -> None:
    ready, bare = sellable(Status.DRAFT), ContractFactory(status=Status.DRAFT)

    page = run_action(desk, Act.ACTIVATE, [ready, bare], post="yes", reason="New year.")

    assert (status_of(ready), status_of(bare)) == (Status.ACTIVE, Status.DRAFT)
    assert "It has no product" in " ".join(str(message) for message in page.context["messages"])


@pytest.mark.parametrize("act", Act)
def test_list_action_without_a_reason_does_nothing(desk: Client, act: Act) -> None:
    contract = sellable(act.starts_from[0])

    page = run_action(desk, act, [contract], post="yes", reason="")

    assert "Say why" in page.text
    assert status_of(contract) == act.starts_from[0]


# The status on the form


def test_new_contract_is_a_draft(desk: Client) -> None:
    page = desk.get(ADD)
    desk.post(ADD, contract_page({"reseller": ResellerFactory().pk, "status": "draft"}))

    assert page.context["adminform"].form.initial.get("status", Status.DRAFT) == Status.DRAFT
    assert Contract.objects.get().status == Status.DRAFT


def test_new_contract_that_can_sell_is_activated_at_once(desk: Client, operator: User) -> None:
    reseller = ResellerFactory()
    user = UserFactory(reseller=reseller)

    desk.post(
        ADD,
        contract_page(
            {"reseller": reseller.pk, "status": "active", "initial-status": "draft", "reason": "Signed."},
            products=[{"product": ProductFactory().pk, "unit_price": "1", "is_active": "on"}],
            grants=[{"user": user.pk, "can_create_licenses": "on"}],
        ),
    )

    contract = Contract.objects.get()
    assert contract.status == Status.ACTIVE
    assert contract.history.latest().history_change_reason == "Signed."
    assert contract.history.latest().history_user_id == operator.pk


def test_new_contract_that_cannot_sell_is_kept_as_a_draft_and_told_so(desk: Client) -> None:
    page = desk.post(ADD, contract_page({"reseller": ResellerFactory().pk, "status": "active"}), follow=True)

    contract = Contract.objects.get()
    assert contract.status == Status.DRAFT
    assert page.redirect_chain == [(address(contract, "change"), 302)]
    told = " ".join(str(message) for message in page.context["messages"])
    assert "It has no product" in told
    assert "the status is still “Draft”" in told


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_new_contract_begins_with_no_later_status(desk: Client, status: str) -> None:
    page = desk.post(ADD, contract_page({"reseller": ResellerFactory().pk, "status": status}))

    assert page.status_code == 200
    assert not Contract.objects.exists()


def test_status_chosen_on_the_form_is_a_step(desk: Client, operator: User) -> None:
    contract = sellable(Status.ACTIVE)

    desk.post(address(contract, "change"), page_as_sent(contract, status="suspended", title="New", reason="Unpaid."))

    contract.refresh_from_db()
    assert (contract.status, contract.title) == (Status.SUSPENDED, "New")
    assert contract.history.latest().history_change_reason == "Unpaid."


def test_step_on_the_form_is_judged_by_what_is_saved_with_it(desk: Client) -> None:
    contract = sellable(Status.DRAFT)
    sent = page_as_sent(contract, status="active")
    del sent["grants-0-can_create_licenses"]

    page = desk.post(address(contract, "change"), sent, follow=True)

    assert status_of(contract) == Status.DRAFT
    assert not contract.grants.get().can_create_licenses
    assert "No active user may create licenses" in page.text


@pytest.mark.parametrize("status", ["draft", "closed", ""])
def test_status_that_is_no_next_step_is_not_reached(desk: Client, status: str) -> None:
    contract = sellable(Status.DRAFT if status == "closed" else Status.ACTIVE)
    before = contract.status

    desk.post(address(contract, "change"), page_as_sent(contract, status=status))

    assert status_of(contract) == before


def test_page_opened_before_a_suspension_does_not_undo_it(desk: Client) -> None:
    contract = sellable(Status.ACTIVE)
    sent = page_as_sent(contract, title="New")
    Contract.objects.filter(pk=contract.pk).update(status=Status.SUSPENDED)

    desk.post(address(contract, "change"), sent)

    contract.refresh_from_db()
    assert (contract.status, contract.title) == (Status.SUSPENDED, "New")


# Closed contracts


def test_page_of_a_closed_contract_is_read_only(desk: Client) -> None:
    contract = sellable(Status.CLOSED)

    page = desk.get(address(contract, "change"))

    assert page.status_code == 200
    assert 'name="_save"' not in page.text
    assert 'name="title"' not in page.text
    assert 'name="contract_products-0-unit_price"' not in page.text
    assert 'name="grants-0-can_create_licenses"' not in page.text


def _terms(contract: Contract) -> dict[str, Any]:
    return page_as_sent(contract, title="New")


def _price(contract: Contract) -> dict[str, Any]:
    return {**page_as_sent(contract), "contract_products-0-unit_price": "1"}


def _grant(contract: Contract) -> dict[str, Any]:
    return {**page_as_sent(contract), "grants-0-DELETE": "on"}


def _status(contract: Contract) -> dict[str, Any]:
    return page_as_sent(contract, status="active")


@pytest.mark.parametrize("forged", [_terms, _price, _grant, _status])
def test_forged_edit_of_a_closed_contract_is_refused(
    desk: Client, forged: Callable[[Contract], dict[str, Any]]
) -> None:
    contract = sellable(Status.CLOSED)
    contract.exclusive_accounts.add(AccountFactory(reseller=contract.reseller))
    before = _everything(contract)

    page = desk.post(address(contract, "change"), forged(contract), follow=True)

    assert _everything(contract) == before
    assert "is closed, so nothing in it was changed" in page.text


def test_closed_contract_is_not_deleted(desk: Client) -> None:
    contract = sellable(Status.CLOSED)

    desk.post(address(contract, "delete"), {"post": "yes"})
    desk.post(LIST, {"action": "delete_selected", "_selected_action": contract.pk, "post": "yes"})

    assert Contract.objects.filter(pk=contract.pk).exists()


def _everything(contract: Contract) -> list[Any]:
    return [
        Contract.objects.values().get(pk=contract.pk),
        list(contract.contract_products.values()),
        list(contract.grants.values()),
        list(contract.exclusive_accounts.values("pk")),
    ]


def test_what_was_bought_stays_as_it_was_bought(desk: Client) -> None:
    contract = sellable(Status.ACTIVE, conditions="Old.")
    purchase = PurchaseFactory(contract=contract, product=contract.contract_products.get().product)
    before = type(purchase).objects.values().get()
    sent = page_as_sent(contract, conditions="New.", term_months="24", currency="USD", ends_on=date(2099, 1, 1))

    desk.post(address(contract, "change"), {**sent, "contract_products-0-unit_price": "1"})
    desk.post(address(contract, Act.CLOSE), {"reason": "Over."})

    contract.refresh_from_db()
    assert (contract.status, contract.conditions, contract.term_months) == (Status.CLOSED, "New.", 24)
    assert type(purchase).objects.values().get() == before
