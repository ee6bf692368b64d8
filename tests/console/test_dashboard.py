"""The overviews: each figure agrees with the rows behind it, and no figure tells of another's environment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from environments import clock, gates
from environments.binding import inside
from environments.callers import SYSTEM
from environments.console.panels import Period, capped
from environments.ids import decode
from environments.models import Environment, User
from environments.services import usage
from environments.services.environments import create_environment
from environments.services.members import add_to_environment
from mail.models import Message, SendingWindow
from tests.console.house import House, member_of, message_fields
from webhooks.models import WebhookEndpoint

OVERVIEW, ORGANIZATION = "/console/", "/console/organization/"
STATUSES = ("received", "quarantined", "captured", "captured", "delivered", "bounced", "failed", "queued", "complained")


def fill(house: House, environment: Environment, statuses: tuple[str, ...] = STATUSES) -> None:
    """Let mail of each of these statuses lie in an environment, and be counted."""
    rows = house.rows[environment.slug]
    with inside(environment):
        for status in statuses:
            fields = message_fields(rows["inboxes.inbox"], rows["mail.thread"], rows["mail.blob"], status)  # type: ignore[arg-type]
            came = status in {"received", "quarantined"}
            fields |= {"status": status, "direction": "inbound" if came else "outbound"}
            Message.objects.in_environment(environment).create(environment=environment, **fields)
            counted = {"messages_in": int(came), "messages_out": int(not came)}
            usage.count(environment.pk, {**counted, "messages_captured": int(status == "captured"), "bytes_stored": 10})


@pytest.mark.parametrize("days", [1, 7, 30])
def test_each_figure_is_the_number_of_rows_that_it_leads_to(
    days: int, acme: House, signed_in: Callable[..., Client]
) -> None:
    fill(acme, acme.development)
    client = signed_in("environment_member")
    overview = client.get(OVERVIEW, {"days": days}).context
    webhooks = next(panel for panel in overview["panels"] if "links" in panel)
    shown = [*overview["tiles"], *webhooks["links"]]
    found = {tile.label: listed(client, tile.link) for tile in shown}
    assert found == {tile.label: int(tile.value) for tile in shown}
    assert (found["Received"], found["Captured"], found["Bounced"]) == (3, 2, 1)  # one was there already


def listed(client: Client, where: str) -> int:
    """Return how many rows a list shows, Django's or one of our own."""
    context = client.get(where).context
    return context["cl"].result_count if "cl" in context else len(context["page"].rows)


def test_what_is_older_than_the_period_is_not_in_it(acme: House) -> None:
    later = clock.now() + timedelta(days=3)
    assert Period(7, later).first("msg") < acme.here("mail.message").pk < Period(1, later).first("msg")


@pytest.mark.parametrize("first", ["msg_x", "x", "", "\0", "msg_" + "7" * 26])
def test_a_list_that_begins_nowhere_is_answered(first: str, acme: House, signed_in: Callable[..., Client]) -> None:
    assert signed_in("owner").get("/console/mail/message/", {"id__gte": first}).status_code in {200, 302}


@pytest.mark.parametrize("asked", ["", "0", "-1", "8", "x", "٣", "9" * 5000, "7; drop"])
def test_a_period_that_is_none_is_the_usual_one(asked: str, acme: House, signed_in: Callable[..., Client]) -> None:
    assert signed_in("owner").get(OVERVIEW, {"days": asked}).context["period"].days == 7


def test_beyond_a_thousand_it_is_told_that_there_are_more() -> None:
    assert [capped(number) for number in (0, 1000, 1001)] == ["0", "1,000", "1,000+"]


