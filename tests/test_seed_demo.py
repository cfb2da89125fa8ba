"""The demo: each row of its tables, a second run, and many licenses."""

import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, Q, Sum
from pytest_django import Settings

from accounts.models import Account, Reseller, User
from contracts.models import Contract, ContractGrant, ContractProduct, EndRule
from contracts.periods import license_end, month_end
from contracts.services.serving import accounts_served_by
from products.models import Product
from purchases.models import License, LicenseState, Purchase
from stock.models import StockLot, StockMovement
from stock.services.take import Taking, take_stock
from tests.factories import PurchaseFactory
from text.codes import ALPHABET

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def development(settings: Settings) -> None:
    settings.DEBUG = True


def seed(*arguments: str, on: date = TODAY) -> str:
    """Load the demo at noon of the day and return what the command told on stderr."""
    told = io.StringIO()
    with time_machine.travel(datetime(on.year, on.month, on.day, 12, tzinfo=UTC), tick=False):
        call_command("seed_demo", *arguments, stderr=told)
    return told.getvalue()


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of our apps, by model."""
    models = [model for app in apps.get_app_configs() for model in app.get_models(include_auto_created=True)]
    ours = [model for model in models if not model.__module__.startswith("django.")]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in ours}


def without_versions(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows without what tells of their changes."""
    return {label: these for label, these in rows.items() if ".Historical" not in label}


def held(account: str, product: str, *, on: date) -> list[tuple[date, int]]:
    """End dates and numbers of the licenses that an account has and that are not over."""
    licenses = License.objects.valid().filter(
        account__reference=account, product__sku=product, ends_on__gte=on, account__reseller__slug="bosphorus-displays"
    )
    return list(licenses.values_list("ends_on").annotate(Count("pk")).order_by("ends_on"))


def test_it_refuses_where_debug_is_off(settings: Settings) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match=r"only where DEBUG is on.*--force"):
        seed()

    assert not User.objects.exists()


def test_it_loads_where_debug_is_off_when_forced(settings: Settings) -> None:
    settings.DEBUG = False

    seed("--force")

    assert User.objects.filter(email="buyer@example.com").exists()


@pytest.mark.parametrize("wish", ["-1", "many", "1.5"])
def test_it_refuses_a_wish_that_is_no_quantity(wish: str) -> None:
    with pytest.raises(CommandError, match="--licenses"):
        seed(f"--licenses={wish}")

    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("email", "reseller", "is_staff", "grants"),
    [
        ("admin@example.com", None, True, []),
        ("buyer@example.com", "Bosphorus Displays", False, ["C-1001", "C-1003", "C-1004", "C-1005", "C-1006"]),
        ("viewer@example.com", "Bosphorus Displays", False, []),
        ("other@example.com", "Anadolu Screens", False, ["C-2001"]),
    ],
)
def test_users(email: str, reseller: str | None, is_staff: bool, grants: list[str]) -> None:
    seed()

    user = User.objects.get(email=email)
    assert user.check_password("demo")
    assert (user.reseller and user.reseller.name) == reseller
    assert user.is_active
    assert (user.is_staff, user.is_superuser) == (is_staff, is_staff)
    usable = user.grants.filter(can_create_licenses=True).order_by("contract__number")
    assert list(usable.values_list("contract__number", flat=True)) == grants


@pytest.mark.parametrize(
    ("sku", "name", "package", "is_active"),
    [
        ("DEV-STD", "Standard device", None, True),
        ("DEV-PRO", "Professional device", "Professional", True),
        ("DEV-MAX", "Video-wall device", None, True),
        ("DEV-OLD", "Retired device", None, False),
    ],
)
def test_products(sku: str, name: str, package: str | None, is_active: bool) -> None:
    seed()

    product = Product.objects.get(sku=sku)
    assert (product.name, product.package and product.package.name, product.is_active) == (name, package, is_active)


