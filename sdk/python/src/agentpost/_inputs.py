"""What callers may give in more ways than JSON knows, and how it is written in JSON."""

from __future__ import annotations

import base64
import mimetypes
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypedDict, Union

from pydantic import BaseModel

from agentpost._optional import without_none
from agentpost.errors import ConfigurationError
from agentpost.models import Address, Attachment, Upload


class AddressBody(TypedDict, total=False):
    """An address, ``email``, and the name beside it."""

    email: str
    name: str


class FileBody(TypedDict, total=False):
    """A file: ``filename`` and ``content``; the ``key`` of an upload; or an ``attachment_id``.

    ``content`` in bytes is sent in base64; a ``str`` is taken to be base64 already.
    """

    filename: str
    content: Union[bytes, str]
    key: str
    attachment_id: str
    content_type: str
    mime_type: str
    content_id: str


Recipient = Union[str, AddressBody, Address]
Recipients = Union[Recipient, Sequence[Recipient]]
Moment = Union[datetime, str]
File = Union[FileBody, str, "os.PathLike[str]", Attachment, Upload]
ATTACHMENT_ID = re.compile(r"att_[0-9A-Za-z]{26}")
LISTS_OF_RECIPIENTS = {"to", "cc", "bcc", "reply_to"}


def as_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a method was given as the JSON object of its call.

    Raises ConfigurationError for a moment without a time zone, and for a file that cannot be read.
    """
    return {name.rstrip("_"): _field(name, value) for name, value in fields.items()}


def _field(name: str, value: Any) -> Any:
    if name == "attachments" and value is not None:
        return [as_file(file) for file in value]
    if name in LISTS_OF_RECIPIENTS and isinstance(value, (str, Mapping, Address)):
        return [as_json(value)]
    if name == "messages":
        return [as_body(mail) for mail in value]
    return as_json(value)


def as_query(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a method was given as the query of its call. Raises ConfigurationError as ``as_body`` does."""
    return {name.rstrip("_"): as_json(value) for name, value in without_none(**fields).items()}


def as_json(value: Any) -> Any:
    """Return a value in the types of JSON. Raises ConfigurationError for a moment without a time zone."""
    if isinstance(value, datetime):
        return as_moment(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {name: as_json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(part) for part in value]
    return value


def as_moment(moment: datetime) -> str:
    """Return a moment in ISO 8601, UTC. Raises ConfigurationError when it has no time zone."""
    if moment.tzinfo is None:
        raise ConfigurationError("A datetime needs a time zone, as in datetime.now(timezone.utc).")
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def as_file(file: File) -> dict[str, Any]:
    """Return a file as an attachment's JSON: of a path, what is in it; of an ``att_`` id, that attachment.

    Raises ConfigurationError for a path that cannot be read, for bytes without a name, and for any other string: one
    that a model wrote must never open a file.
    """
    if isinstance(file, Attachment):
        return {"attachment_id": file.id}
    if isinstance(file, Upload):
        return {"key": file.key}
    if isinstance(file, Mapping):
        return _of_content(file)
    if isinstance(file, (bytes, bytearray)):
        raise ConfigurationError('Bytes need a name: {"filename": "report.pdf", "content": …}.')
    if isinstance(file, str) and ATTACHMENT_ID.fullmatch(file):
        return {"attachment_id": file}
    name, content = read_file(file)
    return _of_content({"filename": name, "content": content})


def _of_content(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's JSON; bytes are sent in base64, with the type that the name speaks for where none is given."""
    if not isinstance(file.get("content"), bytes):
        return dict(file)
    is_typed = "content_type" in file or "mime_type" in file
    kind = {} if is_typed or not file.get("filename") else {"content_type": type_of(file["filename"])}
    return {**kind, **file, "content": base64.b64encode(file["content"]).decode("ascii")}


def read_file(path: os.PathLike[str] | str) -> tuple[str, bytes]:
    """Return a file's name and content.

    Raises ConfigurationError for one that cannot be read, and for a string, which may be anybody's word.
    """
    if not isinstance(path, os.PathLike):
        raise ConfigurationError(f"{path!r} is no file: give a pathlib.Path; as an attachment, an att_ id will do too.")
    found = Path(path)
    try:
        return found.name, found.read_bytes()
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"{str(path)!r} cannot be read: {problem}") from problem


def type_of(filename: str) -> str:
    """Return the MIME type that a file's name speaks for."""
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"
