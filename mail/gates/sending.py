"""What is asked before the environment of outgoing mail is known: what is due, and what a report is about."""

from environments.gates import REACHED, READ_TO_REACH, Gate

WAITING = """
    waiting AS (
         (SELECT h.environment_id
            FROM mail_handover h
           WHERE h.next_attempt_at IS NOT NULL
           ORDER BY h.environment_id
           LIMIT 1)
          UNION ALL
         SELECT (SELECT h.environment_id
                   FROM mail_handover h
                  WHERE h.next_attempt_at IS NOT NULL AND h.environment_id > waiting.environment_id
                  ORDER BY h.environment_id
                  LIMIT 1)
           FROM waiting
          WHERE waiting.environment_id IS NOT NULL)
"""
DUE = """
    h.environment_id = e.id AND h.next_attempt_at <= now()
      AND NOT EXISTS (SELECT FROM inboxes_inbox i
                       WHERE i.environment_id = h.environment_id AND i.id = h.inbox_id AND i.send_paused)
"""

# Hops from one environment with something to send to the next (https://wiki.postgresql.org/wiki/Loose_indexscan), so
# that a long line of one costs the others nothing; each gets a fair share of what is claimed. What is looked at is the
# first of each line, LIMIT 1: of EXISTS, PostgreSQL may make a join that reads all lines.
CLAIM_HAND_OVERS = Gate(
    name="claim_due_hand_overs",
    arguments="how_many integer, most_each integer, lease interval, token uuid",
    returns="TABLE (environment_id uuid, id uuid)",
    body=f"""
    WITH RECURSIVE {WAITING},
    ready AS MATERIALIZED (
         SELECT e.id, most_each - under_way.number AS room
           FROM waiting
           JOIN environments_environment e ON e.id = waiting.environment_id
          CROSS JOIN LATERAL (
                SELECT count(*) AS number
                  FROM mail_handover h
                 WHERE h.environment_id = e.id AND h.claim IS NOT NULL AND h.next_attempt_at > now()) under_way
          CROSS JOIN LATERAL (SELECT FROM mail_handover h WHERE {DUE} LIMIT 1) first
          WHERE NOT e.outbound_paused
            AND under_way.number < most_each
          ORDER BY random()
          LIMIT least(how_many, 1000)),
    due AS MATERIALIZED (
         SELECT mine.id
           FROM ready e
          CROSS JOIN LATERAL (
                SELECT h.id
                  FROM mail_handover h
                 WHERE {DUE}
                 ORDER BY h.next_attempt_at, h.id
                 LIMIT least(e.room, greatest(1, least(how_many, 1000) / (SELECT count(*) FROM ready)))
                   FOR UPDATE SKIP LOCKED) mine)
    UPDATE mail_handover h
       SET next_attempt_at = now() + least(lease, interval '5 minutes'), claim = token
     WHERE h.id = ANY (ARRAY(SELECT due.id FROM due))
    RETURNING h.environment_id, h.id
    """,  # noqa: S608 - all of it is ours
    reads={
        "mail.HandOver": ["id", "environment_id", "inbox_id", "next_attempt_at", "claim"],
        "environments.Environment": ["id", "outbound_paused"],
        "inboxes.Inbox": ["id", "environment_id", "send_paused"],
    },
    updates={"mail.HandOver": ["next_attempt_at", "claim"]},
    volatile=True,
)

NEXT_HAND_OVER = Gate(
    name="seconds_to_next_hand_over",
    arguments="",
    returns="double precision",
    body=f"""
    WITH RECURSIVE {WAITING}
    SELECT extract(epoch FROM min(first.next_attempt_at) - now())::double precision
      FROM waiting
      JOIN environments_environment e ON e.id = waiting.environment_id
     CROSS JOIN LATERAL (
           SELECT h.next_attempt_at
             FROM mail_handover h
            WHERE h.environment_id = e.id AND h.next_attempt_at IS NOT NULL
            ORDER BY h.next_attempt_at
            LIMIT 1) first
     WHERE NOT e.outbound_paused
    """,  # noqa: S608 - all of it is ours
    reads={
        "mail.HandOver": ["environment_id", "next_attempt_at"],
        "environments.Environment": ["id", "outbound_paused"],
    },
)

