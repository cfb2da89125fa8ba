"""What the database keeps of what was bought: purchases as they are, and of a license all but its cancellation.

A license is cancelled once. An export's rows and end are written once, when the download is over.
"""

from guard.triggers import Guard, Kept

RECORDS = Guard(
    installed_by=("purchases", "0007_records_that_stay"),
    tables=(
        Kept("purchase", "purchases_purchase", "a purchase", "purchases", unique=("id", "number", "draft_id")),
        Kept(
            "license",
            "purchases_license",
            "a license",
            "licenses",
            columns=(
                "id",
                "key",
                "reseller_id",
                "account_id",
                "contract_id",
                "product_id",
                "purchase_id",
                "stock_lot_id",
                "starts_on",
                "ends_on",
                "created_at",
            ),
            sealed_by="cancelled_at",
            unique=("id", "key"),
            changed="stays what it was bought as",
        ),
        Kept(
            "export",
            "purchases_export",
            "an export",
            "exports",
            columns=("id", "kind", "content", "filters", "reseller_id", "exported_by_id", "started_at"),
            sealed_by="finished_at",
        ),
    ),
)
