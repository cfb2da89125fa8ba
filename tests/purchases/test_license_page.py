"""The page of one license: all facts, and a 404 for strangers."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from purchases.models import License
from tests.factories import (
    AccountFactory,
    ContractFactory,
    LicenseFactory,
    ProductFactory,
    UserFactory,
    receive,
)
from tests.pages import links_in, without_token

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today() -> object:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def portal(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def test_a_license_shows_all_its_facts(portal: Client, user: User) -> None:
    license = LicenseFactory(
        reseller=user.reseller,
        account=AccountFactory(reseller=user.reseller, name="Ege Market", reference="ACC-7"),
        contract=ContractFactory(reseller=user.reseller, number="C-77", title="Frame"),
        product=ProductFactory(name="Panel", sku="SGN-7"),
        starts_on=date(2026, 1, 31),
        ends_on=date(2026, 11, 30),
    )

    html = portal.get(license.get_absolute_url()).text

    facts = ["Ege Market", "ACC-7", "C-77", "Frame", "Panel", "SGN-7", "31 January 2026", "30 November 2026"]
    assert [
        fact for fact in [license.key, license.purchase.number, "Expires in 6 days", *facts] if fact not in html
    ] == []
    assert "Bought new" in html
    assert f"<title>License {license.key}: Expires in 6 days – License portal</title>" in html
    assert f'href="/purchases/{license.purchase.number}/"' in html
    assert html.count("<h1") == 1


def test_a_license_shows_its_neighbors_in_the_line(portal: Client, user: User) -> None:
    first = LicenseFactory(reseller=user.reseller)
    alike = {name: getattr(first, name) for name in ("account", "contract", "product", "starts_on", "ends_on")}
    cancelled, second = (LicenseFactory(**alike, cancelled_at=at) for at in (NOON, None))
    LicenseFactory(**alike | {"ends_on": first.ends_on + timedelta(days=1)})
    third = LicenseFactory(**alike)

    def neighbors(license: License) -> tuple[list[str], list[str]]:
        html = portal.get(license.get_absolute_url()).text
        return links_in(html, rel="prev"), links_in(html, rel="next")

    assert "3 licenses" in portal.get(second.get_absolute_url()).text
    assert neighbors(first) == ([], [second.get_absolute_url()])
    assert neighbors(second) == ([first.get_absolute_url()], [third.get_absolute_url()])
    assert neighbors(third) == ([second.get_absolute_url()], [])
    assert neighbors(cancelled) == ([], [])


def test_a_license_from_stock_names_its_lot(portal: Client, user: User) -> None:
    contract = ContractFactory(reseller=user.reseller)
    lot = receive(contract, ProductFactory(), 3)
    license = LicenseFactory(contract=contract, stock_lot=lot)

    html = portal.get(license.get_absolute_url()).text

    assert f'href="/stock/{lot.pk}/"' in html
    assert "Bought new" not in html


def test_a_cancelled_license_says_when(portal: Client, user: User) -> None:
    license = LicenseFactory(reseller=user.reseller, cancelled_at=datetime(2026, 5, 2, 21, 30, tzinfo=UTC))

    html = portal.get(license.get_absolute_url()).text

    assert "Cancelled on 3 May 2026" in html
    assert "3 May 2026, 00:30" in html


def test_another_resellers_license_is_as_unknown_as_one_that_never_was(portal: Client) -> None:
    stranger = LicenseFactory(key="QQQQW-BCDEF-GHJKM-NPQRS-TVWXY")

    theirs = portal.get(stranger.get_absolute_url())
    nobodys = portal.get("/licenses/QQQQW-BCDEF-GHJKM-NPQRS-TVWXZ/")

    assert theirs.status_code == nobodys.status_code == 404
    assert without_token(theirs.text).replace("TVWXY", "TVWXZ") == without_token(nobodys.text)


@pytest.mark.parametrize("key", ["x", "%00", "a%00b", "%C4%B0", "..", "%27", "9" * 5_000, "x/y", "active"])
def test_no_key_is_too_strange(portal: Client, key: str) -> None:
    assert portal.get(f"/licenses/{key}/").status_code == 404


def test_a_license_costs_few_statements(portal: Client, user: User) -> None:
    license = LicenseFactory(reseller=user.reseller)

    with CaptureQueriesContext(connection) as captured:
        portal.get(license.get_absolute_url())

    assert len(captured) <= 4
