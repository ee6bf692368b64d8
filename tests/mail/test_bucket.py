"""Mails and files in a bucket: real SMTP in front, a real S3 server behind, real commits between."""

import base64
import io
import smtplib
import zipfile
from collections.abc import Iterator

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from agentpost_site.health import views
from agentpost_site.health.checkup import Checkup
from agentpost_site.health.probes import PROBES
from environments.binding import inside
from environments.errors import StoreUnavailable
from environments.models import Export
from environments.services import exports
from environments.services.environments import delete_environment
from environments.tasks import make_export
from inboxes.models import Inbox
from mail.models import Blob, Message
from mail.services.receive import receive
from mail.tasks import forget_uploads
from tests.mail.bucket import Bucket, running_bucket
from tests.mail.conftest import Home, arrival, mail
from tests.mail.smtpd import Front, running_smtpd
from tests.world import PERSON, Api, World, error_of, without_request_id

CONTENT = bytes(range(256)) * 5000


@pytest.fixture(scope="module")
def bucket_of_all() -> Iterator[Bucket]:
    with running_bucket() as bucket:
        yield bucket


@pytest.fixture
def bucket(bucket_of_all: Bucket, object_store: object, settings: object) -> Iterator[Bucket]:
    """Return an empty bucket, in which the objects of this test lie."""
    settings.STORAGES = bucket_of_all.storages  # type: ignore[attr-defined]
    yield bucket_of_all
    bucket_of_all.remove()
    bucket_of_all.make()


@pytest.fixture(scope="module")
def smtpd(django_db_setup: None, bucket_of_all: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bucket_of_all.variables.items():
            patch.setenv(name, value)
        with running_smtpd(tmp_path_factory.mktemp("bucket")) as front:
            yield front


@pytest.fixture
def inbox(acme: World) -> Inbox:
    return acme.inbox(email="support@dev.agentpost.localhost")


def send(front: Front, recipient: str, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", front.port, timeout=30) as client:
        client.sendmail("bob@example.com", [recipient], raw)


def stored(home: Home) -> list[Message]:
    with inside(home.environment):
        return list(Message.objects.in_environment(home.environment).select_related("raw"))


def sent(api: Api, inbox: Inbox, content: bytes = CONTENT) -> dict[str, str]:
    """Send a mail with one file; return the file as the API shows it."""
    file = {"filename": "a.bin", "content": base64.b64encode(content).decode()}
    answer = api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "attachments": [file]})
    assert answer.status_code in {200, 201, 202}, answer.content
    found: dict[str, str] = answer.json()["attachments"][0]
    return found


@pytest.mark.usefixtures("transactional_db")
def test_a_mail_is_in_the_bucket_when_250_is_said(smtpd: Front, bucket: Bucket, homes: tuple[Home, Home]) -> None:
    send(smtpd, homes[0].inbox.email, mail())
    [message] = stored(homes[0])
    assert bucket.listed() == [message.raw.object_key]
    assert bucket.content(message.raw.object_key).endswith(mail())


@pytest.mark.usefixtures("transactional_db")
def test_a_bucket_that_refuses_is_trouble_of_ours_and_nothing_is_stored(
    smtpd: Front, bucket: Bucket, homes: tuple[Home, Home]
) -> None:
    with bucket.missing(), pytest.raises(smtplib.SMTPDataError) as refused:
        send(smtpd, homes[0].inbox.email, mail())
    assert refused.value.smtp_code == 451
    assert stored(homes[0]) == []
    send(smtpd, homes[0].inbox.email, mail())
    assert len(stored(homes[0])) == len(bucket.listed()) == 1


