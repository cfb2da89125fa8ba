import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_resellers_users_accounts"),
        ("contracts", "0001_contracts_prices_grants"),
        ("products", "0001_products_and_packages"),
        ("purchases", "0001_drafts_purchases_licenses"),
        ("stock", "0001_lots_and_movements"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="license",
            name="license_line",
        ),
        migrations.AlterField(
            model_name="license",
            name="purchase",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="licenses",
                to="purchases.purchase",
                verbose_name="purchase",
            ),
        ),
        migrations.AlterField(
            model_name="license",
            name="stock_lot",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Empty: bought new.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="licenses",
                to="stock.stocklot",
                verbose_name="stock lot",
            ),
        ),
        migrations.AddIndex(
            model_name="license",
            index=models.Index(
                condition=models.Q(("cancelled_at__isnull", True)),
                fields=["reseller", "ends_on", "account", "product", "contract", "starts_on", "id"],
                name="license_line",
            ),
        ),
        migrations.AddIndex(
            model_name="license",
            index=models.Index(
                condition=models.Q(("cancelled_at__isnull", True)),
                fields=["reseller", "starts_on", "ends_on", "account", "product", "contract", "id"],
                name="license_upcoming",
            ),
        ),
        migrations.AddIndex(
            model_name="license",
            index=models.Index(
                condition=models.Q(("cancelled_at__isnull", False)),
                fields=["reseller", "ends_on", "account", "product", "contract", "starts_on", "id", "cancelled_at"],
                name="license_cancelled",
            ),
        ),
        migrations.AddIndex(
            model_name="license",
            index=models.Index(fields=["purchase", "id"], name="license_by_purchase"),
        ),
        migrations.AddIndex(
            model_name="license",
            index=models.Index(
                condition=models.Q(("stock_lot__isnull", False)), fields=["stock_lot", "id"], name="license_by_lot"
            ),
        ),
    ]
