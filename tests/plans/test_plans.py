"""What is asked most has the plan that is kept beside this file, and nothing reads an environment's table whole.

After a change that is meant: ``WRITE_PLANS=1 .venv/bin/python -m pytest tests/plans``, and read what became of them.
"""

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentpost_site.isolation.discovery import Operation, operations
from agentpost_site.isolation.furniture import furnish
from apikeys.authentication import key_of
from environments import clock
from environments.binding import inside
from environments.gates import Gate, declared
from environments.services import usage
from environments.viewsets import query_of
from inboxes.models import Inbox
from mail.models import Message
from mail.services.recipients import recipient_of
from mail.services.retention import _first_of, old_drafts, old_messages
from mail.services.threads import Clues, Threads
from tests.standing import Ground
from tests.world import Api, World, build

from .pretence import Planner, planner, rewrite_tables, sequential_scans

KEPT = Path(__file__).parent
TABLE = re.compile(r"\b(?:environments|apikeys|webhooks|inboxes|mail)_\w+")
EXECUTED = re.compile(r'EXECUTE "([^"]+)"')
FILTERS = {  # what each filter of a list is asked with; ids are those of acme
    "action": "block", "after": "2026-01-01", "against": "1", "before": "2026-06-01", "cursor": "{event}",
    "direction": "receive", "email": "ann@example.com", "event_id": "{event}", "from": "ann@example.com",
    "has_attachments": "true", "inbox_id": "{inbox}", "include": "body", "label": "billing", "outcome": "refused",
    "q": "words", "reason": "manual", "recipient": "ann@example.com", "sender": "ann@example.com", "state": "failed",
    "status": "quarantined", "subject": "words", "thread_id": "{thread}", "to": "ann@example.com",
    "types": "message.received",
}  # fmt: skip
OTHERWISE = {  # where the same name takes something else
    ("drafts", "state"): "rejected", ("messages", "direction"): "inbound", ("events", "after"): "{event}",
}  # fmt: skip
PAGING = {"limit"}


def build_furnished() -> World:
    acme = build("acme")
    furnish(acme.development, "words", "unique")
    acme.api(environments=[acme.development])
    if not connection.in_atomic_block:
        rewrite_tables()
    return acme


@pytest.fixture
def acme(standing: Ground, request: pytest.FixtureRequest) -> World:
    return standing.stand_on(build_furnished, request)  # type: ignore[no-any-return]


@pytest.fixture
def asking(acme: World) -> Iterator[Planner]:
    with planner(acme.development) as pretended:
        yield pretended


def ids(api: Api) -> dict[str, str]:
    """Return an id of each kind that a path or a filter names."""
    message = api.items("/messages")[0]
    return {
        "inbox": message["inbox_id"],
        "thread": message["thread_id"],
        "message": message["id"],
        "event": api.items("/events")[0]["id"],
        "draft": api.items("/drafts")[0]["id"],
        "webhookendpoint": api.items("/webhook-endpoints")[0]["id"],
    }


def plans_of(asking: Planner, ask: Callable[[], object]) -> list[str]:
    """Return the plans of all that is asked of our tables, each behind what it is asked of."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    asked = [one["sql"] for one in captured if TABLE.search(one["sql"]) or "search_messages(" in one["sql"]]
    prepared = _prepared()
    found = []
    for sql in asked:
        name = EXECUTED.match(sql)
        prepare = prepared[name[1]] if name else ""
        found.append(f"{_headline(prepare.partition(' AS ')[2] or sql)}\n{asking.plan(sql, prepare)}")
    return found


def _prepared() -> dict[str, str]:
    """Return what this connection has prepared, by name: only it can execute that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, statement FROM pg_prepared_statements WHERE from_sql")
        return dict(cursor.fetchall())


def _headline(sql: str) -> str:
    return f"-- {sql.split(None, 1)[0]} {', '.join(dict.fromkeys(TABLE.findall(sql)))}"


def lists() -> list[Operation]:
    return [
        one for one in operations() if one.is_list and one.is_of_an_environment and "environment" not in one.parameters
    ]


def paths(one: Operation, known: dict[str, str]) -> Iterator[str]:
    """Yield the list's path, then the path with each filter of it."""
    values = {name: known[model.__name__.lower()] for name, model in one.parameters.items() if model}
    plain = one.path(values).removeprefix("/api/v1")
    yield plain
    query = query_of(one.view, "list")
    for name in sorted(set(query().fields) - PAGING if query else ()):
        value = OTHERWISE.get((plain.rpartition("/")[2], name), FILTERS[name])
        yield f"{plain}?{name}={value.format(**known)}"


