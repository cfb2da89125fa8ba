"""What stands above the lots: what lapses soon and for whom, and the stock by product; and narrowing the lots."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from contracts.models import ContractProduct
from purchases.models import PurchaseDraft
from purchases.services.lapsing import lapsing_lots
from tests.factories import (
    AccountFactory,
    ContractGrantFactory,
    ContractProductFactory,
    LicenseFactory,
    PackageFactory,
    ProductFactory,
    receive,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def line() -> ContractProduct:
    return ContractProductFactory()


@pytest.fixture
def buyer(line: ContractProduct) -> User:
    return ContractGrantFactory(contract=line.contract).user


@pytest.fixture
def portal(client: Client, buyer: User) -> Client:
    client.force_login(buyer)
    return client


def holding(line: ContractProduct, *, ends_in: int, **facts: object) -> str:
    """An account whose license of the product ends in so many days; its name."""
    account = AccountFactory(reseller=line.contract.reseller, **facts)
    ends_on = TODAY + timedelta(days=ends_in)
    LicenseFactory(account=account, contract=line.contract, product=line.product, starts_on=TODAY, ends_on=ends_on)
    return account.name


def candidates(buyer: User) -> list[list[str]]:
    return [[candidate.name for candidate in lapsing.candidates] for lapsing in lapsing_lots(buyer, on=TODAY)]


def test_lots_that_lapse_within_sixty_days_are_announced(buyer: User, line: ContractProduct) -> None:
    late = receive(line.contract, line.product, 3, use_by=TODAY + timedelta(days=60))
    soon = receive(line.contract, line.product, 3, use_by=TODAY)
    receive(line.contract, line.product, 3, use_by=TODAY + timedelta(days=61))
    receive(line.contract, line.product, 3, use_by=TODAY - timedelta(days=1))

    assert [lapsing.lot for lapsing in lapsing_lots(buyer, on=TODAY)] == [soon, late]


def test_accounts_whose_licenses_of_the_product_end_soonest_are_named_first(buyer: User, line: ContractProduct) -> None:
    receive(line.contract, line.product, 3, use_by=TODAY)
    names = {days: holding(line, ends_in=days) for days in (40, 10, 30, 20)}
    holding(line, ends_in=5, tier="trial")
    holding(line, ends_in=5, is_active=False)

    assert candidates(buyer) == [[names[10], names[20], names[30]]]


def test_only_accounts_that_the_product_fits_are_named(buyer: User, line: ContractProduct) -> None:
    package = PackageFactory()
    packaged = ContractProductFactory(contract=line.contract, product=ProductFactory(package=package))
    receive(line.contract, packaged.product, 3, use_by=TODAY)
    holding(packaged, ends_in=5)
    fitting = holding(packaged, ends_in=9, package=package)

    assert candidates(buyer) == [[fitting]]


def test_another_reseller_s_lots_and_accounts_stay_unknown(buyer: User, line: ContractProduct) -> None:
    other = ContractProductFactory(product=line.product)
    receive(other.contract, line.product, 3, use_by=TODAY)
    receive(line.contract, line.product, 3, use_by=TODAY)
    holding(other, ends_in=1)

    assert candidates(buyer) == [[]]


def test_one_click_opens_the_move_to_the_account(portal: Client, line: ContractProduct) -> None:
    receive(line.contract, line.product, 3, use_by=TODAY)
    name = holding(line, ends_in=10)
    html = portal.get("/stock/").text
    form = next(form for form in re.findall(r"<form.*?</form>", html, re.DOTALL) if f"Move to {name}" in form)
    fields = dict(re.findall(r'name="(purpose|contract|product|account)" value="(.*?)"', form))

    answer = portal.post("/purchases/start/", fields)

    draft = PurchaseDraft.objects.get()
    assert answer.headers["Location"] == f"/purchases/{draft.pk}/quantity/"
    assert draft.account is not None
    assert (draft.account.name, draft.product, draft.fulfilment) == (name, line.product, "stock")


def test_stock_is_summed_by_product_with_the_next_use_by(portal: Client, line: ContractProduct) -> None:
    receive(line.contract, line.product, 3, use_by=TODAY + timedelta(days=200))
    receive(line.contract, line.product, 4, use_by=TODAY + timedelta(days=100))
    receive(line.contract, line.product, 5, use_by=TODAY - timedelta(days=1))

    html = portal.get("/stock/").text

    (table,) = re.findall(r"<caption>Stock by product</caption>.*?</table>", html, re.DOTALL)
    assert ">7</td>" in table
    assert "4 March 2027" in table


def test_lots_are_narrowed_by_product_and_contract(portal: Client, line: ContractProduct) -> None:
    other = ContractProductFactory(contract=line.contract)
    lot = receive(line.contract, line.product, 3)
    receive(other.contract, other.product, 3)

    html = portal.get("/stock/", {"product": line.product.pk, "contract": line.contract.pk}).text

    assert re.findall(r'href="/stock/(\d+)/"', html) == [str(lot.pk)]
    assert "Show all lots" in html
    assert f"?product={line.product.pk}&amp;contract={line.contract.pk}&amp;show=over" in html


@pytest.mark.parametrize("key", ["0", "999999", "abc", "٣", "9" * 30, "\x00"])
def test_made_up_and_foreign_contracts_are_not_found(portal: Client, line: ContractProduct, key: str) -> None:
    stranger = ContractProductFactory().contract

    assert portal.get("/stock/", {"contract": key}).status_code == 404
    assert portal.get("/stock/", {"product": key}).status_code == 404
    assert portal.get("/stock/", {"contract": stranger.pk}).status_code == 404


def test_the_page_costs_the_same_with_many_lots_as_with_few(portal: Client, line: ContractProduct) -> None:
    def grow(by: int) -> None:
        for days in range(by):
            other = ContractProductFactory(reseller=line.contract.reseller)
            receive(other.contract, other.product, 3, use_by=TODAY + timedelta(days=days))
            holding(other, ends_in=days)

    grow(2)
    portal.get("/stock/")
    with CaptureQueriesContext(connection) as with_few:
        portal.get("/stock/")
    grow(10)

    with CaptureQueriesContext(connection) as with_many:
        portal.get("/stock/")

    assert len(with_many) == len(with_few) <= 10, [query["sql"] for query in with_many]


def test_lots_are_narrowed_by_a_form_that_offers_only_the_resellers_own(portal: Client, line: ContractProduct) -> None:
    other = ContractProductFactory(reseller=line.contract.reseller)
    strangers = ContractProductFactory()
    lots = [receive(each.contract, each.product, 3) for each in (line, other, strangers)]

    page = portal.get("/stock/", {"contract": str(line.contract.pk), "product": ""})

    labels = {
        name: [choice.label for choice in page.context["offered"][name].choices] for name in ("contract", "product")
    }
    assert labels == {
        "contract": sorted([line.contract.number, other.contract.number]),
        "product": [str(each.product) for each in sorted((line, other), key=lambda each: each.product.name)],
    }
    assert [lot for lot, _words in page.context["lots"]] == lots[:1]
    assert f'<option value="{line.contract.pk}" selected>' in page.text


def test_nothing_that_matches_says_so_and_leads_back(portal: Client, line: ContractProduct) -> None:
    receive(line.contract, line.product, 3)

    page = portal.get("/stock/", {"show": "over", "contract": str(line.contract.pk)})

    assert "No lot of this contract and product is in this tab." in page.text
    assert 'href="/stock/?show=over"' in page.text


def test_stock_of_a_product_is_moved_with_one_click(portal: Client, line: ContractProduct) -> None:
    receive(line.contract, line.product, 3)
    page = portal.get("/stock/")
    [fields] = re.findall(r"<tr>(?:(?!</tr>).)*Next use-by(?:(?!</tr>).)*(<form.*?</form>)", page.text, re.DOTALL)
    sent = dict(re.findall(r'name="(purpose|contract|product)" value="([^"]*)"', fields))

    portal.post("/purchases/start/", sent)

    draft = PurchaseDraft.objects.get()
    assert (draft.purpose, draft.contract, draft.product) == ("move", line.contract, line.product)
    assert draft.fulfilment == "stock"
