"""Stock that comes in."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.models import Act
from audit.services import record
from contracts.models import Contract, EndRule
from products.models import Product
from stock.models import StockLot, StockMovement


def receive_stock(
    *,
    contract: Contract,
    product: Product,
    quantity: int,
    use_by: date,
    actor: User | None,
    term_months: int | None = None,
    end_rule: str | None = None,
    reference: str = "",
) -> StockLot:
    """Take a lot in and write its movement. Term and end rule are the contract's unless given.

    The contract is held meanwhile: it cannot go to another reseller while stock of it comes in.
    """
    with transaction.atomic():
        lot = receive_under_held(
            contract=Contract.objects.locked(contract.pk),
            product=product,
            quantity=quantity,
            use_by=use_by,
            actor=actor,
            term_months=term_months,
            end_rule=end_rule,
            reference=reference,
        )
        record(Act.STOCK_RECEIVED, by=actor, on=lot, detail=str(quantity))
    return lot


def receive_under_held(
    *,
    contract: Contract,
    product: Product,
    quantity: int,
    use_by: date,
    actor: User | None,
    term_months: int | None = None,
    end_rule: str | None = None,
    reference: str = "",
) -> StockLot:
    """The same, under a contract that the caller's transaction holds already."""
    now = timezone.now()
    lot = StockLot.objects.create(
        reseller_id=contract.reseller_id,
        contract=contract,
        product=product,
        quantity=quantity,
        remaining=quantity,
        use_by=use_by,
        term_months=contract.term_months if term_months is None else term_months,
        end_rule=contract.end_rule if end_rule is None else end_rule,
        received_at=now,
    )
    StockMovement.objects.create(
        lot=lot,
        change=quantity,
        reason=StockMovement.Reason.RECEIVED,
        actor=actor,
        reference=reference,
        created_at=now,
    )
    return lot


def check_use_by(use_by: date, *, on: date) -> None:
    """Raise ValidationError if nothing could be taken on or after the day."""
    if use_by < on:
        raise ValidationError(
            _("Nothing could be taken: this day is over. Choose today or a later day."), code="use_by_is_over"
        )


def check_end_rule(contract: Contract, end_rule: str) -> None:
    """Raise ValidationError if licenses shall end with a contract that is open-ended."""
    if end_rule == EndRule.CONTRACT_END and contract.ends_on is None:
        raise ValidationError(
            _("%(contract)s is open-ended. Choose another rule, or give the contract an end date first."),
            code="contract_is_open_ended",
            params={"contract": contract},
        )