def test_no_figure_is_of_another_environment(walls: str, acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("owner")
    before = client.get(OVERVIEW).content.decode()
    fill(acme, acme.production)
    with inside(acme.production):
        WebhookEndpoint.objects.in_environment(acme.production).update(is_enabled=False)
    after = client.get(OVERVIEW).content.decode()
    assert without_tokens(after) == without_tokens(before)


def without_tokens(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if "csrf" not in line and "<time" not in line]


def test_an_overview_takes_as_many_queries_however_much_there_is(acme: House, signed_in: Callable[..., Client]) -> None:
    client = signed_in("environment_member")
    few = queries(client, OVERVIEW)
    fill(acme, acme.development, STATUSES * 3)
    with inside(acme.development):
        for number in range(5):
            WebhookEndpoint.objects.in_environment(acme.development).create(
                environment=acme.development, url=f"https://{number}.example/", events=["*"], secret="whsec_x"
            )
    assert queries(client, OVERVIEW) == few
    assert few <= 14


def queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_pauses_are_told_with_their_reasons(acme: House, signed_in: Callable[..., Client]) -> None:
    why = {"outbound": {"by": "person", "code": "requested", "explanation": "The relay is down."}}
    rows = Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk)
    rows.update(outbound_paused=True, pause_reasons=why)
    notes = {note.text: note.link for note in signed_in("environment_member").get(OVERVIEW).context["notes"]}
    assert "Outbound mail is paused by a person: The relay is down." in notes
    assert notes["1 draft waits for approval."] == "/console/approvals/"


def test_quotas_are_shown_with_what_is_used_of_them(acme: House, signed_in: Callable[..., Client]) -> None:
    rows = Environment.objects.in_organization(acme.organization).filter(pk=acme.development.pk)
    rows.update(hourly_sending_quota=10, daily_sending_quota=0)
    panels = signed_in("owner").get(OVERVIEW).context["panels"]
    [quotas] = [panel["quotas"] for panel in panels if "quotas" in panel]
    assert [(quota["used"], quota["most"], quota["tone"]) for quota in quotas] == [(0, 10, ""), (0, 0, "danger")]


@pytest.mark.parametrize(("role", "leads"), [("owner", True), ("environment_member", False)])
def test_an_empty_environment_tells_what_to_do_next(
    role: str, leads: bool, acme: House, signed_in: Callable[..., Client]
) -> None:
    empty, _ = create_environment(acme.organization, "Empty", actor=SYSTEM)
    if role == "environment_member":
        add_to_environment(empty, member_of(acme, role), "member", actor=SYSTEM)
    client = signed_in(role)
    client.get(OVERVIEW, {"environment": empty.pk})
    steps = client.get(OVERVIEW).context["steps"]
    assert [step.title for step in steps if not step.is_done][:2] == ["Create an inbox", "Create an API key"]
    assert all(bool(step.link) == leads for step in steps if step.action)


# --- The organization ---


def environments_on(client: Client, **asked: Any) -> list[str]:
    return [row["environment"].slug for row in client.get(ORGANIZATION, asked).context["rows"]]


