"""Rules 8 and 9: from where the licenses of a purchase come, and when they end."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models import Contract, EndRule
from contracts.periods import license_end
from purchases.models import Fulfilment
from purchases.services.parts import ContractEndMissing, Part, end_of_licenses, split
from stock.models import StockLot

TODAY = date(2026, 11, 24)

NEW, STOCK, STOCK_THEN_NEW = Fulfilment.NEW, Fulfilment.STOCK, Fulfilment.STOCK_THEN_NEW


def contract_with(**terms: Any) -> Contract:
    """A contract of 12 months to the day, unsaved."""
    return Contract(**{"number": "C-1", "term_months": 12, "end_rule": EndRule.ANNIVERSARY, **terms})


def lot_with(remaining: int, **facts: Any) -> StockLot:
    """A lot of 6 months to the month's end, unsaved."""
    plain = {"use_by": TODAY, "term_months": 6, "end_rule": EndRule.MONTH_END}
    return StockLot(**{"remaining": remaining, **plain, **facts})


def test_new_purchase_leaves_stock_alone() -> None:
    parts = split(3, NEW, contract=contract_with(), lots=[lot_with(5)], on=TODAY)

    assert parts == (Part(None, 3, TODAY, date(2027, 11, 23)),)


def test_stock_is_taken_from_the_lots_in_their_order() -> None:
    first, second, third = lot_with(2), lot_with(3), lot_with(4)

    parts = split(4, STOCK, contract=contract_with(), lots=[first, second, third], on=TODAY)

    assert [part.quantity for part in parts] == [2, 2]
    assert parts[0].lot is first
    assert parts[1].lot is second


def test_what_stock_lacks_is_bought_new() -> None:
    first, second = lot_with(2), lot_with(3)

    parts = split(8, STOCK_THEN_NEW, contract=contract_with(), lots=[first, second], on=TODAY)

    assert [part.quantity for part in parts] == [2, 3, 3]
    assert parts[0].lot is first
    assert parts[1].lot is second
    assert parts[2].lot is None


def test_licenses_from_a_lot_have_its_term_and_rule_and_new_ones_the_contract_s() -> None:
    half_a_year, two_years = lot_with(1), lot_with(1, term_months=24, end_rule=EndRule.ANNIVERSARY)

    parts = split(3, STOCK_THEN_NEW, contract=contract_with(), lots=[half_a_year, two_years], on=TODAY)

    assert [part.ends_on for part in parts] == [date(2027, 5, 31), date(2028, 11, 23), date(2027, 11, 23)]
    assert {part.starts_on for part in parts} == {TODAY}


def test_lot_that_ends_with_the_contract_ends_on_the_contract_s_day() -> None:
    contract = contract_with(ends_on=date(2028, 12, 31))

    assert end_of_licenses(contract, lot_with(1, end_rule=EndRule.CONTRACT_END), starts_on=TODAY) == date(2028, 12, 31)


def test_contract_that_gives_its_end_to_new_licenses_gives_it_to_no_lot_with_another_rule() -> None:
    contract = contract_with(ends_on=date(2028, 12, 31), end_rule=EndRule.CONTRACT_END)

    parts = split(2, STOCK_THEN_NEW, contract=contract, lots=[lot_with(1)], on=TODAY)

    assert [part.ends_on for part in parts] == [date(2027, 5, 31), date(2028, 12, 31)]


def test_lot_cannot_end_with_a_contract_that_is_open_ended() -> None:
    lots = [lot_with(1, end_rule=EndRule.CONTRACT_END)]

    with pytest.raises(ContractEndMissing) as refused:
        split(1, STOCK, contract=contract_with(), lots=lots, on=TODAY)

    assert (refused.value.code, refused.value.answer) == ("contract_end_missing", "contract")
    assert str(refused.value) == ("Licenses shall end with contract C-1, which has no end date. Ask the operator.")


def test_lot_that_is_not_taken_from_may_have_no_end() -> None:
    lots = [lot_with(1, end_rule=EndRule.CONTRACT_END)]

    assert len(split(1, NEW, contract=contract_with(), lots=lots, on=TODAY)) == 1


some_lots = st.lists(
    st.builds(
        lot_with,
        st.integers(1, 40),
        term_months=st.integers(1, 120),
        end_rule=st.sampled_from(EndRule.values),
    ),
    max_size=6,
)
some_contracts = st.builds(
    contract_with,
    term_months=st.integers(1, 120),
    end_rule=st.sampled_from(EndRule.values),
    ends_on=st.dates(TODAY, date(2200, 1, 1)),
)
quantities = st.integers(1, 300)


@given(quantity=quantities, fulfilment=st.sampled_from([NEW, STOCK_THEN_NEW]), contract=some_contracts, lots=some_lots)
def test_parts_sum_to_the_quantity_and_take_no_more_than_remains(
    quantity: int, fulfilment: Fulfilment, contract: Contract, lots: list[StockLot]
) -> None:
    parts = split(quantity, fulfilment, contract=contract, lots=lots, on=TODAY)

    assert sum(part.quantity for part in parts) == quantity
    assert all(part.quantity >= 1 for part in parts)
    assert all(part.quantity <= part.lot.remaining for part in parts if part.lot is not None)


@given(quantity=quantities, contract=some_contracts, lots=some_lots)
def test_all_available_stock_is_taken_before_anything_is_bought_new(
    quantity: int, contract: Contract, lots: list[StockLot]
) -> None:
    parts = split(quantity, STOCK_THEN_NEW, contract=contract, lots=lots, on=TODAY)

    available = sum(lot.remaining for lot in lots)
    from_stock = sum(part.quantity for part in parts if part.lot is not None)
    assert from_stock == min(quantity, available)
    assert [part.lot is None for part in parts] == sorted(part.lot is None for part in parts)


@given(quantity=quantities, contract=some_contracts, lots=some_lots)
def test_every_part_starts_today_and_ends_by_the_rule_of_its_source(
    quantity: int, contract: Contract, lots: list[StockLot]
) -> None:
    for part in split(quantity, STOCK_THEN_NEW, contract=contract, lots=lots, on=TODAY):
        terms = part.lot or contract

        assert part.starts_on == TODAY <= part.ends_on
        assert part.ends_on == license_end(
            TODAY, term_months=terms.term_months, end_rule=terms.end_rule, contract_ends_on=contract.ends_on
        )
