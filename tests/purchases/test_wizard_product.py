"""The third step: which product?"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.models import ContractProduct
from products.models import Package, Product
from purchases.models import PurchaseDraft
from tests.factories import (
    ContractProductFactory,
    LicenseFactory,
    PackageFactory,
    ProductFactory,
)
from tests.purchases.orders import TODAY, an_order, stock_for
from tests.purchases.wizard import HTMX, Wizard, begin, chosen_on, offered_on, says, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

UNKNOWN = "There is no such product. Choose one of the list."


@pytest.fixture
def wizard() -> Wizard:
    """A wizard whose contract, without any product yet, and account are chosen."""
    draft = an_order()
    PurchaseDraft.objects.update(product=None, quantity=None)
    ContractProduct.objects.all().delete()
    return begin(draft)


def line_of(wizard: Wizard, *, price: str = "100.00", is_active: bool = True, **facts: Any) -> ContractProduct:
    """A product on the wizard's contract."""
    return ContractProductFactory(
        contract=wizard.draft.contract,
        product=ProductFactory(**facts),
        unit_price=Decimal(price),
        is_active=is_active,
    )


def put_account_on(wizard: Wizard, package: Package) -> None:
    assert wizard.draft.account is not None
    wizard.draft.account.package = package
    wizard.draft.account.save()


# What is offered


def test_products_are_offered_by_name_and_none_is_chosen_even_if_it_is_the_only_one(wizard: Wizard) -> None:
    second = line_of(wizard, name="B")
    alone = wizard.get("product_step")
    first = line_of(wizard, name="A")

    both = wizard.get("product_step")

    assert (offered_on(alone), chosen_on(alone)) == ([str(second.product_id)], [])
    assert (offered_on(both), chosen_on(both)) == ([str(first.product_id), str(second.product_id)], [])


def test_product_shows_its_price_and_how_many_there_are(wizard: Wizard) -> None:
    line = line_of(wizard, name="Device", sku="DEV-1", price="1200", description="With a stand.")
    order = an_order(line=line, account=wizard.draft.account)
    stock_for(order, 4, use_by=TODAY)
    stock_for(order, 9, use_by=TODAY - timedelta(days=1))
    for ends_on in (TODAY, TODAY - timedelta(days=1)):
        LicenseFactory(
            account=order.account,
            product=line.product,
            contract=line.contract,
            starts_on=TODAY - timedelta(days=9),
            ends_on=ends_on,
        )

    words = words_of(wizard.get("product_step")).replace("\xa0", " ")

    assert "Device DEV-1 1,200.00 EUR a license for 12 months With a stand. 1 on this account, 4 in stock" in words


def test_product_for_the_account_s_package_is_offered(wizard: Wizard) -> None:
    package = PackageFactory()
    put_account_on(wizard, package)
    fitting, plain, other = line_of(wizard, name="A", package=package), line_of(wizard, name="B"), PackageFactory()
    line_of(wizard, name="C", package=other)

    assert offered_on(wizard.get("product_step")) == [str(fitting.product_id), str(plain.product_id)]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"product__is_active": False}, "Device (DEV-1) is no longer sold. Choose another product."),
        (
            {"is_active": False},
            "Contract C-1 does not have Device (DEV-1). Choose one of its products.",
        ),
        (
            {"product__package": "Pro"},
            "Device (DEV-1) is for accounts on the package Pro; Hotel (ACC-1) is on none. Choose another product.",
        ),
    ],
)
def test_product_that_cannot_be_bought_is_listed_with_the_reason(
    wizard: Wizard, facts: dict[str, Any], reason: str
) -> None:
    assert wizard.draft.contract is not None
    assert wizard.draft.account is not None
    wizard.draft.contract.number = "C-1"
    wizard.draft.contract.save()
    wizard.draft.account.name, wizard.draft.account.reference = "Hotel", "ACC-1"
    wizard.draft.account.save()
    package = PackageFactory(name="Pro") if "product__package" in facts else None
    line_of(
        wizard,
        name="Device",
        sku="DEV-1",
        package=package,
        is_active=facts.get("is_active", True),
    )
    Product.objects.update(is_active=facts.get("product__is_active", True))

    page = wizard.get("product_step")

    assert offered_on(page) == []
    assert reason in words_of(page)
    assert "1 product that cannot be bought here" in words_of(page)


