"""Many prices at once: what they become, and that only what was shown is written."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from contracts.models import Contract, ContractProduct
from contracts.services.life import ContractClosed
from contracts.services.prices import (
    NewPrice,
    NoPriceChanges,
    PriceNotPossible,
    PricesOutdated,
    by_percentage,
    change_prices,
    fingerprint_of,
    plan_prices,
    to_list,
)
from tests.factories import ContractFactory, ContractProductFactory, OperatorFactory, ProductFactory

FIVE = by_percentage(Decimal(5))


def line_at(price: str, currency: str = "EUR") -> ContractProduct:
    return ContractProduct(contract=Contract(currency=currency), unit_price=Decimal(price))


@pytest.mark.parametrize(
    ("price", "percentage", "currency", "new"),
    [
        ("100.00", "5", "EUR", "105.00"),
        ("99.90", "-10", "EUR", "89.91"),
        ("0.10", "5", "EUR", "0.11"),  # 0.105
        ("0.30", "5", "EUR", "0.32"),  # 0.315: half up, not to the even cent
        ("0.50", "5", "EUR", "0.53"),  # 0.525
        ("0.01", "-99.99", "EUR", "0.00"),
        ("1000.00", "0.05", "JPY", "1001"),  # 1000.5
        ("0.00", "50", "EUR", "0.00"),
    ],
)
def test_percentage_rounds_half_up_to_the_currency(price: str, percentage: str, currency: str, new: str) -> None:
    assert by_percentage(Decimal(percentage))(line_at(price, currency)) == Decimal(new)


@given(cents=st.integers(0, 10**11), hundredths=st.integers(-9_999, 100_000))
def test_percentage_is_exact_before_it_is_rounded(cents: int, hundredths: int) -> None:
    new = by_percentage(Decimal(hundredths) / 100)(line_at(str(Decimal(cents) / 100)))

    exact_cents = Decimal(cents * (10_000 + hundredths)) / 10_000
    assert new * 100 == exact_cents.to_integral_value(ROUND_HALF_UP)


@pytest.fixture
def operator(db: None) -> User:
    return OperatorFactory()


@pytest.fixture
def contract(db: None) -> Contract:
    """With lines at 10.00, 20.00 and 30.00, by name."""
    contract = ContractFactory()
    for name, price in (("A", 10), ("B", 20), ("C", 30)):
        ContractProductFactory(contract=contract, product=ProductFactory(name=name), unit_price=price)
    return contract


def keys_of(contract: Contract) -> list[int]:
    return list(contract.contract_products.order_by("product__name").values_list("pk", flat=True))


def prices_of(contract: Contract) -> list[Decimal]:
    return list(contract.contract_products.order_by("product__name").values_list("unit_price", flat=True))


def fingerprint(contract: Contract, keys: list[int], new_price: NewPrice) -> str:
    return fingerprint_of(contract, plan_prices(contract, keys, new_price))


def test_chosen_prices_are_changed_and_kept_in_the_history(contract: Contract, operator: User) -> None:
    first, second, _third = keys_of(contract)
    shown = fingerprint(contract, [first, second], FIVE)

    made = change_prices(contract, [first, second], FIVE, fingerprint=shown, by=operator, reason="New year.")

    assert prices_of(contract) == [Decimal("10.50"), Decimal("21.00"), Decimal("30.00")]
    assert [(change.old, change.new) for change in made] == [
        (Decimal(10), Decimal("10.50")),
        (Decimal(20), Decimal("21.00")),
    ]
    versions = ContractProduct.history.filter(history_change_reason="New year.", history_user_id=operator.pk)
    assert sorted(versions.values_list("unit_price", flat=True)) == [Decimal("10.50"), Decimal("21.00")]


def test_list_of_prices_changes_only_what_differs(contract: Contract, operator: User) -> None:
    first, second, third = keys_of(contract)
    new = to_list({first: Decimal("9.99"), second: Decimal(20)})

    made = change_prices(
        contract,
        [first, second],
        new,
        fingerprint=fingerprint(contract, [first, second], new),
        by=operator,
        reason="New list.",
    )

    assert [change.line.pk for change in made] == [first]
    assert prices_of(contract) == [Decimal("9.99"), Decimal("20.00"), Decimal("30.00")]
    assert not ContractProduct.history.filter(id=third, history_change_reason="New list.").exists()


@pytest.mark.parametrize("what", ["price", "line", "currency"])
def test_prices_that_changed_since_they_were_shown_are_shown_again(
    contract: Contract, operator: User, what: str
) -> None:
    keys = keys_of(contract)
    shown = fingerprint(contract, keys, FIVE)
    if what == "price":
        ContractProduct.objects.filter(pk=keys[0]).update(unit_price=11)
    elif what == "line":
        ContractProduct.objects.filter(pk=keys[0]).delete()
    else:
        Contract.objects.update(currency="USD")
    before = prices_of(contract)

    with pytest.raises(PricesOutdated) as refused:
        change_prices(contract, keys, FIVE, fingerprint=shown, by=operator, reason="New year.")

    assert len(refused.value.changes) == len(before)
    assert prices_of(contract) == before


def test_the_same_change_twice_is_made_once(contract: Contract, operator: User) -> None:
    keys = keys_of(contract)
    shown = fingerprint(contract, keys, FIVE)
    change_prices(contract, keys, FIVE, fingerprint=shown, by=operator, reason="New year.")
    once = prices_of(contract)

    with pytest.raises(PricesOutdated):
        change_prices(contract, keys, FIVE, fingerprint=shown, by=operator, reason="New year.")

    assert prices_of(contract) == once


@pytest.mark.parametrize("forged", ["", "nonsense", "\ud800"])
def test_forged_fingerprint_changes_nothing(contract: Contract, operator: User, forged: str) -> None:
    with pytest.raises(PricesOutdated):
        change_prices(contract, keys_of(contract), FIVE, fingerprint=forged, by=operator, reason="New year.")

    assert prices_of(contract) == [10, 20, 30]


def test_fingerprint_of_another_contract_changes_nothing(contract: Contract, operator: User) -> None:
    other = ContractProductFactory().contract
    shown = fingerprint(other, keys_of(other), FIVE)

    with pytest.raises(PricesOutdated):
        change_prices(contract, keys_of(contract), FIVE, fingerprint=shown, by=operator, reason="New year.")

    assert prices_of(contract) == [10, 20, 30]


def test_lines_of_another_contract_are_out_of_reach(contract: Contract) -> None:
    with pytest.raises(NoPriceChanges):
        plan_prices(contract, keys_of(ContractProductFactory().contract), FIVE)


def test_change_that_changes_nothing_is_refused(contract: Contract) -> None:
    with pytest.raises(NoPriceChanges):
        plan_prices(contract, keys_of(contract), by_percentage(Decimal(0)))


def test_price_that_no_list_can_hold_is_refused_and_nothing_changed(contract: Contract) -> None:
    first, *_others = keys_of(contract)
    ContractProduct.objects.filter(pk=first).update(unit_price=Decimal("9999999999.99"))

    with pytest.raises(PriceNotPossible, match="A"):
        plan_prices(contract, keys_of(contract), FIVE)


def test_price_finer_than_the_currency_is_refused(contract: Contract) -> None:
    Contract.objects.update(currency="JPY")
    contract.refresh_from_db()
    keys = keys_of(contract)

    with pytest.raises(PriceNotPossible, match="no amounts that small"):
        plan_prices(contract, keys, to_list(dict.fromkeys(keys, Decimal("1.50"))))


def test_prices_of_a_closed_contract_stay(contract: Contract, operator: User) -> None:
    keys = keys_of(contract)
    shown = fingerprint(contract, keys, FIVE)
    Contract.objects.update(status="closed")

    with pytest.raises(ContractClosed):
        change_prices(contract, keys, FIVE, fingerprint=shown, by=operator, reason="New year.")

    assert prices_of(contract) == [10, 20, 30]