@pytest.mark.parametrize(
    ("reference", "reseller", "package", "tier", "is_active"),
    [
        ("ACC-01", "Bosphorus Displays", "Professional", "paid", True),
        ("ACC-02", "Bosphorus Displays", "Starter", "paid", True),
        ("ACC-03", "Bosphorus Displays", None, "paid", True),
        ("ACC-04", "Bosphorus Displays", "Starter", "trial", True),
        ("ACC-05", "Bosphorus Displays", "Professional", "paid", False),
        ("ANA-01", "Anadolu Screens", "Professional", "paid", True),
    ],
)
def test_accounts(reference: str, reseller: str, package: str | None, tier: str, is_active: bool) -> None:
    seed()

    account = Account.objects.get(reference=reference)
    assert account.reseller.name == reseller
    assert (account.package and account.package.name) == package
    assert (account.tier, account.is_active) == (tier, is_active)


@pytest.mark.parametrize(
    ("number", "reseller", "terms"),
    [
        ("C-1001", "Bosphorus Displays", ("EUR", 12, "month_end", 1, False)),
        ("C-1002", "Bosphorus Displays", ("EUR", 12, "anniversary", 1, False)),
        ("C-1003", "Bosphorus Displays", ("EUR", 12, "anniversary", 1, False)),
        ("C-1004", "Bosphorus Displays", ("EUR", 12, "anniversary", 1, False)),
        ("C-1005", "Bosphorus Displays", ("USD", 24, "anniversary", 5, True)),
        ("C-1006", "Bosphorus Displays", ("EUR", 12, "contract_end", 1, False)),
        ("C-2001", "Anadolu Screens", ("TRY", 24, "anniversary", 1, False)),
    ],
)
def test_contracts(number: str, reseller: str, terms: tuple[Any, ...]) -> None:
    seed()

    contract = Contract.objects.get(number=number)
    assert contract.reseller.name == reseller
    assert contract.conditions
    assert terms == (
        contract.currency,
        contract.term_months,
        contract.end_rule,
        contract.minimum_quantity,
        contract.requires_po_number,
    )


@pytest.mark.parametrize("on", [TODAY, date(2027, 1, 1), date(2028, 2, 29)])
def test_which_contracts_are_active(on: date) -> None:
    seed(on=on)

    active = Contract.objects.active(on=on).values_list("number", flat=True)
    assert set(active) == {"C-1001", "C-1002", "C-1005", "C-1006", "C-2001"}
    assert Contract.objects.get(number="C-1003").ends_on == on.replace(day=1) - relativedelta(days=1)
    assert Contract.objects.get(number="C-1004").status == Contract.Status.SUSPENDED
    assert Contract.objects.get(number="C-1006").ends_on == date(on.year + 1, 12, 31)


@pytest.mark.parametrize(
    ("number", "prices"),
    [
        ("C-1001", {"DEV-STD": "120.00", "DEV-PRO": "180.00", "DEV-OLD": "60.00"}),
        ("C-1002", {"DEV-STD": "95.00"}),
        ("C-1003", {"DEV-STD": "90.00"}),
        ("C-1004", {"DEV-STD": "110.00", "DEV-MAX": "270.00"}),
        ("C-1005", {"DEV-STD": "99.50"}),
        ("C-1006", {"DEV-MAX": "250.00"}),
        ("C-2001", {"DEV-STD": "5400.00", "DEV-PRO": "8100.00"}),
    ],
)
def test_prices(number: str, prices: dict[str, str]) -> None:
    seed()

    lines = ContractProduct.objects.filter(contract__number=number, is_active=True)
    assert {line.product.sku: line.unit_price for line in lines} == {sku: Decimal(is_) for sku, is_ in prices.items()}


def test_only_c_1005_has_a_maximum_of_its_own() -> None:
    seed()

    line = ContractProduct.objects.exclude(maximum_quantity=None).get()
    assert (line.contract.number, line.product.sku, line.maximum_quantity) == ("C-1005", "DEV-STD", 500)


