"""An environment as one archive: whole, of one moment, and without secrets."""

import hashlib
import io
import json
import mailbox
import re
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from environments.binding import inside
from environments.callers import SYSTEM
from environments.models import Environment
from environments.services.archive import write_archive
from inboxes.models import Inbox
from inboxes.services.domains import add_domain
from inboxes.services.suppressions import suppress
from mail.exports import as_mboxrd
from mail.models import Message
from tests.world import World
from webhooks.services.endpoints import create_endpoint

HARD = b"From: bob@example.com\r\nSubject: Lines\r\n\r\nFrom here\r\n>From there\r\n>>From afar\r\n from inside\r\n"
ENDINGS = [b"", b"\r\n", b"\n", b"\r\n\r\n", b"\n\nFrom x\n"]
UNQUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def inbox_of(world: World) -> Inbox:
    return world.inbox(email=f"agent@{world.organization.slug}.agentpost.localhost")


def archived(environment: Environment) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of an environment's archive by name, and the manifest that it returned."""
    target = io.BytesIO()
    manifest = write_archive(environment, target)
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}, manifest


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def mails_of(box: bytes, sizes: list[int]) -> list[bytes]:
    """Return the mails of a mailbox in the form mboxrd, given how long each is."""
    parts = re.split(rb"^From [^\n]*\n", box, flags=re.MULTILINE)[1:]
    return [UNQUOTED.sub(rb"\1", part)[:size] for part, size in zip(parts, sizes, strict=True)]


def test_mail_comes_out_as_it_came_in(acme: World) -> None:
    inbox = inbox_of(acme)
    raws = [
        HARD,
        *(acme.mail(subject=f"Ending {number}", to=inbox.email)[:-2] + end for number, end in enumerate(ENDINGS)),
    ]
    acme.deliver(inbox, *raws)
    files, _ = archived(acme.development)
    known = lines(files["messages.jsonl"])
    found = mails_of(files["mail/agent@acme.agentpost.localhost.mbox"], [one["size"] for one in known])
    assert [hashlib.sha256(raw).hexdigest() for raw in found] == [one["raw_sha256"] for one in known]
    assert found == raws


def test_mailboxes_are_read_by_others(acme: World, tmp_path: Path) -> None:
    inbox = inbox_of(acme)
    acme.deliver(inbox, acme.mail("One", to=inbox.email), acme.mail("Two", to=inbox.email))
    files, _ = archived(acme.development)
    (tmp_path / "box").write_bytes(files["mail/agent@acme.agentpost.localhost.mbox"])
    with closing(mailbox.mbox(tmp_path / "box")) as box:
        assert [mail["Subject"] for mail in box] == ["One", "Two"]


@pytest.mark.parametrize("sender", ["a b\nFrom c", "", "\N{SNOWMAN}@example.com"])
def test_no_sender_breaks_the_line_in_front_of_a_mail(sender: str) -> None:
    first, _, rest = as_mboxrd(Message(envelope_sender=sender), b"Subject: x\n\ny\n").partition(b"\n")
    assert (first[:5], len(first.split(b" ")) >= 6, rest) == (b"From ", True, b"Subject: x\n\ny\n\n")


def test_the_manifest_counts_everything_and_knows_its_digest(acme: World) -> None:
    inbox = inbox_of(acme)
    acme.deliver(inbox, *(acme.mail(to=inbox.email) for _ in range(3)))
    with inside(acme.development):
        suppress(acme.development, "left@example.com", reason="unsubscribed")
    files, manifest = archived(acme.development)
    written = json.loads(files.pop("manifest.json"))
    assert written == manifest
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == {
        name: file["sha256"] for name, file in manifest["files"].items()
    }
    counts = {name: file["count"] for name, file in manifest["files"].items()}
    assert (counts["messages.jsonl"], counts["mail/agent@acme.agentpost.localhost.mbox"]) == (3, 3)
    assert (counts["inboxes.jsonl"], counts["suppressions.jsonl"], counts["environment.json"]) == (1, 1, 1)


def test_no_secret_is_in_it(acme: World) -> None:
    with inside(acme.development):
        add_domain(acme.development, "mail.acme.example", actor=SYSTEM)
        endpoint, _ = create_endpoint(
            acme.development, actor=SYSTEM, url="https://a.example/", events=["*"], headers={"X-Key": "hidden-value"}
        )
    files, _ = archived(acme.development)
    everything = b"".join(files.values())
    assert b"https://a.example/" in everything
    assert [secret in everything for secret in (endpoint.secret.encode(), b"hidden-value", b"PRIVATE")] == [False] * 3


def test_nothing_of_another_environment_is_in_it(acme: World, globex: World) -> None:
    for world in (acme, globex):
        inbox = inbox_of(world)
        world.deliver(inbox, world.mail(f"Words of {world.organization.slug}", to=inbox.email))
    files, _ = archived(acme.development)
    everything = b"".join(files.values())
    assert (b"Words of acme" in everything, b"globex" in everything) == (True, False)


def test_what_is_in_quarantine_is_kept_apart(acme: World) -> None:
    inbox = inbox_of(acme)
    acme.deliver(inbox, acme.mail("Fine", to=inbox.email), acme.mail("Foul", to=inbox.email))
    with inside(acme.development):
        Message.objects.in_environment(acme.development).filter(subject="Foul").update(status="quarantined")
    files, _ = archived(acme.development)
    assert b"Foul" not in files["mail/agent@acme.agentpost.localhost.mbox"]
    assert b"Foul" in files["quarantine/agent@acme.agentpost.localhost.mbox"]


def test_bytes_that_are_gone_are_counted_as_missing(acme: World, object_store: Path) -> None:
    inbox = inbox_of(acme)
    acme.deliver(inbox, acme.mail(to=inbox.email))
    for path in object_store.rglob("*"):
        path.unlink() if path.is_file() else None
    _, manifest = archived(acme.development)
    box = manifest["files"]["mail/agent@acme.agentpost.localhost.mbox"]
    assert (box["count"], box["missing"]) == (0, 1)


@pytest.mark.usefixtures("transactional_db")
def test_it_tells_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another connection deletes mail while the archive is being written; it has all of it all the same."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    from environments import exports
    from environments.exporting import File
    from tests.world import build

    acme = build()
    inbox = inbox_of(acme)
    acme.deliver(inbox, acme.mail(to=inbox.email))

    def delete_everything() -> None:
        with inside(acme.development):
            Message.objects.in_environment(acme.development).delete()
        connection.close()

    def meanwhile(_: Environment) -> Any:
        with ThreadPoolExecutor(1) as other:
            other.submit(delete_everything).result()
        yield File("meanwhile", iter(()))

    monkeypatch.setattr(exports, "FILES", (*exports.FILES, meanwhile))
    _, manifest = archived(acme.development)
    assert manifest["files"]["messages.jsonl"]["count"] == 1
