"""The HTTP APIs of providers, as far as sending goes: what they answer, and what they were told."""

from __future__ import annotations

import base64
import email
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Any

import orjson
from werkzeug import Request, Response


@dataclass
class Told:
    """What a provider was told of a mail."""

    to: list[str]
    cc: list[str] = field(default_factory=list)
    bcc: list[str] = field(default_factory=list)
    sender: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    secret: str = ""


@dataclass(frozen=True)
class Api:
    """One provider: its configuration, what it answers to a good mail, and how to read what it was told."""

    config: dict[str, Any]
    answer: Callable[[Request], Response]
    read: Callable[[Request], Told]
    identifier: str | None
    refusal: tuple[int, Any]


def _json(value: Any, status: int = 200, **headers: str) -> Response:
    return Response(orjson.dumps(value), status, headers, content_type="application/json")


def _addresses(*values: str) -> list[str]:
    return [address for _, address in getaddresses([value for value in values if value])]


def _decoded(files: list[dict[str, Any]], name: str, content: str) -> dict[str, bytes]:
    return {file[name]: base64.b64decode(file[content]) for file in files}


def _postmark(request: Request) -> Told:
    said = orjson.loads(request.data)
    return Told(
        _addresses(said.get("To", "")), _addresses(said.get("Cc", "")), _addresses(said.get("Bcc", "")),
        said["From"], said["Subject"], said.get("TextBody", ""), said.get("HtmlBody", ""),
        _decoded(said.get("Attachments", []), "Name", "Content"),
        {one["Name"]: one["Value"] for one in said.get("Headers", [])},
        request.headers["X-Postmark-Server-Token"],
    )  # fmt: skip


def _sendgrid(request: Request) -> Told:
    said = orjson.loads(request.data)
    [person] = said["personalizations"]
    bodies = {one["type"]: one["value"] for one in said["content"]}
    return Told(
        [one["email"] for one in person.get("to", [])], [one["email"] for one in person.get("cc", [])],
        [one["email"] for one in person.get("bcc", [])], said["from"]["email"], said["subject"],
        bodies.get("text/plain", ""), bodies.get("text/html", ""),
        _decoded(said.get("attachments", []), "filename", "content"), said.get("headers", {}),
        request.headers["Authorization"],
    )  # fmt: skip


def _mailgun(request: Request) -> Told:
    said = request.form
    files = {one.filename or "": one.read() for name in ("attachment", "inline") for one in request.files.getlist(name)}
    return Told(
        _addresses(*said.getlist("to")), _addresses(*said.getlist("cc")), _addresses(*said.getlist("bcc")),
        said["from"], said["subject"], said.get("text", ""), said.get("html", ""), files,
        {name[2:]: value for name, value in said.items() if name.startswith("h:")},
        base64.b64decode(request.headers["Authorization"].split()[1]).decode(),
    )  # fmt: skip


def _resend(request: Request) -> Told:
    said = orjson.loads(request.data)
    return Told(
        _addresses(*said["to"]), _addresses(*said.get("cc", [])), _addresses(*said.get("bcc", [])), said["from"],
        said["subject"], said.get("text", ""), said.get("html", ""),
        _decoded(said.get("attachments", []), "filename", "content"), said.get("headers", {}),
        request.headers["Authorization"],
    )  # fmt: skip


def _brevo(request: Request) -> Told:
    said = orjson.loads(request.data)
    return Told(
        [one["email"] for one in said["to"]], [one["email"] for one in said.get("cc", [])],
        [one["email"] for one in said.get("bcc", [])], said["sender"]["email"], said["subject"],
        said.get("textContent", ""), said.get("htmlContent", ""),
        _decoded(said.get("attachment", []), "name", "content"), said.get("headers", {}), request.headers["api-key"],
    )  # fmt: skip


def _mailersend(request: Request) -> Told:
    said = orjson.loads(request.data)
    return Told(
        [one["email"] for one in said["to"]], [one["email"] for one in said.get("cc", [])],
        [one["email"] for one in said.get("bcc", [])], said["from"]["email"], said["subject"], said.get("text", ""),
        said.get("html", ""), _decoded(said.get("attachments", []), "filename", "content"),
        {"References": said.get("references", [""])[0] if isinstance(said.get("references"), list) else ""},
        request.headers["Authorization"],
    )  # fmt: skip


def _mailjet(request: Request) -> Told:
    posted = orjson.loads(request.data)
    said = {**posted.get("Globals", {}), **posted["Messages"][0]}
    files = [*said.get("Attachments", []), *said.get("InlinedAttachments", [])]
    return Told(
        [one["Email"] for one in said["To"]], [one["Email"] for one in said.get("Cc", [])],
        [one["Email"] for one in said.get("Bcc", [])], said["From"]["Email"], said["Subject"],
        said.get("TextPart", ""), said.get("HTMLPart", ""), _decoded(files, "Filename", "Base64Content"),
        said.get("Headers", {}), base64.b64decode(request.headers["Authorization"].split()[1]).decode(),
    )  # fmt: skip


