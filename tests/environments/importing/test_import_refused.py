"""An archive that is not whole, or is hostile, is refused with one sentence, and leaves nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from environments.ids import new_id
from environments.models import Environment
from mail.models import Message
from tests.environments.archives import INTO_ACME, changed, exported, files_of, imported, packed, written
from tests.environments.commands import refused
from tests.world import World


def box_of(files: dict[str, bytes]) -> str:
    return next(name for name in files if name.startswith("mail/"))


HOSTILE_ROWS = [  # table,                 columns,                                        the refusal
    ("mail.message", {"subject": 7}, "subject must be text"),
    ("mail.message", {"subject": "a\0b"}, "subject must be text"),
    ("mail.message", {"to_addresses": {}}, "to_addresses must be a list"),
    ("mail.message", {"to_addresses": [7]}, "cannot be shown"),
    ("mail.message", {"status": "odd"}, "status must be one of its choices"),
    ("mail.message", {"size": 2**70}, "size must be a whole number"),
    ("mail.message", {"size": True}, "size must be a number"),
    ("mail.message", {"created_at": "2026-01-01"}, "created_at must be a moment"),
    ("mail.message", {"created_at": "0001-01-01T00:00:00+23:59"}, "created_at must be a moment"),
    ("mail.message", {"created_at": "yesterday"}, "created_at must be a moment"),
    ("mail.message", {"id": "thr_01J00000000000000000000000"}, "id must be an id of the form msg_"),
    ("mail.message", {"id": None}, "id must be a value"),
    ("mail.message", {"inbox_id": "inb_01J00000000000000000000000"}, "do not go together"),
    ("mail.message", {"environment_id": "env_01J00000000000000000000000"}, "environment_id"),
    ("mail.message", {"is_admin": True}, "is_admin"),
    ("mail.message", {"message_id_digest": "x"}, "message_id_digest must be a UUID"),
    ("mail.message", {"peer": "1.2.3"}, "peer must be an IP address"),
    ("mail.message", {"references": "x"}, "references must be a list"),
    ("mail.blob", {"sha256": "?"}, "sha256 must be base64"),
    ("mail.blob", {"sha256": "AAAA"}, "no message or draft is of"),
    ("mail.blob", {"size": 1}, "its row says 1"),
    ("mail.handover", {"state": "queued", "next_attempt_at": 7}, "next_attempt_at must be a moment"),
    ("inboxes.inbox", {"email": "root"}, "no address"),
    ("inboxes.inbox", {"email": "postmaster@archived.example"}, "no address"),
    ("inboxes.inbox", {"email": "ceo@victim.example"}, "not at its domain"),
    ("inboxes.domain", {"name": "no domain"}, "no domain"),
    ("inboxes.domain", {"status": "verified"}, "status"),
    ("webhooks.webhookendpoint", {"url": "file:///etc/passwd"}, "no URL"),
    ("webhooks.webhookendpoint", {"secret": "whsec_x"}, "secret"),
    ("environments.environment", {"delivery_mode": "live"}, "delivery_mode"),
    ("environments.environment", {"repetition_limit": 0}, "repetition_limit must be from 1"),
    ("environments.environment", {"slug": "Odd_one"}, "slug must be"),
    ("environments.environment", {"metadata": {"a": "\ud800"}}, "lone surrogate"),
    ("environments.environment", {"metadata": {"a": [{}] * 100_001}}, "more than 100000 values"),
    ("environments.environment", {"metadata": {"a": "\0"}}, "unsupported Unicode"),
    ("inboxes.inbox", {"hourly_sending_quota": 2**62}, "hourly_sending_quota must be from 0"),
    ("inboxes.inbox", {"daily_sending_quota": -1}, "daily_sending_quota must be a whole number from 0"),
    ("webhooks.event", {"data": []}, "no object of JSON"),
    ("environments.usagehour", {"bytes_stored": -(2**63) - 1}, "bytes_stored must be a whole number from -"),
    ("environments.usagehour", {"messages_in": -1}, "messages_in must be a whole number from 0"),
    ("environments.usagehour", {"messages_in": "7"}, "messages_in must be a whole number"),
]


def demand_nothing_left(acme: World, object_store: Path, before: tuple[int, list[str]]) -> None:
    assert everything(acme, object_store) == before


def everything(acme: World, folder: Path) -> tuple[int, list[str]]:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return Environment.objects.in_organization(acme.organization).count(), names


ARCHIVES: dict[str, bytes] = {}


@pytest.fixture
def archive(acme: World, tmp_path: Path) -> dict[str, bytes]:
    """Return the files of an archive of what stands, which is also ``good.zip``."""
    path = tmp_path / "good.zip"
    if acme.development.pk not in ARCHIVES:
        exported(acme.development, path)
        ARCHIVES[acme.development.pk] = path.read_bytes()
    path.write_bytes(ARCHIVES[acme.development.pk])
    return files_of(path)


@pytest.mark.parametrize(("table", "columns", "refusal"), HOSTILE_ROWS)
def test_a_wrong_row_refuses_the_whole(
    table: str, columns: dict[str, Any], refusal: str, acme: World, archive: dict[str, bytes], own_objects: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    before = everything(acme, own_objects)
    path = packed(changed(archive, table, **columns), tmp_path / "bad.zip")
    assert refusal in refused("import_environment", str(path), *INTO_ACME, "--slug", "copy")
    demand_nothing_left(acme, own_objects, before)


HOSTILE_ZIPS = {  # what is made of the files of a good archive, and the refusal
    "a name that leads elsewhere": (lambda files: {**files, "mail/../../etc/passwd": b""}, "no name of a file"),
    "an absolute name": (lambda files: {**files, "/etc/passwd": b""}, "no name of a file"),
    "another kind of file": (lambda files: {**files, "bin/sh": b""}, "no file of an archive"),
    "a table of nobody's": (lambda files: {**files, "rows/auth.user.jsonl": b""}, "no table"),
    "a missing table": (lambda files: without(files, "rows/mail.step.jsonl"), "is missing"),
    "a missing mailbox": (lambda files: without(files, box_of(files)), "are missing"),
    "no JSON": (lambda files: {**files, "rows/mail.step.jsonl": b"{\n"}, "no JSON"),
    "JSON without end": (lambda files: {**files, "rows/mail.step.jsonl": b"[" * 100_000}, "no JSON"),
    "no row": (lambda files: {**files, "rows/mail.step.jsonl": b"7\n"}, "no row"),
    "two environments": (lambda files: doubled(files, "rows/environments.environment.jsonl"), "2 lines"),
    "the same row twice": (lambda files: doubled(files, "rows/mail.thread.jsonl"), "do not go together"),
    "no mailbox": (lambda files: {**files, box_of(files): b"hello\n"}, "no mailbox"),
    "another mail": (lambda files: {**files, box_of(files): b"From a b\nhello\n\n"}, "no message or draft is of"),
    "another file": (lambda files: {**files, "files/" + "0" * 64: b"hello"}, "no message or draft is of"),
}  # fmt: skip


def without(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {key: content for key, content in files.items() if key != name}


def doubled(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {**files, name: files[name] * 2}


@pytest.mark.parametrize("case", sorted(HOSTILE_ZIPS))
def test_what_is_no_archive_is_refused_whole(
    case: str, acme: World, archive: dict[str, bytes], own_objects: Path, tmp_path: Path
) -> None:
    before = everything(acme, own_objects)
    make, refusal = HOSTILE_ZIPS[case]
    files = make(archive)
    tables = [name for name in files if name.startswith("rows/") and files[name] != archive.get(name)]
    path = packed(files, tmp_path / "bad.zip", {name: len(files[name].splitlines()) for name in tables})
    assert refusal in refused("import_environment", str(path), *INTO_ACME, "--slug", "copy")
    demand_nothing_left(acme, own_objects, before)


def test_what_the_manifest_does_not_say_is_refused(acme: World, archive: dict[str, bytes], tmp_path: Path) -> None:
    for files, refusal in (
        ({**archive, "rows/mail.step.jsonl": b""}, "size or SHA-256 is another"),
        ({**archive, "rows/more.jsonl": b""}, "are not those"),
        (without(archive, "labels.jsonl"), "are not those"),
        ({**archive, "manifest.json": b"{"}, "no JSON"),
        ({**archive, "manifest.json": b'{"schema_version": 1}'}, "schema_version"),
        (without(archive, "manifest.json"), "has no manifest.json"),
    ):
        path = written(files, tmp_path / "bad.zip")
        assert refusal in refused("import_environment", str(path), *INTO_ACME, "--slug", "copy")


def test_what_swells_without_end_is_refused_unread(
    archive: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("environments.services.unpacking.SMALL_ENOUGH", 2**20)
    path = packed({**archive, "files/" + "0" * 64: bytes(2**26)}, tmp_path / "bomb.zip")
    assert "would unpack to" in refused("import_environment", str(path), *INTO_ACME, "--slug", "copy")


def test_a_line_without_end_is_refused_at_its_bound(archive: dict[str, bytes], tmp_path: Path, settings: Any) -> None:
    settings.AGENTPOST_MAX_MESSAGE_SIZE = 2**14
    endless = b"From a b\n" + b"x" * 2**20
    path = packed({**archive, box_of(archive): endless}, tmp_path / "bad.zip")
    refusal = refused("import_environment", str(path), *INTO_ACME, "--slug", "copy")
    assert "bytes" in refusal


def test_a_damaged_zip_is_refused(archive: dict[str, bytes], tmp_path: Path) -> None:
    good = (tmp_path / "good.zip").read_bytes()
    for number, content in enumerate((b"", b"no zip", good[: len(good) // 2], flipped(good, 400))):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        assert "Nothing was imported." in refused("import_environment", str(path), *INTO_ACME, "--slug", "copy")
    assert "cannot be read" in refused("import_environment", "/nowhere", *INTO_ACME)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


def test_ids_of_others_are_not_taken_over(acme: World, archive: dict[str, bytes], tmp_path: Path) -> None:
    """An archive that names an environment of its own, and the rows of another one, gets none of them."""
    manifest = {**json.loads(archive["manifest.json"]), "environment_id": new_id("env")}
    files = {**archive, "manifest.json": json.dumps(manifest).encode()}
    path = packed(files, tmp_path / "bad.zip")
    assert "do not go together" in refused("import_environment", str(path), *INTO_ACME, "--slug", "copy")
    told, there = imported(path, "--slug", "copy", "--new-ids")
    assert told["imported"]["mail.message"] == len(acme.rows(Message, there))


@pytest.mark.usefixtures("archive")
def test_a_slug_that_is_taken_is_refused(acme: World, own_objects: Path, tmp_path: Path) -> None:
    before = everything(acme, own_objects)
    assert "slug" in refused("import_environment", str(tmp_path / "good.zip"), *INTO_ACME)
    demand_nothing_left(acme, own_objects, before)
