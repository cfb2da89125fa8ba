"""Every page of the admin: who may open it, under which policy, at which cost."""

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Reseller, User
from audit.models import AuditEvent
from contracts.models import Contract
from products.models import Package, Product
from purchases.models import Export, License, Purchase, PurchaseDraft
from stock.models import StockLot, StockMovement
from tests.admin.rows import ROWS, make_lot
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    LicenseFactory,
    OperatorFactory,
    PurchaseFactory,
    ResellerFactory,
    UserFactory,
)

READ_ONLY = (StockMovement, Purchase, License, PurchaseDraft, Export, AuditEvent)

every_model = pytest.mark.parametrize("model", ROWS, ids=lambda model: model.__name__)


def address(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_record_of_the_portal_has_its_page() -> None:
    assert set(admin.site._registry) == set(ROWS)


def test_index_opens_under_the_strict_policy(desk: Client) -> None:
    page = desk.get(reverse("admin:index"))

    assert page.status_code == 200
    assert "License portal" in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@every_model
def test_list_and_row_open_under_the_strict_policy(desk: Client, model: type[models.Model]) -> None:
    row = ROWS[model]()

    for url in (address(model, "changelist"), address(model, "change", row.pk), address(model, "history", row.pk)):
        page = desk.get(url)
        assert page.status_code == 200, url
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@every_model
def test_adding_opens_unless_the_record_is_read_only(desk: Client, model: type[models.Model]) -> None:
    page = desk.get(address(model, "add"))

    assert page.status_code == (403 if model in READ_ONLY else 200)


@every_model
def test_list_costs_the_same_with_many_rows_as_with_few(desk: Client, model: type[models.Model]) -> None:
    url = address(model, "changelist")
    for _ in range(2):
        ROWS[model]()
    desk.get(url)
    with CaptureQueriesContext(
        connection,
    ) as with_few:
        desk.get(url)
    for _ in range(10):
        ROWS[model]()

    with CaptureQueriesContext(connection) as with_many:
        page = desk.get(url)

    assert page.context["cl"].result_count >= 12
    assert len(with_many) == len(with_few), [query["sql"] for query in with_many]


def test_contract_page_costs_the_same_with_many_lines_as_with_few(desk: Client) -> None:
    contract = ContractFactory()
    url = address(Contract, "change", contract.pk)

    def grow(by: int) -> None:
        for _ in range(by):
            ContractProductFactory(contract=contract)
            ContractGrantFactory(contract=contract)
            contract.exclusive_accounts.add(AccountFactory(reseller=contract.reseller))

    grow(2)
    desk.get(url)
    with CaptureQueriesContext(connection) as with_few:
        desk.get(url)
    grow(10)

    with CaptureQueriesContext(connection) as with_many:
        desk.get(url)

    assert len(with_many) == len(with_few), [query["sql"] for query in with_many]


def test_lot_page_costs_the_same_with_many_movements_as_with_few(desk: Client) -> None:
    lot = make_lot()
    url = address(StockLot, "change", lot.pk)
    desk.get(url)
    with CaptureQueriesContext(connection) as with_few:
        desk.get(url)
    for _ in range(10):
        movement = lot.movements.first()
        assert movement is not None
        movement.pk = None
        movement.actor = OperatorFactory()
        movement.save(force_insert=True)

    with CaptureQueriesContext(connection) as with_many:
        desk.get(url)

    assert len(with_many) == len(with_few), [query["sql"] for query in with_many]


@every_model
@pytest.mark.parametrize(
    "query",
    [
        "?q=%00",
        "?q=" + "x" * 500,
        "?q=%F0%9F%98%80+%27%22%25_%5C",
        "?p=99999999999999999999",
        "?p=abc",
        "?o=9.9.-9",
        "?id__exact=99999999999999999999999",
        "?id__exact=%00",
        "?is_active__exact=perhaps",
        "?status__exact=%00",
        "?state=%00",
        "?state=nonsense",
        "?nonsense=1",
        "?%00=1",
        "?all=",
    ],
)
def test_list_answers_absurd_addresses(desk: Client, model: type[models.Model], query: str) -> None:
    ROWS[model]()

    page = desk.get(address(model, "changelist") + query, follow=True)

    assert page.status_code == 200


@every_model
@pytest.mark.parametrize("key", ["0", "-1", "abc", "9" * 40, "9" * 5000, "_00", "½"])
def test_row_that_does_not_exist_is_told_so(desk: Client, model: type[models.Model], key: str) -> None:
    page = desk.get(address(model, "change", key))

    assert page.status_code == 302
    assert page.headers["Location"] == reverse("admin:index")


SEARCHED = {
    Package: ("products", "product", "package"),
    Product: ("contracts", "contractproduct", "product"),
    Reseller: ("accounts", "account", "reseller"),
    User: ("contracts", "contractgrant", "user"),
    Account: ("contracts", "contract", "exclusive_accounts"),
    Contract: ("stock", "stocklot", "contract"),
}
"""Where a row is chosen by searching for it, by the model it is of."""


@pytest.mark.parametrize("model", SEARCHED)
def test_autocomplete_finds_rows_and_survives_absurd_terms(desk: Client, model: type[models.Model]) -> None:
    row = ROWS[model]()
    fields = dict(zip(("app_label", "model_name", "field_name"), SEARCHED[model], strict=True))

    for term in ("", "\0", "x" * 1000, "9" * 50):
        answer = desk.get(reverse("admin:autocomplete"), {**fields, "term": term})
        assert answer.status_code == 200
    found = desk.get(reverse("admin:autocomplete"), {**fields, "term": ""}).json()

    assert str(row.pk) in {result["id"] for result in found["results"]}


@pytest.mark.parametrize("term", ["istanbul", "İSTANBUL", "IŞIK", "isik"])
def test_search_finds_turkish_names(desk: Client, term: str) -> None:
    account = AccountFactory(name="İstanbul Işık Ltd.")
    AccountFactory(name="Ankara")

    page = desk.get(address(Account, "changelist"), {"q": term})

    assert list(page.context["cl"].result_list) == [account]


def test_search_finds_a_reseller_s_accounts_by_both_names(desk: Client) -> None:
    reseller = ResellerFactory(name="Boğaziçi Displays")
    account = AccountFactory(reseller=reseller, name="Şişli Mağaza")
    AccountFactory(reseller=reseller)

    page = desk.get(address(Account, "changelist"), {"q": "Boğaziçi sisli"})

    assert list(page.context["cl"].result_list) == [account]


def test_search_finds_licenses_by_what_they_belong_to(desk: Client) -> None:
    license = LicenseFactory()
    LicenseFactory()

    for term in (
        license.key.lower(),
        license.purchase.number,
        license.account.reference,
        license.contract.number,
        license.product.sku,
        f"{license.reseller.name.split()[1]} {license.account.name.upper()}",
    ):
        page = desk.get(address(License, "changelist"), {"q": term})
        assert license in page.context["cl"].result_list, term


def test_purchase_leads_to_its_licenses(desk: Client) -> None:
    license = LicenseFactory()
    LicenseFactory()
    link = f"{address(License, 'changelist')}?purchase__id__exact={license.purchase.pk}"

    page = desk.get(address(Purchase, "change", license.purchase.pk))

    assert link in page.text
    assert list(desk.get(link).context["cl"].result_list) == [license]


def test_purchase_shows_price_and_terms_in_words(desk: Client) -> None:
    contract = ContractFactory(conditions="Each license covers one <device>.")
    purchase = PurchaseFactory(contract=contract, unit_price="1250.00", total="1250.00")

    page = desk.get(address(Purchase, "change", purchase.pk))

    assert "1,250.00\xa0EUR" in page.text
    assert "License term: 12 months to the day" in page.text
    assert "Conditions: Each license covers one &lt;device&gt;." in page.text


def test_licenses_are_filtered_by_state(desk: Client) -> None:
    today = timezone.localdate()
    active = LicenseFactory(starts_on=today)
    cancelled = LicenseFactory(starts_on=today, cancelled_at=active.created_at)

    for state, expected in (("active", [active]), ("invalid", [cancelled]), ("upcoming", [])):
        page = desk.get(address(License, "changelist"), {"state": state})
        assert list(page.context["cl"].result_list) == expected, state


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_read_only_record_cannot_be_changed_or_deleted(desk: Client, model: type[models.Model]) -> None:
    row = ROWS[model]()
    before = model._default_manager.values().get(pk=row.pk)

    changed = desk.post(address(model, "change", row.pk), {"quantity": "9999", "change": "9999"})
    deleted = desk.post(address(model, "delete", row.pk), {"post": "yes"})
    desk.post(
        address(model, "changelist"),
        {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes", "index": "0"},
    )

    assert (changed.status_code, deleted.status_code) == (403, 403)
    assert model._default_manager.values().get(pk=row.pk) == before


@pytest.mark.parametrize("name", ["account", "contract", "product", "reseller", "placed_by"])
def test_what_a_purchase_points_to_is_not_deleted(desk: Client, name: str) -> None:
    purchase = PurchaseFactory()
    row = getattr(purchase, name)

    shown = desk.get(address(type(row), "delete", row.pk))
    sent = desk.post(address(type(row), "delete", row.pk), {"post": "yes"})
    many = desk.post(
        address(type(row), "changelist"),
        {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes", "index": "0"},
        follow=True,
    )

    assert purchase.number in shown.text
    assert (sent.status_code, many.status_code) == (200, 200)
    assert type(row)._default_manager.filter(pk=row.pk).exists()


def test_what_nothing_points_to_is_deleted(desk: Client) -> None:
    account = AccountFactory()

    desk.post(address(Account, "delete", account.pk), {"post": "yes"})

    assert not Account.objects.exists()


def test_reseller_s_user_cannot_enter(client: Client, db: None) -> None:
    client.force_login(UserFactory())

    for url in (reverse("admin:index"), address(Contract, "changelist"), address(License, "changelist")):
        page = client.get(url)
        assert page.status_code == 302
        assert page.headers["Location"].startswith(reverse("admin:login"))


def test_desk_has_no_sign_in_of_its_own(client: Client, operator: User) -> None:
    page = client.post(reverse("admin:login"), {"username": operator.email, "password": "demo"})

    assert (page.status_code, page.headers["Location"]) == (302, "/login/?next=/")
    assert "_auth_user_id" not in client.session


def test_reseller_s_user_who_signs_in_does_not_get_to_the_desk(client: Client, db: None) -> None:
    user = UserFactory()

    page = client.post(
        reverse("login"), {"username": user.email, "password": "demo", "next": reverse("admin:index")}, follow=True
    )

    assert page.status_code == 403


def test_operator_signs_in_with_the_e_mail_and_is_at_the_desk(client: Client, operator: User) -> None:
    asked = client.get(reverse("admin:index"), follow=True)
    page = client.post(asked.redirect_chain[-1][0], {"username": operator.email, "password": "demo"}, follow=True)

    assert page.request["PATH_INFO"] == reverse("admin:index")
    assert page.status_code == 200


def test_desk_speaks_turkish(desk: Client) -> None:
    page = desk.get(reverse("admin:index"), headers={"Accept-Language": "tr"})

    assert page.status_code == 200
    assert 'lang="tr"' in page.text
