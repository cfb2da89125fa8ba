"""Buying: the one act that makes licenses, for an account or into stock."""

from collections.abc import Iterator
from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from audit.models import Act
from audit.refusals import refusals_recorded
from audit.services import record
from purchases.models import License, Purchase, PurchaseDraft
from purchases.services.busy import begun_again_after_deadlocks, refused_when_busy
from purchases.services.quote import PreviewOutdated, Quote, quote_purchase
from purchases.services.rules import PurchaseRefused
from stock.services.receive import receive_under_held
from stock.services.take import take_stock
from text.codes import random_code

_BATCH = 1_000
"""How many licenses go into one statement."""


def buy(draft: PurchaseDraft, *, buyer: User, fingerprint: str, on: date) -> Purchase:
    """Buy what the draft says, once (rules 10 to 12); a repeat gives the purchase that was made.

    Raises PurchaseRefused, whose text the reseller may read, or PreviewOutdated with what changed; in both
    cases nothing was written.
    """
    with refusals_recorded(PurchaseRefused, PreviewOutdated, by=buyer, on=draft), refused_when_busy():
        return _buy(draft, buyer=buyer, fingerprint=fingerprint, on=on)


@begun_again_after_deadlocks
def _buy(draft: PurchaseDraft, *, buyer: User, fingerprint: str, on: date) -> Purchase:
    with transaction.atomic():
        draft = PurchaseDraft.objects.locked(draft.pk)
        if bought := Purchase.objects.filter(draft_id=draft.pk).first():
            return bought
        quote = quote_purchase(draft, buyer=buyer, on=on, locked=True)
        quote.must_match(fingerprint)
        return _write(quote, buyer=buyer)


def _write(quote: Quote, *, buyer: User) -> Purchase:
    kind = Purchase.Kind.LICENSE if quote.use_by is None else Purchase.Kind.STOCK
    purchase = Purchase.objects.create(
        number=f"P-{random_code(groups=3, group_length=4)}",
        kind=kind,
        draft_id=quote.draft_id,
        reseller_id=quote.contract.reseller_id,
        contract=quote.contract,
        account=quote.account,
        product=quote.product,
        quantity=quote.quantity,
        from_stock=quote.from_stock,
        unit_price=quote.unit_price,
        currency=quote.contract.currency,
        total=quote.total,
        note=quote.note,
        po_number=quote.po_number,
        terms=quote.terms,
        placed_by=buyer,
        placed_at=timezone.now(),
    )
    if quote.use_by is None:
        take_stock(quote.takings, actor=buyer, reference=purchase.number)
        License.objects.bulk_create(_licenses(quote, purchase), batch_size=_BATCH)
    else:
        receive_under_held(
            contract=quote.contract,
            product=quote.product,
            quantity=quote.quantity,
            use_by=quote.use_by,
            actor=buyer,
            reference=purchase.number,
        )
    record(Act.PURCHASED, by=buyer, on=purchase)
    return purchase


def _licenses(quote: Quote, purchase: Purchase) -> Iterator[License]:
    for part in quote.parts:
        for _ in range(part.quantity):
            yield License(
                key=random_code(groups=5, group_length=5),
                reseller_id=purchase.reseller_id,
                account=quote.account,
                contract=quote.contract,
                product=quote.product,
                purchase=purchase,
                stock_lot=part.lot,
                starts_on=part.starts_on,
                ends_on=part.ends_on,
                created_at=purchase.placed_at,
            )
