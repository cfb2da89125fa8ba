"""Each index of the large tables has a use; one without is a cost at every purchase."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

USES = {
    "purchases_license": {
        ("key",): "the page of a license, and the search by the beginning of its key",
        ("account_id",): "the Invalid tab by account; whether an account can be deleted",
        ("contract_id",): "the Invalid tab narrowed to a contract; whether a contract can be deleted",
        ("product_id",): "whether a product can be deleted",
        ("reseller_id", "ends_on", "account_id", "product_id", "contract_id", "starts_on", "id"): "tabs, by end",
        ("reseller_id", "starts_on", "ends_on", "account_id", "product_id", "contract_id", "id"): "tabs, by start",
        (
            *("reseller_id", "ends_on", "account_id", "product_id", "contract_id", "starts_on", "id"),
            "cancelled_at",
        ): "the Invalid tab",
        ("purchase_id", "id"): "the page of a purchase",
        ("stock_lot_id", "id"): "the page of a lot",
        ("account_id", "ends_on", "product_id", "contract_id", "starts_on"): "the page of an account; tabs by account",
        ("reseller_id", "product_id", "ends_on", "account_id", "contract_id", "starts_on"): "tabs by product",
        ("contract_id", "ends_on", "account_id", "product_id", "starts_on"): "tabs narrowed to a contract",
        ("account_id", "product_id", "ends_on"): "what an account has of each product that it may buy",
    },
    "purchases_purchase": {
        ("number",): "the page of a purchase, and the search by number",
        ("draft_id",): "one purchase a draft",
        ("product_id",): "whether a product can be deleted",
        ("placed_by_id",): "whether a user can be deleted",
        ("reseller_id", "placed_at", "id"): "the list of purchases",
        ("account_id", "placed_at", "id"): "the page of an account",
        ("contract_id", "placed_at", "id"): "the page of a contract",
        ("reseller_id", "po_number", "id"): "the search by PO number",
    },
}


@pytest.mark.parametrize("table", USES)
def test_every_index_has_a_use(table: str) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table).values()

    indexes = {tuple(about["columns"]) for about in found if about["index"] or about["unique"]}

    assert indexes - {("id",)} == set(USES[table])
