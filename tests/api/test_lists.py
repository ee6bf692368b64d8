"""Lists: in pages, newest first, in as many queries for a hundred rows as for one."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment
from environments.services.audit import record
from environments.services.environments import create_environment
from environments.services.members import add_member, add_to_environment, invite
from inboxes.models import Inbox
from inboxes.services.domains import add_domain
from inboxes.services.filter_rules import create_rule
from inboxes.services.suppressions import suppress
from mail.models import IntakeEntry, Message, Thread
from mail.parsing import Address
from mail.services import labels
from mail.services.compose import Outgoing
from mail.services.drafts import writing
from tests.api.routes import CALLS, HERE, HOOK, OF_AN_ENVIRONMENT, RULE, mail_with_file
from tests.world import Api, World, build, error_of, settled
from webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from webhooks.services.endpoints import create_endpoint
from webhooks.services.events import Happening, publish

Grow = Callable[[World, Environment, int], None]
NUMBERS: Iterator[int] = iter(range(10**9))


def grow_members(world: World, _: Environment, count: int) -> None:
    for number in numbers(count):
        add_member(world.organization, f"m{number}@acme.example", "member", actor=SYSTEM)


def grow_invitations(world: World, _: Environment, count: int) -> None:
    for number in numbers(count):
        invite(world.organization.pk, f"i{number}@acme.example", "member", actor=SYSTEM)


def grow_environments(world: World, _: Environment, count: int) -> None:
    for number in numbers(count):
        create_environment(world.organization, f"Customer {number}", actor=SYSTEM)


def grow_environment_members(world: World, environment: Environment, count: int) -> None:
    for number in numbers(count):
        member, _ = add_member(world.organization, f"e{number}@acme.example", "member", actor=SYSTEM)
        add_to_environment(environment, member, "member", actor=SYSTEM)


def grow_keys(world: World, environment: Environment, count: int) -> None:
    for _ in range(count):
        world.new_key([], environments=[environment])


def grow_audit(world: World, environment: Environment, count: int) -> None:
    for number in numbers(count):
        record(world.organization, SYSTEM, "test.done", str(number), environment=environment)


def grow_domains(_: World, environment: Environment, count: int) -> None:
    with inside(environment):
        for number in numbers(count):
            add_domain(environment, f"d{number}.example", actor=SYSTEM)


def grow_rules(_: World, environment: Environment, count: int) -> None:
    with inside(environment):
        for number in numbers(count):
            create_rule(environment, actor=SYSTEM, **{**RULE, "value": f"r{number}.example"})


def grow_suppressions(_: World, environment: Environment, count: int) -> None:
    with inside(environment):
        for number in numbers(count):
            suppress(environment, f"s{number}@example.com", reason="hard_bounce")


def grow_drafts(world: World, environment: Environment, count: int) -> None:
    inbox = first(environment, Inbox) or world.inbox(environment)
    with inside(environment):
        for number in numbers(count):
            mail = Outgoing(to=[Address("bob@example.com", "")], subject=str(number), text_body="Hello")
            writing.create_draft(environment, inbox, mail, actor=SYSTEM)


def grow_inboxes(world: World, environment: Environment, count: int) -> None:
    for _ in range(count):
        world.inbox(environment)


def grow_mail(world: World, environment: Environment, count: int) -> None:
    """Let mails with files arrive, each in a thread of its own, and label both."""
    inbox = first(environment, Inbox) or world.inbox(environment)
    new = world.deliver(inbox, *(mail_with_file(world) for _ in range(count)))[-count:]
    with inside(environment):
        messages = list(Message.objects.in_environment(environment).filter(pk__in=new).select_related("thread"))
        for message in messages:
            labels.add(environment, [message, message.thread], ["all", f"label {message.pk}"])


def grow_intake(_: World, environment: Environment, count: int) -> None:
    with inside(environment):
        IntakeEntry.objects.in_environment(environment).bulk_create(
            IntakeEntry(
                environment=environment,
                transaction_id=uuid4(),
                outcome="accepted",
                recipient="support@intake.example",
                mailbox="support@intake.example",
                from_email="bob@example.com",
            )
            for _ in range(count)
        )


def grow_endpoints(_: World, environment: Environment, count: int) -> None:
    with inside(environment):
        for _ in range(count):
            create_endpoint(environment, actor=SYSTEM, url=HOOK, events=["*"])


def grow_deliveries(world: World, environment: Environment, count: int) -> None:
    if first(environment, WebhookEndpoint) is None:
        grow_endpoints(world, environment, 1)
    with inside(environment):
        publish(environment.pk, [Happening("message.captured", {}) for _ in range(count)])
        known = DeliveryAttempt.objects.in_environment(environment).values("delivery")
        for delivery in WebhookDelivery.objects.in_environment(environment).exclude(pk__in=known):
            for number in (1, 2):
                attempt = DeliveryAttempt(environment=environment, delivery=delivery, number=number, duration_ms=1)
                attempt.save(force_insert=True)


def numbers(count: int) -> list[int]:
    return [next(NUMBERS) for _ in range(count)]


def first(environment: Environment, model: Any) -> Any:
    with inside(environment):
        return model.objects.in_environment(environment).order_by("pk").first()


LISTS: dict[str, Grow] = {
    "/org/members": grow_members,
    "/org/invitations": grow_invitations,
    "/environments": grow_environments,
    "/environments/{environment}/members": grow_environment_members,
    "/api-keys": grow_keys,
    "/audit": grow_audit,
    "/domains": grow_domains,
    "/filter-rules": grow_rules,
    "/filter-rules?direction=receive&action=block": grow_rules,
    "/suppressions?reason=hard_bounce": grow_suppressions,
    "/inboxes": grow_inboxes,
    "/inboxes/{inbox}/drafts": grow_drafts,
    "/drafts": grow_drafts,
    "/drafts?state=draft": grow_drafts,
    "/inboxes/{inbox}/messages": grow_mail,
    "/inboxes/{inbox}/threads": grow_mail,
    "/messages": grow_mail,
    "/messages?include=body&label=all": grow_mail,
    "/threads": grow_mail,
    "/threads?label=all": grow_mail,
    "/labels": grow_mail,
    "/intake": grow_intake,
    "/intake?recipient=support@intake.example&sender=bob@example.com&outcome=accepted": grow_intake,
    "/webhook-endpoints": grow_endpoints,
    "/webhook-endpoints/{endpoint}/deliveries": grow_deliveries,
    "/webhook-deliveries": grow_deliveries,
}
MOST = {"/webhook-endpoints": 40}  # an environment has at most fifty
OF_ENVIRONMENTS = [path for path in LISTS if path.partition("?")[0] in {call.path for call in OF_AN_ENVIRONMENT}]
ALL_LISTS = pytest.mark.parametrize("path", LISTS)


def filled(path: str, environment: Environment) -> str:
    """Return the path of the list in this environment, its items' ids filled in."""
    ids = {"environment": environment.pk}
    if "{inbox}" in path:
        ids["inbox"] = first(environment, Inbox).pk
    if "{endpoint}" in path:
        ids["endpoint"] = first(environment, WebhookEndpoint).pk
    return path.format_map(ids) + ("&" if "?" in path else "?")


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row.get("id") or row.get("name") or row["member_id"] for row in rows]


