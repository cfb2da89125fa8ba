"""The first step: under which contract?"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.models import Contract
from tests.factories import (
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    ProductFactory,
    PurchaseDraftFactory,
    UserFactory,
)
from tests.purchases.orders import TODAY, a_line, an_order, stock_for
from tests.purchases.wizard import HTMX, Wizard, begin, chosen_on, offered_on, says, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

UNKNOWN = "There is no such contract. Choose one of the list."


@pytest.fixture
def wizard() -> Wizard:
    """A wizard that was just begun, by a user without any grant."""
    return begin(PurchaseDraftFactory(user=UserFactory()))


def granted(wizard: Wizard, **terms: Any) -> Contract:
    """A contract under which the user may create licenses."""
    contract = ContractFactory(reseller=wizard.draft.reseller, **{"starts_on": TODAY, **terms})
    ContractGrantFactory(contract=contract, user=wizard.draft.user)
    return contract


# What is offered


def test_contracts_are_offered_by_number_and_none_is_chosen_beforehand(wizard: Wizard) -> None:
    second, first = granted(wizard, number="C-2"), granted(wizard, number="C-1")

    page = wizard.get("contract_step")

    assert offered_on(page) == [str(first.pk), str(second.pk)]
    assert chosen_on(page) == []
    assert "products under" not in words_of(page)


def test_the_only_contract_is_chosen_beforehand_and_shows_its_products(wizard: Wizard) -> None:
    contract = granted(wizard, number="C-1", title="Frame", ends_on=TODAY, term_months=24, currency="USD")
    ContractProductFactory(contract=contract, product=ProductFactory(name="Device"), unit_price=Decimal("99.50"))

    page = wizard.get("contract_step")

    assert chosen_on(page) == [str(contract.pk)]
    words = words_of(page).replace("\xa0", " ")
    assert "C-1 Frame USD · 24 months · until 24 November 2026" in words
    assert "1 product under C-1" in words
    assert "99.50 USD" in words
    assert wizard.answers()["contract"] is None


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"status": "suspended"}, "Contract C-9 is suspended. Ask the operator."),
        ({"status": "closed"}, "Contract C-9 is closed. Choose another contract."),
        (
            {"starts_on": TODAY - timedelta(days=9), "ends_on": TODAY - timedelta(days=1)},
            "Contract C-9 ended on 23 November 2026. Choose another contract.",
        ),
        (
            {"starts_on": TODAY + timedelta(days=1)},
            "Contract C-9 begins on 25 November 2026. Choose another contract, or come back then.",
        ),
    ],
)
def test_contract_that_is_not_active_is_listed_with_the_reason(
    wizard: Wizard, terms: dict[str, Any], reason: str
) -> None:
    granted(wizard, number="C-9", **terms)

    page = wizard.get("contract_step")

    assert offered_on(page) == []
    assert reason in words_of(page)
    assert "1 contract that you cannot use now" in words_of(page)


@pytest.mark.parametrize("can_create_licenses", [None, False])
def test_contract_without_the_permission_is_listed_with_the_reason(
    wizard: Wizard, can_create_licenses: bool | None
) -> None:
    contract = ContractFactory(reseller=wizard.draft.reseller, number="C-9")
    if can_create_licenses is not None:
        ContractGrantFactory(contract=contract, user=wizard.draft.user, can_create_licenses=can_create_licenses)

    page = wizard.get("contract_step")

    assert offered_on(page) == []
    assert (
        "You may look at contract C-9 but not create licenses under it. Ask your operator for the permission."
        in words_of(page)
    )


def test_drafts_and_contracts_of_other_resellers_are_not_shown_at_all(wizard: Wizard) -> None:
    granted(wizard, number="C-DRAFT", status="draft")
    ContractFactory(number="C-OTHER")

    words = words_of(wizard.get("contract_step"))

    assert "C-DRAFT" not in words
    assert "C-OTHER" not in words


# Products at once


def test_chosen_contract_shows_what_it_sells_and_has_in_stock(wizard: Wizard) -> None:
    granted(wizard)
    line = a_line(
        reseller=wizard.draft.reseller,
        number="C-1",
        product=ProductFactory(name="Device", sku="DEV-1"),
        unit_price=Decimal(1200),
    )
    ContractGrantFactory(contract=line.contract, user=wizard.draft.user)
    ContractProductFactory(contract=line.contract, product=ProductFactory(name="Retired", is_active=False))
    ContractProductFactory(contract=line.contract, product=ProductFactory(name="Off the list"), is_active=False)
    order = an_order(line=line)
    for use_by in (TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=9)):
        stock_for(order, 2, use_by=use_by)

    page = wizard.get("contract_step", {"contract": line.contract.pk})

    words = words_of(page).replace("\xa0", " ")
    assert chosen_on(page) == [str(line.contract.pk)]
    assert "1 product under C-1" in words
    assert "Device DEV-1 1,200.00 EUR 12 months 4" in words
    assert "Retired" not in words
    assert "Off the list" not in words
    assert wizard.answers()["contract"] is None


def test_htmx_gets_the_products_of_the_chosen_contract_alone(wizard: Wizard) -> None:
    granted(wizard)
    contract = granted(wizard, number="C-1")

    page = wizard.get("contract_step", {"contract": contract.pk}, headers=HTMX)

    assert page.status_code == 200
    assert page.text.strip().startswith('<div id="chosen"')
    assert "<html" not in page.text
    assert "0 products under C-1" in words_of(page)


def test_many_products_are_not_all_shown_at_once(wizard: Wizard) -> None:
    contract = granted(wizard)
    for _ in range(23):
        ContractProductFactory(contract=contract)

    assert "Showing 20 of 23." in words_of(wizard.get("contract_step"))


@pytest.mark.parametrize("contract", ["0", "999999", "x", "-1", "9" * 5_000, "\0", ""])
def test_contract_that_cannot_be_shown_in_advance_is_left_out(wizard: Wizard, contract: str) -> None:
    for _ in range(2):
        granted(wizard)

    page = wizard.get("contract_step", {"contract": contract})

    assert (page.status_code, chosen_on(page)) == (200, [])


# What is sent


def test_contract_is_saved(wizard: Wizard) -> None:
    contract = granted(wizard)

    assert wizard.goes_to(wizard.post("contract_step", {"contract": contract.pk}), "account_step")
    assert wizard.answers()["contract"] == contract.pk


def test_missing_contract_is_refused(wizard: Wizard) -> None:
    granted(wizard)

    says(wizard.post("contract_step"), "contract", "Choose a contract.")
    says(wizard.post("contract_step", {"contract": ""}), "contract", "Choose a contract.")
    assert wizard.answers()["contract"] is None


@pytest.mark.parametrize(
    "key", ["999999", "0", "-1", "1.5", "x", "1e3", "٣", "1_0", "\0", "9" * 30, "9" * 5_000, "<script>"]
)
def test_contract_that_does_not_exist_is_refused(wizard: Wizard, key: str) -> None:
    granted(wizard)

    says(wizard.post("contract_step", {"contract": key}), "contract", UNKNOWN)
    assert wizard.answers()["contract"] is None


def test_contract_key_that_is_no_text_is_refused(wizard: Wizard) -> None:
    granted(wizard)

    says(wizard.post_bytes("contract_step", "contract=%ED%A0%80"), "contract", UNKNOWN)


def test_contract_of_another_reseller_is_refused_like_one_that_does_not_exist(wizard: Wizard) -> None:
    granted(wizard)
    stranger = ContractFactory()
    ContractGrantFactory(contract=stranger, user=wizard.draft.user)

    says(wizard.post("contract_step", {"contract": stranger.pk}), "contract", UNKNOWN)
    assert wizard.answers()["contract"] is None


def test_draft_of_a_contract_is_refused_like_one_that_does_not_exist(wizard: Wizard) -> None:
    granted(wizard)
    draft = granted(wizard, status="draft")

    says(wizard.post("contract_step", {"contract": draft.pk}), "contract", UNKNOWN)


def test_contract_that_a_rule_refuses_is_refused_with_its_reason(wizard: Wizard) -> None:
    usable = granted(wizard, number="C-1")
    suspended = granted(wizard, number="C-9", status="suspended")

    page = wizard.post("contract_step", {"contract": suspended.pk})

    says(page, "contract", "Contract C-9 is suspended. Ask the operator.")
    assert offered_on(page) == [str(usable.pk)]
    assert wizard.answers()["contract"] is None


def test_refused_contract_leaves_the_one_that_was_chosen_before() -> None:
    wizard = begin(an_order())
    before = wizard.answers()
    granted(wizard)

    page = wizard.post("contract_step", {"contract": "999999"})

    says(page, "contract", UNKNOWN)
    assert wizard.answers() == before


# Many contracts


def test_many_contracts_are_searched(wizard: Wizard) -> None:
    for number in range(30):
        granted(wizard, number=f"C-{number:02}", title="Şişli" if number % 3 == 0 else "Kadıköy")
        ContractFactory(reseller=wizard.draft.reseller, number=f"X-{number:02}", title="Şişli")

    everything, found = wizard.get("contract_step"), wizard.get("contract_step", {"q": "SISLI"})

    assert "Showing 20 of 30" in words_of(everything)
    assert "30 contracts that you cannot use now" in words_of(everything)
    assert len(offered_on(found)) == 10
    assert "Showing 10 of 10" in words_of(found)


def test_htmx_gets_the_choices_of_a_search_alone(wizard: Wizard) -> None:
    chosen = granted(wizard, number="C-1")
    found = granted(wizard, number="D-1")

    page = wizard.get("contract_step", {"q": "D-", "contract": chosen.pk}, headers=HTMX)

    assert page.text.strip().startswith('<div id="choices"')
    assert "<html" not in page.text
    assert offered_on(page) == [str(chosen.pk), str(found.pk)]
    assert chosen_on(page) == [str(chosen.pk)]
