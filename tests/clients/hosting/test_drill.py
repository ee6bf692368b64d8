"""The drill of the page on backups: mail comes, is backed up beside the running server, is lost, and is back."""

import re
import shutil
from typing import Any

from tests.clients.hosting.machine import HERE, Machine, blocks
from tests.mail.bucket import Bucket
from tests.site.instance import Instance, Senders, wait_for

MAILS = 3
SENDERS = 2
DATA, BACKUP = "var/lib/agentpost", "var/lib/agentpost/backup"


def started(machine: Machine) -> Instance:
    """Return an AgentPost on the machine's data."""
    machine.tell(AGENTPOST_DATA_DIR=machine.path(DATA))
    return Instance(machine.path(DATA), AGENTPOST_SMTP_PROCESSES="1")


def started_again(machine: Machine, before: Instance, **variables: str) -> Instance:
    """Return the same one at its next start, with these settings."""
    machine.tell(**variables)
    return Instance.continuing(before, AGENTPOST_SMTP_PROCESSES="1", **variables)


def prepare(machine: Machine) -> None:
    machine.path("etc/agentpost/agentpost.env").touch()
    machine.run(f"install -m 755 {HERE}/agentpost-manage /usr/local/sbin/")


def filled(instance: Instance) -> dict[str, Any]:
    """Let mail come into a running instance; return what must be there again."""
    with Senders(instance, 1, most=MAILS) as senders:
        wait_for(lambda: len(senders.acknowledged) == MAILS)
    return remembered(instance)


def remembered(instance: Instance) -> dict[str, Any]:
    messages = [one["id"] for one in instance.get("/api/v1/messages")["data"]]
    return {
        "raw": {message: raw_of(instance, message) for message in messages},
        "events": ids_of_events(instance),
        "inboxes": instance.get("/api/v1/inboxes")["data"],
    }


def ids_of_events(instance: Instance) -> list[str]:
    """Return the ids of all events, page by page."""
    found, after = list[str](), ""
    while page := instance.get(f"/api/v1/events?limit=100{after}")["data"]:
        found += [one["id"] for one in page]
        after = f"&after={found[-1]}"
    return found


def raw_of(instance: Instance, message: str) -> bytes:
    with instance.opened("GET", f"/api/v1/messages/{message}/raw") as answer:
        return answer.read()


def lose_all_but_the_backup(machine: Machine) -> None:
    machine.path(BACKUP).rename(machine.path("var/kept"))
    shutil.rmtree(machine.path(DATA))
    machine.path(DATA).mkdir()
    machine.path("var/kept").rename(machine.path(BACKUP))


def test_mail_keys_events_and_the_audit_chain_come_back(machine: Machine) -> None:
    prepare(machine)
    [backup] = blocks("backup-and-restore.md", "sh", "agentpost-manage backup")
    [restore] = blocks("backup-and-restore.md", "sh", "agentpost-manage restore")
    with started(machine) as before:
        known = filled(before)
        with Senders(before, SENDERS, pause=0.2) as pouring:  # mail goes on coming in while all of it is copied
            wait_for(lambda: pouring.at_least(1))
            acknowledged = {*pouring.acknowledged, *before.stored()}
            copied = int(re.findall(r"(\d+) objects of", machine.run(backup).stdout)[0])
            assert len(acknowledged) <= copied <= len({*before.stored()}) + SENDERS  # that were on their way
            wait_for(lambda: pouring.at_least(len(acknowledged)))
        ever, events = {*before.stored()}, ids_of_events(before)
    assert len(known["raw"]) == MAILS
    lose_all_but_the_backup(machine)
    said = machine.run(restore).stdout
    assert "intact" in said
    assert [path for path in machine.path(f"{DATA}/blobs").rglob("*") if path.stat().st_mode & 0o077] == []
    assert f"{copied} objects: 0 missing, 0 damaged, 0 strays" in said
    assert "systemctl start agentpost-serve.service" in machine.typed.read_text()
    with started_again(machine, before) as after:
        assert acknowledged <= {*after.stored()} <= ever
        assert len({*after.stored()}) <= copied
        assert {message: raw_of(after, message) for message in known["raw"]} == known["raw"]
        assert {*known["events"]} <= {*ids_of_events(after)} <= {*events}
        assert after.get("/api/v1/inboxes")["data"] == known["inboxes"]
    refused = machine.run("agentpost-manage restore /var/lib/agentpost/backup 2>&1 || true").stdout
    assert "not empty" in refused


def test_a_backup_into_the_same_folder_forgets_what_was_deleted_and_moves_into_a_bucket(
    machine: Machine, bucket: Bucket
) -> None:
    prepare(machine)
    with started(machine) as before:
        filled(before)
        machine.run("agentpost-manage backup /var/lib/agentpost/backup")
        gone = before.get("/api/v1/messages")["data"][0]["id"]
        before.opened("DELETE", f"/api/v1/messages/{gone}").__exit__(None, None, None)
        assert f"{MAILS - 1} objects" in machine.run("agentpost-manage backup /var/lib/agentpost/backup").stdout
    objects = [path for path in machine.path(BACKUP).joinpath("objects").rglob("*") if path.is_file()]
    assert len(objects) == MAILS - 1
    lose_all_but_the_backup(machine)
    after = started_again(machine, before, **bucket.variables)
    machine.run("agentpost-manage restore /var/lib/agentpost/backup")
    assert len(bucket.listed()) == MAILS - 1
    with after:
        assert len(remembered(after)["raw"]) == MAILS - 1


def test_the_move_from_a_folder_to_a_bucket_is_as_the_page_says(machine: Machine, bucket: Bucket) -> None:
    prepare(machine)
    with started(machine) as before:
        filled(before)
    machine.tell(**bucket.variables)
    [move] = blocks("object-storage.md", "sh", "copy_objects")
    said = machine.run(move).stdout
    assert f"copied {MAILS} objects" in said
    assert "copied 0 objects" in said
    assert f"{MAILS} objects: 0 missing, 0 damaged, 0 strays" in said
    assert len(bucket.listed()) == MAILS


def test_what_a_command_makes_is_no_other_accounts(machine: Machine) -> None:
    prepare(machine)
    machine.path("opt/agentpost/.venv").unlink()
    program = machine.path("opt/agentpost/.venv/bin/python")
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nshift; touch "$@"\n')
    program.chmod(0o755)
    machine.run("agentpost-manage /var/made")
    assert machine.path("var/made").stat().st_mode & 0o777 == 0o600