def test_products_that_the_contract_lacks_are_not_shown_at_all(wizard: Wizard) -> None:
    ContractProductFactory(product=ProductFactory(name="Elsewhere"))
    ProductFactory(name="Nowhere")

    words = words_of(wizard.get("product_step"))

    assert "Elsewhere" not in words
    assert "Nowhere" not in words


# What is sent


def test_product_is_saved(wizard: Wizard) -> None:
    line = line_of(wizard)

    assert wizard.goes_to(wizard.post("product_step", {"product": line.product_id}), "quantity_step")
    assert wizard.answers()["product"] == line.product_id


def test_missing_product_is_refused(wizard: Wizard) -> None:
    line_of(wizard)

    says(wizard.post("product_step"), "product", "Choose a product.")
    assert wizard.answers()["product"] is None


@pytest.mark.parametrize("key", ["999999", "0", "-1", "1.5", "x", "1e3", "٣", "1_0", "\0", "9" * 30, "9" * 5_000])
def test_product_that_does_not_exist_is_refused(wizard: Wizard, key: str) -> None:
    line_of(wizard)

    says(wizard.post("product_step", {"product": key}), "product", UNKNOWN)
    assert wizard.answers()["product"] is None


def test_product_key_that_is_no_text_is_refused(wizard: Wizard) -> None:
    line_of(wizard)

    says(wizard.post_bytes("product_step", "product=%ED%A0%80"), "product", UNKNOWN)


def test_product_that_the_contract_lacks_is_refused(wizard: Wizard) -> None:
    line_of(wizard)
    stranger = ContractProductFactory(product=ProductFactory(name="Elsewhere", sku="DEV-X")).product

    page = wizard.post("product_step", {"product": stranger.pk})

    assert wizard.draft.contract is not None
    says(
        page,
        "product",
        f"Contract {wizard.draft.contract.number} does not have Elsewhere (DEV-X). Choose one of its products.",
    )
    assert wizard.answers()["product"] is None


@pytest.mark.parametrize("facts", [{"is_active": False}, {"package": True}])
def test_product_that_a_rule_refuses_is_refused(wizard: Wizard, facts: dict[str, Any]) -> None:
    open_line = line_of(wizard)
    package = PackageFactory() if facts.get("package") else None
    Product.objects.filter(pk=(line := line_of(wizard, package=package)).product_id).update(
        is_active=facts.get("is_active", True)
    )

    page = wizard.post("product_step", {"product": line.product_id})

    assert page.status_code == 422
    assert offered_on(page) == [str(open_line.product_id)]
    assert wizard.answers()["product"] is None


# Many products


def test_many_products_are_searched_by_name_and_sku(wizard: Wizard) -> None:
    for number in range(30):
        line_of(wizard, name=f"Ekran {number:02}", sku=f"SKU-{number:02}")
    wanted = line_of(wizard, name="Işıklı pano", sku="PANO-1")

    everything = wizard.get("product_step")
    by_name, by_sku = wizard.get("product_step", {"q": "ISIKLI"}), wizard.get("product_step", {"q": "pano-1"})

    assert "Showing 20 of 31" in words_of(everything)
    assert offered_on(by_name) == offered_on(by_sku) == [str(wanted.product_id)]


def test_chosen_product_stays_pinned_in_the_part_that_htmx_gets(wizard: Wizard) -> None:
    lines = [line_of(wizard, name=f"Ekran {number:02}") for number in range(30)]

    page = wizard.get("product_step", {"q": "Ekran 29", "product": lines[25].product_id}, headers=HTMX)

    assert page.text.strip().startswith('<div id="choices"')
    assert offered_on(page) == [str(lines[25].product_id), str(lines[29].product_id)]
    assert chosen_on(page) == [str(lines[25].product_id)]


def test_htmx_request_for_no_part_gets_the_page(wizard: Wizard) -> None:
    line_of(wizard)

    assert "<html" in wizard.client.get(f"{wizard.url('product_step')}?=1", headers=HTMX).text
