from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("readmodels", "0003_membership_present"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["day"], name="purchase_of_day"),
        ),
    ]
