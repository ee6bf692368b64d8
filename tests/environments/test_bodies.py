"""What reads the bodies of calls serves many of them, and takes nothing from one into the next."""

from environments.viewsets import _KEPT
from tests.api.routes import mail_with_file
from tests.world import Api, World


def test_a_body_is_read_in_the_environment_of_its_own_call(acme: World, api: Api) -> None:
    here, there = acme.inbox(acme.development), acme.inbox(acme.production)
    files = {}
    for inbox in (here, there):
        [message] = acme.deliver(inbox, mail_with_file(acme))
        files[inbox.pk] = api.get(f"/messages/{message}").json()["attachments"][0]["id"]
    for inbox in (here, there, here):
        for owner, file in files.items():
            mail = {"to": ["a@example.com"], "text_body": "Hi", "attachments": [{"attachment_id": file}]}
            is_sent = api.post(f"/inboxes/{inbox.pk}/messages", mail).status_code == 201
            assert is_sent is (owner == inbox.pk)


def test_nothing_of_a_body_is_kept(acme: World, api: Api) -> None:
    path = f"/inboxes/{acme.inbox().pk}/messages"
    assert api.post(path, {"to": ["nobody"], "text_body": 7}).status_code == 422
    assert api.post(path, {"to": ["a@example.com"], "text_body": "Hi"}).status_code == 201
    fields = [field for kept in _KEPT.fields.values() for field in kept.values()]
    assert fields
    assert {field.parent for field in fields} == {None}
