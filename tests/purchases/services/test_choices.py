"""What a step offers is what the rules accept, and what it does not offer comes with the rule that stops it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import product

import pytest

from accounts.models import Account
from contracts.models import Contract, ContractProduct
from purchases.models import Fulfilment, PurchaseDraft
from purchases.services.choices import (
    SHOWN,
    Choices,
    account_choices,
    contract_choices,
    product_choices,
    products_on_sale,
    stock_options,
)
from purchases.services.drafts import choose_account, choose_contract, choose_product
from purchases.services.rules import PurchaseRefused
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    PackageFactory,
    ProductFactory,
)
from tests.purchases.orders import TODAY, a_line, an_order, facts_of, stock_for

pytestmark = pytest.mark.django_db

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def refusal_by(act: Callable[[], object]) -> str | None:
    """The sentence with which the act is refused, if it is."""
    try:
        act()
    except PurchaseRefused as refusal:
        return str(refusal)
    return None


def sentences[Row](choices: Choices[Row]) -> dict[Row, str | None]:
    """Each row of the choices, and the sentence that stops it."""
    return {
        **dict.fromkeys(choices.open),
        **{stopped.row: str(stopped.refusal) for stopped in choices.stopped},
    }


def test_contracts_offered_are_those_that_can_be_chosen() -> None:
    draft = an_order()
    periods = [(YESTERDAY, None), (TODAY, TODAY), (YESTERDAY, YESTERDAY), (TOMORROW, None)]
    statuses = ["active", "suspended", "closed"]
    for grant, (starts_on, ends_on), status in product((None, False, True), periods, statuses):
        contract = ContractFactory(reseller=draft.reseller, starts_on=starts_on, ends_on=ends_on, status=status)
        if grant is not None:
            ContractGrantFactory(contract=contract, user=draft.user, can_create_licenses=grant)

    page: dict[Contract, str | None] = {}
    for query in ("", *Contract.objects.values_list("number", flat=True)):
        page |= sentences(contract_choices(draft.user, on=TODAY, query=query))

    assert set(page) == set(Contract.objects.all())
    assert page == {contract: refusal_by(partial(choose_contract, facts_of(draft), contract)) for contract in page}
    assert sum(sentence is None for sentence in page.values()) == 3


def test_accounts_offered_are_those_that_can_be_chosen() -> None:
    line = a_line()
    reseller = line.contract.reseller
    draft = an_order(line=line)
    exclusive = a_line(reseller=reseller).contract
    ContractGrantFactory(contract=exclusive, user=draft.user)
    for active, tier, bound in product((True, False), ("paid", "trial"), (True, False)):
        account = AccountFactory(reseller=reseller, is_active=active, tier=tier)
        if bound:
            exclusive.exclusive_accounts.add(account)

    for contract, offered in ((line.contract, 2), (exclusive, 1)):
        PurchaseDraft.objects.update(contract=contract)
        page = sentences(account_choices(facts_of(draft)))

        assert set(page) == set(Account.objects.all())
        assert page == {account: refusal_by(partial(choose_account, facts_of(draft), account)) for account in page}
        assert sum(sentence is None for sentence in page.values()) == offered


@pytest.mark.parametrize("tier", ["paid", "trial"])
def test_accounts_are_in_the_order_of_their_folded_names(tier: str) -> None:
    line = a_line()
    names = ("Zeytin", "İnci", "Deniz", "Çınar", "Ihlamur")
    accounts = [AccountFactory(reseller=line.contract.reseller, name=name, tier=tier) for name in names]

    choices = account_choices(facts_of(an_order(line=line, account=accounts[0])))
    rows = choices.open if tier == "paid" else [choice.row for choice in choices.stopped]

    assert [account.name for account in rows] == ["Çınar", "Deniz", "Ihlamur", "İnci", "Zeytin"]


@pytest.mark.parametrize("on_a_package", [True, False])
def test_products_offered_are_those_that_can_be_chosen(on_a_package: bool) -> None:
    mine, other = PackageFactory(), PackageFactory()
    line = a_line()
    account = AccountFactory(reseller=line.contract.reseller, package=mine if on_a_package else None)
    draft = an_order(line=line, account=account)
    for line_active, product_active, package in product((True, False), (True, False), (None, mine, other)):
        ContractProductFactory(
            contract=line.contract,
            product=ProductFactory(is_active=product_active, package=package),
            is_active=line_active,
        )

    page = sentences(product_choices(facts_of(draft)))

    assert set(page) == set(ContractProduct.objects.all())
    assert page == {row: refusal_by(partial(choose_product, facts_of(draft), row.product)) for row in page}
    assert sum(sentence is None for sentence in page.values()) == (3 if on_a_package else 2)


def test_choices_show_a_page_of_rows_and_count_them_all() -> None:
    draft = an_order()
    for number in range(SHOWN + 5):
        AccountFactory(reseller=draft.reseller, name=f"Open {number:02}")
        AccountFactory(reseller=draft.reseller, name=f"Closed {number:02}", is_active=False)

    everything = account_choices(facts_of(draft))
    found = account_choices(facts_of(draft), query="open 0")
    nothing = account_choices(facts_of(draft), query="nobody")

    assert (len(everything.open), everything.open_total, everything.open_shown) == (SHOWN, SHOWN + 6, SHOWN)
    assert (len(everything.stopped), everything.stopped_total) == (SHOWN, SHOWN + 5)
    assert (len(found.open), found.open_total, found.stopped_total) == (10, 10, 0)
    assert (nothing.open, nothing.open_total, nothing.stopped_total) == ([], 0, 0)
    assert everything.is_long
    assert found.is_long


def test_exactly_a_page_of_rows_needs_no_search() -> None:
    draft = an_order()
    for _ in range(SHOWN - 1):
        AccountFactory(reseller=draft.reseller)
    for _ in range(SHOWN):
        AccountFactory(reseller=draft.reseller, is_active=False)

    choices = account_choices(facts_of(draft))

    assert (choices.open_total, choices.stopped_total, choices.is_long) == (SHOWN, SHOWN, False)
    AccountFactory(reseller=draft.reseller, is_active=False)
    assert account_choices(facts_of(draft)).is_long


def test_only_row_is_known_as_such_unless_it_was_searched() -> None:
    draft = an_order()

    assert account_choices(facts_of(draft)).only == draft.account
    assert account_choices(facts_of(draft), query="account").only is None
    AccountFactory(reseller=draft.reseller)
    assert account_choices(facts_of(draft)).only is None


def test_pinned_row_comes_first_and_is_not_counted_unless_it_matches() -> None:
    draft = an_order()
    last = AccountFactory(reseller=draft.reseller, name="Zeytin")
    AccountFactory(reseller=draft.reseller, name="Ada")

    all_of_them = account_choices(facts_of(draft), chosen=last.pk)
    found = account_choices(facts_of(draft), query="ada", chosen=last.pk)

    assert (all_of_them.open[0], all_of_them.open_total) == (last, 3)
    assert [account.name for account in found.open] == ["Zeytin", "Ada"]
    assert (found.open_total, found.open_shown) == (1, 1)


def test_products_on_sale_are_named_with_what_is_in_stock() -> None:
    line = a_line()
    order = an_order(line=line)
    stock_for(order, 2)
    stock_for(order, 3)
    stock_for(order, 4, use_by=YESTERDAY)
    stock_for(an_order(line=a_line(product=line.product)), 9)
    ContractProductFactory(contract=line.contract, is_active=False)
    ContractProductFactory(contract=line.contract, product=ProductFactory(is_active=False))

    offers = products_on_sale(line.contract, on=TODAY)

    assert list(offers.lines) == [line]
    assert offers.total == 1
    assert [row.in_stock for row in offers.lines] == [5]  # type: ignore[attr-defined]  # annotated


def test_contract_without_products_offers_none() -> None:
    offers = products_on_sale(ContractFactory(), on=TODAY)

    assert (list(offers.lines), offers.total) == ([], 0)


@pytest.mark.parametrize(
    ("in_stock", "options"),
    [
        (0, [(Fulfilment.NEW, [3], Decimal(300))]),
        (2, [(Fulfilment.STOCK_THEN_NEW, [2, 1], Decimal(100)), (Fulfilment.NEW, [3], Decimal(300))]),
        (3, [(Fulfilment.STOCK, [3], Decimal(0)), (Fulfilment.NEW, [3], Decimal(300))]),
        (9, [(Fulfilment.STOCK, [3], Decimal(0)), (Fulfilment.NEW, [3], Decimal(300))]),
    ],
)
def test_stock_options_say_from_where_and_for_how_much(
    in_stock: int, options: list[tuple[Fulfilment, list[int], Decimal]]
) -> None:
    draft = an_order(quantity=3)
    if in_stock:
        stock_for(draft, in_stock)

    offered = stock_options(facts_of(draft))

    assert [
        (option.fulfilment, [part.quantity for part in option.parts], option.total) for option in offered
    ] == options
