"""Rows in the millions: copies of the patterns, joined to environments, inboxes and threads that PostgreSQL counts out.

Indexes and constraints are taken off before and put on again afterwards, which takes a fraction of the time; putting
them on checks every row against every key, so what is measured is valid.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.growth.patterns import CODE, INBOX_CODE, SUBJECT, TEXT, WORDS, Patterns

DAYS = 30  # over which the mail came
RECENT = "at > now() - interval '15 days'"  # what the event log and the intake ledger still keep
IN_A_THREAD = 3
HOURS_OF_USAGE = 72
EVERYTHING_BUT_KEYS = """
    SELECT format('DROP INDEX %%s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
      FROM pg_index i
     WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
KEYS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.conrelid::regclass, c.conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', c.conrelid::regclass, c.conname,
                  pg_get_constraintdef(c.oid))
      FROM pg_constraint c
     WHERE c.conrelid = ANY (%s::regclass[]) AND c.contype = ANY (%s::"char"[])
"""
HELPERS = """
    CREATE SCHEMA growth;
    CREATE FUNCTION growth.id(kind text, n bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
                || overlay(overlay(substr(md5(kind || n), 13) PLACING '7' FROM 1 FOR 1) PLACING '8' FROM 5 FOR 1))::uuid
    $$;
    CREATE UNLOGGED TABLE growth.place (number int, id uuid, code text, organization int, slug text, is_default bool);
    CREATE UNLOGGED TABLE growth.box (number int, id uuid, code text, place int, email text, has_domain bool);
"""
THREADS = f"""
    CREATE UNLOGGED TABLE growth.thread AS
    SELECT t.n, b.id AS inbox, b.email, b.code AS inbox_code, p.id AS place, p.code, p.number AS place_number,
           growth.id('thread', t.n, t.at) AS id, t.at
      FROM (SELECT n, now() - interval '{DAYS} days' * (1 - n::float / %(threads)s) AS at,
                   ('x' || substr(md5('box' || n), 1, 7))::bit(28)::int / {2**28}.0 AS drawn
              FROM generate_series(0, %(threads)s - 1) n) t
      JOIN growth.box b ON b.number = CASE WHEN t.n %% 2 = 0 THEN trunc(t.drawn * %(boxes)s)
                                           ELSE 100 * trunc(t.drawn * greatest(%(boxes)s / 100, 1)) END
      JOIN growth.place p ON p.number = b.place
"""
MESSAGES = f"""
    CREATE UNLOGGED TABLE growth.mail AS
    SELECT t.n * {IN_A_THREAD} + m AS n, m, t.id AS thread, t.inbox, t.email, t.inbox_code, t.place, t.code,
           t.place_number,
           t.at + m * interval '2 seconds' AS at,
           growth.id('message', t.n * {IN_A_THREAD} + m, t.at + m * interval '2 seconds') AS id,
           md5('words' || t.n || '.' || m) AS words,
           '<' || (t.n * {IN_A_THREAD} + m) || '@growth.example>' AS message_id,
           m = 1 AND t.n % 2 = 0 AS is_outbound
      FROM growth.thread t CROSS JOIN generate_series(0, {IN_A_THREAD - 1}) m
