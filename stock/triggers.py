"""What the database keeps of stock: movements as they are, and of a lot what it came in as.

What remains of a lot, its last day and its terms may change.
"""

from guard.triggers import Guard, Kept

LEDGER = Guard(
    installed_by=("stock", "0002_append_only"),
    tables=(
        Kept("stock_movement", "stock_stockmovement", "a stock movement", "stock movements"),
        Kept(
            "stock_lot",
            "stock_stocklot",
            "a stock lot",
            "stock lots",
            columns=("reseller_id", "contract_id", "product_id", "quantity", "received_at"),
            may_be_deleted=True,  # its movements keep it
            changed="stays what it came in as",
        ),
    ),
)
