"""How PostgreSQL reads the license table for lists and pages: by index, also where others own most of its rows."""

import itertools
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, User
from contracts.models import Contract
from products.models import Product
from purchases.models import License, LicenseState, Purchase
from purchases.services import sorting
from purchases.services.exports import table_of_licenses
from purchases.services.filters import LicenseFilter
from purchases.services.holdings import LINES
from purchases.services.sorting import Sort
from purchases.views.licenses import TABS
from tests.factories import AccountFactory, PurchaseFactory, UserFactory
from tests.pages import links_in

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql_only]

LICENSES = """
    INSERT INTO purchases_license (key, reseller_id, account_id, contract_id, product_id, purchase_id,
                                   starts_on, ends_on, cancelled_at, created_at)
    SELECT upper(md5(%(account)s || '-' || n)),
           %(reseller)s, %(account)s, %(contract)s, %(product)s,
           (%(purchases)s)[1 + n %% array_length(%(purchases)s, 1)],
           CURRENT_DATE - 700 + n %% 720, CURRENT_DATE - 700 + n %% 720 + 364,
           CASE WHEN n %% 50 = 0 THEN now() END, now()
    FROM generate_series(1, %(quantity)s) n
"""


def fill(user: User, *, quantity: int) -> None:
    """Licenses of the user's reseller: two years of starts, on one account, every fiftieth cancelled."""
    one = PurchaseFactory(account=AccountFactory(reseller=user.reseller))
    alike = {"account": one.account, "contract": one.contract, "product": one.product, "placed_by": one.placed_by}
    purchases = [one, *(PurchaseFactory(**alike) for _ in range(40))]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # the site's limit is not for rows that a test makes
        cursor.execute(
            LICENSES,
            {
                "quantity": quantity,
                "reseller": one.reseller_id,
                "account": one.account_id,
                "contract": one.contract_id,
                "product": one.product_id,
                "purchases": [purchase.pk for purchase in purchases],
            },
        )


def analyze() -> None:
    """Tell the planner what there is. Of our own tables only: tests beside this one would wait for the shared ones."""
    tables = (License, Purchase, Account, Contract, Product)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in tables)}")


@pytest.fixture
def user() -> User:
    """Of a reseller whose rows come after those of others, and before others' newest.

    Others have so many that a database in its right mind reads no table for one reseller's three months.
    """
    user = UserFactory()
    fill(UserFactory(), quantity=40_000)
    fill(user, quantity=40_000)
    fill(UserFactory(), quantity=40_000)
    analyze()
    return user


def test_no_list_reads_the_whole_license_table(client: Client, user: User) -> None:
    client.force_login(user)
    license = License.objects.visible_to(user).valid().latest("ends_on")
    place = LINES.place_of(license)
    addresses = [
        address
        for tab in map(reverse, TABS.values())
        for address in (tab, f"{tab}?after={place}", f"{tab}?before={place}", f"{tab}?from={place}&line={place}")
    ]
    addresses += [
        f"/licenses/?q={license.key}",
        f"/licenses/?q={license.key[:8]}",
        license.get_absolute_url(),
        license.purchase.get_absolute_url(),
    ]

    assert {address: scans for address in addresses if (scans := scans_of(client, address))} == {}


def test_no_filter_in_any_order_reads_the_whole_license_table(client: Client, user: User) -> None:
    client.force_login(user)
    license = License.objects.visible_to(user).valid().latest("ends_on")
    filters = {
        "": "",
        "account": f"account={license.account_id}",
        "product": f"product={license.product_id}",
        "contract": f"contract={license.contract_id}",
        "ends": f"ends_from={license.ends_on - timedelta(days=40)}&ends_to={license.ends_on}",
        "search": "q=account+device",
        "key": f"q={license.key[:8]}",
        "nothing": "q=nothing-has-this",
    }
    several = "&".join(filters[name] for name in ("account", "product", "ends"))
    orders = ("", "sort=start", "sort=account", "sort=product")
    lists = itertools.product(TABS.values(), [*filters.values(), several], orders, [""])
    singly = itertools.product(TABS.values(), ["", filters["product"]], orders, ["show=single"])
    addresses = [f"{reverse(tab)}?{'&'.join(filter(None, said))}" for tab, *said in itertools.chain(lists, singly)]
    addresses += [next_page(client, address) for address in addresses if "=" not in address.replace("sort=", "")]

    assert {address: scans for address in addresses if (scans := scans_of(client, address))} == {}


def test_by_product_the_licenses_of_one_product_are_sorted_and_not_of_all(client: Client) -> None:
    user = UserFactory()
    for _product in range(6):
        fill(user, quantity=20_000)
    analyze()
    client.force_login(user)
    first = "/licenses/?sort=product"

    for address in (first, next_page(client, first), f"{first}&show=single"):
        (lines,) = (sql for sql in license_statements(client, address) if "LIMIT 26" in sql)
        assert "Presorted Key: products_product.name" in plan_of(lines)


def test_an_export_reads_each_batch_along_an_index(user: User) -> None:
    assert user.reseller is not None
    narrowed = [LicenseFilter(state) for state in LicenseState]
    narrowed.append(LicenseFilter(LicenseState.ACTIVE, ends_to=user.reseller.today() + timedelta(days=200)))
    with CaptureQueriesContext(connection) as captured:
        for each in narrowed:
            licenses = each.licenses(user, on=user.reseller.today())
            for sort in Sort:
                table = table_of_licenses(
                    sort.narrowed(licenses, user=user),
                    order=sorting.LICENSES[sort],
                    on=user.reseller.today(),
                    time_zone=ZoneInfo("Europe/Istanbul"),
                )
                assert list(itertools.islice(table.batches, 3))
    plans = [plan_of(query["sql"]) for query in captured if "purchases_license" in query["sql"]]

    assert len(plans) > len(narrowed)
    assert [plan for plan in plans if re.search(r"Seq Scan on purchases_license\b", plan)] == []


def next_page(client: Client, address: str) -> str:
    """The address of the page after it, or its own."""
    return next(iter(links_in(client.get(address).text, rel="next")), address)


def test_no_page_of_accounts_reads_the_whole_license_table(client: Client, user: User) -> None:
    client.force_login(user)
    account = License.objects.visible_to(user).latest("pk").account
    page = reverse("account", args=[account.pk])
    (lines,) = (sql for sql in license_statements(client, page) if "LIMIT" in sql)

    assert {address: scans for address in (reverse("accounts"), page) if (scans := scans_of(client, address))} == {}
    assert "Sort" not in plan_of(lines)  # however many licenses the account has, the first lines are read first


def scans_of(client: Client, address: str) -> list[str]:
    """The statements of the page that read the license table from its beginning."""
    statements = license_statements(client, address)
    return [sql for sql in statements if re.search(r"Seq Scan on purchases_license\b", plan_of(sql))]


def license_statements(client: Client, address: str) -> list[str]:
    """The statements of the page about licenses; there are some."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    statements = [query["sql"] for query in captured if "purchases_license" in query["sql"]]
    assert statements
    return statements


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")  # a statement that Django has just sent
        return "\n".join(row[0] for row in cursor.fetchall())
