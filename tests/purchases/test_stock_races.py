"""Many people at the same stock at once, by every way that leads in and out of it: in the end all agree."""

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection
from django.db.models import Sum
from django.urls import reverse

from accounts.models import Account, User
from contracts.models import ContractProduct
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft, Purpose
from purchases.services.busy import PortalBusy
from purchases.services.give_back import give_back_purchase
from purchases.services.quote import PreviewOutdated
from purchases.services.rules import PurchaseRefused
from stock.models import StockLot
from stock.services.correct import CorrectionRefused, correct
from stock.services.lapse import lapse
from stock.services.sums import sums_of, with_sums
from tests.factories import AccountFactory, ContractGrantFactory, UserFactory, receive
from tests.purchases.at_once import all_at_once, wait_for_locks_as_long_as_it_takes
from tests.purchases.orders import TODAY, a_line, an_order, disagreements, press_buy
from tests.purchases.wizard import NOON, begin

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]

IN_STOCK, RETURNING, BUYING = 10, 4, 36


def sent_until_nobody_is_in_the_way(send: Callable[[], "Page"]) -> Callable[[], "Page"]:
    """A form that is sent again where the portal asks for it."""

    def send_again() -> "Page":
        for _ in range(5):
            page = send()
            if page.status_code != 409 or "Somebody else is buying" not in page.text:
                return page
        raise AssertionError("Somebody was in the way all the time.")

    return send_again


def test_forty_who_buy_move_and_give_back_at_once_share_what_is_in_stock() -> None:
    line = a_line()
    account = AccountFactory(reseller=line.contract.reseller)
    lot = receive(line.contract, line.product, IN_STOCK + RETURNING)

    def order(purpose: Purpose) -> PurchaseDraft:
        return an_order(line=line, account=account, quantity=1, purpose=purpose, fulfilment=Fulfilment.STOCK)

    def returning() -> Callable[[], "Page"]:
        moved = press_buy(draft := order(Purpose.MOVE))
        client = begin(draft).client
        return sent_until_nobody_is_in_the_way(lambda: client.post(reverse("give_back", args=[moved.number])))

    def buying(purpose: Purpose) -> Callable[[], "Page"]:
        wizard = begin(order(purpose))
        shown = wizard.fingerprint()
        return sent_until_nobody_is_in_the_way(lambda: wizard.buy(shown))

    purposes = [Purpose.BUY, Purpose.MOVE] * (BUYING // 2)
    acts = [returning() for _ in range(RETURNING)] + [buying(purpose) for purpose in purposes]
    pages = all_at_once(acts)

    assert not [outcome for outcome in pages if isinstance(outcome, Exception)]
    statuses = [page.status_code for page in pages if not isinstance(page, Exception)]
    assert statuses[:RETURNING] == [303] * RETURNING
    assert set(statuses[RETURNING:]) == {303, 409}
    sold = statuses[RETURNING:].count(303)
    assert IN_STOCK <= sold <= IN_STOCK + RETURNING
    lot.refresh_from_db()
    assert lot.remaining == lot.quantity - sold
    assert Purchase.objects.count() == RETURNING + sold
    assert License.objects.valid().filter(stock_lot=lot).count() == sold
    assert License.objects.count() == RETURNING + sold
    assert all_balances_are_within(lot)
    assert disagreements() == []


def all_balances_are_within(lot: StockLot) -> bool:
    """Whether the lot never held less than nothing or more than came in, after any of its movements."""
    changes = lot.movements.order_by("pk").values_list("change", flat=True)
    return all(0 <= balance <= lot.quantity for balance in accumulate(changes))


PEOPLE, ACTS_EACH = 8, 25


@dataclass
class Watch:
    """Notes what the database could not do because of somebody else: a deadlock, or a lock that was not to be had.

    It dawdles after each statement, so that others get in between.
    """

    noted: list[str] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, values, many, context)
        except OperationalError as error:
            self.noted.append(f"{type(error.__cause__).__name__}: {error}")
            raise
        finally:
            time.sleep(0.001)


