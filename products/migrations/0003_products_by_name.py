from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("products", "0002_history")]

    operations = [
        migrations.AddIndex(model_name="product", index=models.Index(fields=["name", "id"], name="product_by_name")),
    ]
