"""An archive becomes an environment again: the same one at an empty server, another one beside its origin."""

import hashlib
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from environments import clock
from environments.binding import inside
from environments.contributions import contributed
from environments.models import AuditEntry, Environment, UsageHour
from environments.object_store import sha256_of
from environments.services.audit import broken_links
from environments.services.environments import update_environment
from environments.walls import environment_owned
from inboxes.models import Domain, Inbox, SigningKey
from mail.models import Blob, Draft, HandOver, Message, SearchEntry, Thread
from mail.search import parse_query
from mail.services import blobs
from mail.services.deletion import delete_messages
from mail.services.search import find
from tests.environments.archives import CANARY, UNIQUE, erased, exported, imported, rows
from tests.world import PERSON, World
from webhooks.models import WebhookEndpoint

APPS = ("environments", "apikeys", "webhooks", "inboxes", "mail")


# --- Round and round --------------------------------------------------------------------------------------------------

ANOTHER_THEN = {  # files that differ after a round trip at an empty server, and why
    "manifest.json": "made at another moment",
    "audit.jsonl": "the record is the organization's",
    "environment.json": "when it was made",
    "domains.jsonl": "each proves itself anew",
    "webhook_endpoints.jsonl": "disabled",
    "drafts.jsonl": "no yes comes along",
    "rows/mail.draft.jsonl": "the same",
    "messages.jsonl": "what had not left has failed",
    "rows/mail.message.jsonl": "the same",
    "rows/mail.messagerecipient.jsonl": "the same",
    "rows/mail.handover.jsonl": "the same",
}


def test_what_is_imported_and_exported_again_is_the_same(acme: World, tmp_path: Path) -> None:
    before = exported(acme.development, tmp_path / "one.zip")
    erased(acme.development)
    _, here = imported(tmp_path / "one.zip")
    after = exported(here, tmp_path / "two.zip")
    assert here.pk == acme.development.pk
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == ANOTHER_THEN.keys()
    assert ids_of(before) == ids_of(after)
    assert list(broken_links(acme.organization)) == []


def test_an_hour_in_which_more_was_deleted_than_came_is_imported(acme: World, tmp_path: Path) -> None:
    with inside(acme.development):
        UsageHour.objects.in_environment(acme.development).update(hour=clock.now() - timedelta(days=1))
        messages = Message.objects.in_environment(acme.development).filter(direction="inbound", size__gt=0)
        assert delete_messages(acme.development, messages.filter(pk=messages.values("pk")[:1]))
        assert UsageHour.objects.in_environment(acme.development).filter(bytes_stored__lt=0).exists()
    exported(acme.development, tmp_path / "one.zip")
    _, here = imported(tmp_path / "one.zip", "--slug", "two")
    with inside(here):
        assert UsageHour.objects.in_environment(here).filter(bytes_stored__lt=0).exists()


def test_an_import_deletes_no_mail_however_old_it_is(acme: World, tmp_path: Path) -> None:
    update_environment(acme.development, {"message_retention_days": 7}, actor=PERSON)
    exported(acme.development, tmp_path / "one.zip")
    told, here = imported(tmp_path / "one.zip", "--slug", "two")
    assert here.message_retention_days is None
    assert [remark for remark in told["remarks"] if "after 7 days" in remark]


def ids_of(files: dict[str, bytes]) -> dict[str, list[str]]:
    return {
        name: [row["id"] for row in rows(content)]
        for name, content in files.items()
        if name.startswith("rows/") and "environments.environment" not in name
    }


def test_a_second_round_changes_nothing_more(acme: World, tmp_path: Path) -> None:
    """What is imported is at rest, so that only moments, keys and the record differ from then on."""
    exported(acme.development, tmp_path / "one.zip")
    _, there = imported(tmp_path / "one.zip", "--slug", "two")
    first = exported(there, tmp_path / "two.zip")
    erased(there)
    _, again = imported(tmp_path / "two.zip", "--slug", "two")
    second = exported(again, tmp_path / "three.zip")
    differing = {name for name in first if first[name] != second[name]}
    still = {"manifest.json", "audit.jsonl", "environment.json", "domains.jsonl"}
    assert differing <= still


def test_beside_its_origin_everything_has_another_id_and_the_origin_stays(acme: World, tmp_path: Path) -> None:
    before = exported(acme.development, tmp_path / "one.zip")
    _, there = imported(tmp_path / "one.zip", "--slug", "copy", "--name", "Copy")
    after = exported(there, tmp_path / "two.zip")
    theirs, ours = ids_of(before), ids_of(after)
    for name in theirs:
        assert len(theirs[name]) == len(ours[name]), name
        assert not set(theirs[name]) & set(ours[name]), name
        assert [one[:20] for one in theirs[name]] == [one[:20] for one in ours[name]], name
    everything = b"".join(content for name, content in after.items() if name not in {"audit.jsonl", "members.jsonl"})
    assert acme.development.pk.encode() not in everything
    left = exported(acme.development, tmp_path / "three.zip")
    assert {name for name in before if before[name] != left[name]} <= {"manifest.json", "audit.jsonl"}


