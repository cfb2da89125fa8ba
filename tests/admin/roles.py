"""The table of the admin: who may open which page, send what to it, take which action and write which lines.

A new view, action or inline has to be added here; `test_roles.py` names what is missing. A page that only needs
a row of its model to stand on is one line in PAGES: who opens it (GET), and who gets past its door by POST.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Reseller, User
from audit.models import AuditEvent
from contracts.models import Contract, Import
from products.models import Package, Product
from purchases.models import Export, License, Purchase, PurchaseDraft
from stock.models import StockLot, StockMovement
from tests.admin.forms import contract_page
from tests.admin.rows import make_lot
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    OperatorFactory,
    PackageFactory,
    ProductFactory,
    ResellerFactory,
    UserFactory,
)


class Role(StrEnum):
    ANONYMOUS = "anonymous"
    BUYER = "buyer"
    SUPPORT = "Support"
    CATALOGUE = "Catalogue manager"
    CONTRACTS = "Contract manager"
    SUPERUSER = "superuser"


Roles = frozenset[Role]

STAFF: Roles = frozenset({Role.SUPPORT, Role.CATALOGUE, Role.CONTRACTS, Role.SUPERUSER})
CONTRACTS: Roles = frozenset({Role.CONTRACTS, Role.SUPERUSER})
CATALOGUE: Roles = frozenset({Role.CATALOGUE, Role.SUPERUSER})
AUDITORS: Roles = frozenset({Role.SUPPORT, Role.SUPERUSER})
SUPERUSER: Roles = frozenset({Role.SUPERUSER})
NOBODY: Roles = frozenset()


def group(role: Role) -> Group:
    """The role's group. The migration makes it; tests that empty the database take it away."""
    if not Group.objects.filter(name=role).exists():
        import_module("accounts.migrations.0004_roles").make_roles(apps, None)
        import_module("accounts.migrations.0005_support_reads_the_audit_log").let_support_read(apps, None)
    return Group.objects.get(name=role)


def sign_in(client: Client, role: Role) -> User | None:
    """Somebody in the role, signed in."""
    if role is Role.ANONYMOUS:
        return None
    if role is Role.BUYER:
        user = ContractGrantFactory().user
    else:
        user = OperatorFactory(is_superuser=role is Role.SUPERUSER)
        if role is not Role.SUPERUSER:
            user.groups.add(group(role))
    client.force_login(user)
    return user


@dataclass(frozen=True)
class Page:
    """Who opens a page by GET, and who gets past its door by POST, with nothing filled in.

    `stands_on` is the model whose row the address names. Whoever may not, is sent to sign in or answered 403.
    """

    opens: Roles
    sends: Roles
    stands_on: type[Model] | None = None
    opened: int = 200
    sent: int = 200
    query: str = ""
    others: dict[str, Any] = field(default_factory=dict)


def _records(model: type[Model], *, add: Roles, change: Roles, delete: Roles, read: Roles = STAFF) -> dict[str, Page]:
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    return {
        f"{name}_changelist": Page(opens=read, sends=read),
        f"{name}_add": Page(opens=add, sends=add),
        f"{name}_change": Page(opens=read, sends=change, stands_on=model),
        f"{name}_delete": Page(opens=delete, sends=delete, stands_on=model),
        f"{name}_history": Page(opens=read, sends=read, stands_on=model),
    }


def _read_only(model: type[Model]) -> dict[str, Page]:
    return _records(model, add=NOBODY, change=NOBODY, delete=NOBODY)


