"""Jobs and commands: each, run for one environment, leaves the others alone; each that nobody probed is named."""

import inspect
from argparse import Action
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command, load_command_class
from django.core.management.base import CommandError

from agentpost_site.isolation.digests import Marks, digest_of
from agentpost_site.isolation.discovery import commands, tasks
from agentpost_site.isolation.findings import Area, changed
from agentpost_site.isolation.world import Place, World, forget_rates, leave_ticket
from apikeys.models import ApiKey, IdempotencyRecord, KeyWindow, RateWindow
from environments import clock
from environments.binding import inside
from environments.ids import decode, first_at, new_id
from environments.models import Environment, Export, Invitation, Member
from environments.services import usage
from inboxes.models import Domain, Inbox
from mail.models import Draft, IntakeEntry, Message, RecipientHour, SendingWindow, Upload
from mail.services import search
from webhooks.models import Event, WebhookDelivery, WebhookEndpoint

SEEN_ELSEWHERE = {  # commands that are no single act on one environment, and what asks about them instead
    "smtpd": "its calls resolve, receive and admit are asked in “Reception”, “Threads” and “Submission”",
    "deliver": "its claims and requests are asked in “Deliveries”",
    "send_mail": "its claims, decisions and parcels are asked in “Departures”",
    "procrastinate": "its worker runs the jobs, which are asked in “Jobs”",
    "serve": "starts the other processes and touches no row itself",
    "first_run": "creates an organization of its own through the services that the other commands call",
    "demo": "talks to a running instance over its sockets, with keys",
    "export_environment": "its archive is read in “Whole environments”",
    "clone_environment": "reads two environments of one organization; asked in “Whole environments”",
    "import_environment": "an archive of ours is imported beside it in “Whole environments”",
    "erase_environment": "a third environment is erased in “Whole environments”",
    "rotate_secrets": "seals every secret anew where it lies; it copies none, and names no row of anybody's",
    "backup": "copies everything there is, for whoever holds the machine; it answers nobody else",
    "restore": "fills an empty database, and refuses any other",
    "copy_objects": "copies objects under the keys that they have; it reads and names no row",
    "verify_objects": "counts the objects of all environments, for whoever holds the machine",
    "web": "starts the web process and touches no row itself",
    "verify_isolation": "is this command; it works in a database of its own",
}
LEFT_OUT = {
    "again",
    "daily_sending_quota",
    "description",
    "domain",
    "email",
    "environment_role",
    "hourly_sending_quota",
    "lock",
    "message_retention_days",
    "remove_second_factor",
    "slug",
    "trusted",
    "unlock",
}  # unless NEEDED says otherwise
EXAMPLES: Mapping[str, Any] = {
    "config": '{"host": "relay.example.com"}',
    "expires_at": "2100-01-01T00:00:00Z",
    "kind": "smtp",
    "allow": "probed.example",
    "mode": "capture",
    "name": "Probed",
    "owner": "owner@probed.example",
    "reason": "probed",
    "redirect_to": "probed@probed.example",
    "role": "member",
    "scopes": "messages:read",
    "username": "probed",
}
OF_THE_PLACE: Mapping[str, Callable[[Place], str]] = {
    "by": lambda place: f"owner@{place.organization.slug}.example",
    "environment": lambda place: place.environment.slug,
    "organization": lambda place: place.organization.slug,
}
NEEDED: Mapping[tuple[str, str], str] = {
    ("add_domain", "domain"): "probed.example",
    ("add_member", "email"): "probed@probed.example",
    ("reset_password", "email"): "probed@probed.example",  # whom add_member made
}
SHARED = {  # by every command of Django's
    "force_color",
    "help",
    "no_color",
    "pythonpath",
    "settings",
    "skip_checks",
    "traceback",
    "verbosity",
    "version",
}
KNOWN = {"as_json", *LEFT_OUT, *EXAMPLES, *OF_THE_PLACE}


def probe_jobs(world: World) -> Area:
    """Run every job while only ours has anything due; demand that the others stay as they are."""
    area, others = Area("Jobs"), (world.theirs, world.stranger)
    for place, days in ((world.ours, 365), (world.theirs, 1000), (world.stranger, None)):
        _keep_mail(place, days)
        with inside(place.environment):
            _leave_old_mail(place)
    for name, task in tasks().items():
        takes = frozenset(inspect.signature(task.func).parameters)
        if takes not in JOB_ARGUMENTS:
            area.miss(f"{name}: takes {', '.join(sorted(takes))}, and nobody knows what that names")
            continue
        for arguments in JOB_ARGUMENTS[takes](world):
            _have_something_due(world.ours)
            before = {place.name: digest_of(place) for place in others}
            task.func(**arguments)
            for place in others:
                area.demand(f"{name} and {place.name}", changed(before[place.name], digest_of(place)))
    return area


def _moments(_: World) -> list[dict[str, Any]]:
    return [{"timestamp": int(clock.now().timestamp())}]