def whole(api: Api, path: str) -> list[str]:
    """Return the names of all rows, page by page."""
    cursor, found = "", []
    while True:
        page = api.get(f"{path}limit=3&cursor={cursor}", **HERE).json()
        found += names(page["data"])
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            return found
        cursor = page["next_cursor"]


def test_every_list_is_in_the_table(acme: World) -> None:
    singular = {"/me", "/org", "/usage", "/events"}  # /events is tested on its own: it is a log
    lists = {call.path for call in CALLS if call.method == "get" and call.path.endswith("s") and "{" not in call.path}
    assert lists - singular <= {path.partition("?")[0] for path in LISTS}


@ALL_LISTS
def test_a_list_costs_as_many_queries_for_a_hundred_rows_as_for_one(acme: World, path: str) -> None:
    api = acme.api()
    counts, rows = [], []
    for more in (1, MOST.get(path, 99)):
        LISTS[path](acme, acme.development, more)
        where = filled(path, acme.development)
        api.get(where + "limit=1", **HERE)
        with CaptureQueriesContext(connection) as queries:
            answer = api.get(where + "limit=100", **HERE)
        counts.append([query["sql"] for query in queries])
        rows.append(len(answer.json()["data"]))
    assert rows[1] >= more > rows[0] >= 1
    assert len(counts[0]) == len(counts[1]), counts


@ALL_LISTS
def test_a_list_is_read_page_by_page_and_whole(acme: World, path: str) -> None:
    api = acme.api()
    LISTS[path](acme, acme.development, 8)
    where = filled(path, acme.development)
    found = whole(api, where)
    everything = names(api.items(where + "limit=100", **HERE))
    assert found == everything
    assert len(set(found)) == len(found) >= 8
    if path != "/labels" and "members" not in path:
        assert found == sorted(found, reverse=True)