"""
LAST_AT = f"t.at + interval '{2 * (IN_A_THREAD - 1)} seconds'"


@dataclass(frozen=True)
class Size:
    """How much there is; mail is dealt out to inboxes, of which each hundredth is busy, and these to environments."""

    environments: int
    inboxes: int
    messages: int

    def divided(self, by: int) -> "Size":
        """Return the size that is so many times smaller."""
        return Size(*(max(1, number // by) for number in (self.environments, self.inboxes, self.messages)))


@dataclass(frozen=True)
class Rows:
    """Rows of one table: what each column is that is not as in the pattern, and of what it is made."""

    table: str
    columns: Mapping[str, str]
    source: str

    def statement(self, columns: list[str]) -> str:
        """Return the INSERT."""
        values = [self.columns.get(name, f'pattern."{name}"') for name in columns]
        names = ", ".join(f'"{name}"' for name in columns)
        rows = f"{self.source}, pattern.{self.table} pattern"
        return f"INSERT INTO {self.table} ({names}) SELECT {', '.join(values)} FROM {rows}"


def words_in(text: str, digits: str = "m.words") -> str:
    """Return SQL that puts words of its own where a text has placeholders."""
    sql = "'" + text.replace("'", "''") + "'"
    for place, word in enumerate(WORDS):
        sql = f"replace({sql}, '{word}', 'w' || substr({digits}, {1 + 4 * place}, 4))"
    return sql


def of_places() -> Iterator[Rows]:
    """Yield what each environment has."""
    yield Rows("environments_organization", {
        "id": "growth.id('organization', o.n, pattern.created_at)", "slug": "'org-' || o.n", "name": "'Org ' || o.n",
    }, "(SELECT DISTINCT organization AS n FROM growth.place) o")  # fmt: skip
    yield Rows("environments_environment", {
        "id": "p.id", "slug": "p.slug", "organization_id": "growth.id('organization', p.organization, o.created_at)",
        "is_default": "p.is_default", "client_id": "NULL",
    }, "growth.place p, pattern.environments_organization o")  # fmt: skip
    yield Rows("apikeys_apikey", {
        "id": "growth.id('key', p.number, pattern.created_at)", "secret_hash": "sha256(('key' || p.number)::bytea)",
        "organization_id": "growth.id('organization', p.organization, o.created_at)",
    }, "growth.place p, pattern.environments_organization o")  # fmt: skip
    yield Rows("environments_usagehour", {
        "id": "growth.id('usage', p.number * 1000 + h, now() - h * interval '1 hour')", "environment_id": "p.id",
        "hour": "date_trunc('hour', now()) - h * interval '1 hour'", "slot": "h % 64",
    }, f"growth.place p, generate_series(1, {HOURS_OF_USAGE}) h")  # fmt: skip
    yield Rows("webhooks_webhookendpoint", {
        "id": "growth.id('endpoint', p.number, pattern.created_at)", "environment_id": "p.id", "client_id": "NULL",
        "events": "ARRAY['*']",
    }, "growth.place p")  # fmt: skip
    yield Rows("inboxes_domain", {
        "id": "growth.id('domain', p.number, pattern.created_at)", "environment_id": "p.id", "client_id": "NULL",
        "name": "p.slug || '.growth.example'", "status": "'verified'", "catch_all_id": "NULL",
    }, "growth.place p")  # fmt: skip
    yield Rows("inboxes_inbox", {
        "id": "b.id", "environment_id": "p.id", "email": "b.email", "client_id": "NULL",
        "domain_id": "CASE WHEN b.has_domain THEN growth.id('domain', p.number, d.created_at) END",
    }, "growth.box b JOIN growth.place p ON p.number = b.place, pattern.inboxes_domain d")  # fmt: skip


def of_mail(patterns: Patterns) -> Iterator[Rows]:
    """Yield what came and went, and all that hangs on it."""
    mail, outbound = "growth.mail m", "(SELECT * FROM growth.mail WHERE is_outbound) m"
    here = {"environment_id": "m.place", "created_at": "m.at"}
    yield Rows("mail_blob", here | {
        "id": "growth.id('blob', m.n, m.at)", "sha256": "sha256(m.message_id::bytea)",
    }, mail)  # fmt: skip
    yield Rows("mail_thread", {
        "id": "t.id", "environment_id": "t.place", "inbox_id": "t.inbox", "message_count": str(IN_A_THREAD),
        "subject": words_in(SUBJECT, "md5('words' || t.n || '.0')"), "created_at": "t.at", "last_message_at": LAST_AT,
    }, "growth.thread t")  # fmt: skip
    yield Rows("mail_message", here | {
        "id": "m.id", "updated_at": "m.at", "date": "m.at", "inbox_id": "m.inbox", "thread_id": "m.thread",
        "direction": "CASE WHEN m.is_outbound THEN 'outbound' ELSE 'inbound' END",
        "status": "CASE WHEN m.is_outbound THEN 'sent' ELSE 'received' END",
        "from_email": "CASE WHEN m.is_outbound THEN m.email ELSE 'c' || m.n % 5000 || '@customers.example' END",
        "subject": words_in(SUBJECT), "text_body": words_in(TEXT), "extracted_text": words_in(TEXT),
        "snippet": f"left({words_in(TEXT)}, 150)", "message_id_header": "m.message_id", "in_reply_to": "''",
        "message_id_digest": "encode(substr(sha256(m.message_id::bytea), 1, 16), 'hex')::uuid",
        "raw_id": "growth.id('blob', m.n, m.at)",
        "raw_sha256": "CASE WHEN NOT m.is_outbound THEN sha256(m.message_id::bytea) END",
        "has_attachments": "m.n % 10 = 0",
    }, mail)  # fmt: skip
    yield Rows("mail_messagerecipient", {
        "id": "growth.id('recipient', m.n, m.at)", "environment_id": "m.place", "message_id": "m.id",
        "email": "CASE WHEN m.is_outbound THEN 'c' || m.n % 5000 || '@customers.example' ELSE m.email END",
        "status": "CASE WHEN m.is_outbound THEN 'sent' ELSE 'received' END",
        "hand_over_id": "CASE WHEN m.is_outbound THEN growth.id('handover', m.n, m.at) END",
    }, mail)  # fmt: skip
    yield Rows("mail_messagelabel", {
        "id": "growth.id('label', m.n, m.at)", "environment_id": "m.place", "message_id": "m.id",
        "label": "(ARRAY['billing', 'shipping', 'urgent', 'done'])[1 + m.n / 4 % 4]",
    }, "(SELECT * FROM growth.mail WHERE n % 4 = 0) m")  # fmt: skip
    coded = f"replace(replace({words_in(patterns.document)}, '{CODE}', m.code), '{INBOX_CODE}', m.inbox_code)"
    yield Rows("mail_searchentry", {
        "id": "growth.id('entry', m.n, m.at)", "environment_id": "m.place", "message_id": "m.id",
        "document": f"{coded}::tsvector",
        "attachment_texts": "'{}'",
    }, mail)  # fmt: skip
    yield Rows("mail_attachment", here | {
        "id": "growth.id('attachment', m.n, m.at)", "message_id": "m.id", "blob_id": "growth.id('blob', m.n, m.at)",
    }, "(SELECT * FROM growth.mail WHERE n % 10 = 0) m")  # fmt: skip
    yield Rows("mail_awaitedmessage", {
        "id": "growth.id('awaited', m.n, m.at)", "environment_id": "m.place", "inbox_id": "m.inbox",
        "thread_id": "m.thread", "digest": "md5('token' || m.n)::uuid",
    }, outbound)  # fmt: skip
    yield Rows("mail_intakeentry", here | {
        "id": "growth.id('intake', m.n, m.at)", "transaction_id": "md5('transaction' || m.n)::uuid",
        "recipient": "m.email", "mailbox": "m.email", "inbox_id": "m.inbox", "message_id": "m.id",
        "from_email": "'c' || m.n % 5000 || '@customers.example'",
        "envelope_sender": "'c' || m.n % 5000 || '@customers.example'", "message_id_header": "m.message_id",
    }, f"(SELECT * FROM growth.mail WHERE NOT is_outbound AND {RECENT}) m")  # fmt: skip
    yield Rows("mail_handover", here | {
        "id": "growth.id('handover', m.n, m.at)", "inbox_id": "m.inbox", "message_id": "m.id", "state": "'sent'",
        "envelope_recipient": "'c' || m.n % 5000 || '@customers.example'", "next_attempt_at": "NULL", "claim": "NULL",
        "finished_at": "m.at",
    }, outbound)  # fmt: skip
    yield Rows("mail_step", here | {
        "id": "growth.id('step', m.n, m.at)", "message_id": "m.id",
    }, outbound)  # fmt: skip
    yield from _of_events(f"(SELECT * FROM growth.mail WHERE {RECENT}) m", here)


def _of_events(mail: str, here: Mapping[str, str]) -> Iterator[Rows]:
    yield Rows("webhooks_event", {
        **here, "id": "growth.id('event', m.n, m.at)", "inbox_id": "m.inbox", "number": "m.n + 1",
        "type": "CASE WHEN m.is_outbound THEN 'message.sent' ELSE 'message.received' END",
    }, mail)  # fmt: skip
    yield Rows("webhooks_webhookdelivery", {
        **here, "id": "growth.id('delivery', m.n, m.at)", "event_id": "growth.id('event', m.n, m.at)",
        "endpoint_id": "growth.id('endpoint', m.place_number, e.created_at)", "state": "'delivered'", "attempts": "1",
        "next_attempt_at": "NULL", "delivered_at": "m.at",
    }, f"{mail}, pattern.webhooks_webhookendpoint e")  # fmt: skip
    yield Rows("webhooks_deliveryattempt", {
        "id": "growth.id('attempt', m.n, m.at)", "environment_id": "m.place", "at": "m.at",
        "delivery_id": "growth.id('delivery', m.n, m.at)", "number": "1", "status": "200", "error": "''",
    }, mail)  # fmt: skip


def fill(superuser: Any, patterns: Patterns, size: Size) -> None:
    """Put so much into a database that has the patterns and little else, and let PostgreSQL look at it."""
    rows = [*of_places(), *of_mail(patterns)]
    superuser.execute("SET session_replication_role = replica")  # no trigger: the keys are checked in the end
    superuser.execute("SET work_mem = '256MB'")
    superuser.execute(HELPERS)
    _copy_places(superuser, size)
    threads = size.messages // IN_A_THREAD
    superuser.execute(THREADS, {"threads": threads, "boxes": size.inboxes})
    superuser.execute(MESSAGES)
    again = _take_off(superuser, [one.table for one in rows])
    for one in rows:
        found = superuser.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [one.table],
        )
        superuser.execute(one.statement([name for (name,) in found.fetchall()]))
    for statement in again:
        superuser.execute(statement)
    superuser.execute("SELECT setval('webhooks_event_numbers', %s)", [size.messages + 1000])
    superuser.execute("DROP TABLE growth.mail, growth.thread")
    superuser.execute("VACUUM ANALYZE")


def _take_off(superuser: Any, tables: list[str]) -> list[str]:
    """Drop indexes and keys; return the statements that bring them back, foreign keys last."""
    own = superuser.execute(KEYS, [tables, ["f"]]).fetchall()
    others = superuser.execute(KEYS.replace("c.conrelid = ANY", "c.confrelid = ANY"), [tables, ["f"]]).fetchall()
    foreign = [*own, *(set(others) - set(own))]
    keys = superuser.execute(KEYS, [tables, ["p", "u"]]).fetchall()
    indexes = [row for table in tables for row in superuser.execute(EVERYTHING_BUT_KEYS, [table]).fetchall()]
    for drop, _ in (*foreign, *keys, *indexes):
        superuser.execute(drop)
    return [again for _, again in (*keys, *indexes, *foreign)]


def _copy_places(superuser: Any, size: Size) -> None:
    """Deal environments and inboxes out: the first has a tenth, and the further down, the fewer."""
    from django.conf import settings

    from environments.ids import decode, new_id
    from mail.search import code_of

    drawn = random.Random(1)  # noqa: S311 - the same on each run
    ids = [new_id("env") for _ in range(size.environments)]
    with superuser.cursor().copy("COPY growth.place FROM STDIN") as copy:
        for number, public in enumerate(ids):
            place = (number, decode("env", public), code_of(public), number // 2, f"place-{number}", number % 2 == 0)
            copy.write_row(place)
    places = sorted(drawn.choices(range(size.environments), weights_of(size.environments), k=size.inboxes))
    with superuser.cursor().copy("COPY growth.box FROM STDIN") as copy:
        for number, place in enumerate(drawn.sample(places, len(places))):
            public, has_domain = new_id("inb"), number % 3 == 0
            domain = f"place-{place}.growth.example" if has_domain else settings.AGENTPOST_SHARED_DOMAIN
            copy.write_row(
                (number, decode("inb", public), code_of(public), place, f"agent-{number}@{domain}", has_domain)
            )


def weights_of(environments: int) -> list[float]:
    """Return how likely an inbox is in each environment."""
    shares = [1 / (number + 10) ** 0.5 for number in range(environments)]
    rest = sum(shares[1:]) or 1
    return [0.1 if environments > 1 else 1.0, *(0.9 * share / rest for share in shares[1:])]