@pytest.mark.parametrize(
    ("number", "references"),
    [
        ("C-1001", ["ACC-01", "ACC-02"]),
        ("C-1005", ["ACC-01", "ACC-02"]),
        ("C-1006", ["ACC-03"]),
        ("C-2001", ["ANA-01"]),
    ],
)
def test_accounts_that_may_buy(number: str, references: list[str]) -> None:
    seed()

    served = accounts_served_by(Contract.objects.get(number=number), on=TODAY)
    assert sorted(served.values_list("reference", flat=True)) == references


def test_stock() -> None:
    seed()

    lots = StockLot.objects.in_order_of_use().filter(use_by__gte=TODAY, contract__number="C-1001")
    assert StockLot.objects.count() == 3
    assert list(lots.filter(product__sku="DEV-STD").values_list("remaining", flat=True)) == [2, 3]
    assert list(lots.filter(product__sku="DEV-PRO").values_list("remaining", flat=True)) == [2]
    assert len(set(lots.filter(product__sku="DEV-STD").values_list("use_by", flat=True))) == 2
    for lot in lots:
        assert lot.movements.aggregate(sum=Sum("change"))["sum"] == lot.remaining


@pytest.mark.parametrize(
    "on", [TODAY, date(2026, 11, 1), date(2026, 11, 30), date(2027, 1, 1), date(2028, 2, 29), date(2028, 12, 31)]
)
def test_acc_01_holds_exactly_ten_that_end_this_month(on: date) -> None:
    seed(on=on)

    assert held("ACC-01", "DEV-STD", on=on) == [(month_end(on), 10)]
    active = License.objects.in_state(LicenseState.ACTIVE, on=on).filter(reseller__slug="bosphorus-displays")
    assert set(active.values_list("account__reference", "contract__number")) == {("ACC-01", "C-1001")}


@pytest.mark.parametrize("on", [TODAY, date(2027, 1, 1), date(2028, 2, 29)])
@pytest.mark.parametrize("state", LicenseState)
def test_each_tab_shows_something(state: LicenseState, on: date) -> None:
    seed(on=on)

    assert License.objects.visible_to(User.objects.get(email="buyer@example.com")).in_state(state, on=on).exists()


@pytest.mark.parametrize("on", [TODAY, date(2027, 1, 1), date(2028, 2, 29)])
def test_the_other_reseller_has_active_licenses_of_its_own(on: date) -> None:
    seed(on=on)

    seen = License.objects.visible_to(User.objects.get(email="other@example.com"))
    assert set(seen.values_list("account__reference", "contract__number")) == {("ANA-01", "C-2001")}
    assert seen.in_state(LicenseState.ACTIVE, on=on).exists()


def test_a_second_run_changes_nothing() -> None:
    seed()
    rows = all_rows()

    seed()

    assert all_rows() == rows


def test_a_second_run_puts_the_set_up_back() -> None:
    seed()
    rows = all_rows()
    buyer = User.objects.get(email="buyer@example.com")
    viewer = User.objects.get(email="viewer@example.com")
    contract = Contract.objects.get(number="C-1001")
    Reseller.objects.update(is_active=False)
    buyer.set_password("forgotten")
    buyer.save()
    contract.status, contract.title = Contract.Status.CLOSED, "Renamed"
    contract.save()
    contract.exclusive_accounts.add(Account.objects.get(reference="ACC-04"))
    contract.contract_products.update(unit_price=1, is_active=False)
    Account.objects.update(tier=Account.Tier.TRIAL)
    extra = ContractGrant.objects.create(contract=contract, user=viewer)

    seed()

    buyer.refresh_from_db()
    assert buyer.check_password("demo")
    assert not ContractGrant.objects.filter(pk=extra.pk).exists()
    now = all_rows()
    del rows["accounts.User"], now["accounts.User"]
    assert without_versions(now) == without_versions(rows)


