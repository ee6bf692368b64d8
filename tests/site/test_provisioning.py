"""The commands that provision, on a real database."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, ManagementUtility, call_command
from django.db import connection, connections

from apikeys.authentication import caller_of, key_of
from apikeys.models import ApiKey
from environments.models import AuditEntry, Environment, Member, Organization, User

ROOT = Path(__file__).parents[2]
OWNER = "owner@acme.test"

pytestmark = pytest.mark.usefixtures("transactional_db")


def machine(command: str, *arguments: str) -> Any:
    """Return the one object that the command prints for machines."""
    output = StringIO()
    call_command(command, *arguments, "--json", stdout=output, stderr=StringIO())
    return json.loads(output.getvalue())


def readable(command: str, *arguments: str) -> str:
    output = StringIO()
    call_command(command, *arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


@pytest.fixture
def organization_named() -> Callable[[str], Organization]:
    def make(name: str) -> Organization:
        made = machine("create_organization", "--name", name, "--owner", f"owner@{name}.test")
        return Organization.objects.get(pk=made["organization"]["id"])

    return make


@pytest.fixture
def acme(organization_named: Callable[[str], Organization]) -> Organization:
    return organization_named("acme")


@pytest.fixture
def globex(organization_named: Callable[[str], Organization]) -> Organization:
    return organization_named("globex")


def production_of(organization: Organization) -> Environment:
    return Environment.objects.in_organization(organization).get(is_default=True)


def test_an_organization_comes_with_its_owner_and_a_default_environment_in_capture_mode() -> None:
    made = machine("create_organization", "--name", "Acme Corp", "--owner", "Owner@Acme.test")
    assert made.keys() == {"organization", "default_environment", "owner"}
    assert made["organization"]["slug"] == "acme-corp"
    environment, owner = made["default_environment"], made["owner"]
    assert (environment["is_default"], environment["delivery_mode"]) == (True, "capture")
    assert (owner["email"], owner["role"]) == (OWNER, "owner")


SUBDOMAIN = "acme.agentpost.localhost"
TWICE = {
    "organization": ("create_organization", "--name", "acme", "--owner", OWNER),
    "environment": ("create_environment", "--organization", "acme", "--name", "Staging", "--description", "Try it"),
    "days of mail": ("create_environment", "--organization", "acme", "--name", "A", "--message-retention-days", "30"),
    "inbox by username": ("create_inbox", "--environment", "production", "--username", "Support"),
    "inbox on a subdomain": ("create_inbox", "--environment", "production", "--username", "A", "--domain", SUBDOMAIN),
    "inbox by address": ("create_inbox", "--environment", "production", "--email", f"a@{SUBDOMAIN}", "--name", "A"),
    "member": ("add_member", "--organization", "acme", "--email", "ann@acme.test", "--role", "admin"),
    "place": ("add_member", "--organization", "acme", "--email", "bob@acme.test", "--environment", "production"),
    "domain": ("add_domain", "--environment", "production", "--domain", "acme.example"),
    "mode": ("set_delivery_mode", "--environment", "production", "--mode", "live", "--reason", "Go", "--by", OWNER),
}
every_command = pytest.mark.parametrize("command", TWICE.values(), ids=TWICE)


@pytest.mark.usefixtures("acme")
@every_command
def test_a_second_run_returns_what_the_first_one_made(command: tuple[str, ...]) -> None:
    first = machine(*command)
    assert machine(*command) == first


@pytest.mark.usefixtures("acme")
@every_command
def test_a_second_run_changes_nothing(command: tuple[str, ...]) -> None:
    machine(*command)
    entries = AuditEntry.everywhere.count()
    machine(*command)
    assert AuditEntry.everywhere.count() == entries


@pytest.mark.usefixtures("acme")
@every_command
def test_a_reader_gets_one_line(command: tuple[str, ...]) -> None:
    assert readable(*command).count("\n") == 1


def test_an_inbox_on_the_shared_domain_is_found_by_the_username_asked_for(acme: Organization) -> None:
    first = machine("create_inbox", "--environment", "production", "--username", "support")
    other = machine("create_inbox", "--environment", "production", "--username", "sales")
    assert first["client_id"] == "cli:support"
    assert first["username"].startswith("support-")
    assert first["id"] != other["id"]
    assert machine("create_inbox", "--environment", production_of(acme).pk, "--email", first["email"]) == first


@pytest.mark.usefixtures("acme")
def test_an_environment_is_made_with_the_days_that_mail_is_kept() -> None:
    assert machine(*TWICE["days of mail"])["message_retention_days"] == 30
    assert machine(*TWICE["environment"])["message_retention_days"] is None


@pytest.mark.usefixtures("acme")
def test_a_key_tells_its_secret_once() -> None:
    command = ("create_api_key", "--organization", "acme", "--name", "ci", "--scopes", "messages:read, inboxes:*")
    first = machine(*command, "--environment", "production")
    assert first["scopes"] == ["inboxes:read", "inboxes:write", "messages:read"]
    again, remark = StringIO(), StringIO()
    call_command(*command, "--json", stdout=again, stderr=remark)
    assert json.loads(again.getvalue()) == {name: value for name, value in first.items() if name != "key"}
    assert "its secret was told when it was created" in remark.getvalue()


def test_a_key_reaches_the_environments_it_was_given(acme: Organization) -> None:
    machine("create_environment", "--organization", "acme", "--name", "Staging")
    where = ("--environment", "staging", "--environment", production_of(acme).pk)
    narrow = machine("create_api_key", "--organization", "acme", "--name", "narrow", *where)
    wide = machine("create_api_key", "--organization", "acme", "--name", "wide", "--scopes", "*")
    assert caller_of(key_of(narrow["key"])).environment_ids == set(narrow["environment_ids"])
    assert len(narrow["environment_ids"]) == 2
    assert (narrow["scopes"], wide["environment_ids"]) == ([], None)


def test_a_revoked_key_gives_its_name_free(acme: Organization) -> None:
    command = ("create_api_key", "--organization", "acme", "--name", "ci")
    first = machine(*command)
    ApiKey.objects.in_organization(acme).update(revoked_at=acme.created_at)
    assert machine(*command)["key"] != first["key"]


def test_a_trusted_domain_is_verified_without_dns() -> None:
    machine("create_organization", "--name", "acme", "--owner", OWNER)
    command = ("add_domain", "--environment", "production", "--domain", "acme.example")
    assert machine(*command)["status"] == "pending"
    assert machine(*command, "--trusted")["status"] == "verified"


WHO_MAY_GO_LIVE = [  # who,         role,     place in the environment, allowed
    ("owner@acme.test", "", "", True),
    ("ann@acme.test", "admin", "", True),
    ("bob@acme.test", "member", "admin", True),
    ("cid@acme.test", "member", "member", False),
    ("dan@acme.test", "member", "", False),
    ("owner@globex.test", "", "", False),
    ("eve@nowhere.test", "", "", False),
]


@pytest.mark.usefixtures("globex")
@pytest.mark.parametrize(("email", "role", "place", "allowed"), WHO_MAY_GO_LIVE)
def test_who_may_let_mail_out(acme: Organization, email: str, role: str, place: str, *, allowed: bool) -> None:
    if role:
        where = ("--environment", "production", "--environment-role", place) if place else ()
        machine("add_member", "--organization", "acme", "--email", email, "--role", role, *where)
    command = ("set_delivery_mode", "--environment", "acme/production", "--mode", "live", "--reason", "Go")
    if allowed:
        machine(*command, "--by", email)
    else:
        with pytest.raises(CommandError, match="neither owner nor admin"):
            machine(*command, "--by", email)
    assert production_of(acme).is_live is allowed


def test_a_person_who_was_switched_off_lets_no_mail_out(acme: Organization) -> None:
    owner = Member.objects.in_organization(acme).select_related("user").get()
    owner.user.is_active = False
    owner.user.save()
    with pytest.raises(CommandError, match="neither owner nor admin"):
        machine(*TWICE["mode"])


def test_going_live_is_recorded_with_who_and_why(acme: Organization) -> None:
    machine(*TWICE["mode"])
    entry = AuditEntry.objects.in_organization(acme).get(action="environment.delivery_mode_changed")
    assert (entry.actor_kind, entry.actor_name, entry.reason) == ("member", OWNER, "Go")
    assert (entry.before, entry.after) == ({"delivery_mode": "capture"}, {"delivery_mode": "live"})


def test_going_live_says_what_is_missing_and_how_many_keys_it_leaves_behind(acme: Organization) -> None:
    machine("create_api_key", "--organization", "acme", "--name", "everywhere")
    machine("create_api_key", "--organization", "acme", "--name", "here", "--environment", "production")
    machine("create_environment", "--organization", "acme", "--name", "Staging")
    machine("create_api_key", "--organization", "acme", "--name", "elsewhere", "--environment", "staging")
    revoked = machine("create_api_key", "--organization", "acme", "--name", "revoked")
    ApiKey.objects.in_organization(acme).filter(pk=revoked["id"]).update(revoked_at=acme.created_at)
    remark = StringIO()
    call_command(*TWICE["mode"], stdout=StringIO(), stderr=remark)
    assert "Dev keys among those for it: 2. They do not reach it while it is live: make another.\n" in remark.getvalue()
    assert "It has no inbox yet" in remark.getvalue()


@pytest.mark.usefixtures("acme")
def test_a_mode_that_is_not_live_needs_no_remark() -> None:
    remark = StringIO()
    command = ("set_delivery_mode", "--environment", "production", "--mode", "capture", "--reason", "No", "--by", OWNER)
    call_command(*command, stdout=StringIO(), stderr=remark)
    assert remark.getvalue() == ""


def test_a_mode_comes_with_whom_it_lets_mail_out_to_and_with_a_lock(acme: Organization) -> None:
    command = ("set_delivery_mode", "--environment", "production", "--reason", "Testers", "--by", OWNER)
    redirected = (*command, "--mode", "redirect", "--redirect-to", "T@Acme.test", "--allow", "acme.test", "a@b.test")
    made = machine(*redirected, "--lock")
    assert (made["delivery_mode"], made["redirect_address"], made["allowlist"], made["is_locked"]) == (
        "redirect", "t@acme.test", ["a@b.test", "acme.test"], True,
    )  # fmt: skip
    assert machine(*redirected, "--lock") == made
    with pytest.raises(CommandError, match="locked"):
        machine(*command, "--mode", "live")
    with pytest.raises(CommandError, match="no operator"):
        machine(*command, "--mode", "capture", "--unlock")
    User.objects.create_superuser("root@acme.test")
    unlocked = machine(*command[:-1], "root@acme.test", "--mode", "capture", "--unlock")
    assert (unlocked["delivery_mode"], unlocked["is_locked"]) == ("capture", False)


def test_a_key_comes_with_quotas(acme: Organization) -> None:
    given = ("create_api_key", "--organization", "acme", "--name", "agent", "--daily-sending-quota")
    with pytest.raises(CommandError, match="daily_sending_quota"):
        machine(*given, "-1")
    made = machine(*given, "50")
    assert (made["daily_sending_quota"], made["hourly_sending_quota"]) == (50, None)


def test_a_key_ends_when_it_is_told_to(acme: Organization) -> None:
    given = ("create_api_key", "--organization", "acme", "--name", "agent", "--expires-at")
    with pytest.raises(CommandError, match="expires_at"):
        machine(*given, "tomorrow")
    assert machine(*given, "2100-01-01T01:00:00+01:00")["expires_at"] == "2100-01-01T00:00:00.000Z"


def test_an_environment_starts_in_another_mode_on_the_word_of_a_person(acme: Organization) -> None:
    command = ("create_environment", "--organization", "acme", "--name", "Live", "--mode", "live")
    assert machine(*command, "--reason", "Launch", "--by", OWNER)["delivery_mode"] == "live"
    assert AuditEntry.objects.in_organization(acme).filter(actor_kind="member", reason="Launch").count() == 1


def test_an_environment_is_not_left_behind_when_its_mode_is_refused(acme: Organization) -> None:
    command = ("create_environment", "--organization", "acme", "--name", "Live", "--mode", "live")
    with pytest.raises(CommandError, match="neither owner nor admin"):
        machine(*command, "--reason", "Launch", "--by", "eve@nowhere.test")
    assert Environment.objects.in_organization(acme).count() == 1


def test_an_environment_is_named_by_id_slug_or_organization_and_slug(acme: Organization, globex: Organization) -> None:
    ours = production_of(acme)
    ways = [
        ("--environment", ours.pk),
        ("--environment", "acme/production"),
        ("--environment", f"{acme.pk}/{ours.pk}"),
        ("--environment", "production", "--organization", "acme"),
        ("--environment", ours.pk, "--organization", acme.pk),
    ]
    made = [machine("create_inbox", *way, "--username", "support") for way in ways]
    assert [inbox["environment_id"] for inbox in made] == [ours.pk] * len(ways)
    assert production_of(globex).pk != ours.pk


REFUSED = {
    "missing argument": ("create_organization --name acme", "required: --owner"),
    "no e-mail address": ("create_organization --name acme --owner nobody", "'nobody' is not an e-mail address"),
    "name without letters": ("create_organization --name ! --owner a@b.test", "name: Needs at least one letter"),
    "bad slug": ("create_organization --name a --slug A_B --owner a@b.test", "slug: Must be 1 to 63 lower-case"),
    "unknown organization": ("create_environment --organization nowhere --name a", "no organization nowhere."),
    "mode without a person": ("create_environment --organization acme --name a --mode live", "--reason and --by EMAIL"),
    "unknown mode": ("create_environment --organization acme --name a --mode loud", "invalid choice: 'loud'"),
    "no days": (
        "create_environment --organization acme --name a --message-retention-days 0",
        "message_retention_days:",
    ),
    "unknown environment": ("create_inbox --environment acme/nowhere --username a", "has no environment nowhere."),
    "unknown slug": ("create_inbox --environment nowhere --username a", "There is no environment nowhere."),
    "unknown id": ("create_inbox --environment env_00000000000000000000000000 --username a", "no environment env_0"),
    "environment elsewhere": ("create_inbox --environment {globex} --organization acme --username a", "no environment"),
    "ambiguous slug": ("create_inbox --environment production --username a", "add --organization"),
    "no address": ("create_inbox --environment acme/production", "--username --email is required"),
    "two addresses": ("create_inbox --environment acme/production --email a@b.test --domain b.test", "not both"),
    "foreign domain": ("create_inbox --environment acme/production --email a@b.test", "This address is not available."),
    "unusable name": ("create_inbox --environment acme/production --username ../etc", "address is not available"),
    "unknown scope": ("create_api_key --organization acme --name a --scopes fly", "scopes: There is no scope fly."),
    "key elsewhere": ("create_api_key --organization acme --name a --environment {globex}", "has no environment env_"),
    "second owner": ("add_member --organization acme --email a@b.test --role owner", "invalid choice: 'owner'"),
    "place missing": ("add_member --organization acme --email a@b.eu --environment-role admin", "needs --environment."),
    "no domain": ("add_domain --environment acme/production --domain localhost", "domain: Must be a domain name"),
    "no reason": ("set_delivery_mode --environment {acme} --mode live --by owner@acme.test --reason=", "Say why"),
    "unknown option": ("create_organization --name a --owner a@b.test --colour red", "unrecognized arguments"),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_told_on_one_line(
    acme: Organization, globex: Organization, capsys: pytest.CaptureFixture[str], arguments: str, told: str
) -> None:
    filled = arguments.format(acme=production_of(acme).pk, globex=production_of(globex).pk)
    with pytest.raises(SystemExit) as ending:
        ManagementUtility(["manage.py", *filled.split()]).execute()
    printed = capsys.readouterr()
    assert ending.value.code in {1, 2}
    assert told in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)


@pytest.mark.usefixtures("acme")
def test_intact_chains_are_told_to_be_intact() -> None:
    assert readable("verify_audit") == "acme: 1 entries, intact\n"
    assert machine("verify_audit")["intact"] is True


def test_a_changed_audit_entry_is_found(acme: Organization, capsys: pytest.CaptureFixture[str]) -> None:
    [entry] = AuditEntry.objects.in_organization(acme)
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE environments_auditentry SET actor_name = 'Mallory'")
    with pytest.raises(SystemExit) as ending:
        ManagementUtility(["manage.py", "verify_audit", "--json"]).execute()
    printed = capsys.readouterr()
    assert ending.value.code == 1
    assert json.loads(printed.out)["organizations"][0]["broken"] == [entry.pk]
    assert printed.err.count("\n") == 1


def shell(*arguments: str, url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "agentpost_site.settings", "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_shell_gets_one_object_and_no_other_word() -> None:
    url = settings.EMBEDDED_POSTGRES.url("agentpost_app", connection.settings_dict["NAME"])
    ended = shell("create_organization", "--name", "acme", "--owner", OWNER, "--json", url=url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["organization"]["id"] == Organization.objects.get().pk


def test_a_database_without_tables_is_told_on_one_line() -> None:
    url = settings.EMBEDDED_POSTGRES.url("agentpost_owner", "postgres")
    ended = shell("create_organization", "--name", "acme", "--owner", OWNER, url=url)
    assert ended.returncode == 1
    assert ended.stderr.startswith("CommandError: The database has no tables yet: run manage.py migrate")
    assert ended.stderr.count("\n") == 1
