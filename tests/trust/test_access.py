"""Every address by every method for everybody, compared with the table of `access.py`."""

from collections.abc import Iterator

import pytest
import time_machine
from django.db import transaction
from django.test import Client

from tests.accounts.test_signing_in import ADDRESSES
from tests.purchases.wizard import NOON
from tests.trust.access import PORTAL, expected_answers
from tests.trust.world import HTMX, House, a_house, address, form, outcome, people, portal_addresses

ANSWERS = expected_answers(PORTAL)

NOT_FOR_THE_DESK = ("anonymous", "stray", "viewer", "buyer", "other", "disabled")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def house() -> House:
    return a_house("kestrel")


@pytest.fixture
def browsers(house: House) -> dict[str, Client]:
    return people(house, a_house("heron"))


def test_table_names_every_address_of_the_portal() -> None:
    assert sorted({name for name, _method in ANSWERS}) == portal_addresses()
    assert {method for _name, method in ANSWERS} == {"GET", "POST"}
    assert len(ANSWERS) == 2 * len(portal_addresses())


@pytest.mark.parametrize("name", portal_addresses())
def test_everybody_gets_what_the_table_says(house: House, browsers: dict[str, Client], name: str) -> None:
    url, sent = address(name, house), form(name, house)

    for method in ("GET", "POST"):
        for headers in ({}, HTMX):
            answers = {}
            for role, browser in browsers.items():
                with transaction.atomic():
                    page = (
                        browser.post(url, sent, headers=headers)
                        if method == "POST"
                        else browser.get(url, headers=headers)
                    )
                    answers[role] = outcome(page)
                    transaction.set_rollback(True)
            assert answers == ANSWERS[name, method], (method, headers)


@pytest.mark.parametrize("name", portal_addresses())
def test_head_answers_as_get_does_and_other_methods_do_nothing(
    house: House, browsers: dict[str, Client], name: str
) -> None:
    url = address(name, house)
    harmless = {"login", "403", "404", "405", "429"}
    # OPTIONS may say what is allowed; allauth's forms take PUT for POST.
    also = {"200", "422", "goes"}

    for role, browser in browsers.items():
        with transaction.atomic():
            assert outcome(browser.head(url)) == ANSWERS[name, "GET"][role], role
            for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
                answer = outcome(browser.generic(method, url))
                may_also = method == "OPTIONS" or name.startswith(("login", "account_", "mfa_"))
                assert answer in harmless or (answer in also and may_also), (role, method)
            transaction.set_rollback(True)


def test_nobody_from_outside_gets_into_the_admin(browsers: dict[str, Client]) -> None:
    desk = [(name, url) for name, url in ADDRESSES if name.startswith("admin:") and name != "admin:login"]

    for name, url in [*desk, ("admin:unknown", "/admin/no/such/page/")]:
        for role in NOT_FOR_THE_DESK:
            browser = browsers[role]
            for page in (browser.get(url), browser.post(url, {"action": "delete_selected"}), browser.head(url)):
                is_sign_out = name == "admin:logout" and role not in ("anonymous", "disabled")
                assert outcome(page) in ("login", "404") or is_sign_out, (name, role)
    assert len(desk) > 60
