"""The first page of the admin: what ends, what is missing, what lapses, what was sold today."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.admin.roles import Role, sign_in
from tests.factories import (
    ContractFactory,
    ContractProductFactory,
    OperatorFactory,
    PurchaseFactory,
    ResellerFactory,
    receive,
)

INDEX = "/admin/"


def sections(desk: Client) -> list[Any]:
    page = desk.get(INDEX)
    assert page.status_code == 200
    return list(page.context["sections"])


def listed(desk: Client, section: Any) -> list[Any]:
    """What the list behind the section's link shows."""
    page = desk.get(section.address)
    assert page.status_code == 200, section.address
    return list(page.context["cl"].result_list)


def test_contracts_that_end_soon_are_counted_and_listed(desk: Client) -> None:
    today = timezone.localdate()
    started = today - timedelta(days=300)
    soon = ContractFactory(starts_on=started, ends_on=today + timedelta(days=60))
    sooner = ContractFactory(starts_on=started, ends_on=today, status="suspended")
    ContractFactory(starts_on=started, ends_on=today + timedelta(days=61))
    ContractFactory(starts_on=started, ends_on=today - timedelta(days=1))
    ContractFactory(starts_on=started, ends_on=today, status="closed")
    ContractFactory(starts_on=started)

    ending = sections(desk)[0]

    assert ending.count == 2
    assert [line.name for line in ending.lines] == [str(sooner), str(soon)]
    assert set(listed(desk, ending)) == {soon, sooner}


def test_resellers_who_can_buy_nothing_are_counted_and_listed(desk: Client) -> None:
    suspended = ContractFactory(status="suspended").reseller
    without = ResellerFactory()
    ContractFactory()
    ResellerFactory(is_active=False)

    missing = sections(desk)[1]

    assert missing.count == 2
    assert set(listed(desk, missing)) == {suspended, without}
    having = desk.get("/admin/accounts/reseller/?active_contract=yes").context["cl"].result_list
    assert not {suspended, without} & set(having)


def test_stock_that_lapses_is_counted_and_listed(desk: Client) -> None:
    line, operator, today = ContractProductFactory(), OperatorFactory(), timezone.localdate()
    soon = receive(line.contract, line.product, 3, actor=operator, use_by=today + timedelta(days=60))
    receive(line.contract, line.product, 3, actor=operator, use_by=today + timedelta(days=61))

    lapsing = sections(desk)[2]

    assert lapsing.count == 1
    assert lapsing.lines[0].name.startswith("3 × ")
    assert listed(desk, lapsing) == [soon]


def test_purchases_of_today_are_counted_and_listed(desk: Client) -> None:
    yesterday = PurchaseFactory(placed_at=timezone.now() - timedelta(days=1))
    todays = PurchaseFactory.create_batch(7)

    sold = sections(desk)[3]

    assert sold.count == 7
    assert len(sold.lines) == 5
    assert yesterday.number not in {line.name for line in sold.lines}
    assert set(listed(desk, sold)) == set(todays)


def test_nothing_to_look_at_is_said(desk: Client) -> None:
    page = desk.get(INDEX)

    for sentence in ("No contract ends soon.", "No stock lapses soon.", "Nothing was bought yet today."):
        assert sentence in page.text


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.CATALOGUE, Role.CONTRACTS])
def test_every_role_sees_the_overview(client: Client, db: None, role: Role) -> None:
    sign_in(client, role)

    assert len(sections(client)) == 4


def test_overview_shows_only_what_may_be_seen(client: Client, db: None) -> None:
    client.force_login(OperatorFactory(is_superuser=False))

    assert sections(client) == []


def test_overview_costs_the_same_with_many_rows_as_with_few(desk: Client) -> None:
    def grow(by: int) -> None:
        today = timezone.localdate()
        for _ in range(by):
            line = ContractProductFactory(contract=ContractFactory(ends_on=today + timedelta(days=9)))
            receive(line.contract, line.product, 1, use_by=today + timedelta(days=9))
            PurchaseFactory()
            ResellerFactory()

    grow(1)
    desk.get(INDEX)
    with CaptureQueriesContext(connection) as few:
        desk.get(INDEX)
    grow(10)

    with CaptureQueriesContext(connection) as many:
        desk.get(INDEX)

    assert len(many) == len(few)
