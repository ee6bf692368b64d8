"""What the deliverer must know before it knows the environment: which deliveries are due."""

from environments.gates import Gate, environment_of

CLAIM = Gate(
    name="claim_due_deliveries",
    arguments="how_many integer, lease interval",
    returns="TABLE (environment_id uuid, id uuid)",
    body="""
    WITH due AS MATERIALIZED (
         SELECT due.id
           FROM webhooks_webhookdelivery due
           JOIN environments_environment e ON e.id = due.environment_id
          WHERE due.state = 'pending' AND due.next_attempt_at <= now() AND NOT e.webhooks_paused
          ORDER BY due.next_attempt_at
          LIMIT how_many
            FOR UPDATE OF due SKIP LOCKED)
    UPDATE webhooks_webhookdelivery d
       SET next_attempt_at = now() + lease
      FROM due
     WHERE d.id = due.id
    RETURNING d.environment_id, d.id
    """,
    reads={
        "webhooks.WebhookDelivery": ["id", "environment_id", "state", "next_attempt_at"],
        "environments.Environment": ["id", "webhooks_paused"],
    },
    updates={"webhooks.WebhookDelivery": ["next_attempt_at"]},
    volatile=True,
)

NEXT_DUE = Gate(
    name="seconds_to_next_delivery",
    arguments="",
    returns="double precision",
    body="""
    SELECT extract(epoch FROM min(d.next_attempt_at) - now())::double precision
      FROM webhooks_webhookdelivery d
      JOIN environments_environment e ON e.id = d.environment_id
     WHERE d.state = 'pending' AND NOT e.webhooks_paused
    """,
    reads={
        "webhooks.WebhookDelivery": ["environment_id", "state", "next_attempt_at"],
        "environments.Environment": ["id", "webhooks_paused"],
    },
)

GATES = [
    CLAIM,
    NEXT_DUE,
    environment_of("webhooks.Event", "event"),
    environment_of("webhooks.WebhookEndpoint", "webhookendpoint"),
    environment_of("webhooks.WebhookDelivery", "webhookdelivery"),
]
