"""What is no whole backup is not restored, and nothing is changed by the attempt."""

import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from agentpost_site import backups
from tests.environments.commands import refused
from tests.mail.bucket import running_bucket
from tests.standing import store_in


@pytest.fixture
def backup(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a backup whose dump is not PostgreSQL's, and cannot be restored."""
    settings.STORAGES = store_in(tmp_path / "blobs")
    folder = tmp_path / "backup"
    with monkeypatch.context() as patch:
        patch.setattr(backups, "_run", dumping(b"dump"))
        backups.back_up(folder)
    return folder


def dumping(content: bytes) -> Any:
    """Return what stands in for pg_dump."""
    return lambda *words: Path(words[-1].partition("=")[2]).write_bytes(content)


def test_former_keys_come_along_and_become_the_machines(
    db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGES, settings.SECRET_KEY_FALLBACKS = store_in(tmp_path / "blobs"), ["older", "oldest"]
    monkeypatch.setattr(backups, "_run", dumping(b"dump"))
    backups.back_up(tmp_path / "backup")
    settings.AGENTPOST_DATA_DIR = tmp_path
    backups._adopt_fallbacks(tmp_path / "backup" / "secret_key_fallbacks")
    assert (tmp_path / "secret_key_fallbacks").read_text().split() == ["older", "oldest"]
    assert (tmp_path / "secret_key_fallbacks").stat().st_mode & 0o077 == 0


def dump_of(backup: Path) -> Path:
    [dump] = backup.glob("database-*")
    return dump


def test_a_backup_is_for_its_owners_eyes_only(backup: Path) -> None:
    files = (backup, backup / "secret_key", backup / "backup.json", dump_of(backup))
    assert open_to_others(*files) == []


def open_to_others(*paths: Path) -> list[Path]:
    return [path for path in paths if path.stat().st_mode & 0o077]


@pytest.fixture
def easy_going() -> Iterator[None]:
    """Let what is made be readable by everybody, unless somebody sees to it."""
    former = os.umask(0o000)
    yield
    os.umask(former)


@pytest.mark.usefixtures("easy_going")
def test_nothing_in_a_folder_that_others_may_enter_is_readable_by_them(
    db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGES = store_in(tmp_path / "blobs")
    default_storage.save("env/aa/blb", ContentFile(b"mail"))
    (tmp_path / "backup/objects").mkdir(parents=True)
    monkeypatch.setattr(backups, "_run", dumping(b"dump"))
    backups.back_up(tmp_path / "backup")
    found = list((tmp_path / "backup").rglob("*"))
    assert (len(found), open_to_others(*found)) == (8, [])


@pytest.mark.usefixtures("easy_going")
def test_a_dump_is_nobody_elses_while_it_is_written_not_even_after_one_that_was_cut_off(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dump(*words: str) -> None:
        partial = Path(words[-1].partition("=")[2])
        partial.write_bytes(b"so far")
        seen.append(partial.stat().st_mode & 0o077)

    seen: list[int] = []
    (backup / "database-new.part").write_bytes(b"cut off")
    monkeypatch.setattr(backups, "_run", dump)
    backups.back_up(backup)
    assert seen == [0]


@pytest.mark.parametrize("lost", ["backup.json", "database-*"])
def test_a_backup_without_all_of_its_parts_is_refused(backup: Path, lost: str) -> None:
    [path] = backup.glob(lost)
    path.unlink()
    assert "no complete backup" in refused("restore", str(backup))


def test_another_dump_than_the_one_of_the_manifest_is_refused(backup: Path) -> None:
    dump_of(backup).write_bytes(b"another")
    assert "backup.json" in refused("restore", str(backup))


def test_a_manifest_that_is_none_is_refused(backup: Path) -> None:
    (backup / "backup.json").write_text(json.dumps({"made_at": "today"}))
    assert "no complete backup" in refused("restore", str(backup))


def test_a_database_with_tables_is_refused(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = settings.EMBEDDED_POSTGRES.url("postgres", settings.DATABASES["default"]["NAME"])
    monkeypatch.setattr(backups, "_superuser", lambda: url)
    assert "not empty" in refused("restore", str(backup))


def test_a_set_secret_key_that_is_another_one_is_refused(
    backup: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTPOST_SECRET_KEY", "another")
    settings.SECRET_KEY = "another"
    with pytest.raises(backups.BackupError, match="set it to what is in"):
        backups._adoptable_secret(backup / "secret_key")


def test_a_restore_that_fails_leaves_the_secret_key_as_it_was(
    backup: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret_key").write_text("ours")
    settings.AGENTPOST_DATA_DIR, settings.SECRET_KEY = tmp_path, "ours"
    monkeypatch.delenv("AGENTPOST_SECRET_KEY", raising=False)
    monkeypatch.setattr(backups, "TABLES", "SELECT 0")
    assert "pg_restore failed" in refused("restore", str(backup))
    assert (tmp_path / "secret_key").read_text() == "ours"


def test_a_backup_that_fails_leaves_the_former_one_whole(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise backups.BackupError("pg_dump failed")

    before = {path.name: path.read_bytes() for path in backup.iterdir() if path.is_file()}
    monkeypatch.setattr(backups, "_run", fail)
    assert refused("backup", str(backup)) == "pg_dump failed"
    assert {path.name: path.read_bytes() for path in backup.iterdir() if path.is_file()} == before


class Killed(BaseException):
    """Ends what runs without a chance to tidy up."""


@pytest.mark.parametrize("last", ["database-", "secret_key", "backup.json"])
def test_a_backup_that_is_killed_before_its_next_file_is_in_place_leaves_the_former_one_whole(
    backup: Path, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def put(path: Path, target: Path) -> Path:
        if target.name.startswith(last):
            raise Killed
        return rename(path, target)

    former = backups._complete(backup)
    monkeypatch.setattr(backups, "_run", dumping(b"another"))
    with monkeypatch.context() as killing:
        killing.setattr(Path, "rename", put)
        with pytest.raises(Killed):
            backups.back_up(backup)
    assert backups._complete(backup) == former
    assert backups.back_up(backup) == backups._complete(backup) != former
    assert dump_of(backup).read_bytes() == b"another"


def test_a_key_that_leads_out_of_the_folder_is_not_followed(db: None, settings: Any, tmp_path: Path) -> None:
    with running_bucket() as bucket:
        settings.STORAGES = bucket.storages
        bucket.client.put_object(Bucket=bucket.name, Key="../escaped", Body=b"x")
        with pytest.raises(Exception, match="outside"):
            backups.save_objects_to(tmp_path / "objects")
    assert not (tmp_path / "escaped").exists()


def test_what_is_in_the_store_already_is_told_and_never_replaced(db: None, settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = store_in(tmp_path / "blobs")
    for key, content in {"env/aa/other": b"another", "env/aa/same": b"same", "env/aa/new": b"new"}.items():
        (tmp_path / "old" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "old" / key).write_bytes(content)
    default_storage.save("env/aa/other", ContentFile(b"kept as it is"))
    default_storage.save("env/aa/same", ContentFile(b"same"))
    said, trouble = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("copy_objects", str(tmp_path / "old"), stdout=said, stderr=trouble)
    assert "copied 1 objects" in said.getvalue()
    assert "env/aa/other" in trouble.getvalue()
    assert {path.name: path.read_bytes() for path in (tmp_path / "blobs/env/aa").iterdir()} == {
        "other": b"kept as it is", "same": b"same", "new": b"new"
    }  # fmt: skip


def test_a_restore_over_other_objects_is_refused_before_anything_is_changed(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (backup / "objects/env").mkdir(parents=True, exist_ok=True)
    (backup / "objects/env/blb").write_bytes(b"of the backup")
    default_storage.save("env/blb", ContentFile(b"another"))
    done: list[Any] = []
    monkeypatch.setattr(backups, "TABLES", "SELECT 0")
    monkeypatch.setattr(backups, "_run", lambda *words: done.append(words))
    assert "env/blb" in refused("restore", str(backup))
    assert done == []


def test_a_folder_that_is_none_is_refused(db: None, tmp_path: Path) -> None:
    assert "no folder" in refused("copy_objects", str(tmp_path / "nothing"))
