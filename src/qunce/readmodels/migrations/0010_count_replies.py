from django.db import migrations

# Answers from the desk (type 35, `reply.given`) that were stored before they counted: their groups are paired anew at the next
# start. May run again: a group that waits already keeps its earlier moment.
UNSETTLE = """
INSERT INTO unsettled (group_id, from_ms)
SELECT h.group_id, min(h.ts_ms) FROM happening h JOIN chat_group g ON g.id = h.group_id
WHERE h.type = 35 AND g.kind = 'group' AND g.connector <> 'practice'
GROUP BY h.group_id
ON CONFLICT (group_id) DO UPDATE SET from_ms = CASE WHEN excluded.from_ms < unsettled.from_ms THEN excluded.from_ms
ELSE unsettled.from_ms END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("readmodels", "0009_question_staff"),
    ]

    operations = [migrations.RunSQL(UNSETTLE, migrations.RunSQL.noop)]
