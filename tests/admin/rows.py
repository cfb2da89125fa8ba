"""A row of each record that the admin shows, as its pages need it."""

from collections.abc import Callable

from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone

from accounts.models import Account, Reseller, User
from audit.models import Act, AuditEvent
from contracts.models import Contract, Import
from products.models import Package, Product
from purchases.models import Export, License, Purchase, PurchaseDraft
from stock.models import StockLot, StockMovement
from tests.factories import (
    AccountFactory,
    ContractGrantFactory,
    ContractProductFactory,
    ExportFactory,
    LicenseFactory,
    OperatorFactory,
    PackageFactory,
    ProductFactory,
    PurchaseDraftFactory,
    PurchaseFactory,
    ResellerFactory,
    UserFactory,
    receive,
)


def make_lot() -> StockLot:
    line = ContractProductFactory()
    return receive(line.contract, line.product, 3, actor=OperatorFactory())


def _movement() -> StockMovement:
    return make_lot().movements.get()


def _draft() -> PurchaseDraft:
    line = ContractProductFactory()
    account = AccountFactory(reseller=line.contract.reseller)
    return PurchaseDraftFactory(contract=line.contract, account=account, product=line.product)


def _export() -> Export:
    return ExportFactory(filters={"state": "active"}, rows=12, finished_at=timezone.now())


def _import() -> Import:
    return Import.objects.create(
        content=Import.Content.PRICES,
        file_name="prices.csv",
        columns=["contract", "sku", "unit_price"],
        rows=[],
        row_count=0,
        uploaded_by=OperatorFactory(),
        uploaded_at=timezone.now(),
    )


def _event() -> AuditEvent:
    return AuditEvent.objects.create(at=timezone.now(), act=Act.SIGNED_IN, actor="ayse@example.com")


def _group() -> Group:
    return Group.objects.create(name=f"Group {Group.objects.count()}")


ROWS: dict[type[models.Model], Callable[[], models.Model]] = {
    Package: PackageFactory,
    Product: lambda: ProductFactory(package=PackageFactory()),
    Reseller: ResellerFactory,
    User: UserFactory,
    Account: lambda: AccountFactory(package=PackageFactory()),
    Contract: lambda: ContractGrantFactory().contract,
    StockLot: make_lot,
    StockMovement: _movement,
    Purchase: PurchaseFactory,
    License: LicenseFactory,
    PurchaseDraft: _draft,
    Export: _export,
    Import: _import,
    AuditEvent: _event,
    Group: _group,
}