PAGES: dict[str, Page] = {
    "index": Page(opens=STAFF, sends=STAFF),
    "app_list": Page(opens=STAFF, sends=STAFF, others={"app_label": "products"}),
    "password_change": Page(opens=STAFF, sends=STAFF, opened=302, sent=302),
    "password_change_done": Page(opens=STAFF, sends=STAFF, sent=405),
    "jsi18n": Page(opens=STAFF, sends=STAFF, sent=405),
    "autocomplete": Page(
        opens=STAFF,
        sends=STAFF,
        sent=405,
        query="app_label=accounts&model_name=user&field_name=reseller&term=x",
    ),
    **_records(Package, add=CATALOGUE, change=CATALOGUE, delete=CATALOGUE),
    **_records(Product, add=CATALOGUE, change=CATALOGUE, delete=CATALOGUE),
    **_records(Reseller, add=CONTRACTS, change=CONTRACTS, delete=SUPERUSER),
    **_records(User, add=CONTRACTS, change=CONTRACTS, delete=SUPERUSER),
    **_records(Account, add=CONTRACTS, change=CONTRACTS, delete=SUPERUSER),
    **_records(Group, add=SUPERUSER, change=SUPERUSER, delete=SUPERUSER),
    "accounts_user_invite": Page(opens=CONTRACTS, sends=CONTRACTS, stands_on=User, opened=302, sent=302),
    "accounts_user_forget_second_step": Page(opens=CONTRACTS, sends=CONTRACTS, stands_on=User, sent=302),
    **_records(Contract, add=CONTRACTS, change=CONTRACTS, delete=CONTRACTS),
    **_records(Import, add=CONTRACTS, change=CONTRACTS, delete=NOBODY),
    **_records(StockLot, add=CONTRACTS, change=NOBODY, delete=NOBODY),
    **_read_only(StockMovement),
    "stock_stocklot_correct": Page(opens=CONTRACTS, sends=CONTRACTS, stands_on=StockLot),
    **_read_only(Purchase),
    **_read_only(License),
    **_read_only(PurchaseDraft),
    **_read_only(Export),
    **_records(AuditEvent, add=NOBODY, change=NOBODY, delete=NOBODY, read=AUDITORS),
    "accounts_reseller_grants": Page(opens=STAFF, sends=CONTRACTS, stands_on=Reseller, sent=302),
    "contracts_import_export": Page(opens=STAFF, sends=STAFF),
    "contracts_contract_why": Page(opens=STAFF, sends=STAFF),
    "contracts_contract_choices": Page(
        opens=STAFF,
        sends=STAFF,
        sent=405,
        others={"reseller": 0},
        query="app_label=contracts&model_name=contractgrant&field_name=user&term=x",
    ),
    **{
        f"contracts_contract_{act}": Page(
            opens=CONTRACTS, sends=CONTRACTS, stands_on=Contract, opened=opened, sent=sent
        )
        for act, opened, sent in (
            ("suspend", 200, 200),
            ("close", 200, 200),
            ("activate", 302, 302),  # the contract is active already, which its page says
            ("resume", 302, 302),
            ("duplicate", 200, 200),
            ("prices", 200, 200),
        )
    },
}
"""Every page of the admin, by the name of its address."""

DOORS = {"login", "logout"}
"""Addresses for anybody, which `test_pages.py` tries."""

NO_PAGES = {"view_on_site"}
"""Addresses that Django has for pages outside of the admin, which there are none of."""

ACTIONS: dict[tuple[str, str], Roles] = {
    ("products.package", "delete_selected"): CATALOGUE,
    ("products.product", "delete_selected"): CATALOGUE,
    ("accounts.reseller", "delete_selected"): SUPERUSER,
    ("accounts.user", "delete_selected"): SUPERUSER,
    ("accounts.account", "delete_selected"): SUPERUSER,
    ("auth.group", "delete_selected"): SUPERUSER,
    ("contracts.contract", "delete_selected"): CONTRACTS,
    ("contracts.contract", "activate_selected"): CONTRACTS,
    ("contracts.contract", "suspend_selected"): CONTRACTS,
    ("contracts.contract", "resume_selected"): CONTRACTS,
    ("contracts.contract", "close_selected"): CONTRACTS,
    ("contracts.import", "delete_selected"): NOBODY,
    ("stock.stocklot", "delete_selected"): NOBODY,
    ("stock.stockmovement", "delete_selected"): NOBODY,
    ("purchases.purchase", "delete_selected"): NOBODY,
    ("purchases.license", "delete_selected"): NOBODY,
    ("purchases.purchasedraft", "delete_selected"): NOBODY,
    ("purchases.export", "delete_selected"): NOBODY,
    ("audit.auditevent", "delete_selected"): NOBODY,
}
"""Every action of every list, and who is offered it."""

