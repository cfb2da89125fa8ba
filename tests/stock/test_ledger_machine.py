"""Whatever happens to stock, in any order and at once, lots and movements and what is out agree."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from threading import Barrier

import pytest
from django.db import connection, transaction
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

from accounts.models import User
from stock.models import StockLot, StockMovement
from stock.services.audit import differences_from_movements, gather, statements_of_stock, sums_stated
from stock.services.correct import CorrectionRefused, correct
from stock.services.give_back import GivingBackRefused, give_back
from stock.services.lapse import Lapsed, lapse
from stock.services.sums import sums_of, with_sums
from stock.services.take import StockNotLeft, Taking, take_stock
from tests.factories import ContractFactory, ContractProductFactory, ResellerFactory, UserFactory, receive
from tests.purchases.at_once import wait_for_locks_as_long_as_it_takes

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(eq=False)
class Page:
    """What the books should say about one lot: how many licenses are out, and have lapsed or were corrected away."""

    lot: StockLot
    out: int = 0
    written_off: int = 0

    @property
    def remaining(self) -> int:
        return self.lot.quantity - self.out - self.written_off


class Ledger(RuleBasedStateMachine):
    """A ledger on which each act is done or refused as simple arithmetic says. Whatever was written is undone."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = NOON
        self.pages: list[Page] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize()
    def open_books(self) -> None:
        self.actor = UserFactory()
        self.lines = [
            ContractProductFactory(contract=ContractFactory(reseller=ResellerFactory(time_zone=time_zone)))
            for time_zone in ("Pacific/Auckland", "America/Los_Angeles")
        ]

    @precondition(lambda self: len(self.pages) < 3)
    @rule(line=st.integers(0, 1), quantity=st.integers(1, 10), days_left=st.integers(0, 8))
    def receive(self, line: int, quantity: int, days_left: int) -> None:
        contract, product = self.lines[line].contract, self.lines[line].product
        use_by = contract.reseller.today(self.now) + timedelta(days=days_left)
        self.pages.append(Page(receive(contract, product, quantity, use_by=use_by)))

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        takings = self.takings(data, self.pages, most=lambda page: page.remaining)
        fits = all(quantity <= page.remaining for page, quantity in takings.items())
        try:
            take_stock(as_takings(takings), actor=self.actor, reference="P-1")
        except StockNotLeft:
            assert not fits
        else:
            assert fits
            for page, quantity in takings.items():
                page.out += quantity

    @precondition(lambda self: any(page.out for page in self.pages))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        takings = self.takings(data, [page for page in self.pages if page.out], most=lambda page: page.out)
        today = self.lines[0].contract.reseller.today(self.now)
        fits = all(quantity <= page.out and page.lot.use_by >= today for page, quantity in takings.items())
        try:
            give_back(as_takings(takings), actor=self.actor, reference="P-1", on=today)
        except GivingBackRefused:
            assert not fits
        else:
            assert fits
            for page, quantity in takings.items():
                page.out -= quantity

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        page = data.draw(st.sampled_from(self.pages))
        change = data.draw(mostly_within(-page.remaining, page.written_off))
        today = self.today_of(page)
        most = page.written_off if page.lot.use_by >= today else 0
        fits = change != 0 and -page.remaining <= change <= most
        try:
            correct(page.lot, change, reason_text="Counted.", actor=self.actor, on=today)
        except CorrectionRefused:
            assert not fits
        else:
            assert fits
            page.written_off -= change

    @precondition(lambda self: self.pages)
    @rule(hours=st.integers(-24, 5 * 24), timer_runs=st.booleans())
    def turn_the_clock(self, hours: int, timer_runs: bool) -> None:
        self.now += timedelta(hours=hours)
        if timer_runs:
            self.lapse()

    def lapse(self) -> None:
        overdue = [page for page in self.pages if page.remaining and page.lot.use_by < self.today_of(page)]
        expected = Lapsed(lots=len(overdue), licenses=sum(page.remaining for page in overdue))

        assert lapse(at=self.now) == expected

        for page in overdue:
            page.written_off += page.remaining

    @invariant()
    def books_agree(self) -> None:
        stated_by_lot = dict(gather(statements_of_stock(StockLot.objects.all())))
        for page in self.pages:
            stated = stated_by_lot[page.lot.pk]
            sums = sums_stated(stated)
            assert stated["remaining"] == sums.balance == page.remaining
            assert (sums.out, sums.written_off) == (page.out, page.written_off)
            assert differences_from_movements(stated) == []

    def today_of(self, page: Page) -> date:
        return page.lot.reseller.today(self.now)

    def takings(self, data: st.DataObject, pages: Sequence[Page], *, most: Callable[[Page], int]) -> dict[Page, int]:
        """Some of the pages in any order, and of each so many licenses: up to the most, or one too many."""
        chosen = data.draw(st.lists(st.sampled_from(pages), min_size=1, max_size=3, unique_by=id))
        return {page: data.draw(mostly_within(1, most(page))) for page in chosen}