def test_no_list_reads_a_table_of_environments_whole(asking: Planner, acme: World) -> None:
    api = acme.api(environments=[acme.development])
    known, found = ids(api), []
    for one in lists():
        for path in paths(one, known):
            plans = plans_of(asking, lambda path=path: api.items(path))
            assert plans, path
            found += [f"{path}: {table}" for plan in plans for table in sequential_scans(plan)]
    assert found == []


def test_no_gate_reads_a_table_of_environments_whole(asking: Planner) -> None:
    plans = {gate.name: asking.plan_of_gate(gate) for gate in declared()}
    assert {name: tables for name, plan in plans.items() if (tables := sequential_scans(plan))} == {}


def test_a_table_that_no_index_serves_is_noticed(asking: Planner) -> None:
    asked = asking.plan("SELECT id FROM mail_message WHERE subject = 'order'")
    unasked = asking.plan_of_gate(
        Gate("none", "wanted text", "uuid", "SELECT id FROM mail_message WHERE id::text = wanted")
    )
    assert "Index" in asked  # the walls alone narrow it to the environment
    assert sequential_scans(unasked) == ["mail_message"]


def _thread(acme: World) -> Callable[[], object]:
    message = acme.rows(Message)[0]
    answer = Message(environment_id=acme.development.pk, inbox_id=message.inbox_id)
    clues = Clues([message.message_id_digest])
    return lambda: Threads(acme.development, [(answer, clues)]).join(answer, clues)


def _key(acme: World) -> Callable[[], object]:
    secret = acme.new_key().secret
    return lambda: key_of(secret)


def _recipient(acme: World) -> Callable[[], object]:
    [email, *_] = [inbox.email for inbox in acme.rows(Inbox)]
    return lambda: recipient_of(email)


def _usage(acme: World) -> Callable[[], object]:
    def ask() -> None:
        usage.count(acme.development.pk, {"api_calls": 1})
        usage.bytes_stored(acme.development)

    return ask


def _forget(acme: World) -> Callable[[], object]:
    until = clock.now() - timedelta(days=30)
    return lambda: [_first_of(old(acme.development, until)) for old in (old_messages, old_drafts)]


ROUTES = {  # the plan's name: what is called
    "list_messages": "/messages",
    "list_messages_of_inbox": "/inboxes/{inbox}/messages",
    "list_messages_with_label": "/messages?label=billing",
    "list_messages_from_sender": "/messages?from=ann@example.com",
    "get_message": "/messages/{message}",
    "list_threads": "/threads",
    "list_threads_of_inbox": "/inboxes/{inbox}/threads",
    "list_inboxes": "/inboxes",
    "events": "/events?after={event}",
    "intake": "/intake",
    "deliveries_of_endpoint": "/webhook-endpoints/{webhookendpoint}/deliveries",
}
QUESTIONS = {"thread_of_answer": _thread, "key": _key, "recipient": _recipient, "usage": _usage, "forget_mail": _forget}
GATES = (
    "find_inbox",
    "environment_of_message",
    "search_messages",
    "claim_due_deliveries",
    "seconds_to_next_delivery",
    "claim_due_hand_overs",
    "seconds_to_next_hand_over",
    "environments_with_due_drafts",
    "find_hand_over",
)


def test_what_is_asked_most_keeps_its_plan(asking: Planner, acme: World) -> None:
    api = acme.api(environments=[acme.development])
    known = ids(api)
    found = {name: plans_of(asking, lambda path=path: api.get(path.format(**known))) for name, path in ROUTES.items()}
    found |= {gate.name: [asking.plan_of_gate(gate)] for gate in declared() if gate.name in GATES}
    for name, question in QUESTIONS.items():
        ask = question(acme)
        with inside(acme.development):
            found[name] = plans_of(asking, ask)
    now = {name: "\n\n".join(plans) + "\n" for name, plans in found.items()}
    if os.environ.get("WRITE_PLANS"):
        for name, text in now.items():
            (KEPT / f"{name}.txt").write_text(text, encoding="utf-8")
    assert now == {path.stem: path.read_text(encoding="utf-8") for path in KEPT.glob("*.txt")}
