"""Price lists: a row is one product of one contract."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from contracts.models import ContractProduct
from contracts.services.checks import check_maximum_quantity, check_unit_price
from contracts.services.imports.effects import DryRun
from contracts.services.imports.plans import Format, Plan, contracts_named
from contracts.services.imports.rows import (
    Headings,
    Row,
    StoredRow,
    fill,
    found,
    needed,
    refuse_doubles,
    refuse_missing,
)
from contracts.services.imports.values import read_amount, read_truth, read_whole_number, shortened
from contracts.services.life import ContractClosed, check_editable
from products.models import Product

COLUMNS = ("contract", "sku", "unit_price", "currency", "maximum_quantity", "is_active")

_READERS = {"unit_price": read_amount, "maximum_quantity": read_whole_number, "is_active": read_truth}
_AT_ONCE = 1_000


def plan_prices(headings: Sequence[str], stored: Sequence[StoredRow], is_held: bool) -> Plan:
    rows = [Row(headings, each) for each in stored]
    keys = [(row, (row.line_of("contract"), row.line_of("sku"))) for row in rows]
    contracts = contracts_named({number for _row, (number, _sku) in keys}, is_held=is_held)
    products = {
        product.sku: product for product in found(Product.objects.all(), "sku", {sku for _row, (_n, sku) in keys})
    }
    stored_lines = found(ContractProduct.objects.all(), "contract", [contract.pk for contract in contracts.values()])
    lines = {(line.contract_id, line.product_id): line for line in stored_lines}
    refuse_doubles(keys, column="sku")

    new: list[ContractProduct] = []
    changed: list[ContractProduct] = []
    columns: set[str] = set()
    for row, (number, sku) in keys:
        row.effect.about = f"{shortened(number)} · {shortened(sku)}"
        contract, product = contracts.get(number), products.get(sku)
        if contract is None:
            row.refuse(
                "contract",
                _("There is no contract “%(number)s”.") % {"number": shortened(number)} if number else needed(),
            )
        if product is None:
            row.refuse("sku", _("There is no product “%(sku)s”.") % {"sku": shortened(sku)} if sku else needed())
        if contract is None or product is None:
            continue
        line = lines.get((contract.pk, product.pk)) or ContractProduct(contract=contract, product=product)
        line.contract, line.product = contract, product
        _fill(line, row)
        if row.effect.problems:
            continue
        if row.effect.is_new:
            new.append(line)
        elif row.effect.changes:
            changed.append(line)
            columns.update(change.column for change in row.effect.changes)

    def write() -> None:
        ContractProduct.objects.bulk_create(new, batch_size=_AT_ONCE)
        if columns:
            ContractProduct.objects.bulk_update(changed, sorted(columns), batch_size=_AT_ONCE)

    return Plan(DryRun([row.effect for row in rows]), write)


PRICES = Format(Headings(known=COLUMNS, required=("contract", "sku")), most_rows=5_000, plan=plan_prices)


def _fill(line: ContractProduct, row: Row) -> None:
    """Put what the row says into the line, and what that changes into the row's effect."""
    contract = line.contract
    currency = row.line_of("currency")
    if currency and currency != contract.currency:
        row.refuse(
            "currency",
            _("The prices of this contract are in %(currency)s.") % {"currency": contract.currency},
        )
    fill(line, row, _READERS)
    if row.effect.is_new:
        refuse_missing(line, row, ["unit_price"])
    if not row.effect.is_new and not row.effect.changes:
        return
    changed = {change.column for change in row.effect.changes}
    if "unit_price" in changed:
        row.check("unit_price", check_unit_price, contract, line.unit_price)
    if "maximum_quantity" in changed:
        row.check("maximum_quantity", check_maximum_quantity, contract, line.maximum_quantity)
    try:
        check_editable(contract)
    except ContractClosed as closed:
        row.refuse("contract", str(closed))
