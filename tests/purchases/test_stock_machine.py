"""Whatever people do with stock through purchases, in whatever order and by whatever clock, all books agree."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.db.models import Count, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contracts.models import Contract, ContractGrant
from contracts.periods import anniversary_end
from listing.pages import At
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft, Purpose
from purchases.services.buy import buy
from purchases.services.give_back import give_back_purchase, returnable
from purchases.services.rules import PurchaseRefused
from stock.models import StockLot
from stock.services.correct import CorrectionRefused, correct
from stock.services.lapse import Lapsed, lapse
from stock.services.ledger import entries_of
from tests.factories import AccountFactory, UserFactory
from tests.factories import receive as take_in
from tests.purchases.orders import a_line, disagreements, press_buy
from tests.purchases.wizard import NOON

PRICE = Decimal("100.00")


@dataclass(eq=False)
class Page:
    """What the books should say about one lot."""

    lot: StockLot
    out: int = 0
    returned: int = 0
    written_off: int = 0

    @property
    def remaining(self) -> int:
        return self.lot.quantity - self.out - self.written_off


@dataclass(eq=False)
class Order:
    """What the books should say about one purchase for the account."""

    purchase: Purchase
    new: int
    taken: dict[Page, int] = field(default_factory=dict)
    is_given_back: bool = False


class Books(RuleBasedStateMachine):
    """A reseller's books, in which each act is done or refused as simple arithmetic says. All of it is undone."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = NOON
        self.pages: list[Page] = []
        self.orders: list[Order] = []
        self.into_stock: list[Purchase] = []
        self.is_suspended = False
        self.is_permitted = True

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize()
    def open_books(self) -> None:
        self.line = a_line(unit_price=PRICE, stock_life_months=1)
        self.contract, self.reseller = self.line.contract, self.line.contract.reseller
        self.buyer = UserFactory(reseller=self.reseller)
        self.account = AccountFactory(reseller=self.reseller)
        self.grant = ContractGrant.objects.create(contract=self.contract, user=self.buyer, can_create_licenses=True)

    @property
    def today(self) -> date:
        return self.reseller.today(self.now)

    @property
    def may_buy(self) -> bool:
        return self.is_permitted and not self.is_suspended

    @contextmanager
    def by_the_clock(self) -> Iterator[None]:
        with time_machine.travel(self.now, tick=False):
            yield

    def usable(self) -> list[Page]:
        """The pages of lots that can be taken from today, in the order in which they are used."""
        usable = [page for page in self.pages if page.remaining and page.lot.use_by >= self.today]
        return sorted(usable, key=lambda page: (page.lot.use_by, page.lot.received_at, page.lot.pk))

    def draft(self, **answers: Any) -> PurchaseDraft:
        answers = {"account": self.account, **answers}
        return PurchaseDraft.objects.create(
            user=self.buyer, reseller=self.reseller, contract=self.contract, product=self.line.product, **answers
        )

    @precondition(lambda self: len(self.pages) < 4)
    @rule(quantity=st.integers(1, 9))
    def buy_into_stock(self, quantity: int) -> None:
        draft = self.draft(purpose=Purpose.STOCK_UP, account=None, quantity=quantity)
        with self.by_the_clock():
            try:
                purchase = press_buy(draft, on=self.today)
            except PurchaseRefused:
                assert not self.may_buy
                return
        assert self.may_buy
        lot = StockLot.objects.latest("pk")
        assert (lot.quantity, lot.use_by) == (quantity, anniversary_end(self.today, months=1))
        assert purchase.total == PRICE * quantity
        self.pages.append(Page(lot))
        self.into_stock.append(purchase)

    @precondition(lambda self: len(self.pages) < 4)
    @rule(quantity=st.integers(1, 9), days_left=st.integers(0, 8))
    def receive(self, quantity: int, days_left: int) -> None:
        use_by = self.today + timedelta(days=days_left)
        with self.by_the_clock():
            self.pages.append(Page(take_in(self.contract, self.line.product, quantity, use_by=use_by)))

    @rule(quantity=st.integers(1, 12), fulfilment=st.sampled_from(Fulfilment))
    def buy(self, quantity: int, fulfilment: Fulfilment) -> None:
        self.order(quantity, fulfilment, Purpose.BUY)

    @rule(quantity=st.integers(1, 12))
    def move(self, quantity: int) -> None:
        self.order(quantity, Fulfilment.STOCK, Purpose.MOVE)

    def order(self, quantity: int, fulfilment: Fulfilment, purpose: Purpose) -> None:
        usable = self.usable()
        available = sum(page.remaining for page in usable)
        fits = (
            self.may_buy
            and {
                Fulfilment.NEW: True,
                Fulfilment.STOCK: quantity <= available,
                Fulfilment.STOCK_THEN_NEW: 0 < available < quantity,
            }[fulfilment]
        )
        draft = self.draft(quantity=quantity, fulfilment=fulfilment, purpose=purpose)
        with self.by_the_clock():
            try:
                purchase = press_buy(draft, on=self.today)
            except PurchaseRefused:
                assert not fits
                return
        assert fits
        order = Order(purchase, new=quantity)
        for page in usable if fulfilment != Fulfilment.NEW else []:
            if taken := min(page.remaining, order.new):
                order.taken[page] = taken
                page.out += taken
                order.new -= taken
        self.orders.append(order)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def press_buy_again(self, data: st.DataObject) -> None:
        bought = data.draw(st.sampled_from(self.orders)).purchase
        draft = PurchaseDraft.objects.get(pk=bought.draft_id)

        assert buy(draft, buyer=self.buyer, fingerprint="as shown then", on=self.today) == bought

    @precondition(lambda self: any(order.taken for order in self.orders))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from([order for order in self.orders if order.taken]))
        placed_on = self.reseller.today(order.purchase.placed_at)
        last_day = min(placed_on + timedelta(days=7), *(page.lot.use_by for page in order.taken))
        is_in_time = not order.is_given_back and self.today <= last_day
        with self.by_the_clock():
            shown = returnable(order.purchase, on=self.today)
            assert (shown and (shown.quantity, shown.until)) == (
                (sum(order.taken.values()), last_day) if is_in_time else None
            )
            try:
                quantity = give_back_purchase(order.purchase, buyer=self.buyer, on=self.today)
            except PurchaseRefused:
                assert not (is_in_time and self.is_permitted)
                return
        assert is_in_time
        assert self.is_permitted
        assert quantity == sum(order.taken.values())
        order.is_given_back = True
        for page, taken in order.taken.items():
            page.out -= taken
            page.returned += taken

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        page = data.draw(st.sampled_from(self.pages))
        change = data.draw(st.integers(-page.remaining - 1, page.written_off + 1))
        most = page.written_off if page.lot.use_by >= self.today else 0
        fits = change != 0 and -page.remaining <= change <= most
        with self.by_the_clock():
            try:
                correct(page.lot, change, reason_text="Counted.", actor=self.buyer, on=self.today)
            except CorrectionRefused:
                assert not fits
                return
        assert fits
        page.written_off -= change

    @rule(hours=st.integers(-48, 8 * 24))
    def turn_the_clock(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def lapse(self) -> None:
        overdue = [page for page in self.pages if page.remaining and page.lot.use_by < self.today]
        expected = Lapsed(lots=len(overdue), licenses=sum(page.remaining for page in overdue))

        with self.by_the_clock():
            assert lapse(at=self.now) == expected

        for page in overdue:
            page.written_off += page.remaining

    @rule()
    def suspend_or_resume(self) -> None:
        self.is_suspended = not self.is_suspended
        status = Contract.Status.SUSPENDED if self.is_suspended else Contract.Status.ACTIVE
        Contract.objects.filter(pk=self.contract.pk).update(status=status)

    @rule()
    def withdraw_or_give_permission(self) -> None:
        self.is_permitted = not self.is_permitted
        ContractGrant.objects.filter(pk=self.grant.pk).update(can_create_licenses=self.is_permitted)

    @invariant()
    def lots_agree(self) -> None:
        assert disagreements() == []
        from_lots = License.objects.filter(stock_lot__isnull=False).values_list("stock_lot").order_by()
        out = dict(from_lots.filter(cancelled_at=None).annotate(Count("pk")))
        returned = dict(from_lots.exclude(cancelled_at=None).annotate(Count("pk")))
        for page in self.pages:
            page.lot.refresh_from_db()
            assert page.lot.remaining == page.remaining
            assert 0 <= page.lot.remaining <= page.lot.quantity
            assert (out.get(page.lot.pk, 0), returned.get(page.lot.pk, 0)) == (page.out, page.returned)
            entries = entries_of(page.lot, at=At()).rows
            balances = list(accumulate(entry.movement.change for entry in entries))
            assert [entry.balance for entry in entries] == balances
            assert balances[-1] == page.lot.remaining
            assert all(0 <= balance <= page.lot.quantity for balance in balances)

    @invariant()
    def purchases_agree(self) -> None:
        orders = [order.purchase for order in self.orders]
        assert set(Purchase.objects.all()) == {*orders, *self.into_stock}
        new = sum(order.new for order in self.orders) + sum(purchase.quantity for purchase in self.into_stock)
        assert Purchase.objects.aggregate(sum=Sum("total", default=0))["sum"] == PRICE * new
        licenses = License.objects.order_by().values_list("purchase")
        valid = dict(licenses.filter(cancelled_at=None).annotate(Count("pk")))
        assert Counter(valid) == Counter(
            {
                order.purchase.pk: order.new + (0 if order.is_given_back else sum(order.taken.values()))
                for order in self.orders
            }
        )
        assert License.objects.count() == sum(order.purchase.quantity for order in self.orders)


@pytest.mark.django_db
def test_books_agree_whatever_is_done_with_stock_in_whatever_order() -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
