"""What is around every page: where one is, how one gets elsewhere, and what waits."""

from collections.abc import Callable

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from environments.binding import inside
from environments.callers import SYSTEM
from environments.console.navigation import MAIN
from environments.console.site import site
from environments.console.staying import same_page
from environments.models import Environment
from environments.services.environments import create_environment
from environments.services.members import add_to_environment
from mail.models import Draft, Message
from tests.console.house import House, member_of
from tests.console.pages import address, page

MESSAGES = address("mail.message")
PAGES = [  # where one was, and where one is after a switch
    ("/console/", "", "/console/"),
    ("/console/organization/", "q=acme", "/console/organization/?q=acme"),
    (MESSAGES, "", MESSAGES),
    (MESSAGES, "status__exact=captured&p=3", f"{MESSAGES}?status__exact=captured"),
    (MESSAGES, "inbox__id__exact=inb_01J00000000000000000000000&q=x", f"{MESSAGES}?q=x"),
    (MESSAGES, "environment=production", MESSAGES),
    (address("inboxes.inbox", "add"), "", address("inboxes.inbox")),
    (address("mail.message", "msg_01J00000000000000000000000", "change"), "", MESSAGES),
    (address("mail.message", "msg_01J00000000000000000000000", "history"), "", MESSAGES),
    (address("mail.draft", "drf_01J00000000000000000000000", "reject"), "", address("mail.draft")),
    ("/console/nowhere/", "", "/console/"),
    ("/healthz", "", "/console/"),
]


@pytest.mark.parametrize(("path", "query", "there"), PAGES)
def test_a_list_stays_the_list_and_a_row_leads_to_its_list(path: str, query: str, there: str) -> None:
    assert same_page(resolve(path), QueryDict(query)) == there


def test_every_entry_of_the_navigation_leads_to_a_model_that_has_pages_and_has_a_key_of_its_own() -> None:
    entries = [entry for _, group in MAIN for entry in group]
    labels = {model._meta.label_lower for model in site._registry}
    assert {entry.model for entry in entries if entry.model} <= labels
    keys = [entry.key for entry in entries if entry.key]
    assert len(keys) == len(set(keys))
    assert not {"v", "g"} & set(keys)


def test_a_switch_leads_to_the_same_list(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"environment": acme.production.pk, "next": f"{MESSAGES}?status__exact=captured"}
    assert signed_in("owner").post("/console/environment/", given)["Location"] == f"{MESSAGES}?status__exact=captured"


@pytest.mark.parametrize("name", ["https://evil.example/", "//evil.example/", "/api/v1/me", "\0", "?", "x" * 9000])
def test_a_switch_leads_nowhere_but_into_the_console(name: str, acme: House, signed_in: Callable[..., Client]) -> None:
    response = signed_in("owner").post("/console/environment/", {"environment": acme.production.pk, "next": name})
    assert response["Location"] == "/console/"


def test_a_switch_leads_to_the_overview_where_the_list_is_for_others(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    add_to_environment(acme.production, member_of(acme, "environment_admin"), "member", actor=SYSTEM)
    given = {"environment": acme.production.pk, "next": address("apikeys.apikey")}
    assert signed_in("environment_admin").post("/console/environment/", given)["Location"] == "/console/"


def test_live_is_told_by_word_colour_title_and_icon(acme: House, signed_in: Callable[..., Client]) -> None:
    Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk).update(delivery_mode="live")
    shown = signed_in("owner").get(MESSAGES).content.decode()
    for sign in ("<title>● live · ", "favicon-live.svg", "console-in-live", "console-mode-live"):
        assert sign in shown, sign


def test_pauses_are_told_on_every_page(acme: House, signed_in: Callable[..., Client]) -> None:
    Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk).update(inbound_paused=True)
    assert "inbound paused" in signed_in("environment_member").get(MESSAGES).content.decode()


def test_the_navigation_counts_what_waits_here_and_not_elsewhere(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    with inside(acme.development):
        Message.objects.in_environment(acme.development).update(status="quarantined")
    with inside(acme.production):
        Draft.objects.in_environment(acme.production).update(state="draft")
    client = signed_in("environment_member")
    assert badges(client) == {"Approvals": "1", "Quarantine": "1"}
    with inside(acme.development):
        Draft.objects.in_environment(acme.development).update(state="rejected")
        Message.objects.in_environment(acme.development).update(status="received")
    assert badges(client) == {}


def badges(client: Client) -> dict[str, str]:
    groups = client.get(MESSAGES).context["sidebar_navigation"]
    return {item["title"]: item["badge"] for group in groups for item in group["items"] if item["badge"]}


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/console/", "Overview"),
        (MESSAGES, "Messages"),
        (f"{MESSAGES}?status__exact=quarantined", "Quarantine"),
        (f"{MESSAGES}?status__exact=captured", "Captured"),
        (address("mail.step"), "Steps"),
        ("/console/organization/", "Overview of all"),
        ("/console/environments/environment/", "Environments"),
    ],
)
def test_one_entry_of_the_navigation_is_the_present_one(
    path: str, title: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    groups = signed_in("owner").get(path).context["sidebar_navigation"]
    assert [item["title"] for group in groups for item in group["items"] if item["active"]] == [title]


@pytest.mark.parametrize("spelt", [str, quote])
@pytest.mark.parametrize("what", ["change", "delivery-mode", "history"])
def test_the_page_of_the_environment_is_its_settings(
    what: str, spelt: Callable[[str], str], acme: House, signed_in: Callable[..., Client]
) -> None:
    where = address("environments.environment", spelt(acme.development.pk), what)
    groups = signed_in("owner").get(where).context["sidebar_navigation"]
    assert [item["title"] for group in groups for item in group["items"] if item["active"]] == ["Settings"]


def test_two_hundred_environments_cost_no_query_more(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    few = queries(client, MESSAGES)
    for number in range(20):
        create_environment(acme.organization, f"Tenant {number}", actor=SYSTEM)
    assert queries(client, MESSAGES) == few
    assert few <= 14
    assert client.get(MESSAGES).content.decode().count('name="environment" value="env_') == 22


def queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_a_new_environment_is_where_one_stands_next(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    assert "starts in capture" in client.get(address("environments.environment", "add")).content.decode()
    response = client.post(address("environments.environment", "add"), {"name": "Customer Hooli"}, follow=True)
    assert response.context["console"].environment.name == "Customer Hooli"
    assert next(step.title for step in response.context["steps"] if not step.is_done) == "Create an inbox"


def test_an_app_is_no_place(acme: House, signed_in: Callable[..., Client]) -> None:
    assert signed_in("owner").get("/console/mail/")["Location"] == "/console/"


def test_what_was_done_to_a_row_is_told_with_links(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    client.post(page(acme.here("inboxes.inbox")), {"display_name": "Sales"})
    shown = client.get(page(acme.here("inboxes.inbox"), "history"))
    assert "inbox.updated" in shown.content.decode()
