# mypy: allow-untyped-calls
# factory_boy has types for its rows but not for its declarations.
"""Rows for tests. Each factory makes the plainest row that every rule accepts; a test names what differs.

Whichever of contract, account, user, purchase or reseller is given, the rest belongs to the same reseller.
"""

import functools
import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dateutil.relativedelta import relativedelta
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from accounts.models import Account, Reseller, User
from contracts.models import Contract, ContractGrant, ContractProduct
from products.models import Package, Product
from purchases.models import Export, License, Purchase, PurchaseDraft
from purchases.services.terms import contract_terms
from stock.models import StockLot
from stock.services.receive import receive_stock
from text.codes import random_code

PASSWORD = "demo"

_TELL_THE_RESELLER = ("contract", "account", "user", "placed_by", "purchase")


@functools.cache
def hashed_password() -> str:
    """The hash of PASSWORD, computed once: hashing is slow on purpose."""
    return make_password(PASSWORD)


class RowFactory[Row](DjangoModelFactory[Row]):
    """A factory whose call, for the type checker too, gives a saved row."""

    class Meta:
        abstract = True

    if TYPE_CHECKING:

        def __new__(cls, **fields: Any) -> Row: ...  # type: ignore[misc]  # its metaclass returns the row


class OneReseller[Row](RowFactory[Row]):
    """A factory that takes the reseller from the first given row that has one."""

    class Meta:
        abstract = True

    @classmethod
    def _generate(cls, strategy: str, params: dict[str, Any]) -> Row:
        for name in _TELL_THE_RESELLER:
            if "reseller" not in params and params.get(name) is not None:
                params["reseller"] = params[name].reseller
        row: Row = super()._generate(strategy, params)
        return row


class PackageFactory(RowFactory[Package]):
    class Meta:
        model = Package

    name = Sequence(lambda n: f"Package {n}")
    code = Sequence(lambda n: f"package-{n}")


class ProductFactory(RowFactory[Product]):
    """A device that fits every account."""

    class Meta:
        model = Product

    sku = Sequence(lambda n: f"DEV-{n:03}")
    name = Sequence(lambda n: f"Device {n}")


class ResellerFactory(RowFactory[Reseller]):
    class Meta:
        model = Reseller

    name = Sequence(lambda n: f"Reseller {n}")
    slug = Sequence(lambda n: f"reseller-{n}")


class UserFactory(RowFactory[User]):
    """A reseller's user with the password "demo" and no grants."""

    class Meta:
        model = User

    email = Sequence(lambda n: f"user{n}@example.com")
    full_name = Sequence(lambda n: f"User {n}")
    reseller: Any = SubFactory(ResellerFactory)
    password = LazyFunction(hashed_password)


class OperatorFactory(UserFactory):
    """A superuser of the operator."""

    email = Sequence(lambda n: f"operator{n}@example.com")
    reseller = None
    is_staff = True
    is_superuser = True


class AccountFactory(RowFactory[Account]):
    """A paid account without a package."""

    class Meta:
        model = Account

    reseller = SubFactory(ResellerFactory)
    name = Sequence(lambda n: f"Account {n}")
    reference = Sequence(lambda n: f"ACC-{n:03}")


class ContractFactory(OneReseller[Contract]):
    """An active, open-ended contract in euros that began a month ago: 12 months, ending on the anniversary."""

    class Meta:
        model = Contract

    reseller = SubFactory(ResellerFactory)
    number = Sequence(lambda n: f"C-{n:04}")
    title = Sequence(lambda n: f"Contract {n}")
    status = Contract.Status.ACTIVE
    starts_on = LazyAttribute(lambda contract: contract.reseller.today() - relativedelta(months=1))
    currency = "EUR"


class ContractProductFactory(OneReseller[ContractProduct]):
    """A product at 100.00 with no maximum of its own."""

    class Meta:
        model = ContractProduct

    class Params:
        reseller = SubFactory(ResellerFactory)

    contract = SubFactory(ContractFactory, reseller=SelfAttribute("..reseller"))
    product = SubFactory(ProductFactory)
    unit_price = Decimal("100.00")