def _messages(world: World) -> list[dict[str, Any]]:
    """Return each message of ours that carries a file, and one that is not there."""
    with inside(world.ours.environment):
        rows = Message.objects.in_environment(world.ours.environment).filter(has_attachments=True)
        ours = list(rows.values_list("pk", flat=True))
    return [{"message_id": identifier} for identifier in [*ours, new_id("msg")]]


def _domains(world: World) -> list[dict[str, Any]]:
    """Return each domain of ours, and one that is not there."""
    with inside(world.ours.environment):
        rows = Domain.objects.in_environment(world.ours.environment)
        ours = list(rows.values_list("pk", flat=True))
    return [{"domain_id": identifier} for identifier in [*ours, new_id("dom")]]


def _notices(world: World) -> list[dict[str, Any]]:
    """Return each member of our organization, one of another as if of ours, and one that is not there."""
    ours = world.ours.organization
    members = [*Member.objects.in_organization(ours).values_list("pk", flat=True)]
    foreign = Member.objects.in_organization(world.stranger.organization).values_list("pk", flat=True)[:1]
    told = {"notice": "webhook_endpoint_disabled", "facts": {"endpoint_id": new_id("whe")}}
    return [{"organization_id": ours.pk, "member_id": member, **told} for member in [*members, *foreign, new_id("mem")]]


def _chains(world: World) -> list[dict[str, Any]]:
    """Return our organization's chain, and one that is not there."""
    asker = {"kind": "member", "id": "", "name": "a person", "address": None}
    return [{"organization_id": name, "asker": asker} for name in (world.ours.organization.pk, new_id("org"))]


def _people(world: World) -> list[dict[str, Any]]:
    """Return each person of ours, and nobody."""
    members = Member.objects.in_organization(world.ours.organization)
    return [{"user_id": user} for user in [*members.values_list("user", flat=True), 0]]


def _invitations(world: World) -> list[dict[str, Any]]:
    """Return each invitation of ours, one of another organization as if of ours, and one that is not there."""
    ours = world.ours.organization
    rows = [*Invitation.objects.in_organization(ours).values_list("pk", flat=True)]
    foreign = Invitation.objects.in_organization(world.stranger.organization).values_list("pk", flat=True)[:1]
    return [{"organization_id": ours.pk, "invitation_id": row} for row in [*rows, *foreign, new_id("inv")]]


def _exports(world: World) -> list[dict[str, Any]]:
    """Return exports of ours, of another as if of ours, and one that is not there."""
    ours = world.ours.environment.pk
    ids = [world.ours.first(Export), world.theirs.first(Export), world.stranger.first(Export), new_id("exp")]
    return [{"environment_id": ours, "export_id": export_id} for export_id in ids]


JOB_ARGUMENTS: Mapping[frozenset[str], Callable[[World], list[dict[str, Any]]]] = {  # what a job may take, and is given
    frozenset({"timestamp"}): _moments,
    frozenset({"message_id"}): _messages,
    frozenset({"domain_id"}): _domains,
    frozenset({"user_id"}): _people,
    frozenset({"organization_id", "invitation_id"}): _invitations,
    frozenset({"environment_id", "export_id"}): _exports,
    frozenset({"organization_id", "member_id", "notice", "facts"}): _notices,
    frozenset({"organization_id", "asker"}): _chains,
}


def _have_something_due(place: Place) -> None:
    """Leave work for chores in one place, and in no other."""
    forget_rates()
    past = clock.now() - timedelta(hours=1)
    RateWindow.objects.create(subject=decode("env", place.environment.pk), minute=past, calls=7)
    with inside(place.environment):
        IdempotencyRecord.objects.in_environment(place.environment).create(
            environment=place.environment, key=new_id("due"), fingerprint=bytes(32), expires_at=past
        )
        forgettable = clock.now() - timedelta(days=settings.AGENTPOST_INTAKE_DAYS + 1)
        IntakeEntry.objects.in_environment(place.environment).create(
            id=first_at("itk", forgettable),
            environment=place.environment,
            transaction_id=uuid4(),
            outcome=IntakeEntry.Outcome.REFUSED,
            stage=IntakeEntry.Stage.RCPT,
            reason="unknown_recipient",
        )
        drafts = Draft.objects.in_environment(place.environment).filter(state=Draft.State.PENDING_APPROVAL)
        drafts.update(due_at=past, expires_at=past)
        Upload.objects.in_environment(place.environment).create(
            environment=place.environment, filename="due", content_type="text/plain", size=1, expires_at=past
        )
        exports = Export.objects.in_environment(place.environment)
        exports.update(state=Export.State.READY)  # what the console's forms asked for
        exports.filter(pk=place.first(Export)).update(state=Export.State.WAITING)
        exports.create(environment=place.environment, state=Export.State.READY, expires_at=past)
        _leave_old_counts(place)
        _leave_an_old_event(place)
        _leave_old_mail(place)
        leave_ticket(place, past, member_id=place.first(Member))