@pytest.mark.usefixtures("transactional_db")
def test_what_was_written_of_a_batch_that_fails_is_taken_out_again(
    bucket: Bucket, homes: tuple[Home, Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mail.services.receive.publish", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        receive([arrival(mail(), homes[0].recipient())])
    assert bucket.listed() == []


def test_raw_bytes_come_back_as_they_came(acme: World, api: Api, inbox: Inbox, bucket: Bucket) -> None:
    [message] = acme.deliver(inbox, mail())
    answer = api.get(f"/messages/{message}/raw")
    assert answer.content.endswith(mail())
    assert bucket.listed(acme.development.pk)


def test_a_file_is_fetched_by_a_link_of_this_server(acme: World, api: Api, inbox: Inbox, bucket: Bucket) -> None:
    link = api.get(f"/attachments/{sent(api, inbox)['id']}").json()["download_url"]
    assert bucket.endpoint not in link
    assert bucket.name not in link
    answer = Client().get(link.partition("agentpost.localhost")[2] or f"/api/v1{link.partition('/api/v1')[2]}")
    assert (answer.status_code, b"".join(answer) == CONTENT) == (200, True)


def refusal(api: Api, inbox: Inbox, file: dict[str, str]) -> bytes:
    """Return how a mail with this file is refused, without what names the file."""
    answer = api.post(f"/inboxes/{inbox.pk}/messages", {"to": "bob@example.com", "attachments": [file]})
    assert answer.status_code == 422
    return without_request_id(answer).replace(next(iter(file.values())).encode(), b"?")


def test_no_key_of_next_door_reaches_an_object(acme: World, api: Api, inbox: Inbox, bucket: Bucket) -> None:
    file = sent(api, inbox)
    blob = acme.rows(Blob)[0]
    nextdoor = acme.api(environments=[acme.production])
    there = acme.inbox(acme.production, username="support")
    assert nextdoor.get(f"/attachments/{file['id']}").status_code == 404
    for key in (file["id"], blob.object_key, blob.pk):
        missing = key[:-1] + ("0" if key[-1] != "0" else "1")
        name = "id" if key.startswith("att_") else "key"
        assert refusal(nextdoor, there, {name: key}) == refusal(nextdoor, there, {name: missing})


def test_a_link_is_not_good_for_a_file_of_next_door(acme: World, api: Api, inbox: Inbox, bucket: Bucket) -> None:
    ours = sent(api, inbox)
    theirs = sent(api, acme.inbox(acme.production, username="support"), b"theirs")
    link = api.get(f"/attachments/{ours['id']}").json()["download_url"].partition("/api/v1")[2]
    assert Client().get(f"/api/v1{link.replace(ours['id'], theirs['id'])}").status_code == 404


def test_an_object_has_no_address_of_its_own(bucket: Bucket) -> None:
    default_storage.save("env/aa/blb", ContentFile(b"secret"))
    with pytest.raises(NotImplementedError):
        default_storage.url("env/aa/blb")


@pytest.mark.usefixtures("transactional_db")
def test_a_deleted_message_leaves_the_bucket(bucket: Bucket) -> None:
    from tests.world import build

    acme = build("acme")
    inbox = acme.inbox(email="support@dev.agentpost.localhost")
    [message] = acme.deliver(inbox, mail())
    assert len(bucket.listed()) == 1
    assert acme.api().delete(f"/messages/{message}").status_code == 204
    forget_uploads(timestamp=0)
    assert bucket.listed() == []


@pytest.mark.usefixtures("transactional_db")
def test_erasing_an_environment_leaves_no_object_of_it_and_all_of_next_door(bucket: Bucket) -> None:
    from tests.world import build

    acme = build("acme")
    acme.deliver(acme.inbox(email="support@dev.agentpost.localhost"), mail(), mail(message_id="<2@example.com>"))
    acme.deliver(acme.inbox(acme.production, username="support"), mail())
    default_storage.save(f"{acme.development.pk}/zz/of-a-crash", ContentFile(b"a row never named it"))
    delete_environment(acme.development, actor=PERSON, force=True, reason="Over")
    assert bucket.listed(acme.development.pk) == []
    assert len(bucket.listed()) == len(bucket.listed(acme.production.pk)) == 1


def test_more_objects_than_one_request_deletes_are_erased(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mail.bucket.AT_ONCE", 2)
    for number in range(5):
        default_storage.save(f"env/{number}", ContentFile(b"x"))
    default_storage.save("env2/0", ContentFile(b"x"))
    default_storage.erase("env")
    assert bucket.listed() == ["env2/0"]


def test_an_export_is_made_into_the_bucket_and_read_from_it(acme: World, inbox: Inbox, bucket: Bucket) -> None:
    acme.deliver(inbox, mail())
    with inside(acme.development):
        export = exports.request_export(acme.development, actor=PERSON)
    assert make_export(environment_id=acme.development.pk, export_id=export.pk)
    with inside(acme.development):
        export = Export.objects.in_environment(acme.development).get()
        with exports.open_archive(export, acme.development, actor=PERSON) as file:
            content = file.read()
    assert export.object_key in bucket.listed()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None


def test_readyz_says_whether_the_bucket_can_be_worked_with(
    db: None, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ready() -> tuple[int, str]:
        """Ask of this one part, and for the first time."""
        storage = {names: probe for names, probe in PROBES.items() if "storage" in names}
        monkeypatch.setattr(views, "CHECKUP", Checkup(storage))
        answer = Client().get("/readyz")
        return answer.status_code, answer.json()["checks"]["storage"]

    assert ready() == (200, "ok")
    with bucket.missing():
        assert ready() == (503, "StoreUnavailable")
    assert bucket.listed() == []


def test_a_call_that_needs_a_bucket_that_is_not_there_is_answered_503(
    acme: World, api: Api, inbox: Inbox, bucket: Bucket
) -> None:
    [message] = acme.deliver(inbox, mail())
    with bucket.missing():
        default_storage.bucket  # noqa: B018
        answer = api.get(f"/messages/{message}/raw")
    assert (answer.status_code, error_of(answer)["code"]) == (503, "unavailable")
    assert bucket.name not in answer.content.decode()


def test_an_object_that_is_gone_is_not_there_and_no_trouble(bucket: Bucket) -> None:
    with pytest.raises(FileNotFoundError):
        default_storage.open("env/aa/blb")
    default_storage.delete("env/aa/blb")


def test_a_bucket_that_does_not_answer_is_trouble_of_ours(settings: object) -> None:
    nowhere = Bucket.__new__(Bucket)
    nowhere.endpoint, nowhere.name = "http://127.0.0.1:9", "mail"
    settings.STORAGES = nowhere.storages  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        default_storage.save("env/aa/blb", ContentFile(b"x"))