def test_a_second_run_does_not_fill_up_stock_that_was_taken() -> None:
    seed()
    lot = StockLot.objects.in_order_of_use()[0]
    take_stock([Taking(lot, 2)], actor=User.objects.get(email="buyer@example.com"), reference="P-1")

    seed()

    lot.refresh_from_db()
    assert lot.remaining == 0
    assert StockLot.objects.count() == 3
    assert StockMovement.objects.count() == 4


def test_a_run_in_a_later_month_adds_that_months_ten_and_edits_no_purchase() -> None:
    seed()
    before = all_rows()
    later = date(2027, 7, 31)

    seed(on=later)
    seed(on=later)

    after = all_rows()
    assert held("ACC-01", "DEV-STD", on=later) == [(date(2027, 7, 31), 10)]
    for model in ("purchases.Purchase", "purchases.License", "stock.StockMovement"):
        assert after[model][: len(before[model])] == before[model]
    assert StockLot.objects.count() == 3
    uses = list(StockLot.objects.filter(product__sku="DEV-STD").order_by("remaining").values_list("use_by", flat=True))
    assert later < uses[0] < uses[1]


def test_it_asks_each_resellers_own_calendar() -> None:
    seed()

    with time_machine.travel(datetime(2026, 11, 30, 22, tzinfo=UTC), tick=False):  # 1 December in Istanbul
        call_command("seed_demo")

    assert held("ACC-01", "DEV-STD", on=date(2026, 12, 1)) == [(date(2026, 12, 31), 10)]


def assert_consistent() -> None:
    """Purchases and licenses agree with each other, with their contracts and with their reseller."""
    purchases = Purchase.objects.annotate(rows=Count("licenses"))
    for purchase in purchases.select_related("contract", "account", "placed_by"):
        line = purchase.contract.contract_products.get(product=purchase.product_id)
        assert purchase.account
        assert purchase.contract.reseller_id == purchase.account.reseller_id == purchase.reseller_id
        assert purchase.placed_by.reseller_id == purchase.reseller_id
        assert purchase.rows == purchase.quantity  # type: ignore[attr-defined]  # annotated
        assert purchase.unit_price == line.unit_price
        assert purchase.total == purchase.unit_price * (purchase.quantity - purchase.from_stock)
        assert purchase.currency == purchase.contract.currency
    for license in License.objects.select_related("purchase"):
        purchase = license.purchase
        assert license.reseller_id == purchase.reseller_id
        assert license.account_id == purchase.account_id
        assert license.contract_id == purchase.contract_id
        assert license.product_id == purchase.product_id
        assert license.created_at == purchase.placed_at


def test_purchases_are_consistent() -> None:
    seed("--licenses", "500")

    assert_consistent()
    for purchase in Purchase.objects.select_related("contract"):
        assert purchase.terms["end_rule"] == purchase.contract.end_rule
        assert 1 <= purchase.quantity <= 50


def test_licenses_end_as_their_contract_says() -> None:
    seed("--licenses", "500")

    for license in License.objects.filter(contract__number__startswith="C-R").select_related("contract"):
        assert license.ends_on == license_end(
            license.starts_on,
            term_months=license.contract.term_months,
            end_rule=license.contract.end_rule,
            contract_ends_on=license.contract.ends_on,
        )
    assert set(License.objects.values_list("contract__end_rule", flat=True)) == set(EndRule.values)


def test_bulk_licenses_are_as_many_as_wanted_and_half_of_them_in_one_reseller() -> None:
    seed()
    before = License.objects.count()

    seed("--licenses", "501")

    bulk = License.objects.filter(purchase__placed_by__email__startswith="orders@")
    assert bulk.count() == 501
    assert License.objects.count() == before + 501
    assert bulk.filter(reseller__slug="large").count() == 251
    spread = bulk.aggregate(
        resellers=Count("reseller", distinct=True),
        products=Count("product", distinct=True),
        contracts=Count("contract", distinct=True),
    )
    assert spread["resellers"] > 5
    assert spread["products"] > 5
    assert spread["contracts"] > 10