def mostly_within(least: int, most: int) -> st.SearchStrategy[int]:
    """A number from the least to the most, or seldom one beyond either."""
    within = st.integers(least, max(least, most))
    return st.one_of(within, within, within, st.sampled_from((least - 1, most + 1)).filter(bool))


def as_takings(quantities: Mapping[Page, int]) -> list[Taking]:
    return [Taking(page.lot, quantity) for page, quantity in quantities.items()]


@pytest.mark.django_db
def test_books_agree_whatever_happens_in_whatever_order() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


LOTS, PEOPLE, ACTS_EACH = 3, 40, 5


@dataclass
class Done:
    """What one person did: what is still out of each lot, and how many acts succeeded."""

    out: Counter[int]
    taken: int = 0
    returned: int = 0
    refused: int = 0


@pytest.mark.django_db(transaction=True)
def test_lots_taken_and_given_back_at_once_in_any_order_never_deadlock_and_agree() -> None:
    line, actor = ContractProductFactory(), UserFactory()
    lots = [receive(line.contract, line.product, 12) for _ in range(LOTS)]
    start = Barrier(PEOPLE)

    with ThreadPoolExecutor(max_workers=PEOPLE) as people:
        acting = [people.submit(act, random.Random(seed), lots, actor, start) for seed in range(PEOPLE)]
    done = [person.result() for person in acting]

    assert sum(each.taken + each.returned + each.refused for each in done) == PEOPLE * ACTS_EACH
    assert min(sum(each.taken for each in done), sum(each.returned for each in done)) > 10
    out = sum((each.out for each in done), Counter())
    for lot in with_sums(StockLot.objects.filter(pk__in=[lot.pk for lot in lots])):
        assert lot.remaining == sums_of(lot).balance == 12 - out[lot.pk]
        movements = list(StockMovement.objects.filter(lot=lot).order_by("pk"))
        assert all(0 <= balance <= 12 for balance in accumulate(movement.change for movement in movements))
        assert movements == sorted(movements, key=lambda movement: movement.created_at)


def act(chance: random.Random, lots: Sequence[StockLot], actor: User, start: Barrier) -> Done:
    """Take from some lots or give back what was taken, again and again, the lots in any order."""
    done = Done(out=Counter())
    today = lots[0].reseller.today()
    with closing(connection):
        wait_for_locks_as_long_as_it_takes()
        start.wait(timeout=60)
        for _ in range(ACTS_EACH):
            held = [lot for lot in lots if done.out[lot.pk]]
            if held and chance.random() < 0.6:
                chosen = chance.sample(held, chance.randint(1, len(held)))
                give_back([Taking(lot, 1) for lot in chosen], actor=actor, reference="P-1", on=today)
                done.out.subtract(lot.pk for lot in chosen)
                done.returned += 1
            else:
                chosen = chance.sample(lots, chance.randint(1, LOTS))
                try:
                    take_stock([Taking(lot, 1) for lot in chosen], actor=actor, reference="P-1")
                except StockNotLeft:
                    done.refused += 1
                else:
                    done.out.update(lot.pk for lot in chosen)
                    done.taken += 1
    return done
