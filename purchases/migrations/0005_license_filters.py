from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_accounts_by_folded_name"),
        ("contracts", "0001_contracts_prices_grants"),
        ("products", "0001_products_and_packages"),
        ("purchases", "0004_account_and_contract_pages"),
        ("stock", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="license",
            index=models.Index(
                condition=models.Q(("cancelled_at__isnull", True)),
                fields=["reseller", "product", "ends_on", "account", "contract", "starts_on"],
                name="license_of_product",
            ),
        ),
        migrations.AddIndex(
            model_name="license",
            index=models.Index(
                condition=models.Q(("cancelled_at__isnull", True)),
                fields=["contract", "ends_on", "account", "product", "starts_on"],
                name="license_of_contract",
            ),
        ),
        migrations.AddIndex(
            model_name="purchase",
            index=models.Index(
                condition=models.Q(("po_number", ""), _negated=True),
                fields=["reseller", "po_number", "id"],
                name="purchase_by_po_number",
            ),
        ),
    ]