class ContractGrantFactory(OneReseller[ContractGrant]):
    """The permission to create licenses."""

    class Meta:
        model = ContractGrant

    class Params:
        reseller = SubFactory(ResellerFactory)

    contract = SubFactory(ContractFactory, reseller=SelfAttribute("..reseller"))
    user = SubFactory(UserFactory, reseller=SelfAttribute("..reseller"))


class PurchaseDraftFactory(OneReseller[PurchaseDraft]):
    """A wizard that was started and nothing chosen."""

    class Meta:
        model = PurchaseDraft

    reseller = SubFactory(ResellerFactory)
    user = SubFactory(UserFactory, reseller=SelfAttribute("..reseller"))


class PurchaseFactory(OneReseller[Purchase]):
    """The record of one new license for an account, placed now. It writes no license."""

    class Meta:
        model = Purchase

    number = LazyFunction(lambda: f"P-{random_code(groups=2, group_length=4)}")
    draft_id = LazyFunction(uuid.uuid4)
    reseller = SubFactory(ResellerFactory)
    contract = SubFactory(ContractFactory, reseller=SelfAttribute("..reseller"))
    account = SubFactory(AccountFactory, reseller=SelfAttribute("..reseller"))
    product = SubFactory(ProductFactory)
    quantity = 1
    unit_price = Decimal("100.00")
    currency = SelfAttribute("contract.currency")
    total = LazyAttribute(lambda purchase: purchase.unit_price * (purchase.quantity - purchase.from_stock))
    from_stock = 0
    terms = LazyAttribute(lambda purchase: contract_terms(purchase.contract))
    placed_by = SubFactory(UserFactory, reseller=SelfAttribute("..reseller"))
    placed_at = LazyFunction(timezone.now)


class LicenseFactory(OneReseller[License]):
    """A license of one year from today, with its purchase; given a purchase, a license of that."""

    class Meta:
        model = License

    key = LazyFunction(lambda: random_code(groups=5, group_length=5))
    reseller = SubFactory(ResellerFactory)
    contract = SubFactory(ContractFactory, reseller=SelfAttribute("..reseller"))
    account = SubFactory(AccountFactory, reseller=SelfAttribute("..reseller"))
    product = SubFactory(ProductFactory)
    purchase = SubFactory(
        PurchaseFactory,
        reseller=SelfAttribute("..reseller"),
        contract=SelfAttribute("..contract"),
        account=SelfAttribute("..account"),
        product=SelfAttribute("..product"),
    )
    starts_on = LazyAttribute(lambda license: license.reseller.today())
    ends_on = LazyAttribute(lambda license: license.starts_on + relativedelta(years=1, days=-1))
    created_at = LazyFunction(timezone.now)

    @classmethod
    def _generate(cls, strategy: str, params: dict[str, Any]) -> License:
        if (purchase := params.get("purchase")) is not None:
            same = {"contract": purchase.contract, "account": purchase.account, "product": purchase.product}
            params = {**same, **params}
        return super()._generate(strategy, params)


class ExportFactory(OneReseller[Export]):
    """An export of licenses as CSV that has begun."""

    class Meta:
        model = Export

    kind = Export.Kind.CSV
    content = Export.Content.LICENSES
    filters: Any = {}
    reseller = SubFactory(ResellerFactory)
    exported_by = SubFactory(UserFactory, reseller=SelfAttribute("..reseller"))
    started_at = LazyFunction(timezone.now)


def receive(
    contract: Contract,
    product: Product,
    quantity: int,
    *,
    use_by: date | None = None,
    actor: User | None = None,
    term_months: int | None = None,
    end_rule: str | None = None,
) -> StockLot:
    """A lot that came in now, to be used within a year unless a day is given."""
    return receive_stock(
        contract=contract,
        product=product,
        quantity=quantity,
        use_by=use_by or contract.reseller.today() + timedelta(days=365),
        actor=actor,
        term_months=term_months,
        end_rule=end_rule,
    )
