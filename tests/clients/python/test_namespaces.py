"""What a client can do, namespace by namespace, on a real server."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from agentpost import AgentPost, AsyncAgentPost, ConfigurationError, NotFoundError
from agentpost.models import Inbox

from tests.webhooks.receiver import Receiver

MAIL: dict[str, Any] = {"to": ["ann@example.com"], "subject": "Hello", "text_body": "Hi."}


def test_environments_are_made_changed_and_deleted(owner: AgentPost) -> None:
    made = owner.environments.create(name=f"Customer {uuid.uuid4().hex[:8]}", metadata={"plan": "small"})
    assert made.delivery_mode == "capture"
    assert owner.environments.update(made.id, description="Of Acme").description == "Of Acme"
    assert owner.environments.get(made.slug).id == made.id
    owner.with_options(environment=made.id).inboxes.create()
    owner.environments.delete(made.id, force=True)
    assert made.id not in {one.id for one in owner.environments.list()}


def test_environments_tell_how_much_goes_on_in_them(client: AgentPost, place: Any, question: Any) -> None:
    usage = client.environments.usage(place.environment["id"], interval="hour")
    assert usage.totals["messages_in"] == 1
    assert client.environments.deliverability(place.environment["slug"]).score == 100


def test_members_are_added_to_an_environment_and_taken_out(owner: AgentPost, place: Any) -> None:
    member = owner.org.list_members().data[0]
    environment_id = place.environment["id"]
    assert owner.environments.add_member(environment_id, member_id=member.id, role="member").role == "member"
    assert owner.environments.update_member(environment_id, member.id, role="admin").role == "admin"
    assert [one.member_id for one in owner.environments.list_members(environment_id)] == [member.id]
    owner.environments.remove_member(environment_id, member.id)
    assert not owner.environments.list_members(environment_id).data


def test_inboxes_are_made_by_either_pair_of_names(client: AgentPost) -> None:
    by_username = client.inboxes.create(username="support", display_name="Support", client_id="support")
    assert (by_username.name, by_username.email.partition("-")[0]) == ("Support", "support")
    assert client.inboxes.create(username="support", client_id="support").id == by_username.id
    domain = by_username.email.partition("@")[2]
    address = f"sales@{uuid.uuid4().hex[:8]}.{domain}"
    assert client.inboxes.create(email=address, name="Sales").email == address


def test_inboxes_are_read_changed_and_deleted(client: AgentPost, inbox: Inbox) -> None:
    assert client.inboxes.get(inbox.id) == inbox
    assert client.inboxes.update(inbox.id, metadata={"case": 7}).metadata == {"case": 7}
    client.inboxes.delete(inbox.id)
    with pytest.raises(NotFoundError):
        client.inboxes.get(inbox_id=inbox.id)


def test_labels_are_put_on_messages_and_threads_and_counted(client: AgentPost, question: Any) -> None:
    assert client.messages.add_labels(message_id=question.id, labels=["Urgent", "order"]).labels == ["order", "urgent"]
    assert client.messages.remove_labels(message_id=question.id, labels=["order"]).labels == ["urgent"]
    assert client.threads.add_labels(thread_id=question.thread_id, labels=["urgent"]).labels == ["urgent"]
    assert [(one.name, one.message_count, one.thread_count) for one in client.labels.list()] == [("urgent", 1, 1)]
    assert client.messages.update(question.id, labels=[]).labels == []
    assert client.threads.update(question.thread_id, labels=["done"]).labels == ["done"]
    assert client.threads.remove_labels(question.thread_id, ["done"]).labels == []
    batch = client.messages.batch_update([question.id], add_labels=["seen"])
    assert [message.labels for message in batch.data] == [["seen"]]


def test_threads_hold_their_messages(client: AgentPost, inbox: Inbox, question: Any) -> None:
    client.messages.reply(question.id, text_body="Soon.")
    threads = client.threads.list(inbox_id=inbox.id, limit=10)
    assert [(thread.subject, thread.message_count) for thread in threads.data] == [("My order", 2)]
    assert len(client.threads.get(question.thread_id).messages.data) == 2
    client.threads.delete(question.thread_id)
    assert not client.threads.list().data


def test_a_message_tells_what_was_done_with_it(client: AgentPost, question: Any) -> None:
    assert b"Where is it?" in client.messages.raw(question.id)
    assert client.messages.timeline(question.id).data[0].status == "accepted"
    assert client.messages.batch_get([question.id, "msg_x"]).not_found == ["msg_x"]
    client.messages.delete(question.id)
    with pytest.raises(NotFoundError):
        client.messages.get(question.id)


def test_quarantined_mail_is_released(client: AgentPost, inbox: Inbox) -> None:
    suspect = client.inboxes.simulate(
        inbox.id, from_="ann@example.com", subject="Hi", text_body="Hi.", authentication={"dmarc": "fail"}
    )
    assert suspect.status == "quarantined"
    assert client.messages.release(suspect.id).status == "received"


def test_scheduled_mail_is_cancelled(client: AgentPost, inbox: Inbox) -> None:
    from datetime import UTC, datetime, timedelta

    later = client.messages.send(inbox.id, **MAIL, send_at=datetime.now(UTC) + timedelta(hours=1))
    assert later.status == "scheduled"
    assert client.messages.cancel(later.id).status != "scheduled"


def test_a_batch_has_a_result_for_each_mail(client: AgentPost, inbox: Inbox) -> None:
    batch = client.messages.send_batch(inbox.id, [MAIL, {"to": "no address", "subject": "x"}])
    assert [(result.message is None, result.error is None) for result in batch.data] == [(False, True), (True, False)]
    assert client.messages.send_batch(inbox.id, [MAIL], dry_run=True).data[0].plan


@pytest.fixture
def reviewer(place: Any, make_reviewer_key: Any, connect: Any) -> AgentPost:
    """Return a client that may approve drafts."""
    return connect(make_reviewer_key(place.environment["id"]), base_url=place.base_url)


def test_drafts_wait_for_a_yes(client: AgentPost, reviewer: AgentPost, inbox: Inbox) -> None:
    draft = client.drafts.create(inbox.id, **MAIL)
    draft = client.drafts.update(draft.id, subject="Hello again", version=draft.version)
    assert client.drafts.submit(draft.id).state == "pending_approval"
    assert reviewer.drafts.reject(draft.id, reason="Too short.").rejection_reason == "Too short."
    client.drafts.submit(draft.id)
    assert reviewer.drafts.approve(draft.id, version=draft.version).state == "approved"
    assert client.drafts.send(draft.id).message_id
    assert [version.number for version in client.drafts.versions(draft.id)][-1] == 1
    assert [one.id for one in client.drafts.list(inbox.id)] == [draft.id] == [client.drafts.get(draft.id).id]


def test_a_draft_is_deleted(client: AgentPost, inbox: Inbox) -> None:
    client.drafts.delete(client.drafts.create(inbox.id, **MAIL).id)
    assert not client.drafts.list(state="draft").data


def test_files_go_out_in_any_way_and_come_back(client: AgentPost, inbox: Inbox, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(b"by path")
    uploaded = client.attachments.upload(b"by upload", filename="upload.txt")
    inline = {"filename": "inline.txt", "content": b"inline"}
    first = client.messages.send(inbox.id, **MAIL, attachments=[path, uploaded, inline])
    again = client.messages.send(inbox.id, **MAIL, attachments=[first.attachments[0].id, first.attachments[1]])
    found = [client.attachments.download(one.id) for one in first.attachments + again.attachments]
    assert found == [b"by path", b"by upload", b"inline", b"by path", b"by upload"]


def test_a_string_opens_no_file_since_a_model_may_have_written_it(
    client: AgentPost, inbox: Inbox, tmp_path: Path
) -> None:
    path = tmp_path / "id_ed25519"
    path.write_bytes(b"secret")
    for words in ([str(path)], str(path), ["att_1"]):
        with pytest.raises(ConfigurationError, match="is no file"):
            client.messages.send(inbox.id, **MAIL, attachments=words)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="is no file"):
        client.attachments.upload(str(path))  # type: ignore[arg-type]


def test_a_file_is_uploaded_in_two_steps(client: AgentPost, inbox: Inbox) -> None:
    import httpx2

    upload = client.attachments.get_upload_url(filename="a.txt", mime_type="text/plain", size=5)
    assert httpx2.put(upload.upload_url, content=b"Hello", headers={"Content-Type": "text/plain"}).is_success
    file = {"key": upload.key, "filename": "a.txt", "mime_type": "text/plain"}
    sent = client.messages.send(inbox_id=inbox.id, **MAIL, attachments=[file])
    assert client.attachments.get(sent.attachments[0].id).filename == "a.txt"


def test_bytes_need_a_name(client: AgentPost, inbox: Inbox) -> None:
    with pytest.raises(ConfigurationError):
        client.messages.send(inbox.id, **MAIL, attachments=[b"Hello"])  # type: ignore[list-item]


def test_the_name_of_a_file_tells_its_type(client: AgentPost, inbox: Inbox) -> None:
    uploaded = client.attachments.upload(b"1,2", filename="figures.csv")
    inline = {"filename": "page.html", "content": b"<p>Hi.</p>"}
    sent = client.messages.send(inbox.id, **MAIL, attachments=[uploaded, inline])
    assert [one.content_type for one in sent.attachments] == ["text/csv", "text/html"]


def test_domains_tell_which_records_they_need(client: AgentPost) -> None:
    domain = client.domains.create(domain=f"{uuid.uuid4().hex[:8]}.example.com", client_id="one")
    assert {record.type for record in domain.records} >= {"TXT", "MX"}
    assert domain.domain in client.domains.zone_file(domain.id)
    assert client.domains.get(domain.id).status == "pending"
    assert client.domains.rotate_keys(domain.id).id == client.domains.list().data[0].id
    client.domains.delete(domain.id)
    assert not client.domains.list().data


def test_webhook_endpoints_are_made_tried_and_replayed(client: AgentPost, question: Any) -> None:
    with Receiver().listening() as receiver:
        endpoint = client.webhook_endpoints.create(url=receiver.url("/hook"), events=["message.*"])
        client.webhook_endpoints.test(endpoint.id, event_type="message.bounced")
        receiver.wait_for("/hook", 1)
        assert client.webhook_endpoints.replay(endpoint.id, since=question.created_at).replayed == 1
        received = receiver.wait_for("/hook", 2)[1]
    event_id = received.event["id"]
    delivery = next(one for one in client.webhook_endpoints.deliveries(endpoint.id) if one.event_id == event_id)
    whole = client.webhook_deliveries.get(delivery.id)
    assert whole.payload
    assert whole.payload["data"]["message_id"] == question.id
    assert client.webhook_deliveries.retry(delivery.id).id == delivery.id
    assert delivery.id in {one.id for one in client.webhook_deliveries.list(event_id=event_id)}


def test_webhook_endpoints_are_changed_and_deleted(client: AgentPost) -> None:
    endpoint = client.webhook_endpoints.create(url="https://hooks.example.com/in", events=["*"])
    assert client.webhook_endpoints.update(endpoint.id, description="In").description == "In"
    assert client.webhook_endpoints.enable(endpoint.id).is_enabled
    assert client.webhook_endpoints.get(endpoint.id).secret is None
    client.webhook_endpoints.delete(endpoint.id)
    assert not client.webhook_endpoints.list().data


def test_filter_rules_say_who_may_write(client: AgentPost) -> None:
    rule = client.filter_rules.create(direction="receive", action="block", match_type="domain", value="spam.example")
    assert client.filter_rules.update(rule.id, value="worse.example").value == "worse.example"
    assert [one.id for one in client.filter_rules.list(direction="receive")] == [client.filter_rules.get(rule.id).id]
    client.filter_rules.delete(rule.id)
    assert not client.filter_rules.list().data


def test_suppressions_keep_addresses_from_being_written_to(client: AgentPost) -> None:
    made = client.suppressions.create(email="bob@example.com", explanation="As they asked")
    assert [one.id for one in client.suppressions.list(email="bob@example.com")] == [made.id]
    assert client.suppressions.get(made.id).reason == "manual"
    client.suppressions.delete(made.id)
    assert not client.suppressions.list().data


def test_events_are_read_one_by_one_and_a_browser_gets_a_ticket(client: AgentPost, question: Any) -> None:
    event = client.events.list(types=["message.received"], inbox_id=question.inbox_id).data[0]
    assert client.events.get(event.id).data["message_id"] == question.id
    assert client.events.create_ticket().ticket.startswith("ap_tkt_")


def test_search_finds_by_words_and_filters(client: AgentPost, question: Any) -> None:
    assert [match.message.id for match in client.search("order")] == [question.id]
    assert not client.search("order", inbox_id=question.inbox_id, filters={"direction": "outbound"}).data


def test_api_keys_are_made_rotated_and_revoked(owner: AgentPost, place: Any, connect: Any) -> None:
    made = owner.api_keys.create(name="K", scopes=["inboxes:read"], environment_ids=[place.environment["id"]])
    rotated = owner.api_keys.rotate(made.id, overlap_seconds=0)
    assert rotated.key != made.key
    assert connect(rotated.key, base_url=place.base_url).me().scopes == ["inboxes:read"]
    owner.api_keys.delete(made.id)
    assert owner.api_keys.get(made.id).revoked_at
    assert made.id in {key.id for key in owner.api_keys.list()}


def test_people_are_invited_to_the_organization(owner: AgentPost) -> None:
    invitation = owner.org.invite(email=f"{uuid.uuid4().hex[:8]}@example.com", role="member")
    assert invitation.status == "pending"
    assert invitation.id in {one.id for one in owner.org.list_invitations()}
    owner.org.revoke_invitation(invitation.id)
    assert owner.org.get_invitation(invitation.id).status == "revoked"
    assert owner.org.get_member(owner.org.list_members().data[0].id).role == "owner"
    assert owner.org.update(name=owner.org.get().name).slug


def test_what_went_on_is_written_down(client: AgentPost, owner: AgentPost, place: Any, question: Any) -> None:
    entry = owner.audit.list(environment_id=place.environment["id"], limit=1).data[0]
    assert owner.audit.get(entry.id) == entry
    came = client.intake.list(outcome="accepted").data[0]
    assert client.intake.get(came.id).message_id == question.id
    assert client.transport.get().environment_id == place.environment["id"]


def test_the_async_half_does_the_same(place: Any) -> None:
    async def converse() -> tuple[str, list[str]]:
        async with AsyncAgentPost(api_key=place.api_key, base_url=place.base_url) as client:
            inbox = await client.inboxes.create()
            asked = await client.inboxes.simulate(inbox.id, from_="ann@example.com", subject="Hi", text_body="Hi?")
            answered = await client.messages.reply(asked.id, text_body="Yes.")
            return answered.subject, [match.message.id async for match in client.search("yes")]

    subject, found = asyncio.run(converse())
    assert (subject, len(found)) == ("Re: Hi", 1)