def _leave_old_counts(place: Place) -> None:
    """Leave counts of a day that is over, of the environment, an inbox of it and a key that reaches it."""
    then, here = clock.now() - timedelta(days=4), place.environment
    counted: dict[str, Any] = {"period": "hour", "start": then, "count": 1, "most": 9}
    SendingWindow.objects.in_environment(here).create(
        id=first_at("swn", then), environment=here, kind="domain", subject="due.example", **counted
    )
    RecipientHour.objects.in_environment(here).create(
        id=first_at("rch", then),
        environment=here,
        inbox_id=place.first(Inbox),
        recipient="due@due.example",
        hour=then,
        fingerprints=[],
    )
    KeyWindow.objects.in_organization(place.organization).create(
        id=first_at("kwn", then), organization=place.organization, key_id=place.first(ApiKey), **counted
    )


def _leave_an_old_event(place: Place) -> None:
    """Leave an event whose time in the log is over, with a delivery that was made."""
    then, here = clock.now() - timedelta(days=400), place.environment
    event = Event.objects.in_environment(here).create(
        id=first_at("evt", then), environment=here, type="message.received", data={}, number=1, created_at=then
    )
    WebhookDelivery.objects.in_environment(here).create(
        environment=here,
        endpoint_id=place.first(WebhookEndpoint),
        event=event,
        state=WebhookDelivery.State.DELIVERED,
        next_attempt_at=None,
    )


def _leave_old_mail(place: Place) -> None:
    """Leave a mail and a draft of two years ago, like those that are there."""
    then, here = clock.now() - timedelta(days=730), place.environment
    message = Message.objects.in_environment(here).filter(status=Message.Status.RECEIVED).order_by("pk")[0]
    draft = Draft.objects.in_environment(here).filter(state=Draft.State.DRAFT).order_by("pk")[0]
    message.raw_sha256, draft.client_id = None, None  # there is one of each
    for row, prefix in ((message, "msg"), (draft, "drf")):
        row.pk, row.created_at, row.updated_at = first_at(prefix, then), then, then
        row._state.adding = True  # noqa: SLF001 - so that Django copies it
        row.save(force_insert=True)
    search.index(here, [message])
    usage.count(here.pk, {"bytes_stored": message.size + draft.size})  # which its deletion takes back


def _keep_mail(place: Place, days: int | None) -> None:
    rows = Environment.objects.in_organization(place.organization).filter(pk=place.environment.pk)
    rows.update(message_retention_days=days)


def probe_commands(world: World) -> Area:
    """Run every command for ours; demand that the others stay as they are, and that naming them across fails."""
    area = Area("Commands")
    for name, app in commands().items():
        if name in SEEN_ELSEWHERE:
            area.demand(f"{name}: {SEEN_ELSEWHERE[name]}")
            continue
        options = {action.dest: action for action in _actions(app, name)}
        gaps = sorted(options.keys() - KNOWN)
        for gap in gaps:
            area.miss(f"{name}: option {gap}")
        if gaps:  # what it would do is not known
            continue
        _run_for_ours(area, name, options, world)
        if {"environment", "organization"} <= options.keys():
            _run_across(area, name, options, world)
    return area


def _actions(app: str, name: str) -> Iterator[Action]:
    """Yield the options of a command that are its own."""
    command = load_command_class(app, name)
    shared = {*command.base_stealth_options, *SHARED}
    for action in command.create_parser("manage.py", name)._actions:  # noqa: SLF001 - argparse has no other list
        if action.dest not in shared:
            yield action


def _arguments(name: str, options: Mapping[str, Action], place: Place, **changed_: str) -> list[str]:
    given = {dest: EXAMPLES[dest] for dest in options if dest in EXAMPLES}
    given |= {dest: OF_THE_PLACE[dest](place) for dest in options if dest in OF_THE_PLACE}
    given |= {dest: value for (command, dest), value in NEEDED.items() if command == name}
    given |= changed_
    return [f"{options[dest].option_strings[-1]}={value}" for dest, value in given.items()]


def _run_for_ours(area: Area, name: str, options: Mapping[str, Action], world: World) -> None:
    others = (world.theirs, world.stranger)
    before = {place.name: digest_of(place) for place in others}
    marks = Marks(world.ours, others)
    try:
        told = _told(name, _arguments(name, options, world.ours))
    except CommandError as problem:
        area.miss(f"{name}: cannot be run for an environment: {problem}")
        return
    mark = marks.seen_in(told, ())
    area.demand(f"output of {name}", f"shows {mark}" if mark else "")
    for place in others:
        area.demand(f"{name} and {place.name}", changed(before[place.name], digest_of(place)))


def _run_across(area: Area, name: str, options: Mapping[str, Action], world: World) -> None:
    """Name the stranger's environment as one of our organization: it must be as unknown as one that is not there."""
    asked = (world.stranger.environment.pk, new_id("env"))
    refusals = [
        _refusal(name, _arguments(name, options, world.ours, environment=identifier), identifier)
        for identifier in asked
    ]
    area.demand(f"{name} across organizations", "" if len(set(refusals)) == 1 else " / ".join(refusals))


def _refusal(name: str, arguments: list[str], identifier: str) -> str:
    try:
        return f"carried out: {_told(name, arguments)}"
    except CommandError as problem:
        return str(problem).replace(identifier, "<asked>")


def _told(name: str, arguments: list[str]) -> str:
    out, err = StringIO(), StringIO()
    call_command(name, *arguments, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()
