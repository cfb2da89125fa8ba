"""Rules 1 to 3: the contract is active, the buyer may create licenses under it, and it has the product."""

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.models import ContractGrant
from purchases.services.rules import (
    ContractNotActive,
    PermissionMissing,
    ProductNotActive,
    ProductNotInContract,
)
from purchases.services.steps import Step
from tests.factories import (
    ContractFactory,
    ContractGrantFactory,
    ProductFactory,
    UserFactory,
)
from tests.purchases.orders import TODAY, a_line, an_order, facts_of, refusal_of

pytestmark = pytest.mark.django_db

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


# Rule 1


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (date(2026, 1, 1), None),
        (TODAY, None),
        (TODAY, TODAY),
        (YESTERDAY, TODAY),
        (TODAY, TOMORROW),
    ],
)
def test_contract_is_active_from_its_first_day_to_its_last(starts_on: date, ends_on: date | None) -> None:
    draft = an_order(line=a_line(starts_on=starts_on, ends_on=ends_on))

    facts_of(draft).check(Step.CONTRACT)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"status": "suspended"}, "Contract C-1 is suspended. Ask the operator."),
        ({"status": "closed"}, "Contract C-1 is closed. Choose another contract."),
        ({"status": "draft"}, "Contract C-1 is not in force yet. Ask the operator."),
        ({"ends_on": YESTERDAY}, "Contract C-1 ended on 23 November 2026. Choose another contract."),
        (
            {"starts_on": TOMORROW},
            "Contract C-1 begins on 25 November 2026. Choose another contract, or come back then.",
        ),
        ({"status": "suspended", "ends_on": YESTERDAY}, "Contract C-1 is suspended. Ask the operator."),
    ],
)
def test_contract_that_is_not_active_is_refused(terms: dict[str, Any], sentence: str) -> None:
    draft = an_order(line=a_line(number="C-1", **terms))

    refusal = refusal_of(draft, Step.CONTRACT)

    assert type(refusal) is ContractNotActive
    assert (refusal.code, refusal.answer, str(refusal)) == ("contract_not_active", "contract", sentence)


# Rule 2


def test_user_with_a_grant_may_buy() -> None:
    facts_of(an_order()).check(Step.CONTRACT)


MAY_NOT_CREATE = "You may look at contract C-1 but not create licenses under it. Ask your operator for the permission."
NOT_ACTIVE = "Only active users of an active reseller buy licenses. Ask the operator."


def test_user_without_a_grant_is_refused() -> None:
    line = a_line(number="C-1")
    draft = an_order(line=line, buyer=UserFactory(reseller=line.contract.reseller))

    refusal = refusal_of(draft, Step.CONTRACT)

    assert type(refusal) is PermissionMissing
    assert (refusal.code, refusal.answer, str(refusal)) == ("permission_missing", "contract", MAY_NOT_CREATE)


def test_grant_without_the_permission_to_create_licenses_is_refused() -> None:
    draft = an_order(line=a_line(number="C-1"))
    ContractGrant.objects.update(can_create_licenses=False)

    assert str(refusal_of(draft, Step.CONTRACT)) == MAY_NOT_CREATE


def test_grant_on_another_contract_is_refused() -> None:
    line = a_line(number="C-1")
    reseller = line.contract.reseller
    buyer = UserFactory(reseller=reseller)
    ContractGrantFactory(contract=ContractFactory(reseller=reseller), user=buyer)

    assert str(refusal_of(an_order(line=line, buyer=buyer), Step.CONTRACT)) == MAY_NOT_CREATE


def test_grant_of_somebody_else_is_refused() -> None:
    line = a_line(number="C-1")
    reseller = line.contract.reseller
    ContractGrantFactory(contract=line.contract, user=UserFactory(reseller=reseller))

    refusal = refusal_of(an_order(line=line, buyer=UserFactory(reseller=reseller)), Step.CONTRACT)

    assert str(refusal) == MAY_NOT_CREATE


def test_user_of_another_reseller_is_refused_even_with_a_grant() -> None:
    line = a_line(number="C-1")
    stranger = UserFactory()
    ContractGrantFactory(contract=line.contract, user=stranger)

    assert str(refusal_of(an_order(line=line, buyer=stranger), Step.CONTRACT)) == MAY_NOT_CREATE


def test_staff_are_refused_even_with_a_grant() -> None:
    line = a_line(number="C-1")
    staff = UserFactory(reseller=line.contract.reseller, is_staff=True)
    ContractGrantFactory(contract=line.contract, user=staff)

    assert str(refusal_of(an_order(line=line, buyer=staff), Step.CONTRACT)) == MAY_NOT_CREATE


def test_user_without_a_reseller_is_refused_even_with_a_grant() -> None:
    line = a_line()
    nobodys = UserFactory(reseller=None)
    ContractGrantFactory(contract=line.contract, user=nobodys)

    assert str(refusal_of(an_order(line=line, buyer=nobodys), Step.CONTRACT)) == NOT_ACTIVE


def test_user_who_is_not_active_is_refused() -> None:
    draft = an_order()
    draft.user.is_active = False
    draft.user.save()

    refusal = refusal_of(draft, Step.CONTRACT)

    assert type(refusal) is PermissionMissing
    assert (refusal.code, str(refusal)) == ("permission_missing", NOT_ACTIVE)


def test_user_of_a_reseller_that_is_not_active_is_refused() -> None:
    draft = an_order()
    draft.reseller.is_active = False
    draft.reseller.save()

    assert str(refusal_of(draft, Step.CONTRACT)) == NOT_ACTIVE


# Rule 3


def test_active_product_with_an_active_line_can_be_bought() -> None:
    facts_of(an_order()).check(Step.PRODUCT)


def test_product_without_a_line_on_the_contract_is_refused() -> None:
    draft = an_order(line=a_line(number="C-1"))
    draft.product = ProductFactory(sku="DEV-X", name="Other device")
    draft.save()

    refusal = refusal_of(draft, Step.PRODUCT)

    assert type(refusal) is ProductNotInContract
    assert (refusal.code, refusal.answer) == ("product_not_in_contract", "product")
    assert str(refusal) == "Contract C-1 does not have Other device (DEV-X). Choose one of its products."


def test_product_with_a_line_on_another_contract_only_is_refused() -> None:
    draft = an_order()
    draft.product = a_line(reseller=draft.reseller).product
    draft.save()

    assert type(refusal_of(draft, Step.PRODUCT)) is ProductNotInContract


def test_product_whose_line_is_not_active_is_refused() -> None:
    line = a_line(number="C-1", product=ProductFactory(sku="DEV-X", name="Other device"))
    line.is_active = False
    line.save()

    refusal = refusal_of(an_order(line=line), Step.PRODUCT)

    assert type(refusal) is ProductNotInContract
    assert str(refusal) == "Contract C-1 does not have Other device (DEV-X). Choose one of its products."


def test_product_that_is_not_active_is_refused() -> None:
    line = a_line(product=ProductFactory(sku="DEV-OLD", name="Retired device", is_active=False))

    refusal = refusal_of(an_order(line=line), Step.PRODUCT)

    assert type(refusal) is ProductNotActive
    assert (refusal.code, refusal.answer) == ("product_not_active", "product")
    assert str(refusal) == "Retired device (DEV-OLD) is no longer sold. Choose another product."