@pytest.mark.parametrize(
    ("role", "slugs"),
    [
        ("owner", ["development", "production"]),
        ("admin", ["development", "production"]),
        ("operator", ["development", "production"]),
        ("environment_admin", ["development"]),
        ("environment_member", ["development"]),
    ],
)
def test_the_organization_shows_the_environments_that_the_person_reaches(
    role: str, slugs: list[str], acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    assert environments_on(signed_in(role)) == slugs


def test_the_figures_of_each_environment_stand_beside_it(acme: House, signed_in: Callable[..., Client]) -> None:
    fill(acme, acme.production)
    rows = {row["environment"].slug: row for row in signed_in("owner").get(ORGANIZATION).context["rows"]}
    shown = {
        slug: (row["received"], row["captured"], row["approvals"], row["quarantine"]) for slug, row in rows.items()
    }
    assert shown == {"development": (0, 0, 1, 0), "production": (2, 2, 1, 1)}
    assert rows["production"]["stored"] == 90


def test_tiles_lead_to_the_table_sorted_by_them_and_failing_webhooks_to_those_that_fail(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    with inside(acme.production):
        failing = WebhookEndpoint.objects.in_environment(acme.production)
        failing.update(consecutive_failures=3)
        WebhookEndpoint.objects.in_environment(acme.production).create(
            environment=acme.production, url="https://well.example/", events=["*"], secret="whsec_x"
        )
    client = signed_in("owner")
    page = client.get(ORGANIZATION)
    links = {tile.label: tile.link for tile in page.context["tiles"]}
    assert {
        client.get(ORGANIZATION + link.partition("#")[0]).status_code for link in links.values() if "?" in link
    } == {200}
    assert links["Failing webhooks"] == "?sort=failing#dashboard-environments"
    where = f"/console/webhooks/webhookendpoint/?environment={acme.production.pk}&state=failing"
    assert where.replace("&", "&amp;") in page.content.decode()
    shown = client.get(where, follow=True).context["page"].rows
    assert [endpoint.url for endpoint in shown] == [acme.there("webhooks.webhookendpoint").url]


def test_the_organization_shows_score_quota_and_mail_over_time(acme: House, signed_in: Callable[..., Client]) -> None:
    fill(acme, acme.production)
    rows = Environment.objects.in_organization(acme.organization).filter(pk=acme.production.pk)
    rows.update(daily_sending_quota=10)
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with inside(acme.production):
        usage.count(acme.production.pk, {"messages_sent": 40, "messages_delivered": 38, "messages_bounced": 2})
        SendingWindow.objects.in_environment(acme.production).filter(kind="environment").delete()
        SendingWindow.objects.in_environment(acme.production).create(
            environment=acme.production, kind="environment", subject=acme.production.pk, period="day", start=today,
            count=4, most=10,
        )  # fmt: skip
    context = signed_in("owner").get(ORGANIZATION, {"days": "30"}).context
    row = {row["environment"].slug: row for row in context["rows"]}["production"]
    assert (row["standing"].score, row["quota_percent"]) == (75.0, 40)
    assert {one["label"]: sum(one["values"]) for one in context["panel"]["chart"]["series"]}["Received"] == 2
    assert len(context["panel"]["chart"]["labels"]) == 30


@pytest.mark.parametrize(
    "asked",
    [
        {"sort": "nonsense"},
        {"sort": "score", "days": "30"},
        {"sort": "quota", "days": "1"},
        {"days": "x"},
        {"sort": "received", "p": "x"},
        {"p": "99999999999999999999"},
        {"q": "\0"},
        {"q": "' OR 1=1"},
        {"q": "x" * 5000},
    ],
)
def test_bad_questions_are_answered(asked: dict[str, str], acme: House, signed_in: Callable[..., Client]) -> None:
    assert signed_in("owner").get(ORGANIZATION, asked).status_code == 200


def test_environments_are_found_by_name_and_sorted_by_figures(acme: House, signed_in: Callable[..., Client]) -> None:
    fill(acme, acme.production)
    client = signed_in("owner")
    assert environments_on(client, sort="received") == ["production", "development"]
    assert environments_on(client, q="develop") == ["development"]


def test_an_organization_takes_as_many_queries_however_many_environments(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    few = queries(client, ORGANIZATION)
    for number in range(30):
        create_environment(acme.organization, f"Tenant {number}", actor=SYSTEM)
    assert queries(client, ORGANIZATION) == few
    assert few <= 14


@pytest.mark.parametrize(
    ("role", "reached"),
    [
        ("owner", {"development", "production"}),
        ("operator", {"development", "production", "theirs"}),
        ("environment_member", {"development"}),
        ("stranger", set()),
    ],
)
def test_gates_answer_for_what_the_person_reaches_whatever_they_are_asked(
    role: str, reached: set[str], acme: House, globex: House
) -> None:
    for house in (acme, globex):
        fill(house, house.production)
        fill(house, house.development)
    named = {"development": acme.development, "production": acme.production, "theirs": globex.production}
    assert answered(acme.people[role], named) == reached


def test_gates_answer_nobody_who_may_not_sign_in(acme: House) -> None:
    fill(acme, acme.development)
    owner = acme.people["owner"]
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert answered(owner, {"development": acme.development}) == set()


def answered(person: User, named: dict[str, Environment]) -> set[str]:
    """Return the environments that every gate for figures tells of; all of them must tell of the same ones."""
    ids = {name: decode("env", environment.pk) for name, environment in named.items()}
    week = clock.now() - timedelta(days=7)
    asked = [
        gates.ask("usage_in", person.pk, list(ids.values()), week),
        gates.ask("usage_by_day_in", person.pk, list(ids.values()), week),
        gates.ask("bytes_stored_in", person.pk, list(ids.values())),
        gates.ask("mail_waiting_in", person.pk, list(ids.values()), 1000),
        gates.ask("webhooks_waiting_in", person.pk, list(ids.values()), 1000),
    ]
    told_of = [{name for name, one in ids.items() if one in {row[0] for row in rows}} for rows in asked]
    assert all(these == told_of[0] for these in told_of)
    return told_of[0]
