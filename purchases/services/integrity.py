"""Whether all that was sold agrees with itself: counts, sources, sums, terms, tenants and ledgers.

Each check is one statement over whole tables: it sees one moment, whatever is bought meanwhile, and takes seconds with
a million licenses. The statements are plain SQL that both engines understand; a row that one of them finds is wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django.db.models.fields.json import KT

from guard import triggers
from purchases.models import Purchase
from purchases.services.stock_audit import audit
from stock.models import StockLot

SHOWN = 100
"""The most rows that a check names."""


@dataclass(frozen=True)
class Check:
    """A statement for rows that should not exist, and the sentence about one of them, with its columns."""

    about: str
    sentence: str
    sql: str


CHECKS = (
    Check(
        "licenses of purchases",
        "Purchase {0} is of {1} licenses, and {2} are there.",
        """
        SELECT purchase.number, CASE kind WHEN 'license' THEN quantity ELSE 0 END, COALESCE(made, 0)
        FROM purchases_purchase purchase
        LEFT JOIN (SELECT purchase_id, COUNT(*) AS made FROM purchases_license GROUP BY purchase_id) licenses
        ON licenses.purchase_id = purchase.id
        WHERE COALESCE(made, 0) <> CASE kind WHEN 'license' THEN quantity ELSE 0 END
        """,
    ),
    Check(
        "licenses from stock",
        "Purchase {0} took {1} licenses from stock, and {2} are from lots.",
        """
        SELECT purchase.number, from_stock, COALESCE(taken, 0)
        FROM purchases_purchase purchase
        LEFT JOIN (
            SELECT purchase_id, COUNT(*) AS taken FROM purchases_license
            WHERE stock_lot_id IS NOT NULL GROUP BY purchase_id
        ) licenses ON licenses.purchase_id = purchase.id
        WHERE COALESCE(taken, 0) <> from_stock
        """,
    ),
    Check(
        "movements of purchases",
        "Purchase {0} has {2} licenses from lot {1}, and the ledger gave it {3}.",
        """
        SELECT purchase.number, licenses.stock_lot_id, taken, COALESCE(given, 0)
        FROM (
            SELECT purchase_id, stock_lot_id, COUNT(*) AS taken FROM purchases_license
            WHERE stock_lot_id IS NOT NULL GROUP BY purchase_id, stock_lot_id
        ) licenses
        JOIN purchases_purchase purchase ON purchase.id = licenses.purchase_id
        LEFT JOIN (
            SELECT reference, lot_id, -SUM(change) AS given FROM stock_stockmovement
            WHERE reason = 'allocated' GROUP BY reference, lot_id
        ) movements ON movements.reference = purchase.number AND movements.lot_id = licenses.stock_lot_id
        WHERE COALESCE(given, 0) <> taken
        """,
    ),
    Check(
        "purchases into stock",
        "Purchase {0} is of {1} licenses into stock, and {2} came in with it.",
        """
        SELECT purchase.number, quantity, COALESCE(received, 0)
        FROM purchases_purchase purchase
        LEFT JOIN (
            SELECT reference, SUM(change) AS received FROM stock_stockmovement
            WHERE reason = 'received' GROUP BY reference
        ) movements ON movements.reference = purchase.number
        WHERE kind = 'stock' AND COALESCE(received, 0) <> quantity
        """,
    ),
    Check(
        "totals",
        "Purchase {0} costs {1}, and {3} new licenses at {2} do not.",
        # SQLite computes with floating-point numbers.
        """
        SELECT number, total, unit_price, quantity - from_stock FROM purchases_purchase
        WHERE ABS(total - unit_price * (quantity - from_stock)) >= 0.005
        """,
    ),
    Check(
        "licenses like their purchase",
        "License {0} is of another reseller, account, contract or product than its purchase {1}.",
        """
        SELECT license.key, purchase.number
        FROM purchases_license license JOIN purchases_purchase purchase ON purchase.id = license.purchase_id
        WHERE license.reseller_id <> purchase.reseller_id OR license.contract_id <> purchase.contract_id
        OR license.product_id <> purchase.product_id OR license.account_id <> COALESCE(purchase.account_id, 0)
        """,
    ),
    Check(
        "licenses like their lot",
        "License {0} is of another reseller, contract or product than its lot {1}.",
        """
        SELECT license.key, lot.id
        FROM purchases_license license JOIN stock_stocklot lot ON lot.id = license.stock_lot_id
        WHERE license.reseller_id <> lot.reseller_id OR license.contract_id <> lot.contract_id
        OR license.product_id <> lot.product_id
        """,
    ),
    Check(
        "tenants of purchases",
        "Purchase {0} is of one reseller, and its {1} of another.",
        """
        SELECT purchase.number, CASE
            WHEN contract.reseller_id <> purchase.reseller_id THEN 'contract'
            WHEN account.reseller_id <> purchase.reseller_id THEN 'account'
            ELSE 'buyer'
        END
        FROM purchases_purchase purchase
        JOIN contracts_contract contract ON contract.id = purchase.contract_id
        JOIN accounts_user buyer ON buyer.id = purchase.placed_by_id
        LEFT JOIN accounts_account account ON account.id = purchase.account_id
        WHERE contract.reseller_id <> purchase.reseller_id OR account.reseller_id <> purchase.reseller_id
        OR buyer.reseller_id <> purchase.reseller_id
        """,
    ),
    Check(
        "tenants of lots",
        "Lot {0} is of one reseller, and its contract {1} of another.",
        """
        SELECT lot.id, contract.number
        FROM stock_stocklot lot JOIN contracts_contract contract ON contract.id = lot.contract_id
        WHERE contract.reseller_id <> lot.reseller_id
        """,
    ),
    Check(
        "tenants of grants",
        "{0} holds a grant on contract {1} of another reseller.",
        """
        SELECT holder.email, contract.number
        FROM contracts_contractgrant permission
        JOIN accounts_user holder ON holder.id = permission.user_id
        JOIN contracts_contract contract ON contract.id = permission.contract_id
        WHERE COALESCE(holder.reseller_id, 0) <> contract.reseller_id
        """,
    ),
    Check(
        "tenants of exclusive contracts",
        "Contract {1} names account {0} of another reseller.",
        """
        SELECT account.reference, contract.number
        FROM contracts_contract_exclusive_accounts named
        JOIN accounts_account account ON account.id = named.account_id
        JOIN contracts_contract contract ON contract.id = named.contract_id
        WHERE account.reseller_id <> contract.reseller_id
        """,
    ),
    Check(
        "tenants of exports",
        "Export {0} is of one reseller, and {1}, who made it, of another.",
        """
        SELECT export.id, exporter.email
        FROM purchases_export export JOIN accounts_user exporter ON exporter.id = export.exported_by_id
        WHERE COALESCE(exporter.reseller_id, 0) <> export.reseller_id
        """,
    ),
)

TERMS_KEPT = ("number", "currency", "term_months", "end_rule", "billing", "minimum_quantity", "conditions")
"""Which of the contract's conditions every purchase must have kept."""


def disagreements() -> Iterator[str]:
    """A sentence for everything that does not agree, at most a hundred of a kind."""
    for name in triggers.missing(connection):
        yield f"The database lacks the trigger {name}. Run 'manage.py migrate'."
    for check in CHECKS:
        yield from _shown(check.about, (check.sentence.format(*row) for row in _rows(check.sql)))
    yield from _shown("terms", _about_terms())
    yield from _shown("stock", (f"Lot {lot}: {said}" for lot, told in audit(StockLot.objects.all()) for said in told))


def _rows(sql: str) -> Iterator[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT {SHOWN + 1}")
        yield from cursor.fetchall()


def _about_terms() -> Iterator[str]:
    lacking = Purchase.objects.filter(~Q(terms__has_keys=TERMS_KEPT) | ~Q(currency=KT("terms__currency")))
    for number in lacking.order_by("pk").values_list("number", flat=True)[: SHOWN + 1]:
        yield f"Purchase {number} did not keep the conditions of its contract, or is in another currency."


def _shown(about: str, sentences: Iterator[str]) -> Iterator[str]:
    for position, sentence in enumerate(sentences):
        if position == SHOWN:
            yield f"There are more that are wrong about {about}."
            return
        yield sentence
