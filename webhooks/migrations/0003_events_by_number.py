from django.db import migrations, models
from django.db.models.expressions import RawSQL

# Numbers start at 2, so that the sequence always has one that was given out. Rows that are there already keep their
# order. The owner is held by the walls too, which are raised again after every migration.
CREATE = """
CREATE SEQUENCE webhooks_event_numbers;
SELECT setval('webhooks_event_numbers', 1);
"""
RENUMBER = """
ALTER TABLE webhooks_event NO FORCE ROW LEVEL SECURITY;
UPDATE webhooks_event AS event
   SET number = place.number + 1
  FROM (SELECT id, row_number() OVER (ORDER BY transaction, id) AS number FROM webhooks_event) AS place
 WHERE event.id = place.id;
SELECT setval('webhooks_event_numbers', (SELECT coalesce(max(number), 1) FROM webhooks_event));
ALTER TABLE webhooks_event FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("environments", "0001_initial"),
        ("webhooks", "0002_wait_by_environment"),
    ]

    operations = [
        migrations.RunSQL(CREATE, "DROP SEQUENCE webhooks_event_numbers"),
        migrations.AddField(
            model_name="event",
            name="number",
            field=models.BigIntegerField(
                db_default=RawSQL("nextval('webhooks_event_numbers')", []), default=0, editable=False
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(RENUMBER, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="event", name="events_in_commit_order"),
        migrations.RemoveField(model_name="event", name="transaction"),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["environment", "number"], name="events_by_number"),
        ),
        migrations.AddField(
            model_name="event",
            name="is_test",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, help_text="Made to try one endpoint; not in the log."
            ),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="attempts_before",
            field=models.SmallIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Attempts made before it was last asked to be sent again.",
            ),
        ),
        migrations.AddField(
            model_name="deliveryattempt",
            name="request_url",
            field=models.CharField(blank=True, db_default="", default="", max_length=2048),
        ),
        migrations.AddField(
            model_name="deliveryattempt",
            name="request_headers",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
    ]