def test_mail_is_the_same_to_the_byte_and_is_found(acme: World, tmp_path: Path) -> None:
    exported(acme.development, tmp_path / "one.zip")
    _, there = imported(tmp_path / "one.zip", "--slug", "copy")
    was, now = (
        [(hashlib.sha256(raw).digest(), len(raw)) for raw in raws_of(environment)]
        for environment in (acme.development, there)
    )
    assert (len(was) > 5, was) == (True, now)
    with inside(there):
        assert [sha256_of(blob.object_key) for blob in Blob.objects.in_environment(there)] == [
            bytes(blob.sha256) for blob in Blob.objects.in_environment(there)
        ]
        found = find(there, parse_query(CANARY, clock.now()))
        assert len(found) == SearchEntry.objects.in_environment(there).count() > 5


def raws_of(environment: Environment) -> list[bytes]:
    with inside(environment):
        found = Message.objects.in_environment(environment).select_related("raw").order_by("pk")
        return [blobs.read(message.raw) for message in found]


def test_nothing_of_it_goes_anywhere(acme: World, tmp_path: Path) -> None:
    acme.go_live(acme.development)
    exported(acme.development, tmp_path / "one.zip")
    told, there = imported(tmp_path / "one.zip", "--slug", "copy")
    assert there.delivery_mode == "capture"
    with inside(there):
        endpoints = list(WebhookEndpoint.objects.in_environment(there))
        assert {endpoint.is_enabled for endpoint in endpoints} == {False}
        assert {endpoint.secret for endpoint in endpoints} == set(told["secrets"].values())
        assert {endpoint.pk for endpoint in endpoints} == told["secrets"].keys()
        assert not Draft.objects.in_environment(there).filter(due_at__isnull=False).exists()
        assert not Draft.objects.in_environment(there).exclude(approved_hash="").exists()
        assert not HandOver.objects.in_environment(there).filter(next_attempt_at__isnull=False).exists()
        assert not Message.objects.in_environment(there).filter(status__in=["queued", "scheduled", "sending"]).exists()


def test_domains_prove_themselves_anew_with_fresh_keys(acme: World, tmp_path: Path) -> None:
    exported(acme.development, tmp_path / "one.zip")
    told, there = imported(tmp_path / "one.zip", "--slug", "copy")
    own, below = ({row.name: row for row in acme.rows(Domain, where)} for where in (acme.development, there))
    name, shared = f"{UNIQUE}.example", f"{UNIQUE}.agentpost.localhost"
    assert (own[name].status, below[name].status, below[name].is_trusted) == ("verified", "pending", False)
    assert below[name].ownership_token not in {"", own[name].ownership_token}
    assert below[shared].status == "suspended"  # its origin has it
    assert {key.state for key in acme.rows(SigningKey, there)} == {"pending"}
    was, now = ({bytes(key.public) for key in acme.rows(SigningKey, where)} for where in (acme.development, there))
    assert not was & now
    assert f"{shared} is not to be had here" in " ".join(told["remarks"])


def test_addresses_on_the_shared_domain_are_had_where_they_are_free(acme: World, tmp_path: Path) -> None:
    exported(acme.development, tmp_path / "one.zip")
    _, there = imported(tmp_path / "one.zip", "--slug", "copy")
    was, now = (
        [row.email for row in acme.rows(Inbox, where) if row.domain_id is None] for where in (acme.development, there)
    )
    assert (len(was), len(now), set(was) & set(now)) == (1, 1, set())
    acme.deliver(next(row for row in acme.rows(Inbox, there) if row.domain_id is None))
    erased(there)
    erased(acme.development)
    _, again = imported(tmp_path / "one.zip")
    assert [row.email for row in acme.rows(Inbox, again) if row.domain_id is None] == was


def test_a_reply_finds_its_thread_in_the_new_place(acme: World, tmp_path: Path) -> None:
    inbox = next(row for row in acme.rows(Inbox) if row.domain_id is None)
    first = acme.mail("Topic", to=inbox.email)
    acme.deliver(inbox, first)
    exported(acme.development, tmp_path / "one.zip")
    _, there = imported(tmp_path / "one.zip", "--slug", "copy")
    moved = next(row for row in acme.rows(Inbox, there) if row.domain_id is None)
    message_id = first.partition(b"Message-ID: ")[2].partition(b"\r")[0].decode()
    acme.deliver(moved, acme.mail("Re: Topic", to=moved.email, in_reply_to=message_id))
    with inside(there):
        [thread] = Thread.objects.in_environment(there).filter(subject="Topic")
        assert thread.message_count == 2


def test_it_is_on_record(acme: World, tmp_path: Path) -> None:
    exported(acme.development, tmp_path / "one.zip")
    told, there = imported(tmp_path / "one.zip", "--slug", "copy")
    entry = AuditEntry.objects.in_organization(acme.organization).get(action="environment.imported")
    assert (entry.target_id, entry.after["from"]) == (there.pk, acme.development.pk)
    assert entry.after["rows"]["mail.message"] == told["imported"]["mail.message"] > 5


def test_every_table_is_in_an_archive_or_left_out_for_a_reason() -> None:
    written = {table.model for table in contributed("exports", "TABLES")}
    left_out = {model for names in (module_of(app) for app in APPS) for model in names}
    assert written | left_out == set(environment_owned())
    assert written & left_out == set()


def module_of(app: str) -> dict[Any, str]:
    return dict(import_module(f"{app}.exports").LEFT_OUT)