@ALL_LISTS
def test_rows_that_arrive_meanwhile_neither_shift_nor_double_a_page(acme: World, path: str) -> None:
    api = acme.api()
    LISTS[path](acme, acme.development, 6)
    where = filled(path, acme.development)
    before = names(api.items(where + "limit=100", **HERE))
    page = api.get(where + "limit=2", **HERE).json()
    LISTS[path](acme, acme.development, 3)
    found = names(page["data"])
    while page["has_more"]:
        page = api.get(f"{where}limit=2&cursor={page['next_cursor']}", **HERE).json()
        found += names(page["data"])
    assert [name for name in found if name in before] == before
    if path != "/labels":
        assert found == before


NO_LIMITS = ["0", "-1", "101", "x", "", "1.0", "1e1", " 1", "%2B1", "٣", "99999999999999999999"]


@ALL_LISTS
def test_a_limit_is_a_whole_number_from_1_to_100(acme: World, path: str) -> None:
    api = acme.api()
    LISTS[path](acme, acme.development, 1)
    for limit in NO_LIMITS:
        answer = api.get(f"{filled(path, acme.development)}limit={limit}", **HERE)
        assert (limit, answer.status_code, error_of(answer)["details"][0]["field"]) == (limit, 422, "limit")


@pytest.mark.parametrize("path", OF_ENVIRONMENTS)
def test_a_cursor_opens_no_list_but_its_own(acme: World, path: str) -> None:
    api = acme.api()
    for environment in (acme.development, acme.production):
        LISTS[path](acme, environment, 3)
    cursor = api.get(filled(path, acme.development) + "limit=1", **HERE).json()["next_cursor"]
    other_list = "/inboxes?" if path != "/inboxes" else "/domains?"
    tried = [
        filled(path, acme.production) + f"environment_id=production&cursor={cursor}",
        f"{other_list}environment_id=development&cursor={cursor}",
        *(filled(path, acme.development) + f"environment_id=development&cursor={wrong}" for wrong in garbled(cursor)),
    ]
    for where in tried:
        answer = api.get(where)
        assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_cursor"), where
    nested = "/environments/development" + filled(path, acme.development)
    assert api.get(f"{nested}cursor={cursor}").status_code == 200


def garbled(cursor: str) -> list[str]:
    swapped = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    return ["x", "%00", "é", ".", "..", cursor[:-1], cursor + "A", swapped, cursor.partition(".")[0], cursor * 2]


def test_a_cursor_of_one_inbox_opens_no_other(acme: World) -> None:
    api = acme.api()
    for _ in range(2):
        inbox = acme.inbox()
        acme.deliver(inbox, acme.mail(), acme.mail())
    one, two = (f"/inboxes/{row['id']}/messages?limit=1" for row in api.items("/inboxes", **HERE))
    cursor = api.get(one).json()["next_cursor"]
    assert error_of(api.get(f"{two}&cursor={cursor}"))["code"] == "invalid_cursor"


def test_the_messages_of_a_thread_come_in_pages(acme: World) -> None:
    inbox = acme.inbox()
    acme.deliver(inbox, acme.mail())
    acme.deliver(inbox, *(acme.mail(in_reply_to="<1@example.com>") for _ in range(4)))
    [thread] = acme.rows(Thread)
    api, path = acme.api(), f"/threads/{thread.pk}?limit=2"
    page = api.get(path).json()
    assert (page["message_count"], len(page["messages"]["data"])) == (5, 2)
    found = names(page["messages"]["data"])
    while page["messages"]["has_more"]:
        page = api.get(f"{path}&cursor={page['messages']['next_cursor']}").json()
        found += names(page["messages"]["data"])
    assert found == sorted((message.pk for message in acme.rows(Message)), reverse=True)


def test_an_empty_list_is_an_empty_page(acme: World) -> None:
    page = acme.api().get("/messages").json()
    assert page == {"data": [], "has_more": False, "next_cursor": None}


def test_labels_are_counted_on_messages_and_threads(acme: World) -> None:
    grow_mail(acme, acme.development, 2)
    counts = {row["name"]: row for row in acme.api().items("/labels", **HERE)}
    assert counts["all"] == {"name": "all", "message_count": 2, "thread_count": 2}
    assert len(counts) == 3


def test_the_log_costs_as_many_queries_for_a_hundred_events_as_for_one(transactional_db: None) -> None:
    acme = build("acme")
    api, counts = acme.api(), []
    for more in (1, 99):
        with inside(acme.development):
            publish(acme.development.pk, [Happening("message.captured", {}) for _ in range(more)])
        settled(api, 1 if more == 1 else 100, **HERE)
        with CaptureQueriesContext(connection) as queries:
            rows = api.items("/events?limit=100", **HERE)
        counts.append((len(rows), len(queries)))
    assert [rows for rows, _ in counts] == [1, 100]
    assert counts[0][1] == counts[1][1]
