"""`check_integrity` is content with what the portal writes, and notices whatever is broken by hand."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purchases.models import Export, Fulfilment, License, Purchase, Purpose
from purchases.services.give_back import give_back_purchase
from purchases.services.integrity import SHOWN
from stock.models import StockLot
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ExportFactory,
    LicenseFactory,
    PurchaseFactory,
    ResellerFactory,
    UserFactory,
)
from tests.guard.unguarded import execute, unguarded
from tests.purchases.orders import TODAY, a_line, an_order, press_buy, stock_for

pytestmark = pytest.mark.django_db


def check_integrity() -> tuple[list[str], int]:
    """What the command says, and the status it exits with."""
    output = StringIO()
    try:
        call_command("check_integrity", stdout=output)
    except SystemExit as end:
        return output.getvalue().splitlines(), int(str(end.code))
    return output.getvalue().splitlines(), 0


AGREES = (["Differences: 0."], 0)


@pytest.fixture(autouse=True)
def bought() -> Purchase:
    """Two licenses from stock and a new one; beside them a purchase into stock, one given back, and an export."""
    line = a_line()
    stocking = an_order(line=line, purpose=Purpose.STOCK_UP, quantity=4)
    press_buy(stocking)
    returned = an_order(line=line, quantity=1, fulfilment=Fulfilment.STOCK)
    give_back_purchase(press_buy(returned), buyer=returned.user, on=TODAY)
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 2)
    ExportFactory(reseller=draft.reseller)
    return press_buy(draft)


def test_what_the_portal_writes_agrees() -> None:
    assert check_integrity() == AGREES


def lose_a_license(purchase: Purchase) -> None:
    execute("DELETE FROM purchases_license WHERE purchase_id = %s AND stock_lot_id IS NULL", purchase.pk)


def add_a_license(purchase: Purchase) -> None:
    LicenseFactory(purchase=purchase)


def forget_a_lot(purchase: Purchase) -> None:
    execute("UPDATE purchases_license SET stock_lot_id = NULL WHERE purchase_id = %s", purchase.pk)


def count_less_from_stock(purchase: Purchase) -> None:
    execute("UPDATE purchases_purchase SET from_stock = 1, total = unit_price * 2 WHERE id = %s", purchase.pk)


def change_the_total(purchase: Purchase) -> None:
    execute("UPDATE purchases_purchase SET total = total + 0.01 WHERE id = %s", purchase.pk)


def change_the_price(purchase: Purchase) -> None:
    execute("UPDATE purchases_purchase SET unit_price = 1 WHERE id = %s", purchase.pk)


def lose_the_terms(purchase: Purchase) -> None:
    execute("UPDATE purchases_purchase SET terms = '{}' WHERE id = %s", purchase.pk)


def lose_a_condition(purchase: Purchase) -> None:
    kept = {name: value for name, value in purchase.terms.items() if name != "conditions"}
    execute("UPDATE purchases_purchase SET terms = %s WHERE id = %s", json.dumps(kept), purchase.pk)


def change_the_currency(purchase: Purchase) -> None:
    execute("UPDATE purchases_purchase SET currency = 'USD' WHERE id = %s", purchase.pk)


def lose_what_came_in(purchase: Purchase) -> None:
    execute("UPDATE stock_stockmovement SET reference = '' WHERE reason = 'received'")


def give_to_nobody(purchase: Purchase) -> None:
    execute("UPDATE stock_stockmovement SET reference = 'P-0' WHERE reason = 'allocated'")


def change_what_remains(purchase: Purchase) -> None:
    StockLot.objects.filter(licenses__purchase=purchase).update(remaining=1)


def change_a_movement(purchase: Purchase) -> None:
    execute("UPDATE stock_stockmovement SET change = -1 WHERE reference = %s", purchase.number)


def license_of_another_reseller(purchase: Purchase) -> None:
    execute("UPDATE purchases_license SET reseller_id = %s", ResellerFactory().pk)


def license_of_another_account(purchase: Purchase) -> None:
    execute("UPDATE purchases_license SET account_id = %s", AccountFactory(reseller=purchase.reseller).pk)


def lot_of_another_product(purchase: Purchase) -> None:
    execute("UPDATE stock_stocklot SET product_id = %s", a_line(reseller=purchase.reseller).product_id)


def contract_of_another_reseller(purchase: Purchase) -> None:
    execute("UPDATE contracts_contract SET reseller_id = %s WHERE id = %s", ResellerFactory().pk, purchase.contract_id)


def account_of_another_reseller(purchase: Purchase) -> None:
    execute("UPDATE accounts_account SET reseller_id = %s", ResellerFactory().pk)


def buyer_of_another_reseller(purchase: Purchase) -> None:
    execute("UPDATE accounts_user SET reseller_id = %s", ResellerFactory().pk)


def grant_to_a_stranger(purchase: Purchase) -> None:
    ContractGrantFactory(contract=purchase.contract, user=UserFactory())


def grant_to_the_operator(purchase: Purchase) -> None:
    ContractGrantFactory(contract=purchase.contract, user=UserFactory(reseller=None, is_staff=True))


def name_a_stranger_on_a_contract(purchase: Purchase) -> None:
    ContractFactory(reseller=purchase.reseller).exclusive_accounts.add(AccountFactory())


def export_by_a_stranger(purchase: Purchase) -> None:
    execute("UPDATE purchases_export SET exported_by_id = %s", UserFactory().pk)


DAMAGES: dict[Callable[[Purchase], None], str] = {
    lose_a_license: "is of 3 licenses, and 2 are there.",
    add_a_license: "is of 3 licenses, and 4 are there.",
    forget_a_lot: "took 2 licenses from stock, and 0 are from lots.",
    count_less_from_stock: "took 1 licenses from stock, and 2 are from lots.",
    change_the_total: "costs 100.01, and 1 new licenses at 100",
    change_the_price: "and 1 new licenses at 1",
    lose_the_terms: "did not keep the conditions of its contract",
    lose_a_condition: "did not keep the conditions of its contract",
    change_the_currency: "or is in another currency.",
    lose_what_came_in: "is of 4 licenses into stock, and 0 came in with it.",
    give_to_nobody: "and the ledger gave it 0.",
    change_what_remains: "The lot holds 1; by its movements, it should hold 0.",
    change_a_movement: "and the ledger gave it 1.",
    license_of_another_reseller: "is of another reseller, account, contract or product than its purchase",
    license_of_another_account: "is of another reseller, account, contract or product than its purchase",
    lot_of_another_product: "is of another reseller, contract or product than its lot",
    contract_of_another_reseller: "is of one reseller, and its contract",
    account_of_another_reseller: "is of one reseller, and its account of another.",
    buyer_of_another_reseller: "is of one reseller, and its buyer of another.",
    grant_to_a_stranger: "holds a grant on contract",
    grant_to_the_operator: "holds a grant on contract",
    name_a_stranger_on_a_contract: "of another reseller.",
    export_by_a_stranger: "who made it, of another.",
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_damage_is_noticed(damage: Callable[[Purchase], None], sentence: str, bought: Purchase) -> None:
    with unguarded():
        damage(bought)

    said, status = check_integrity()

    assert any(sentence in line for line in said), said
    assert said[-1] == f"Differences: {len(said) - 1}."
    assert status == 1


def test_missing_trigger_is_noticed() -> None:
    execute("DROP TRIGGER license_not_changed" + (" ON purchases_license" if connection.vendor == "postgresql" else ""))

    said, status = check_integrity()

    assert said[0] == "The database lacks the trigger license_not_changed. Run 'manage.py migrate'."
    assert status == 1


def test_many_differences_of_a_kind_are_not_all_named() -> None:
    PurchaseFactory.create_batch(SHOWN + 5)

    said, status = check_integrity()

    assert len(said) == SHOWN + 2
    assert said[-2:] == ["There are more that are wrong about licenses of purchases.", f"Differences: {SHOWN + 1}."]
    assert status == 1


def test_check_takes_as_many_statements_however_much_was_sold() -> None:
    with CaptureQueriesContext(connection) as few:
        check_integrity()
    for _ in range(10):
        press_buy(an_order())

    with CaptureQueriesContext(connection) as many:
        check_integrity()

    assert len(few) == len(many)
    assert (License.objects.count(), Export.objects.count()) == (34, 1)
