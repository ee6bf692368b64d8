"""What reception must know before it knows the environment: whose address this is."""

from environments.gates import Gate, environment_of

# While there are some hundreds of domains, PostgreSQL would read all of them at every RCPT.
FIND_INBOX = Gate(
    name="find_inbox",
    arguments="address text, base_address text, domain_name text",
    returns="TABLE (environment_id uuid, inbox_id uuid)",
    body="""
    (SELECT i.environment_id, i.id
       FROM inboxes_inbox i
       LEFT JOIN inboxes_domain d ON d.environment_id = i.environment_id AND d.id = i.domain_id
      WHERE i.email IN (address, base_address) AND (i.domain_id IS NULL OR d.status = 'verified')
      ORDER BY i.email = address DESC
      LIMIT 1)
    UNION ALL
    (SELECT d.environment_id, d.catch_all_id
       FROM inboxes_domain d
      WHERE d.name = domain_name AND d.status = 'verified' AND d.catch_all_id IS NOT NULL)
    LIMIT 1
    """,
    reads={
        "inboxes.Inbox": ["id", "environment_id", "email", "domain_id"],
        "inboxes.Domain": ["id", "environment_id", "name", "status", "catch_all_id"],
    },
    settings={"enable_seqscan": "off", "enable_hashjoin": "off"},
)

FIND_SENDERS = Gate(
    name="find_senders",
    arguments="address text",
    returns="TABLE (environment_id uuid, inbox_id uuid)",
    body="""
    SELECT i.environment_id, i.id
      FROM inboxes_inbox i
      LEFT JOIN inboxes_domain d ON d.environment_id = i.environment_id AND d.id = i.domain_id
     WHERE i.email = address
     ORDER BY (i.domain_id IS NULL OR d.status = 'verified') DESC, i.id
    """,
    reads={
        "inboxes.Inbox": ["id", "environment_id", "email", "domain_id"],
        "inboxes.Domain": ["id", "environment_id", "status"],
    },
)

FIND_HOLDERS = Gate(
    name="find_holders",
    arguments="addresses text[], base_addresses text[], domain_names text[]",
    returns="TABLE (place bigint, environment_id uuid, inbox_id uuid)",
    body="""
    SELECT asked.place, COALESCE(found.environment_id, holder.environment_id), found.inbox_id
      FROM unnest(addresses, base_addresses, domain_names) WITH ORDINALITY
           AS asked (address, base_address, domain_name, place)
      LEFT JOIN LATERAL find_inbox(asked.address, asked.base_address, asked.domain_name) found ON true
      LEFT JOIN inboxes_domain holder ON holder.name = asked.domain_name AND holder.status = 'verified'
     WHERE found.environment_id IS NOT NULL OR holder.environment_id IS NOT NULL
    """,
    reads={"inboxes.Domain": ["environment_id", "name", "status"]},
)

IS_OF_AGENTS = Gate(
    name="domain_is_of_agents",
    arguments="domain_name text, organizations uuid[]",
    returns="boolean",
    body="""
    SELECT EXISTS (SELECT FROM inboxes_domain d
                     JOIN environments_environment e ON e.id = d.environment_id
                    WHERE d.name = domain_name
                      AND (d.status = 'verified' OR e.organization_id = ANY (organizations)))
    """,
    reads={
        "inboxes.Domain": ["environment_id", "name", "status"],
        "environments.Environment": ["id", "organization_id"],
    },
)

IS_HELD = Gate(
    name="address_is_held",
    arguments="address text, asking uuid",
    returns="boolean",
    body="""
    SELECT EXISTS (SELECT FROM inboxes_addresshold h
                    WHERE h.email = address AND h.environment_id <> asking AND h.until > now())
    """,
    reads={"inboxes.AddressHold": ["email", "environment_id", "until"]},
)

SUSPEND = Gate(
    name="suspend_other_claims",
    arguments="verified uuid",
    returns="SETOF uuid",
    body="""
    UPDATE inboxes_domain d
       SET status = 'suspended'
      FROM inboxes_domain holder
     WHERE holder.id = verified AND holder.status = 'verified'
       AND d.name = holder.name AND d.id <> holder.id AND d.status = 'pending'
    RETURNING d.id
    """,
    reads={"inboxes.Domain": ["id", "name", "status"]},
    updates={"inboxes.Domain": ["status"]},
    volatile=True,
)

GATES = [
    FIND_INBOX,
    FIND_SENDERS,
    FIND_HOLDERS,
    IS_OF_AGENTS,
    IS_HELD,
    SUSPEND,
    environment_of("inboxes.Inbox", "inbox"),
    environment_of("inboxes.Domain", "domain"),
    environment_of("inboxes.FilterRule", "filterrule"),
    environment_of("inboxes.Suppression", "suppression"),
]
