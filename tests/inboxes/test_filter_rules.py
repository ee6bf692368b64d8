"""Filter rules: made, changed and obeyed, at a cost that other rules do not raise."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.binding import inside
from environments.callers import Actor
from environments.errors import Conflict, PersonRequired
from environments.models import AuditEntry
from inboxes.models import FilterRule, Inbox
from inboxes.services.filter_rules import create_rule, delete_rule, receive_decisions, send_decisions, update_rule
from mail.models import Message, MessageRecipient
from tests.world import PERSON, Api, World, error_of

BLOCK = {"direction": "receive", "action": "block", "match_type": "address", "value": "bob@example.com"}
KEY = Actor("key", "key_1")
DEV = {"AgentPost-Environment": "development"}


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox()


def made(api: Api, **fields: Any) -> dict[str, Any]:
    answer = api.post("/filter-rules", {**BLOCK, **fields}, **DEV)
    assert answer.status_code == 201, answer.content
    rule: dict[str, Any] = answer.json()
    return rule


def test_a_rule_is_made_shown_changed_and_deleted(acme: World, api: Api, inbox: Inbox) -> None:
    rule = made(api, inbox_id=inbox.pk)
    assert {name: rule[name] for name in BLOCK} == BLOCK
    assert (rule["inbox_id"], rule["environment_id"], rule["set_by_person"]) == (inbox.pk, acme.development.pk, False)
    path = f"/filter-rules/{rule['id']}"
    changed = api.patch(path, {"action": "allow", "match_type": "domain", "value": "@Example.COM"}).json()
    assert (changed["action"], changed["match_type"], changed["value"]) == ("allow", "domain", "example.com")
    assert api.get(path).json() == changed
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    actions = AuditEntry.objects.in_organization(acme.organization).filter(target_id=rule["id"])
    assert list(actions.order_by("sequence").values_list("action", flat=True)) == [
        "filter_rule.created",
        "filter_rule.updated",
        "filter_rule.deleted",
    ]


VALUES = [  # match type, as given, as stored
    ("address", " Bob@Example.COM ", "bob@example.com"),
    ("address", "bob+tag@bücher.example", "bob+tag@xn--bcher-kva.example"),
    ("domain", "@Example.com", "example.com"),
    ("domain", "BÜCHER.example.", "xn--bcher-kva.example"),
    ("subdomain_wildcard", "*.example.com", "example.com"),
    ("subdomain_wildcard", "example", "example"),
]


@pytest.mark.parametrize(("match_type", "given", "stored"), VALUES)
def test_a_value_is_stored_in_one_form(api: Api, match_type: str, given: str, stored: str) -> None:
    assert made(api, match_type=match_type, value=given)["value"] == stored


REFUSED = [
    {"match_type": "address", "value": "example.com"},
    {"match_type": "address", "value": "@example.com"},
    {"match_type": "address", "value": "a b@example.com"},
    {"match_type": "address", "value": "a@example.com,b@example.com"},
    {"match_type": "address", "value": "a" * 65 + "@example.com"},
    {"match_type": "domain", "value": "bob@example.com"},
    {"match_type": "domain", "value": "exa mple.com"},
    {"match_type": "domain", "value": "a..b"},
    {"match_type": "domain", "value": "*"},
    {"match_type": "domain", "value": "ü" * 300},
    {"match_type": "subdomain_wildcard", "value": "*.*.example.com"},
    {"value": ""},
    {"action": "maybe"},
    {"direction": "both"},
    {"match_type": "regex"},
    {"inbox_id": "inb_nonsense"},
    {"inbox_id": "inb_01JZZZZZZZZZZZZZZZZZZZZZZZ"},
    {"color": "red"},
]


@pytest.mark.parametrize("fields", REFUSED, ids=str)
def test_what_is_no_rule_is_refused(api: Api, fields: dict[str, Any]) -> None:
    answer = api.post("/filter-rules", {**BLOCK, **fields}, **DEV)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "validation_error")


def test_an_inbox_of_another_environment_is_none_that_exists(acme: World, api: Api) -> None:
    elsewhere = acme.inbox(acme.production)
    answer = api.post("/filter-rules", {**BLOCK, "inbox_id": elsewhere.pk}, **DEV)
    assert error_of(answer)["details"][0]["field"] == "inbox_id"
    assert api.get(f"/filter-rules?inbox_id={elsewhere.pk}", **DEV).status_code == 404


def test_the_same_rule_again_is_the_one_that_is_there(api: Api, inbox: Inbox) -> None:
    for fields in ({}, {"inbox_id": inbox.pk}):
        first = made(api, **fields)
        again = api.post("/filter-rules", {**BLOCK, **fields, "value": "BOB@example.com"}, **DEV)
        assert (again.status_code, again.json()) == (200, first)
    assert len(api.items("/filter-rules", **DEV)) == 2


def test_the_opposite_of_a_rule_clashes_with_it(api: Api) -> None:
    made(api)
    other = made(api, value="ann@example.com")
    assert api.post("/filter-rules", {**BLOCK, "action": "allow"}, **DEV).status_code == 409
    assert api.patch(f"/filter-rules/{other['id']}", {"value": "bob@example.com"}).status_code == 409


def test_the_list_is_narrowed_by_its_filters(api: Api, inbox: Inbox) -> None:
    common, own = made(api), made(api, inbox_id=inbox.pk)
    sending, allowing = made(api, direction="send"), made(api, action="allow", value="ann@example.com")
    for query, expected in [
        ("", [allowing, sending, own, common]),
        ("?direction=send", [sending]),
        ("?action=allow", [allowing]),
        (f"?inbox_id={inbox.pk}", [own]),
        ("?direction=receive&action=block", [own, common]),
    ]:
        assert api.items(f"/filter-rules{query}", **DEV) == expected
    assert api.get("/filter-rules?direction=both", **DEV).status_code == 422


# --- What lets more mail out is an act of a person


def rule_by(world: World, actor: Any, **fields: Any) -> FilterRule:
    with inside(world.development):
        return create_rule(world.development, actor=actor, **{**BLOCK, "direction": "send", **fields})[0]


def test_a_key_may_not_touch_a_send_rule_that_a_person_set(acme: World) -> None:
    rule = rule_by(acme, PERSON)
    with inside(acme.development):
        with pytest.raises(PersonRequired):
            update_rule(rule, acme.development, {"value": "nobody@example.com"}, actor=KEY)
        with pytest.raises(PersonRequired):
            delete_rule(rule, acme.development, actor=KEY)
        delete_rule(rule, acme.development, actor=PERSON)


def test_a_key_may_add_blocks_to_a_persons_send_rules_and_no_allow(acme: World) -> None:
    rule_by(acme, PERSON)
    block = rule_by(acme, KEY, value="ann@example.com")
    with pytest.raises(PersonRequired):
        rule_by(acme, KEY, action="allow", value="carl@example.com")
    with inside(acme.development), pytest.raises(PersonRequired):
        update_rule(block, acme.development, {"action": "allow"}, actor=KEY)
    rule_by(acme, PERSON, action="allow", value="carl@example.com")


def test_a_rule_that_a_person_sets_again_is_a_persons(acme: World) -> None:
    rule = rule_by(acme, KEY)
    assert not rule.set_by_person
    assert rule_by(acme, PERSON).pk == rule.pk
    [rule] = acme.rows(FilterRule)
    assert rule.set_by_person


def test_a_key_owns_the_receive_rules_and_its_own_send_rules(acme: World) -> None:
    receiving, sending = rule_by(acme, PERSON, direction="receive"), rule_by(acme, KEY, value="ann@example.com")
    with inside(acme.development):
        for rule in (receiving, sending):
            delete_rule(rule, acme.development, actor=KEY)
    assert acme.rows(FilterRule) == []


def test_a_person_gets_the_opposite_rule_told_too(acme: World) -> None:
    rule_by(acme, KEY)
    with pytest.raises(Conflict):
        rule_by(acme, PERSON, action="allow")


# --- Asked about mail


def test_a_batch_of_mails_is_decided_each_for_its_inbox(acme: World, api: Api) -> None:
    guarded, picky, open_ = acme.inbox(), acme.inbox(), acme.inbox()
    made(api, value="bob@example.com", inbox_id=guarded.pk)
    made(api, action="allow", match_type="domain", value="partner.example", inbox_id=picky.pk)
    made(api, match_type="subdomain_wildcard", value="spam.example")
    made(api, direction="send", value="ann@example.com")
    mails = [
        (guarded.pk, ["bob@example.com"], True),
        (open_.pk, ["bob@example.com"], True),
        (picky.pk, ["bob@example.com"], True),
        (picky.pk, ["eve@partner.example"], False),
        (picky.pk, ["eve@partner.example"], True),
        (open_.pk, ["x@a.spam.example"], False),
        (open_.pk, ["ann@example.com"], False),
    ]
    with inside(acme.development):
        decisions = receive_decisions(acme.development, mails)
    assert [decision.allowed for decision in decisions] == [False, True, False, False, True, False, True]
    assert decisions[0].reason == "A filter rule of the inbox blocks bob@example.com."


def test_rules_of_another_environment_decide_nothing_here(acme: World, api: Api) -> None:
    inbox = acme.inbox(acme.production)
    made(api)
    made(api, action="allow", value="only@example.com")
    with inside(acme.production):
        [decision] = receive_decisions(acme.production, [(inbox.pk, ["bob@example.com"], True)])
    assert (decision.allowed, decision.rule_id) == (True, None)


def fill(world: World, count: int) -> None:
    with inside(world.development):
        FilterRule.objects.in_environment(world.development).bulk_create(
            FilterRule(environment=world.development, **{**BLOCK, "action": action, "value": f"{number}@example.com"})
            for number, action in zip(range(count), ["block", "allow"] * count, strict=False)
        )


def test_a_decision_costs_two_queries_and_reads_few_of_ten_thousand_rules(acme: World, inbox: Inbox) -> None:
    fill(acme, 10_000)
    for size in (1, 50):
        mails = [(inbox.pk, [f"{2 * number}@example.com"], True) for number in range(size)]
        with inside(acme.development), CaptureQueriesContext(connection) as queries:
            decisions = receive_decisions(acme.development, mails)
        assert [decision.allowed for decision in decisions] == [False] * size
        assert len(queries) == 2
    with inside(acme.development):
        plans = [explained(query["sql"]) for query in queries]
    assert [plan for plan in plans if "Seq Scan on inboxes_filterrule" in plan] == []


def explained(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


def test_nothing_is_asked_about_no_mail(acme: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert receive_decisions(acme.development, []) == []
    assert len(queries) == 0


def test_each_recipient_is_decided_alone(acme: World, api: Api, inbox: Inbox) -> None:
    made(api, direction="send", action="allow", match_type="domain", value="partner.example")
    made(api, direction="send", value="eve@partner.example")
    with inside(acme.development):
        decisions = send_decisions(acme.development, inbox.pk, ["ann@partner.example", "eve@partner.example", "x@y.z"])
    assert [decision.allowed for decision in decisions] == [True, False, False]


# --- Obeyed by what is sent


def test_a_blocked_recipient_is_rejected_and_the_others_get_the_mail(acme: World, api: Api, inbox: Inbox) -> None:
    made(api, direction="send")
    body = {"to": ["bob@example.com", "ann@example.com"], "bcc": ["carl@example.com"]}
    dry = api.post(f"/inboxes/{inbox.pk}/messages?dry_run=true", body).json()
    assert [(one["email"], one["status"]) for one in dry["recipients"]] == [
        ("bob@example.com", "rejected"),
        ("ann@example.com", "captured"),
        ("carl@example.com", "captured"),
    ]
    assert dry["recipients"][0]["explanation"] == "A filter rule of the environment blocks bob@example.com."
    sent = api.post(f"/inboxes/{inbox.pk}/messages", body)
    assert (sent.status_code, sent.json()["status"]) == (201, "captured")
    rows = {row.email: row.status for row in acme.rows(MessageRecipient)}
    assert rows == {"bob@example.com": "rejected", "ann@example.com": "captured", "carl@example.com": "captured"}
    [message] = acme.rows(Message)
    assert message.envelope_recipients == ["ann@example.com", "carl@example.com"]


def test_a_mail_that_may_reach_nobody_is_refused_and_not_stored(acme: World, api: Api, inbox: Inbox) -> None:
    made(api, direction="send", match_type="domain", value="example.com", inbox_id=inbox.pk)
    body = {"to": ["Bob@Example.com"], "cc": ["ann@example.com"]}
    answer = api.post(f"/inboxes/{inbox.pk}/messages", body)
    assert (answer.status_code, error_of(answer)["code"]) == (422, "recipient_blocked")
    assert [detail["field"] for detail in error_of(answer)["details"]] == ["to", "cc"]
    assert "A filter rule of the inbox blocks @example.com." in error_of(answer)["details"][0]["message"]
    assert acme.rows(Message) == []
    dry = api.post(f"/inboxes/{inbox.pk}/messages?dry_run=true", body)
    assert dry.status_code == 200
    assert {one["status"] for one in dry.json()["recipients"]} == {"rejected"}
