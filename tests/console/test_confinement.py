"""What a page shows is of its own environment: lists, pages, choices, filters, searches, histories and actions."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.test import Client

from environments import walls as wall_two
from environments.console.site import site
from environments.ids import new_id
from environments.models import Environment
from tests.console.factors import proven
from tests.console.house import House
from tests.console.pages import address, answer, page

OF_AN_ENVIRONMENT = [
    "inboxes.domain",
    "inboxes.filterrule",
    "inboxes.signingkey",
    "inboxes.inbox",
    "inboxes.suppression",
    "mail.attachment",
    "mail.awaitedmessage",
    "mail.blob",
    "mail.draft",
    "mail.draftfile",
    "mail.draftversion",
    "mail.handover",
    "mail.intakeentry",
    "mail.message",
    "mail.messagelabel",
    "mail.messagerecipient",
    "mail.recipienthour",
    "mail.searchentry",
    "mail.sendingwindow",
    "mail.step",
    "mail.thread",
    "mail.threadlabel",
    "mail.transport",
    "mail.upload",
    "webhooks.deliveryattempt",
    "webhooks.event",
    "webhooks.webhookdelivery",
    "webhooks.webhookendpoint",
    "environments.export",
    "environments.usagehour",
    "apikeys.idempotencyrecord",
]
OF_AN_ORGANIZATION = [
    "apikeys.apikey",
    "apikeys.apikeyenvironment",
    "apikeys.keywindow",
    "apikeys.streamticket",
    "environments.auditentry",
    "environments.environment",
    "environments.environmentmembership",
    "environments.invitation",
    "environments.member",
]


def test_every_model_behind_the_walls_is_in_these_tables() -> None:
    assert {model._meta.label_lower for model in wall_two.environment_owned()} == set(OF_AN_ENVIRONMENT)
    assert {model._meta.label_lower for model in wall_two.organization_owned()} == set(OF_AN_ORGANIZATION)


@pytest.mark.parametrize("role", ["owner", "operator"])
def test_a_row_of_another_environment_is_answered_like_one_that_does_not_exist(
    walls: str, role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(role)
    differing = [
        (label, what)
        for label in OF_AN_ENVIRONMENT
        for what in pages_of(label)
        if answers(client, acme.there(label).pk, label, what) != answers(client, missing(label, acme), label, what)
    ]
    assert differing == []


@pytest.mark.parametrize("role", ["owner", "environment_admin", "environment_member"])
def test_a_row_of_another_organization_is_answered_like_one_that_does_not_exist(
    walls: str, role: str, acme: House, globex: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(role)
    differing = [
        (label, what)
        for label in [*OF_AN_ORGANIZATION, "environments.organization"]
        for what in pages_of(label)
        if answers(client, globex.here(label).pk, label, what) != answers(client, missing(label, acme), label, what)
    ]
    assert differing == []


@pytest.mark.parametrize("role", ["environment_admin", "environment_member"])
def test_a_row_about_another_environment_is_answered_like_one_that_does_not_exist(
    role: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(role)
    about = [label for label in OF_AN_ORGANIZATION if label != "environments.auditentry"]
    differing = [
        (label, what)
        for label in about
        for what in pages_of(label)
        if answers(client, acme.there(label).pk, label, what) != answers(client, missing(label, acme), label, what)
    ]
    assert differing == []


def pages_of(label: str) -> list[str]:
    """Return every page that a row of this model has."""
    admin = site.get_model_admin(apps.get_model(label))
    actions = [getattr(admin, name).url_path for name in admin.actions_detail]
    return ["change", "delete", "history", *actions, *getattr(admin, "gives", ())]


def answers(client: Client, pk: object, label: str, what: str) -> list[tuple]:
    """Return what reading and writing at this address is answered, the id itself left out."""
    where = address(label, str(pk), what)
    return [answer(response, leave_out=f"/{pk}/") for response in (client.get(where), client.post(where))]


def missing(label: str, house: House) -> object:
    """Return an id of the right form that no row has."""
    row = house.here(label)
    return new_id(row._meta.pk.prefix) if hasattr(row._meta.pk, "prefix") else 2**31 - 1


@pytest.mark.parametrize("label", ["mail.message", "environments.environment"])
def test_an_id_that_is_none_is_answered_like_one_that_does_not_exist(
    label: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    assert answers(client, "nonsense", label, "change") == answers(client, missing(label, acme), label, "change")


@pytest.mark.parametrize("label", OF_AN_ENVIRONMENT)
def test_a_list_shows_its_own_environment_only(
    walls: str, label: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    shown = signed_in("operator").get(address(label)).content.decode()
    assert (page(acme.here(label)) in shown, page(acme.there(label)) in shown) == (True, False)


def test_a_search_finds_in_its_own_environment_only(walls: str, acme: House, signed_in: Callable[..., Client]) -> None:
    shown = signed_in("owner").get(address("mail.message"), {"q": "Words"}).content.decode()
    assert ("Words of acme-development" in shown, "Words of acme-production" in shown) == (True, False)


@pytest.mark.parametrize("action", ["add_labels", "remove_labels", "release_selected", "discard_selected"])
def test_what_is_done_to_many_is_done_to_nothing_of_another_environment(
    walls: str, action: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, theirs = signed_in("owner"), acme.there("mail.message")
    label = "label-acme-production"
    set_status(acme.production, "quarantined")
    where = f"{address('mail.message')}?status__exact=quarantined"
    answers = [
        answer(client.post(where, {"action": action, "_selected_action": pk, "index": "0", "labels": label}))
        for pk in (theirs.pk, missing("mail.message", acme))
    ]
    assert answers[0] == answers[1]
    assert labels_in(acme.production) == {label}
    assert set_status(acme.production, "quarantined") == 1


def set_status(environment: Environment, status: str) -> int:
    from environments.binding import inside
    from mail.models import Message

    with inside(environment):
        return Message.objects.in_environment(environment).update(status=status)


@pytest.mark.parametrize("query", ["label", "thread__id__exact", "q", "id__exact"])
def test_a_list_narrowed_by_what_is_elsewhere_says_nothing(
    walls: str, query: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    theirs = {
        "label": "label-acme-production",
        "thread__id__exact": acme.there("mail.thread").pk,
        "id__exact": acme.there("mail.message").pk,
        "q": "label:label-acme-production",
    }[query]
    nobodys = {"label": "label-of-nobody", "q": "label:label-of-nobody"}.get(query) or new_id(theirs[:3])
    shown = [
        without_token(client.get(address("mail.message"), {query: value}).content.decode()).replace(quote(value), "")
        for value in (theirs, nobodys)
    ]
    assert shown[0].replace(theirs, "") == shown[1].replace(nobodys, "")


def test_a_conversation_begins_at_no_message_of_another_environment(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client, thread = signed_in("owner"), page(acme.here("mail.thread"))
    assert b"Words of acme-production" not in client.get(thread, {"after": acme.there("mail.message").pk}).content


def test_autocompletion_offers_its_own_environment_only(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    asked = {"app_label": "mail", "model_name": "messagelabel", "field_name": "message", "term": "Words"}
    offered = signed_in("owner").get("/console/autocomplete/", asked).json()["results"]
    assert offered == [{"id": acme.here("mail.message").pk, "text": "Words of acme-development"}]


def test_autocompletion_asks_for_the_right_to_view(acme: House, signed_in: Callable[..., Client]) -> None:
    asked = {"app_label": "apikeys", "model_name": "apikeyenvironment", "field_name": "key", "term": "key"}
    client = signed_in("environment_member")
    assert client.get("/console/autocomplete/", asked).status_code == 403


def test_filters_offer_choices_of_their_own_environment_only(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    shown = signed_in("owner").get(address("mail.message")).content.decode()
    assert ("support@acme-development.example" in shown, "support@acme-production.example" in shown) == (True, False)


def test_filtering_by_a_foreign_row_finds_nothing_and_says_nothing(
    walls: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    client = signed_in("owner")
    client.post(address("inboxes.inbox", "add"), {"username": "sales"}, follow=True)  # one choice makes no filter
    foreign, absent = acme.there("inboxes.inbox").pk, new_id("inb")
    shown = [
        client.get(address("mail.message"), {"inbox__id__exact": pk}).content.decode().replace(pk, "")
        for pk in (foreign, absent)
    ]
    assert without_token(shown[0]) == without_token(shown[1])
    assert "Words of" not in shown[0]


def without_token(shown: str) -> str:
    return "".join(line for line in shown.splitlines() if "csrfmiddlewaretoken" not in line)


@pytest.mark.parametrize("pk", ["foreign", "missing"])
def test_a_form_takes_no_reference_to_another_environment(
    walls: str, pk: str, acme: House, signed_in: Callable[..., Client]
) -> None:
    message = acme.there("mail.message").pk if pk == "foreign" else new_id("msg")
    given = {"label": "urgent", "message": message}
    response = signed_in("owner").post(address("mail.messagelabel", "add"), given)
    assert "That choice is not one of the available choices" in response.content.decode()


def test_a_form_cannot_choose_its_environment(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"label": "urgent", "message": acme.here("mail.message").pk, "environment": acme.production.pk}
    signed_in("owner").post(address("mail.messagelabel", "add"), given)
    assert labels_in(acme.development) == {"label-acme-development", "urgent"}
    assert labels_in(acme.production) == {"label-acme-production"}


def labels_in(environment: Environment) -> set[str]:
    from environments.binding import inside
    from mail.models import MessageLabel

    with inside(environment):
        return set(MessageLabel.objects.in_environment(environment).values_list("label", flat=True))


def test_a_label_that_is_there_already_is_told_on_the_form(acme: House, signed_in: Callable[..., Client]) -> None:
    given = {"label": "label-acme-development", "message": acme.here("mail.message").pk}
    response = signed_in("owner").post(address("mail.messagelabel", "add"), given)
    assert "already exists" in response.content.decode()


def test_an_action_on_a_selected_row_that_is_none_changes_nothing(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    given = {"action": "delete_selected", "_selected_action": "nonsense", "index": "0", "post": "yes"}
    response = signed_in("owner").post(address("inboxes.inbox"), given)
    assert response.status_code == 200
    assert signed_in("owner").get(page(acme.here("inboxes.inbox"))).status_code == 200


def test_history_tells_what_happened_to_the_row(acme: House, signed_in: Callable[..., Client]) -> None:
    client = proven(signed_in("owner"))
    client.post(page(acme.development, "delivery-mode"), {"mode": "allowlist", "reason": "A pilot with five people"})
    history = client.get(page(acme.development, "history")).content.decode()
    assert ("environment.delivery_mode_changed" in history, "A pilot with five people" in history) == (True, True)


def test_nothing_is_written_to_djangos_own_log(acme: House, signed_in: Callable[..., Client]) -> None:
    signed_in("owner").post(page(acme.here("inboxes.inbox")), {"display_name": "Support"})
    assert not LogEntry.objects.exists()


def test_an_admin_of_one_environment_reads_only_its_part_of_the_audit_log(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    owner = proven(signed_in("owner"))
    for environment in (acme.development, acme.production):
        owner.get("/console/", {"environment": environment.pk})
        owner.post(page(environment, "delivery-mode"), {"mode": "allowlist", "reason": f"Why {environment.slug}"})
    shown = signed_in("environment_admin").get(address("environments.auditentry")).content.decode()
    assert (acme.development.pk in shown, acme.production.pk in shown) == (True, False)


def test_an_admin_of_one_environment_sees_no_key_that_reaches_further(
    acme: House, signed_in: Callable[..., Client]
) -> None:
    from apikeys.services import create_key
    from environments.callers import SYSTEM

    create_key(acme.organization.pk, "wide key", actor=SYSTEM)
    create_key(acme.organization.pk, "double key", actor=SYSTEM, environments=[acme.development, acme.production])
    shown = signed_in("environment_admin").get(address("apikeys.apikey")).content.decode()
    assert [name in shown for name in ("key of development", "key of production", "wide key", "double key")] == [
        True, False, False, False,
    ]  # fmt: skip