def test_bulk_licenses_leave_the_guides_example_alone() -> None:
    seed("--licenses", "500")

    assert held("ACC-01", "DEV-STD", on=TODAY) == [(date(2026, 11, 30), 10)]
    assert not Account.objects.filter(reseller__slug="bosphorus-displays").exclude(reference__startswith="ACC-0")


def test_the_large_reseller_can_be_looked_at() -> None:
    seed("--licenses", "100")

    user = User.objects.get(email="large@example.com")
    assert user.check_password("demo")
    assert License.objects.visible_to(user).count() == 50
    assert Contract.objects.visible_to(user).active(on=TODAY).buyable_by(user).count() == 6


def test_nobody_signs_in_as_who_places_bulk_orders() -> None:
    seed("--licenses", "100")

    buyers = User.objects.filter(email__startswith="orders@")
    assert buyers.count() == 40
    assert not any(buyer.has_usable_password() for buyer in buyers)


def test_the_same_wish_again_adds_nothing() -> None:
    seed("--licenses", "500")
    rows = all_rows()

    told = seed("--licenses", "500")

    assert told == ""
    assert all_rows() == rows


def test_a_smaller_wish_takes_nothing_away() -> None:
    seed("--licenses", "500")

    seed("--licenses", "100")

    assert License.objects.filter(purchase__placed_by__email__startswith="orders@").count() == 500


def test_a_larger_wish_on_a_later_day_goes_on_where_the_first_ended() -> None:
    seed("--licenses", "300")
    first = set(License.objects.filter(reseller__slug="large").values_list("key", flat=True))

    seed("--licenses", "500", on=date(2027, 3, 1))

    now = set(License.objects.filter(reseller__slug="large").values_list("key", flat=True))
    assert len(now) == 250
    assert first < now
    assert_consistent()


def test_what_a_person_bought_does_not_count_as_bulk() -> None:
    seed("--licenses", "100")
    visitor = User.objects.get(email="large@example.com")
    PurchaseFactory(contract=Contract.objects.filter(reseller=visitor.reseller)[0], placed_by=visitor, quantity=30)

    seed("--licenses", "200")

    assert License.objects.filter(reseller__slug="large").count() == 100


def test_keys_and_numbers_are_the_same_each_time() -> None:
    with transaction.atomic():
        seed("--licenses", "100")
        keys = list(License.objects.order_by("key").values_list("key", flat=True))
        numbers = list(Purchase.objects.order_by("number").values_list("number", "draft_id"))
        transaction.set_rollback(True)

    seed("--licenses", "100")

    assert list(License.objects.order_by("key").values_list("key", flat=True)) == keys
    assert list(Purchase.objects.order_by("number").values_list("number", "draft_id")) == numbers


def test_keys_look_like_every_other_key() -> None:
    seed("--licenses", "100")

    group = f"[{ALPHABET}]{{5}}"
    for key in License.objects.values_list("key", flat=True):
        assert re.fullmatch(f"{group}(-{group}){{4}}", key)


def test_progress_is_told_by_the_tenth_where_there_is_no_terminal() -> None:
    told = seed("--licenses", "100")

    assert re.fullmatch(r"100 %  100 of 100 licenses, [\d,]+ a second\n", told)


def test_progress_is_a_bar_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()

    call_command("seed_demo", "--licenses", "100", stderr=terminal)

    assert re.search(r"\r\[#{30}\] 100 %  100 of 100 licenses", terminal.getvalue())


def test_dates_span_three_years_and_no_purchase_lies_ahead() -> None:
    seed("--licenses", "2000")

    bulk = License.objects.filter(purchase__placed_by__email__startswith="orders@")
    assert bulk.filter(starts_on__lt=date(2024, 6, 1)).exists()
    assert bulk.filter(starts_on__gt=date(2026, 6, 1)).exists()
    for state in LicenseState:
        assert bulk.in_state(state, on=TODAY).exists()
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert not Purchase.objects.filter(Q(placed_at__gt=noon) | Q(licenses__cancelled_at__gt=noon)).exists()
