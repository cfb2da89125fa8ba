"""What narrows the license tabs: each filter alone, together, in addresses, in words."""

import itertools
from datetime import date, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from contracts.models import Contract
from products.models import Product
from purchases.models import License, LicenseState
from purchases.services.filters import LicenseFilter, NothingNamed, read_license_filter
from tests.factories import (
    AccountFactory,
    ContractFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def today(user: User) -> date:
    assert user.reseller
    return user.reseller.today()


@pytest.fixture
def held(user: User, today: date) -> list[License]:
    """One license for each combination of two accounts, products, contracts and ends."""
    kinds = (
        [AccountFactory(reseller=user.reseller, name=name) for name in ("Ege Market", "İstanbul Şirketi")],
        [ProductFactory(name=name) for name in ("Panel", "Wall")],
        [ContractFactory(reseller=user.reseller, number=number) for number in ("C-71", "C-72")],
        [today + timedelta(days=days) for days in (100, 200)],
    )
    return [
        LicenseFactory(purchase=PurchaseFactory(account=account, contract=contract, product=product), ends_on=ends_on)
        for account, product, contract, ends_on in itertools.product(*kinds)
    ]


def read(user: User, address: str, state: LicenseState = LicenseState.ACTIVE) -> LicenseFilter:
    return read_license_filter(QueryDict(address), user=user, state=state)


def test_each_filter_and_any_of_them_together_narrow_the_licenses(user: User, held: list[License], today: date) -> None:
    one = held[5]
    tests = {
        "q=istanbul": lambda license: license.account.name.startswith("İ"),
        f"account={one.account_id}": lambda license: license.account_id == one.account_id,
        f"product={one.product_id}": lambda license: license.product_id == one.product_id,
        f"contract={one.contract_id}": lambda license: license.contract_id == one.contract_id,
        f"ends_from={today + timedelta(days=200)}": lambda license: license.ends_on >= today + timedelta(days=200),
        f"ends_to={today + timedelta(days=199)}": lambda license: license.ends_on <= today + timedelta(days=199),
    }

    for chosen in (c for size in range(len(tests) + 1) for c in itertools.combinations(tests, size)):
        found = read(user, "&".join(chosen)).licenses(user, on=today)

        assert set(found) == {license for license in held if all(tests[each](license) for each in chosen)}


def test_both_days_of_the_end_count(user: User, today: date) -> None:
    day = today + timedelta(days=7)
    license = LicenseFactory(reseller=user.reseller, ends_on=day)

    assert list(read(user, f"ends_from={day}&ends_to={day}").licenses(user, on=today)) == [license]


def test_a_filter_stays_within_its_state_and_its_reseller(user: User, held: list[License], today: date) -> None:
    stranger = UserFactory()
    LicenseFactory(reseller=stranger.reseller, product=held[0].product)

    of_product = f"product={held[0].product_id}"

    assert read(user, of_product).licenses(user, on=today).count() == 8
    assert read(user, of_product, LicenseState.EXPIRED).licenses(user, on=today).count() == 0


@pytest.mark.parametrize("name", ["account", "contract"])
def test_what_belongs_to_others_is_not_named(user: User, name: str) -> None:
    foreign = getattr(LicenseFactory(), name)

    with pytest.raises(NothingNamed):
        read(user, f"{name}={foreign.pk}")


@pytest.mark.parametrize("key", ["0", "99999999", "-1", "1.0", "x", "\u0663", "9" * 19, "9" * 5000, "1\0", "1 2"])
@pytest.mark.parametrize("name", ["account", "product", "contract"])
def test_what_is_no_key_of_anything_names_nothing(user: User, name: str, key: str) -> None:
    parameters = QueryDict(mutable=True)
    parameters[name] = key

    with pytest.raises(NothingNamed):
        read_license_filter(parameters, user=user, state=LicenseState.ACTIVE)


def test_a_contract_that_is_a_draft_yet_is_not_named(user: User) -> None:
    contract = ContractFactory(reseller=user.reseller, status=Contract.Status.DRAFT)

    with pytest.raises(NothingNamed):
        read(user, f"contract={contract.pk}")


@pytest.mark.parametrize("text", ["2026-02-30", "tomorrow", "24.11.2026", "99999-01-01", "0000-00-00", "\0"])
def test_a_date_that_cannot_be_read_narrows_nothing_and_is_told(user: User, held: list[License], text: str) -> None:
    parameters = QueryDict(mutable=True)
    parameters["ends_from"] = text

    narrowed = read_license_filter(parameters, user=user, state=LicenseState.ACTIVE)

    assert (narrowed.ends_from, narrowed.unread) == (None, ("ends_from",))
    assert narrowed.parameters == {}


def test_an_address_says_it_again_and_words_name_it(user: User) -> None:
    account = AccountFactory(reseller=user.reseller, name="Ege Market", reference="ACC-9")
    contract = ContractFactory(reseller=user.reseller, number="C-77")
    product = ProductFactory(name="Panel", sku="SGN-7")
    said = {
        "q": "panel",
        "account": str(account.pk),
        "product": str(product.pk),
        "contract": str(contract.pk),
        "ends_from": "2026-12-01",
        "ends_to": "2027-01-31",
    }
    parameters = QueryDict(mutable=True)
    parameters.update(said | {"after": "x"})

    narrowed = read_license_filter(parameters, user=user, state=LicenseState.ACTIVE)

    assert narrowed.parameters == said
    assert narrowed.in_words() == [
        ("Searched for", "panel"),
        ("Account", "Ege Market (ACC-9)"),
        ("Product", "Panel (SGN-7)"),
        ("Contract", "C-77"),
        ("Ends from", "1 December 2026"),
        ("Ends until", "31 January 2027"),
    ]
    for name in said:
        assert narrowed.without(name).parameters == {key: value for key, value in said.items() if key != name}


def test_reading_takes_one_statement_at_most(user: User, held: list[License]) -> None:
    one: License = held[0]
    address = f"account={one.account_id}&product={one.product_id}&contract={one.contract_id}"

    with CaptureQueriesContext(connection) as captured:
        narrowed = read(user, address)
        nothing = read(user, "q=x")

    assert len(captured) == 1
    assert (narrowed.account, narrowed.product, narrowed.contract) == (one.account, one.product, one.contract)
    assert isinstance(narrowed.product, Product)
    assert nothing.account is None
