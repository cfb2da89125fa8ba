"""Contracts and price lists as tables, which can be imported again as they are."""

from collections.abc import Iterator, Sequence
from itertools import batched

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Act
from audit.services import record
from contracts.models import Contract, ContractProduct, ContractQuerySet, Import
from contracts.services.imports.contracts import COLUMNS as COLUMNS_OF_CONTRACTS
from contracts.services.imports.contracts import accounts_written
from contracts.services.imports.prices import COLUMNS as COLUMNS_OF_PRICES
from contracts.services.imports.values import cell_of
from listing.tables import Cells, Column, Table

BATCH = 500

_WIDTHS = {"title": 32, "conditions": 40, "exclusive_accounts": 24, "contract": 16, "number": 16}
_WIDTH = 14


def start_export(content: Import.Content, contracts: ContractQuerySet, *, kind: str, by: User) -> Table:
    """The contracts or their price lists, and the record that the user takes them away, whatever becomes of it."""
    table = table_of_contracts(contracts) if content == Import.Content.CONTRACTS else table_of_prices(contracts)
    record(Act.EXPORTED, by=by, detail=f"{content} {kind}")
    return table


def table_of_contracts(contracts: ContractQuerySet) -> Table:
    """The contracts with their terms, in the order of their numbers."""
    ordered = contracts.select_related("reseller").order_by("number")
    return Table(_("Contracts"), _columns(COLUMNS_OF_CONTRACTS), _batches_of_contracts(ordered))


def table_of_prices(contracts: ContractQuerySet) -> Table:
    """The price lists of the contracts, in the order of their numbers and of the products."""
    lines = ContractProduct.objects.filter(contract__in=contracts.order_by().values("pk"))
    ordered = lines.select_related("contract", "product").order_by("contract__number", "product__sku")
    return Table(_("Price lists"), _columns(COLUMNS_OF_PRICES), _batches_of_prices(ordered))


def _columns(names: Sequence[str]) -> list[Column]:
    return [Column(name, _WIDTHS.get(name, _WIDTH)) for name in names]


def _batches_of_contracts(contracts: QuerySet[Contract]) -> Iterator[Sequence[Cells]]:
    for batch in batched(contracts.iterator(chunk_size=BATCH), BATCH, strict=False):
        accounts = accounts_written(batch)
        yield [
            [
                contract.reseller.slug
                if column == "reseller"
                else accounts.get(contract.pk, "")
                if column == "exclusive_accounts"
                else cell_of(getattr(contract, column))
                for column in COLUMNS_OF_CONTRACTS
            ]
            for contract in batch
        ]


def _batches_of_prices(lines: QuerySet[ContractProduct]) -> Iterator[Sequence[Cells]]:
    for batch in batched(lines.iterator(chunk_size=BATCH), BATCH, strict=False):
        yield [
            (
                line.contract.number,
                line.product.sku,
                line.unit_price,
                line.contract.currency,
                line.maximum_quantity,
                cell_of(line.is_active),
            )
            for line in batch
        ]
