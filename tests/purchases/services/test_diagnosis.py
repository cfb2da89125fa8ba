"""Why somebody cannot buy: what is answered is what buying answers."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purchases.models import PurchaseDraft
from purchases.services.diagnosis import Diagnosis, diagnose
from purchases.services.rules import PurchaseRefused
from purchases.services.steps import Step
from tests.factories import AccountFactory, ContractFactory, PackageFactory, ProductFactory, UserFactory
from tests.purchases.happenings import HAPPENINGS, Happening, change_contract, change_line, withdraw_the_grant
from tests.purchases.orders import TODAY, a_line, an_order, facts_of, nothing_is_written

pytestmark = pytest.mark.django_db

ASKED_OTHERWISE = {
    "minimum raised",  # the least quantity is asked about, whatever it is
    "maximum lowered",
    "PO number asked for",  # it is taken to be given
    "note lengthened",
    "stock chosen that is not there",  # from where licenses come is the buyer's choice
    "stock came in",
}


def diagnosis_of(draft: PurchaseDraft) -> Diagnosis:
    """What is answered about the draft's choices, as they are stored now."""
    now = PurchaseDraft.objects.select_related(
        "user__reseller", "contract__reseller", "account__package", "product__package"
    ).get(pk=draft.pk)
    assert now.contract is not None
    return diagnose(buyer=now.user, contract=now.contract, account=now.account, product=now.product, on=TODAY)


def refusals_in(diagnosis: Diagnosis) -> list[PurchaseRefused]:
    return [refusal for finding in diagnosis.findings for refusal in finding.refusals or ()]


def test_whoever_can_buy_is_told_yes() -> None:
    diagnosis = diagnosis_of(an_order())

    assert (diagnosis.is_refused, diagnosis.is_complete) == (False, True)


@pytest.mark.parametrize("name", sorted(HAPPENINGS.keys() - ASKED_OTHERWISE))
def test_the_rule_that_refuses_the_purchase_is_named(name: str) -> None:
    happening, error = HAPPENINGS[name]
    draft = an_order()
    happening(draft)
    _step, refusal = facts_of(draft).first_open_step()

    with nothing_is_written():
        refusals = refusals_in(diagnosis_of(draft))

    assert type(refusals[0]) is error
    assert str(refusals[0]) == str(refusal)


@pytest.mark.parametrize("happening", [change_contract(minimum_quantity=50), change_contract(requires_po_number=True)])
def test_what_the_buyer_can_answer_is_no_obstacle(happening: Happening) -> None:
    draft = an_order()
    happening(draft)

    assert not diagnosis_of(draft).is_refused


def test_price_list_without_any_possible_quantity_is_told() -> None:
    draft = an_order()
    change_contract(minimum_quantity=5)(draft)
    change_line(maximum_quantity=4)(draft)

    [refusal] = refusals_in(diagnosis_of(draft))

    assert refusal.code == "quantity_not_allowed"


def test_every_rule_that_says_no_is_told_at_once() -> None:
    draft = an_order()
    steps: list[Callable[[PurchaseDraft], object]] = [
        change_contract(status="suspended"),
        withdraw_the_grant,
        change_line(is_active=False),
    ]
    for happening in steps:
        happening(draft)
    AccountFactory._meta.model.objects.update(tier="trial")
    ProductFactory._meta.model.objects.update(package=PackageFactory())

    codes = [refusal.code for refusal in refusals_in(diagnosis_of(draft))]

    assert codes == [
        "contract_not_active",
        "permission_missing",
        "account_on_trial",
        "product_not_in_contract",
        "package_mismatch",
    ]


def test_what_is_not_chosen_is_not_asked() -> None:
    line = a_line()
    user = UserFactory(reseller=line.contract.reseller)

    diagnosis = diagnose(buyer=user, contract=line.contract, account=None, product=None, on=TODAY)

    asked = {finding.step for finding in diagnosis.findings if finding.refusals is not None}
    assert asked == {Step.CONTRACT}
    assert not diagnosis.is_complete


def test_product_is_judged_without_an_account() -> None:
    user = UserFactory()

    diagnosis = diagnose(
        buyer=user,
        contract=ContractFactory(reseller=user.reseller),
        account=None,
        product=ProductFactory(package=PackageFactory()),
        on=TODAY,
    )

    assert [refusal.code for refusal in refusals_in(diagnosis)] == ["permission_missing", "product_not_in_contract"]


def test_asking_only_reads() -> None:
    draft = an_order()

    with CaptureQueriesContext(connection) as statements:
        diagnosis_of(draft)

    assert all(query["sql"].startswith("SELECT") for query in statements.captured_queries)
    assert len(statements) <= 6
    assert PurchaseDraft.objects.count() == 1
