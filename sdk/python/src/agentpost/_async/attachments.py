"""Attachments: files that came, or are going to be sent."""

from __future__ import annotations

import os
from typing import Optional, Union

from typing_extensions import Unpack

from agentpost._async.resource import AsyncResource
from agentpost._calls import Call, header, path_of
from agentpost._inputs import read_file, type_of
from agentpost.bodies import UploadBody
from agentpost.errors import ConfigurationError, UnexpectedAnswerError
from agentpost.models import Attachment, Upload, UploadUrl


class AsyncAttachments(AsyncResource):
    """``client.attachments``."""

    async def get_upload_url(self, **file: Unpack[UploadBody]) -> UploadUrl:
        """Return a URL to ``PUT`` a file to, without the key, and the ``key`` by which it is attached then."""
        return await self._post("/attachments/upload-url", UploadUrl, file, is_harmless=True)

    async def upload(
        self,
        file: Union[os.PathLike[str], bytes],
        *,
        filename: Optional[str] = None,
        mime_type: Optional[str] = None,
    ) -> Upload:
        """Upload a path, or bytes and their ``filename``; what is returned goes into ``attachments`` as it is.

        Raises ConfigurationError for a path that cannot be read, for bytes without a name, and for a string: a path is
        a ``pathlib.Path``.
        """
        name, content = (filename, file) if isinstance(file, bytes) else read_file(file)
        name = filename or name
        if name is None:
            raise ConfigurationError("Bytes need a filename.")
        kind = mime_type or type_of(name)
        target = await self.get_upload_url(filename=name, mime_type=kind, size=len(content))
        call = Call("PUT", target.upload_url, content=content, headers=header("Content-Type", kind), is_signed_url=True)
        return await self._made(call, Upload)

    async def get(self, attachment_id: str) -> Attachment:
        """Return an attachment, with a ``download_url`` that needs no key for a short time."""
        return await self._get(path_of("attachments", attachment_id), Attachment)

    async def download(self, attachment_id: str) -> bytes:
        """Return what is in an attachment. Raises UnexpectedAnswerError where the server names no place for it."""
        url = (await self.get(attachment_id)).download_url
        if not url:
            raise UnexpectedAnswerError("The attachment has no download_url.")
        return (await self._connection.answer(Call("GET", url, is_signed_url=True))).content
