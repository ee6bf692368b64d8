"""What is saved on disk survives the machine: bytes and names are synced, in an order that leaves no half object."""

import base64
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from environments.errors import StoreUnavailable
from mail.storage import DurableFileSystemStorage
from tests.world import World, error_of


class Disk:
    """What this process has synced, by path, and what stood in the objects' folder then."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.synced: list[tuple[str, list[str]]] = []

    def fsync(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        found = sorted(one.relative_to(self.root).as_posix() for one in self.root.rglob("*") if one.is_file())
        self.synced.append((path.relative_to(self.root).as_posix(), found))


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Watch the syncs, which a run of the tests does without."""
    found = Disk(tmp_path)
    monkeypatch.setattr(os, "fsync", found.fsync)
    return found


def test_an_object_is_synced_before_it_has_its_name_and_its_folder_after_it(disk: Disk) -> None:
    (disk.root / "env").mkdir()
    DurableFileSystemStorage(disk.root).save("env/mail", ContentFile(b"Good morning."))
    assert disk.synced == [("env/mail.part", ["env/mail.part"]), ("env", ["env/mail"])]


def test_what_is_synced_is_the_whole_object(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    DurableFileSystemStorage(disk.root).save("mail", ContentFile(b"x" * 3_000_000))
    assert sizes[0] == 3_000_000


def test_each_new_folder_is_known_to_the_one_above_it(disk: Disk) -> None:
    DurableFileSystemStorage(disk.root).save("env/2026/mail", ContentFile(b"Good morning."))
    assert [path for path, _ in disk.synced] == [".", "env", "env/2026/mail.part", "env/2026"]


def test_no_other_account_reads_what_is_saved_whatever_the_umask_is(tmp_path: Path) -> None:
    former = os.umask(0o000)
    try:
        DurableFileSystemStorage(tmp_path / "blobs").save("env/aa/mail", ContentFile(b"Good morning."))
    finally:
        os.umask(former)
    saved = list((tmp_path / "blobs").rglob("*"))
    assert [path.stat().st_mode & 0o077 for path in [tmp_path / "blobs", *saved]] == [0] * 4


@contextmanager
def full_after(octets: int) -> Iterator[None]:
    """Let the kernel refuse to write more than so much into one file of this process."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_what_does_not_fit_on_the_disk_leaves_nothing_there(tmp_path: Path) -> None:
    storage = DurableFileSystemStorage(tmp_path / "blobs")
    with full_after(1_000_000), pytest.raises(StoreUnavailable):
        storage.save("env/aa/mail", ContentFile(b"x" * 3_000_000))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_call_that_finds_the_disk_full_is_answered_503(acme: World) -> None:
    inbox, api = acme.inbox(email="support@dev.agentpost.localhost"), acme.api()
    file = {"filename": "a.bin", "content": base64.b64encode(b"x" * 2_000_000).decode()}
    with full_after(1_000_000):
        answer = api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "attachments": [file]})
    assert (answer.status_code, error_of(answer)["code"]) == (503, "unavailable")
