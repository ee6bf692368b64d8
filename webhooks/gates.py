"""What the deliverer must know before it knows the environment: which deliveries are due.

Both questions hop from one environment with pending deliveries to the next in the index ``deliveries_waiting``, and
look at the head of each (https://wiki.postgresql.org/wiki/Loose_indexscan): a long backlog costs no more than a short
one, and a paused environment costs one hop.
"""

from environments.gates import REACHED, READ_TO_REACH, Gate, environment_of

WAITING = """
    waiting AS (
         (SELECT d.environment_id
            FROM webhooks_webhookdelivery d
           WHERE d.state = 'pending'
           ORDER BY d.environment_id
           LIMIT 1)
          UNION ALL
         SELECT (SELECT d.environment_id
                   FROM webhooks_webhookdelivery d
                  WHERE d.state = 'pending' AND d.environment_id > waiting.environment_id
                  ORDER BY d.environment_id
                  LIMIT 1)
           FROM waiting
          WHERE waiting.environment_id IS NOT NULL)
"""

# ready   whoever has something due, and is not paused; LIMIT 1, as EXISTS may become a join that reads all that is due
# turns   everybody's first, then everybody's second, and so on: of organizations, and in them of environments; nobody's
#         turns are looked at beyond ten fair shares, which environments have of their organization's
# shares  how many each gets of that
# due     locked by environment, so that a second claim at the same moment finds the next ones
CLAIM = Gate(
    name="claim_due_deliveries",
    arguments="how_many integer, lease interval",
    returns="TABLE (environment_id uuid, id uuid)",
    body=f"""
    WITH RECURSIVE {WAITING},
    ready AS MATERIALIZED (
         SELECT e.id, e.organization_id, count(*) OVER (PARTITION BY e.organization_id) AS siblings
           FROM waiting
           JOIN environments_environment e ON e.id = waiting.environment_id
          CROSS JOIN LATERAL (
                SELECT
                  FROM webhooks_webhookdelivery d
                 WHERE d.environment_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= now()
                 LIMIT 1) first
          WHERE NOT e.webhooks_paused),
    turns AS MATERIALIZED (
         SELECT ready.id
           FROM ready
          CROSS JOIN LATERAL (
                SELECT d.next_attempt_at, row_number() OVER (ORDER BY d.next_attempt_at) AS turn
                  FROM webhooks_webhookdelivery d
                 WHERE d.environment_id = ready.id AND d.state = 'pending' AND d.next_attempt_at <= now()
                 ORDER BY d.next_attempt_at
                 LIMIT least(how_many, 1000, 1 + 10 * least(how_many, 1000) / ready.siblings
                                               / (SELECT count(DISTINCT r.organization_id) FROM ready r))) mine
          ORDER BY row_number() OVER (PARTITION BY ready.organization_id ORDER BY mine.turn, mine.next_attempt_at),
                   mine.next_attempt_at
          LIMIT least(how_many, 1000)),
    shares AS MATERIALIZED (
         SELECT turns.id, count(*) AS size FROM turns GROUP BY turns.id),
    due AS MATERIALIZED (
         SELECT mine.id
           FROM shares
          CROSS JOIN LATERAL (
                SELECT d.id
                  FROM webhooks_webhookdelivery d
                 WHERE d.environment_id = shares.id AND d.state = 'pending' AND d.next_attempt_at <= now()
                 ORDER BY d.next_attempt_at
                 LIMIT shares.size
                   FOR UPDATE SKIP LOCKED) mine)
    UPDATE webhooks_webhookdelivery d
       SET next_attempt_at = now() + least(lease, interval '5 minutes')
     WHERE d.id = ANY (ARRAY(SELECT due.id FROM due))
    RETURNING d.environment_id, d.id
    """,  # noqa: S608 - all of it is ours
    reads={
        "webhooks.WebhookDelivery": ["id", "environment_id", "state", "next_attempt_at"],
        "environments.Environment": ["id", "organization_id", "webhooks_paused"],
    },
    updates={"webhooks.WebhookDelivery": ["next_attempt_at"]},
    volatile=True,
)

NEXT_DUE = Gate(
    name="seconds_to_next_delivery",
    arguments="",
    returns="double precision",
    body=f"""
    WITH RECURSIVE {WAITING}
    SELECT extract(epoch FROM min(first.next_attempt_at) - now())::double precision
      FROM waiting
      JOIN environments_environment e ON e.id = waiting.environment_id
     CROSS JOIN LATERAL (
           SELECT d.next_attempt_at
             FROM webhooks_webhookdelivery d
            WHERE d.environment_id = e.id AND d.state = 'pending'
            ORDER BY d.next_attempt_at
            LIMIT 1) first
     WHERE NOT e.webhooks_paused
    """,  # noqa: S608 - all of it is ours
    reads={
        "webhooks.WebhookDelivery": ["environment_id", "state", "next_attempt_at"],
        "environments.Environment": ["id", "webhooks_paused"],
    },
)

HEALTH = Gate(
    name="webhooks_waiting_in",
    arguments="person bigint, wanted uuid[], most integer",
    returns=(
        "TABLE (environment_id uuid, endpoints bigint, failing bigint, pending bigint, since timestamp with time zone)"
    ),
    body=f"""
    WITH {REACHED}
    SELECT r.id, heard.number, heard.failing, line.number, line.since
      FROM reached r
     CROSS JOIN LATERAL (
           SELECT count(*) AS number, count(*) FILTER (WHERE NOT w.is_enabled OR w.consecutive_failures > 0) AS failing
             FROM webhooks_webhookendpoint w
            WHERE w.environment_id = r.id) heard
     CROSS JOIN LATERAL (
           SELECT count(*) AS number, min(first.created_at) FILTER (WHERE first.next_attempt_at <= now()) AS since
             FROM (SELECT d.created_at, d.next_attempt_at
                     FROM webhooks_webhookdelivery d
                    WHERE d.environment_id = r.id AND d.state = 'pending'
                    ORDER BY d.next_attempt_at
                    LIMIT 1 + least(most, 1000)) first) line
    """,  # noqa: S608 - all of it is ours
    reads={
        **READ_TO_REACH,
        "webhooks.WebhookEndpoint": ["environment_id", "is_enabled", "consecutive_failures"],
        "webhooks.WebhookDelivery": ["environment_id", "state", "next_attempt_at", "created_at"],
    },
)

DELIVERIES_WAITING = Gate(
    name="deliveries_waiting",
    arguments="most integer",
    returns="bigint",
    body="""
    SELECT count(*)
      FROM (SELECT FROM webhooks_webhookdelivery d WHERE d.state = 'pending' LIMIT least(most, 100000)) first
    """,
    reads={"webhooks.WebhookDelivery": ["state"]},
)

GATES = [
    CLAIM,
    NEXT_DUE,
    DELIVERIES_WAITING,
    HEALTH,
    environment_of("webhooks.Event", "event"),
    environment_of("webhooks.WebhookEndpoint", "webhookendpoint"),
    environment_of("webhooks.WebhookDelivery", "webhookdelivery"),
]
