"""The tools that write: what is sent passes the same exit as any other mail."""

from agentpost_site.mcp.reading import ADDRESS, THREAD
from agentpost_site.mcp.tool import (
    DRAFT,
    INBOX,
    MESSAGE,
    MOMENT,
    Argument,
    Hints,
    Step,
    Tool,
    identifier,
    text,
    texts,
    whole,
    yes_or_no,
)
from apikeys.scopes import SEND

SENDS = Hints(destructive=True, open_world=True)  # what has left cannot be called back
ADDS = Hints()
FILE = {
    "type": "object",
    "properties": {
        "attachment_id": identifier("att", "A file of another message.").schema,
        "filename": {"type": "string"},
        "content": {"type": "string", "description": "The bytes in base64, with a filename."},
        "content_type": {"type": "string"},
    },
}
FILES = texts("Files to attach: each by attachment_id, or as filename and content.") | {"items": FILE}


def recipients(what: str) -> Argument:
    """Return an argument that is a list of recipients."""
    return texts(f"{what}: e-mail addresses, each as ann@example.com.")


WRITTEN: dict[str, Argument] = {
    "to": recipients("Recipients"),
    "cc": recipients("Recipients of a copy"),
    "bcc": recipients("Recipients of a copy whom the others do not see"),
    "subject": text("Subject.", maxLength=998),
    "text_body": text("The text."),
    "html_body": text("The same as HTML."),
    "attachments": FILES,
    "labels": texts("Labels to put on it."),
    "send_at": text(f"When to send it, at most 30 days ahead; at once without it: {MOMENT}."),
}
FIELDS = tuple(WRITTEN)
REPLY = WRITTEN | {"to": recipients("Recipients, when others than follow from the message")}
SENDING: dict[str, Argument] = {
    "dry_run": yes_or_no("Only tell what would happen to each recipient, and why; nothing is sent or stored."),
    "idempotency_key": text("Any string: calling again with the same one sends nothing twice.", maxLength=255),
}
ONCE = yes_or_no("Refuse when the message has an answer already.", default=True)
QUOTE = yes_or_no("Put the message below the reply.", default=True)
CLIENT_ID = text("Any string: calling again with the same one returns the draft that is there.", maxLength=200)
REVIEW: dict[str, Argument] = {"expires_at": text(f"Until when a person may decide; a week without it: {MOMENT}.")}
PROPOSED = (
    "It is put before a person, who reads it and decides; nothing is sent until then. get_draft tells how it went."
)


def _sending(route: str, *more: str) -> tuple[Step, ...]:
    return (Step("POST", {route: SEND}, query=("dry_run",), body=(*FIELDS, *more)),)


def _proposing(*more: str) -> tuple[Step, ...]:
    made = Step("POST", {"/inboxes/{inbox_id}/drafts": "drafts:write"}, body=(*FIELDS, "client_id", *more))
    return (made, Step("POST", {"/drafts/{made}/submit": "drafts:write"}, body=("expires_at",)))


def _labelling(method: str) -> tuple[Step, ...]:
    routes = {"/messages/{message_id}/labels": "messages:write", "/threads/{thread_id}/labels": "threads:write"}
    return (Step(method, routes, body=("labels",)),)


