"""A key that holds the environment, beside the old one, which the release before names in its SQL.

The index is built while deliveries are written and posted; one that an interrupted run left behind is built anew.
"""

from django.db import migrations, models

NAME = "one_delivery_of_event_to_endpoint"
TABLE = "webhooks_webhookdelivery"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("webhooks", "0006_console_lists")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}", migrations.RunSQL.noop),
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON {TABLE} (environment_id, event_id, endpoint_id)",
                    migrations.RunSQL.noop,
                ),
                migrations.RunSQL(
                    f"ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} UNIQUE USING INDEX {NAME}",
                    f"ALTER TABLE {TABLE} DROP CONSTRAINT {NAME}",
                ),
                migrations.RunSQL(
                    "DROP INDEX CONCURRENTLY IF EXISTS deliveries_of_event",
                    f"CREATE INDEX CONCURRENTLY deliveries_of_event ON {TABLE} (event_id)",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="webhookdelivery",
                    constraint=models.UniqueConstraint(fields=("environment", "event", "endpoint"), name=NAME),
                ),
                migrations.RemoveIndex(model_name="webhookdelivery", name="deliveries_of_event"),
            ],
        ),
    ]