def _mailjet_answer(request: Request) -> Response:
    told = _mailjet(request)
    people = [{"Email": one, "MessageID": 42} for one in told.to]
    copies = [{"Email": one, "MessageID": 42} for one in told.cc]
    return _json({"Messages": [{"Status": "success", "To": people, "Cc": copies, "Bcc": []}]})


def _sparkpost(request: Request) -> Told:
    said = orjson.loads(request.data)
    content = said["content"]
    everybody = [one["address"]["email"] for one in said["recipients"]]
    copied = _addresses(*(value for name, value in content.get("headers", {}).items() if name.lower() == "cc"))
    files = [*content.get("attachments", []), *content.get("inline_images", [])]
    return Told(
        [one for one in everybody if one not in copied], copied, [], str(content["from"]), content["subject"],
        content.get("text", ""), content.get("html", ""), _decoded(files, "name", "data"),
        content.get("headers", {}), request.headers["Authorization"],
    )  # fmt: skip


def _sparkpost_answer(request: Request) -> Response:
    count = len(orjson.loads(request.data)["recipients"])
    return _json({"results": {"total_accepted_recipients": count, "total_rejected_recipients": 0, "id": "sp-1"}})


def _mandrill(request: Request) -> Told:
    said = orjson.loads(request.data)
    mail = said["message"]
    by_kind = {
        kind: [one["email"] for one in mail["to"] if one.get("type", "to") == kind] for kind in ("to", "cc", "bcc")
    }
    files = [*mail.get("attachments", []), *mail.get("images", [])]
    return Told(
        by_kind["to"], by_kind["cc"], by_kind["bcc"], mail["from_email"], mail["subject"], mail.get("text", ""),
        mail.get("html", ""), _decoded(files, "name", "content"), mail.get("headers", {}), said["key"],
    )  # fmt: skip


def _mandrill_answer(request: Request) -> Response:
    told = _mandrill(request)
    return _json([{"email": one, "status": "sent", "_id": "md-1"} for one in [*told.to, *told.cc]])


def _ses(request: Request) -> Told:
    said = orjson.loads(request.data)
    mail = email.message_from_bytes(base64.b64decode(said["Content"]["Raw"]["Data"]))
    parts = list(mail.walk())
    bodies = {
        part.get_content_type(): part.get_payload(decode=True).decode()
        for part in parts
        if part.get_content_maintype() == "text"
    }
    files = {part.get_filename(): part.get_payload(decode=True) for part in parts if part.get_filename()}
    where = said["Destination"]
    return Told(
        where.get("ToAddresses", []), where.get("CcAddresses", []), where.get("BccAddresses", []), str(mail["From"]),
        str(email.header.make_header(email.header.decode_header(mail["Subject"]))), bodies.get("text/plain", ""),
        bodies.get("text/html", ""), files, dict(mail.items()), request.headers["Authorization"],
    )  # fmt: skip


def _postmark_answer(request: Request) -> Response:
    told = _postmark(request)
    return _json({"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": ", ".join(told.to)})


APIS = {
    "amazon_ses": Api(
        {"access_key_id": "sesame", "secret_access_key": "sesame-secret", "region": "eu-west-1"},
        lambda _: _json({"MessageId": "ses-1"}), _ses, "ses-1", (400, {"message": "no such recipient"}),
    ),
    "brevo": Api(
        {"api_key": "sesame"}, lambda _: _json({"messageId": "<brevo-1@relay>"}, 201), _brevo, "<brevo-1@relay>",
        (400, {"code": "invalid_parameter", "message": "no such recipient"}),
    ),
    "mailersend": Api(
        {"api_token": "sesame"}, lambda _: Response("", 202, {"X-Message-Id": "ms-1"}), _mailersend, "ms-1",
        (422, {"message": "no such recipient"}),
    ),
    "mailgun": Api(
        {"api_key": "sesame"}, lambda _: _json({"id": "<mg-1@acme.example>", "message": "Queued. Thank you."}),
        _mailgun, "<mg-1@acme.example>", (400, {"message": "no such recipient"}),
    ),
    "mailjet": Api(
        {"api_key": "sesame", "secret_key": "secret"}, _mailjet_answer, _mailjet, "42",
        (400, {"ErrorMessage": "no such recipient"}),
    ),
    "mandrill": Api(
        {"api_key": "sesame"}, _mandrill_answer, _mandrill, "md-1", (400, {"message": "no such recipient"}),
    ),
    "postmark": Api(
        {"server_token": "sesame"}, _postmark_answer, _postmark, "pm-1",
        (422, {"ErrorCode": 400, "Message": "no such recipient"}),
    ),
    "resend": Api(
        {"api_key": "sesame"}, lambda _: _json({"id": "re-1"}), _resend, "re-1",
        (422, {"statusCode": 422, "message": "no such recipient"}),
    ),
    "sendgrid": Api(
        {"api_key": "sesame"}, lambda _: Response("", 202), _sendgrid, None,  # anymail makes the id up
        (400, {"errors": [{"message": "no such recipient"}]}),
    ),
    "sparkpost": Api(
        {"api_key": "sesame"}, _sparkpost_answer, _sparkpost, "sp-1",
        (422, {"errors": [{"message": "no such recipient"}]}),
    ),
}  # fmt: skip