INLINES: dict[tuple[str, str], Roles] = {
    ("contracts.contract", "contracts.contractproduct"): CONTRACTS,
    ("contracts.contract", "contracts.contractgrant"): CONTRACTS,
    ("stock.stocklot", "stock.stockmovement"): NOBODY,
}
"""The lines on every page, and who writes them."""


Sending = Callable[[Client], Any]


@dataclass(frozen=True)
class Act:
    """Something that is written. `prepare` makes what it is done to, and gives what a browser then sends."""

    name: str
    allowed: Roles
    prepare: Callable[[], Sending]


def _post(name: str, data: dict[str, Any], *args: object) -> Sending:
    return lambda client: client.post(reverse(f"admin:{name}", args=args), data)


def _add_package() -> Sending:
    return _post("products_package_add", {"name": "Gold", "code": "gold"})


def _change_product() -> Sending:
    product = ProductFactory()
    facts = {"sku": product.sku, "name": "Renamed", "kind": "device", "description": ""}
    return _post("products_product_change", facts, product.pk)


def _delete_package() -> Sending:
    return _post("products_package_delete", {"post": "yes"}, PackageFactory().pk)


def _add_reseller() -> Sending:
    facts = {"name": "Ege", "slug": "ege", "time_zone": "Europe/Istanbul", "language": "tr", "is_active": "on"}
    return _post("accounts_reseller_add", facts)


def _delete_reseller() -> Sending:
    return _post("accounts_reseller_delete", {"post": "yes"}, ResellerFactory().pk)


def _change_user() -> Sending:
    user = UserFactory()
    return _post("accounts_user_change", {"email": user.email, "full_name": "Renamed", "is_active": "on"}, user.pk)


def _invite() -> Sending:
    return _post("accounts_user_invite", {}, UserFactory(password="!").pk)


def _change_account() -> Sending:
    account = AccountFactory()
    facts = {"name": "Renamed", "reference": account.reference, "tier": "paid", "is_active": "on"}
    return _post("accounts_account_change", facts, account.pk)


def _add_group() -> Sending:
    return _post("auth_group_add", {"name": "Mine"})


def _contract() -> Contract:
    """One that sells."""
    line = ContractProductFactory()
    ContractGrantFactory(contract=line.contract)
    return line.contract


def _add_contract() -> Sending:
    return _post("contracts_contract_add", contract_page({"reseller": ResellerFactory().pk, "status": "draft"}))


def _change_lines() -> Sending:
    """Another price, and a grant less."""
    contract = _contract()
    line, grant = contract.contract_products.get(), contract.grants.get()
    terms = {
        "reseller": contract.reseller_id,
        "number": contract.number,
        "title": contract.title,
        "status": contract.status,
        "initial-status": contract.status,
        "starts_on": contract.starts_on.isoformat(),
    }
    prices = [{"id": line.pk, "contract": contract.pk, "unit_price": "1.00", "is_active": "on"}]
    grants = [{"id": grant.pk, "contract": contract.pk, "DELETE": "on"}]
    page = contract_page(terms, products=prices, grants=grants, stored=(1, 1))
    return _post("contracts_contract_change", page, contract.pk)


def _give_grant() -> Sending:
    """By the matrix."""
    contract = ContractFactory()
    user = UserFactory(reseller=contract.reseller)
    return _post("accounts_reseller_grants", {"grant": f"{contract.pk}-{user.pk}"}, contract.reseller_id)


