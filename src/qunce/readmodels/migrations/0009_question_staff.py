from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("readmodels", "0008_group_chart"),
    ]

    operations = [
        migrations.AddField(
            model_name="question",
            name="staff",
            field=models.TextField(default=""),
        ),
    ]
