from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("stock", "0002_append_only")]

    operations = [
        migrations.AlterModelOptions(
            name="stockmovement",
            options={
                "base_manager_name": "objects",
                "ordering": ["pk"],
                "verbose_name": "stock movement",
                "verbose_name_plural": "stock movements",
            },
        ),
    ]
