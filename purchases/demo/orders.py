"""Purchases as the demo writes them: the same key, number and draft each time for the same name."""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import User
from contracts.models import Contract
from contracts.periods import license_end
from purchases.models import License, Purchase
from text.codes import ALPHABET

_NAMESPACE = uuid.UUID("5d2ad1a4-0a3e-5c53-9c83-6d3c3b0d9a51")
_LETTER_OF_BYTE = "".join(ALPHABET[byte % len(ALPHABET)] for byte in range(256)).encode()
_OFFICE_HOUR = time(10, 30)


@dataclass(frozen=True)
class Order:
    """One purchase of new licenses. `name` is what it is recognized by."""

    name: str
    contract: Contract
    account_id: int
    product_id: int
    quantity: int
    unit_price: Decimal
    terms: dict[str, Any]
    placed_by: User
    placed_on: date
    starts_on: date
    is_cancelled: bool = False
    note: str = ""
    po_number: str = ""

    @property
    def draft_id(self) -> uuid.UUID:
        return uuid.uuid5(_NAMESPACE, self.name)

    @property
    def placed_at(self) -> datetime:
        """In the morning of the reseller's day."""
        return datetime.combine(self.placed_on, _OFFICE_HOUR, ZoneInfo(self.contract.reseller.time_zone))


def purchase_of(order: Order) -> Purchase:
    """The order's purchase, not saved."""
    return Purchase(
        number=f"P-{code_of(order.name, groups=3, group_length=4)}",
        draft_id=order.draft_id,
        reseller_id=order.contract.reseller_id,
        contract=order.contract,
        account_id=order.account_id,
        product_id=order.product_id,
        quantity=order.quantity,
        unit_price=order.unit_price,
        currency=order.contract.currency,
        total=order.unit_price * order.quantity,
        note=order.note,
        po_number=order.po_number,
        terms=order.terms,
        placed_by=order.placed_by,
        placed_at=order.placed_at,
    )


def licenses_of(order: Order, purchase: Purchase) -> Iterator[License]:
    """The licenses of the order's saved purchase, not saved."""
    placed_at = order.placed_at
    cancelled_at = placed_at + timedelta(hours=2) if order.is_cancelled else None
    ends_on = license_end(
        order.starts_on,
        term_months=order.contract.term_months,
        end_rule=order.contract.end_rule,
        contract_ends_on=order.contract.ends_on,
    )
    for position in range(order.quantity):
        yield License(
            key=code_of(f"{order.name} {position}", groups=5, group_length=5),
            reseller_id=order.contract.reseller_id,
            account_id=order.account_id,
            contract_id=order.contract.pk,
            product_id=order.product_id,
            purchase_id=purchase.pk,
            starts_on=order.starts_on,
            ends_on=ends_on,
            cancelled_at=cancelled_at,
            created_at=placed_at,
        )


def code_of(name: str, *, groups: int, group_length: int) -> str:
    """A code that looks like `random_code`'s and is always the same for the name. Good for a demo only."""
    digest = hashlib.blake2b(name.encode(), digest_size=groups * group_length).digest()
    letters = digest.translate(_LETTER_OF_BYTE).decode()
    return "-".join(letters[start : start + group_length] for start in range(0, len(letters), group_length))