def _delete_contract() -> Sending:
    return _post("contracts_contract_delete", {"post": "yes"}, ContractFactory(status="draft").pk)


def _step(act: str, status: str) -> Callable[[], Sending]:
    def prepare() -> Sending:
        contract = _contract()
        Contract.objects.update(status=status)
        return _post(f"contracts_contract_{act}", {"reason": "Because"}, contract.pk)

    return prepare


def _step_with_selected(act: str, status: str) -> Callable[[], Sending]:
    def prepare() -> Sending:
        contract = _contract()
        Contract.objects.update(status=status)
        chosen = {"action": f"{act}_selected", "_selected_action": [contract.pk], "post": "yes", "reason": "Because"}
        return _post("contracts_contract_changelist", chosen)

    return prepare


def _delete_selected_packages() -> Sending:
    chosen = {"action": "delete_selected", "_selected_action": [PackageFactory().pk], "post": "yes"}
    return _post("products_package_changelist", chosen)


def _duplicate() -> Sending:
    return _post("contracts_contract_duplicate", {"number": "C-NEXT", "starts_on": "2030-01-01"}, _contract().pk)


def _upload() -> Sending:
    line = _contract().contract_products.select_related("contract", "product").get()
    rows = f"contract,sku,unit_price\n{line.contract.number},{line.product.sku},7\n"
    file = SimpleUploadedFile("list.csv", rows.encode())
    return _post("contracts_import_add", {"content": "prices", "file": file})


def _receive_stock() -> Sending:
    line = ContractProductFactory()
    arrival = {"contract": line.contract_id, "product": line.product_id, "quantity": "5", "use_by": "2099-12-31"}
    return _post("stock_stocklot_add", arrival)


def _correct_stock() -> Sending:
    lot = make_lot()
    return _post("stock_stocklot_correct", {"change": "-1", "reason_text": "Lost", "movements_seen": "1"}, lot.pk)


ACTS = [
    Act("add a package", CATALOGUE, _add_package),
    Act("change a product", CATALOGUE, _change_product),
    Act("delete a package", CATALOGUE, _delete_package),
    Act("delete selected packages", CATALOGUE, _delete_selected_packages),
    Act("add a reseller", CONTRACTS, _add_reseller),
    Act("delete a reseller", SUPERUSER, _delete_reseller),
    Act("change a user", CONTRACTS, _change_user),
    Act("invite a user", CONTRACTS, _invite),
    Act("change an account", CONTRACTS, _change_account),
    Act("add a group", SUPERUSER, _add_group),
    Act("add a contract", CONTRACTS, _add_contract),
    Act("change a price and take a grant away", CONTRACTS, _change_lines),
    Act("give a grant by the matrix", CONTRACTS, _give_grant),
    Act("delete a contract", CONTRACTS, _delete_contract),
    Act("activate a contract", CONTRACTS, _step("activate", "draft")),
    Act("suspend a contract", CONTRACTS, _step("suspend", "active")),
    Act("resume a contract", CONTRACTS, _step("resume", "suspended")),
    Act("close a contract", CONTRACTS, _step("close", "suspended")),
    Act("activate selected contracts", CONTRACTS, _step_with_selected("activate", "draft")),
    Act("suspend selected contracts", CONTRACTS, _step_with_selected("suspend", "active")),
    Act("resume selected contracts", CONTRACTS, _step_with_selected("resume", "suspended")),
    Act("close selected contracts", CONTRACTS, _step_with_selected("close", "suspended")),
    Act("duplicate a contract", CONTRACTS, _duplicate),
    Act("upload prices", CONTRACTS, _upload),
    Act("receive stock", CONTRACTS, _receive_stock),
    Act("correct stock", CONTRACTS, _correct_stock),
]
"""What can be written, and by whom."""