@dataclass
class Person:
    """Somebody who does now this with the stock of a product and now that, as chance has it."""

    chance: random.Random
    buyer: User
    line: ContractProduct
    account: Account
    lots: list[StockLot]
    watch: Watch
    done: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    bought: list[Purchase] = field(default_factory=list)

    def __call__(self) -> None:
        acts = {
            self.buy_from_stock: 3,
            self.buy_more_than_there_is: 3,
            self.stock_up: 2,
            self.move: 3,
            self.give_back: 5,
            self.lapse: 4,
            self.correct: 8,
        }
        wait_for_locks_as_long_as_it_takes()
        with connection.execute_wrapper(self.watch):
            for act in self.chance.choices(list(acts), weights=list(acts.values()), k=ACTS_EACH):
                try:
                    act()
                except PortalBusy:
                    raise
                except (PurchaseRefused, PreviewOutdated, CorrectionRefused):
                    self.refused += 1
                else:
                    self.done[act.__name__] += 1

    def buy_from_stock(self) -> None:
        self.buy(fulfilment=Fulfilment.STOCK)

    def buy_more_than_there_is(self) -> None:
        in_stock = StockLot.objects.in_stock(on=TODAY).aggregate(sum=Sum("remaining", default=0))["sum"]
        self.buy(quantity=in_stock + 10, fulfilment=Fulfilment.STOCK_THEN_NEW)

    def stock_up(self) -> None:
        self.buy(purpose=Purpose.STOCK_UP, account=None)

    def move(self) -> None:
        self.buy(purpose=Purpose.MOVE, fulfilment=Fulfilment.STOCK)

    def buy(self, **answers: Any) -> None:
        answers = {"account": self.account, "quantity": self.chance.randint(1, 4), **answers}
        draft = PurchaseDraft.objects.create(
            user=self.buyer,
            reseller=self.account.reseller,
            contract=self.line.contract,
            product=self.line.product,
            **answers,
        )
        for _ in range(5):
            with suppress(PreviewOutdated):
                self.bought.append(press_buy(draft))
                return
        self.bought.append(press_buy(draft))

    def give_back(self) -> None:
        from_stock = [purchase for purchase in self.bought if purchase.from_stock]
        if from_stock:
            give_back_purchase(self.chance.choice(from_stock), buyer=self.buyer, on=TODAY)

    def lapse(self) -> None:
        """As on a day when one, two or three of the lots are past their use-by."""
        lapse(at=NOON + timedelta(days=self.chance.choice([15, 25, 35, 35])))

    def correct(self) -> None:
        """Put back what lapsed or was corrected away, or else take one away."""
        lot = with_sums(StockLot.objects.all()).get(pk=self.chance.choice(self.lots).pk)
        change = sums_of(lot).written_off or -1
        correct(lot, change, reason_text="Counted.", actor=self.buyer, on=TODAY)


def test_two_hundred_mixed_acts_on_three_lots_never_deadlock_and_agree() -> None:
    line = a_line()
    account = AccountFactory(reseller=line.contract.reseller)
    # The first to come in is the last to be used: the order of use is not the order in which lots are held.
    lots = [receive(line.contract, line.product, 12, use_by=TODAY + timedelta(days=days)) for days in (30, 20, 10)]
    watch = Watch()
    people = []
    for seed in range(PEOPLE):
        buyer = UserFactory(reseller=account.reseller)
        ContractGrantFactory(contract=line.contract, user=buyer)
        people.append(Person(random.Random(seed), buyer, line, account, lots, watch))

    outcomes = all_at_once(people)

    assert watch.noted == []
    assert outcomes == [None] * PEOPLE
    done = sum((person.done for person in people), Counter())
    assert done.total() + sum(person.refused for person in people) == PEOPLE * ACTS_EACH == 200
    assert len(done) == 7, done
    assert set(Purchase.objects.all()) == {purchase for person in people for purchase in person.bought}
    for purchase in Purchase.objects.filter(kind="license"):
        assert purchase.licenses.count() == purchase.quantity
        assert purchase.licenses.filter(stock_lot__isnull=False).count() == purchase.from_stock
    assert all(all_balances_are_within(lot) for lot in StockLot.objects.all())
    assert disagreements() == []