WRITING = (
    Tool(
        "create_inbox",
        "Create an inbox",
        "Create an inbox with an address of its own: username, with a domain where it shall be exact; or nothing, for "
        "a random address.",
        (Step("POST", {"/inboxes": "inboxes:write"}, body=("username", "domain", "display_name", "client_id")),),
        ADDS,
        {
            "username": text("What stands before the @.", maxLength=64),
            "domain": text("A domain of the environment, or a subdomain of the server's own.", maxLength=253),
            "display_name": text("The name that recipients see.", maxLength=200),
            "client_id": text("Any string: calling again with the same one returns the inbox that is there."),
        },
        ours=ADDRESS,
    ),
    Tool(
        "send_message",
        "Send a mail",
        "Send a new mail from an inbox. Use reply to answer one.",
        _sending("/inboxes/{inbox_id}/messages"),
        SENDS,
        {"inbox_id": INBOX, **WRITTEN, **SENDING},
        ("inbox_id", "to"),
    ),
    Tool(
        "reply",
        "Reply",
        "Reply to who sent a message. Recipient, subject and thread follow from the message.",
        _sending("/messages/{message_id}/reply", "quote", "if_not_replied"),
        SENDS,
        {"message_id": MESSAGE, **REPLY, "quote": QUOTE, "if_not_replied": ONCE, **SENDING},
        ("message_id",),
    ),
    Tool(
        "reply_all",
        "Reply to all",
        "Reply to everybody who has a message. Recipients, subject and thread follow from the message.",
        _sending("/messages/{message_id}/reply-all", "quote", "if_not_replied"),
        SENDS,
        {"message_id": MESSAGE, **REPLY, "quote": QUOTE, "if_not_replied": ONCE, **SENDING},
        ("message_id",),
    ),
    Tool(
        "forward",
        "Forward a message",
        "Forward a message, with its files, to others.",
        _sending("/messages/{message_id}/forward", "original_attachments"),
        SENDS,
        {
            "message_id": MESSAGE,
            **WRITTEN,
            "original_attachments": text(
                "inline: each file as it was; eml: the whole message as one file; none: the text only.",
                enum=["inline", "eml", "none"],
                default="inline",
            ),
            **SENDING,
        },
        ("message_id", "to"),
    ),
    Tool(
        "propose_message",
        "Propose a mail",
        f"Propose a new mail from an inbox. {PROPOSED}",
        _proposing(),
        ADDS,
        {"inbox_id": INBOX, **WRITTEN, "client_id": CLIENT_ID, **REVIEW},
        ("inbox_id", "to"),
        unless=SEND,
    ),
    Tool(
        "propose_reply",
        "Propose a reply",
        "Propose a reply to a message, from the inbox that it is in. Recipients and subject follow from the message. "
        f"{PROPOSED}",
        _proposing("in_reply_to_message_id", "reply_all"),
        ADDS,
        {
            "inbox_id": INBOX | {"description": "Id of the inbox that the message is in: its inbox_id."},
            "in_reply_to_message_id": MESSAGE | {"description": "Id of the message to reply to."},
            "reply_all": yes_or_no("Reply to everybody who has the message.", default=False),
            **REPLY,
            "client_id": CLIENT_ID,
            **REVIEW,
        },
        ("inbox_id", "in_reply_to_message_id"),
        unless=SEND,
    ),
    Tool(
        "create_draft",
        "Create a draft",
        "Write a mail without sending it. submit_draft puts it before a person.",
        (_proposing("in_reply_to_message_id", "reply_all")[0],),
        ADDS,
        {
            "inbox_id": INBOX,
            "in_reply_to_message_id": MESSAGE | {"description": "Id of the message that it answers, if any."},
            "reply_all": yes_or_no("Reply to everybody who has that message.", default=False),
            **REPLY,
            "client_id": CLIENT_ID,
        },
        ("inbox_id",),
    ),
    Tool(
        "update_draft",
        "Change a draft",
        "Change what a draft says; what is not named stays. A change takes an approval back.",
        (Step("PATCH", {"/drafts/{draft_id}": "drafts:write"}, body=(*FIELDS, "version")),),
        Hints(destructive=True, idempotent=True),
        {
            "draft_id": DRAFT,
            **WRITTEN,
            "version": whole("The version that was read: refused when the draft has changed since.", 1, 2**31),
        },
        ("draft_id",),
    ),
    Tool(
        "submit_draft",
        "Submit a draft",
        "Put a draft before a person, who approves or rejects it.",
        (Step("POST", {"/drafts/{draft_id}/submit": "drafts:write"}, body=("expires_at", "version")),),
        Hints(idempotent=True),
        {
            "draft_id": DRAFT,
            **REVIEW,
            "version": whole("The version that was read: refused when the draft has changed since.", 1, 2**31),
        },
        ("draft_id",),
    ),
    Tool(
        "add_labels",
        "Add labels",
        "Put labels on a message, or on a thread. Name one of the two.",
        _labelling("POST"),
        Hints(idempotent=True),
        {"message_id": MESSAGE, "thread_id": THREAD, "labels": texts("Labels, in lower case.")},
        ("labels",),
    ),
    Tool(
        "remove_labels",
        "Remove labels",
        "Take labels off a message, or off a thread. Name one of the two.",
        _labelling("DELETE"),
        Hints(destructive=True, idempotent=True),
        {"message_id": MESSAGE, "thread_id": THREAD, "labels": texts("Labels.")},
        ("labels",),
    ),
)
