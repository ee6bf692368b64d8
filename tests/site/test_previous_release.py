"""The release before this one goes on working on this one's tables, as docs/self-hosting/upgrading.md promises.

Its code serves; then this code migrates beside it; then it must take in mail, send, list and post as before, and so
must this code after it, on what it left.

Which release that is: the newest tag ``v…`` that this code descends from, or else the commit that the file
``previous-release`` names, as long as there is no tag.
"""

import io
import itertools
import os
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from tests.previous_release import MISSING
from tests.site.instance import Instance, Senders, wait_for
from tests.webhooks.receiver import Receiver

HERE = Path(__file__).parent
OUT = {"subject": "Out", "to": "bob@example.com", "text_body": "Hello"}


def git(*words: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(settings.BASE_DIR), *words]
    return subprocess.run(command, capture_output=True, check=False)


def name_of_previous_release() -> str:
    """Return the tag or commit; skip the test, or fail it where it was asked for, when this clone has it not."""
    tag = git("describe", "--tags", "--abbrev=0", "--match=v*", "HEAD").stdout.decode().strip()
    name = tag or (HERE / "previous-release").read_text().strip()
    if git("cat-file", "-e", f"{name}^{{commit}}").returncode:
        told = f"{MISSING} It is {name}: git fetch --depth=1 origin {name}"
        if os.environ.get("AGENTPOST_REQUIRE_PREVIOUS_RELEASE") == "1":
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    return name


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """Return a folder with the code of the release before this one."""
    packed = git("archive", name_of_previous_release()).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "previous", filter="data")
    return tmp_path / "previous"


def migrate(instance: Instance) -> None:
    """Bring the tables to the newest state, as agentpost-migrate.service does, beside what runs."""
    command = [sys.executable, "manage.py", "migrate", "--database", "owner", "--no-input"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=instance.environment, check=True, capture_output=True)


def work(instance: Instance, receiver: Receiver) -> None:
    """Take in a mail, send one, and demand that both are listed and that the webhook was told of both, and again."""
    began = datetime.now(UTC).isoformat()
    before, told = len(list(instance.stored())), len(receiver.of("/hook"))
    senders = Senders(instance, 1, most=before + 1)
    senders.numbers = itertools.count(before)  # the same mail again would be known already
    with senders:
        wait_for(lambda: senders.at_least(1))
    inbox = instance.get("/api/v1/inboxes")["data"][0]["id"]
    sent = instance.call("POST", f"/api/v1/inboxes/{inbox}/messages", OUT)
    assert sent["status"] == "captured"
    assert len(list(instance.stored())) == before + 2
    wait_for(lambda: len(receiver.of("/hook")) >= told + 2)
    posted = receiver.of("/hook")[told:]
    assert {one.event["type"] for one in posted} == {"message.received", "message.captured"}
    tell_again(instance, receiver, began)


def tell_again(instance: Instance, receiver: Receiver, began: str) -> None:
    """Have the two events since then replayed, and one posted as a test.

    A replay leaves alone what is on its way, as a delivery is until the answer to it has been written down.
    """
    told = len(receiver.of("/hook"))
    [endpoint] = instance.get("/api/v1/webhook-endpoints")["data"]
    path = f"/api/v1/webhook-endpoints/{endpoint['id']}"
    wait_for(lambda: not instance.get(f"{path}/deliveries?state=pending")["data"])
    assert instance.call("POST", f"{path}/replay", {"since": began})["replayed"] == 2
    instance.call("POST", f"{path}/test", {"event_type": "message.received"})
    wait_for(lambda: len(receiver.of("/hook")) >= told + 3)


def test_the_release_before_serves_on_the_new_tables_and_this_one_after_it(folder: Path, previous: Path) -> None:
    receiver = Receiver()
    with receiver.listening():
        old = Instance(folder, AGENTPOST_SMTP_PROCESSES="1")
        old.code = previous
        with old:
            old.call("POST", "/api/v1/webhook-endpoints", {"url": receiver.url("/hook"), "events": ["*"]})
            migrate(old)
            work(old, receiver)
        with Instance.continuing(old, AGENTPOST_SMTP_PROCESSES="1") as new:
            work(new, receiver)
