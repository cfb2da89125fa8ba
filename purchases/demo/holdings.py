"""What the demo's accounts hold, and what lies in stock."""

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from accounts.models import Account, User
from contracts.models import Contract
from contracts.periods import month_end
from products.models import Product
from purchases.demo.orders import Order, licenses_of, purchase_of
from purchases.models import License, Purchase
from purchases.services.terms import contract_terms
from stock.models import StockLot, StockMovement
from stock.services.receive import receive_stock


def stock_up(contracts: dict[str, Contract], products: dict[str, Product], *, operator: User) -> None:
    """Take the demo's lots in, once, and keep them usable. What buyers took is not filled up again."""
    contract, standard, professional = contracts["C-1001"], products["DEV-STD"], products["DEV-PRO"]
    today = contract.reseller.today()
    soon, late = (month_end(today + relativedelta(months=months)) for months in (6, 12))
    for reference, product, quantity, use_by in (
        ("demo lot 1", standard, 2, soon),
        ("demo lot 2", standard, 3, late),
        ("demo lot 3", professional, 2, late),
    ):
        arrival = StockMovement.objects.filter(reference=reference, reason=StockMovement.Reason.RECEIVED)
        if arrival.exists():
            StockLot.objects.filter(movements__in=arrival).update(use_by=use_by)
        else:
            receive_stock(
                contract=contract,
                product=product,
                quantity=quantity,
                use_by=use_by,
                actor=operator,
                reference=reference,
            )


def place_orders(
    contracts: dict[str, Contract],
    accounts: dict[str, Account],
    products: dict[str, Product],
    users: dict[str, User],
) -> None:
    """Write the purchases that the demo shows on this day and that are not there yet.

    They are dated by the month or the year, so there is one set per month or year, and a run in a later one
    adds the next set: the guide's ten licenses end this month, whichever month it is.
    """
    buyer, other = users["buyer@example.com"], users["other@example.com"]
    today = contracts["C-1001"].reseller.today()
    this_month, last_year = today.replace(day=1), today.year - 1
    _place(
        "ten that end this month",
        contracts["C-1001"],
        accounts["ACC-01"],
        products["DEV-STD"],
        quantity=10,
        starts_on=date(last_year, today.month, 15),
        placed_by=buyer,
        note="Warehouse screens, gates 1 to 10.",
    )
    _place(
        "upcoming",
        contracts["C-1006"],
        accounts["ACC-03"],
        products["DEV-MAX"],
        quantity=4,
        starts_on=this_month + relativedelta(months=1),
        placed_on=this_month - timedelta(days=1),
        placed_by=buyer,
        note="The new wing opens on the first of the month.",
    )
    _place(
        "expired",
        contracts["C-1003"],
        accounts["ACC-02"],
        products["DEV-STD"],
        quantity=6,
        starts_on=date(last_year - 1, 2, 1),
        placed_by=buyer,
        po_number="PO-7741",
    )
    _place(
        "invalid",
        contracts["C-1004"],
        accounts["ACC-02"],
        products["DEV-STD"],
        quantity=2,
        starts_on=date(last_year, 6, 1),
        placed_by=buyer,
        is_cancelled=True,
        note="Ordered twice by mistake, cancelled the same day.",
    )
    _place(
        "the other reseller's",
        contracts["C-2001"],
        accounts["ANA-01"],
        products["DEV-STD"],
        quantity=5,
        starts_on=date(last_year, 7, 1),
        placed_by=other,
    )


def _place(
    name: str,
    contract: Contract,
    account: Account,
    product: Product,
    *,
    quantity: int,
    starts_on: date,
    placed_by: User,
    placed_on: date | None = None,
    is_cancelled: bool = False,
    note: str = "",
    po_number: str = "",
) -> None:
    order = Order(
        name=f"demo: {name}, from {starts_on}",
        contract=contract,
        account_id=account.pk,
        product_id=product.pk,
        quantity=quantity,
        unit_price=contract.contract_products.get(product=product).unit_price,
        terms=contract_terms(contract),
        placed_by=placed_by,
        placed_on=placed_on or starts_on,
        starts_on=starts_on,
        is_cancelled=is_cancelled,
        note=note,
        po_number=po_number,
    )
    if Purchase.objects.filter(draft_id=order.draft_id).exists():
        return
    purchase = purchase_of(order)
    purchase.save(force_insert=True)
    License.objects.bulk_create(licenses_of(order, purchase))