HAND_OVERS_WAITING = Gate(
    name="hand_overs_waiting",
    arguments="most integer",
    returns="bigint",
    body="""
    SELECT count(*)
      FROM (SELECT FROM mail_handover h WHERE h.next_attempt_at IS NOT NULL LIMIT least(most, 100000)) first
    """,
    reads={"mail.HandOver": ["next_attempt_at"]},
)

FIND_HAND_OVER = Gate(
    name="find_hand_over",
    arguments="wanted uuid, address text, domain_name text, days integer",
    returns="TABLE (environment_id uuid, inbox_id uuid)",
    body="""
    SELECT h.environment_id, h.inbox_id
      FROM mail_handover h
      JOIN inboxes_inbox i ON i.environment_id = h.environment_id AND i.id = h.inbox_id
      LEFT JOIN inboxes_domain d ON d.environment_id = i.environment_id AND d.id = i.domain_id
     WHERE h.id = wanted
       AND (i.domain_id IS NULL OR d.status = 'verified')
       AND (i.email = address OR split_part(i.email, '@', 2) = domain_name)
       AND (h.finished_at IS NULL OR h.finished_at > now() - make_interval(days => days))
    """,
    reads={
        "mail.HandOver": ["id", "environment_id", "inbox_id", "finished_at"],
        "inboxes.Inbox": ["id", "environment_id", "email", "domain_id"],
        "inboxes.Domain": ["id", "environment_id", "status"],
    },
)

DUE_DRAFTS = Gate(
    name="environments_with_due_drafts",
    arguments="moment timestamp with time zone",
    returns="SETOF uuid",
    body="""
    SELECT DISTINCT d.environment_id
      FROM mail_draft d
     WHERE d.due_at <= moment
    """,
    reads={"mail.Draft": ["environment_id", "due_at"]},
)

FIND_TRANSPORT = Gate(
    name="find_transport",
    arguments="hashed bytea",
    returns="TABLE (environment_id uuid, id uuid)",
    body="SELECT t.environment_id, t.id FROM mail_transport t WHERE t.token_hash = hashed LIMIT 1",
    reads={"mail.Transport": ["id", "environment_id", "token_hash"]},
)

WAITING_MAIL = Gate(
    name="mail_waiting_in",
    arguments="person bigint, wanted uuid[], most integer",
    returns=(
        "TABLE (environment_id uuid, approvals bigint, quarantined bigint, queued bigint, "
        "since timestamp with time zone, sent_today bigint)"
    ),
    body=f"""
    WITH {REACHED}
    SELECT r.id, asked.number, aside.number, line.number, line.since,
           (SELECT w.count
              FROM mail_sendingwindow w
             WHERE w.environment_id = r.id AND w.kind = 'environment' AND w.period = 'day'
               AND w.start = date_trunc('day', now(), 'UTC')
             LIMIT 1)
      FROM reached r
     CROSS JOIN LATERAL (
           SELECT count(*) AS number
             FROM (SELECT FROM mail_draft d
                    WHERE d.environment_id = r.id AND d.state = 'pending_approval'
                    LIMIT 1 + least(most, 1000)) first) asked
     CROSS JOIN LATERAL (
           SELECT count(*) AS number
             FROM (SELECT FROM mail_message m
                    WHERE m.environment_id = r.id AND m.status = 'quarantined'
                    LIMIT 1 + least(most, 1000)) first) aside
     CROSS JOIN LATERAL (
           SELECT count(*) AS number, min(first.created_at) FILTER (WHERE first.next_attempt_at <= now()) AS since
             FROM (SELECT h.created_at, h.next_attempt_at
                     FROM mail_handover h
                    WHERE h.environment_id = r.id AND h.next_attempt_at IS NOT NULL
                    ORDER BY h.next_attempt_at
                    LIMIT 1 + least(most, 1000)) first) line
    """,  # noqa: S608 - all of it is ours
    reads={
        **READ_TO_REACH,
        "mail.Draft": ["environment_id", "state"],
        "mail.Message": ["environment_id", "status"],
        "mail.HandOver": ["environment_id", "next_attempt_at", "created_at"],
        "mail.SendingWindow": ["environment_id", "kind", "period", "start", "count"],
    },
)
