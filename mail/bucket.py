"""The object store in an S3-compatible bucket: what is saved is acknowledged by the bucket, whole or not at all.

Nothing of it is ever public or presigned: every byte goes through this server, which knows whose it is.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, NoReturn

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from environments.errors import StoreUnavailable

logger = logging.getLogger(__name__)

IN_MEMORY = 32 * 1024 * 1024  # bytes of an object; a larger one, an archive for instance, is read by way of the disk
AT_ONCE = 1000  # keys that S3 deletes in one request
MISSING = {"404", "NoSuchKey"}


class BucketStorage(S3Storage):
    """Objects in one bucket, which belongs to this AgentPost alone. Every method may raise StoreUnavailable."""

    def __init__(self, *, bucket: str, endpoint: str, region: str, access_key: str, secret_key: str) -> None:
        """Take where the bucket is; without keys, what boto3 finds on the machine lets us in."""
        super().__init__(
            bucket_name=bucket,
            endpoint_url=endpoint or None,
            region_name=region or None,
            access_key=access_key or None,
            secret_key=secret_key or None,
            client_config=_client_config(path_style=bool(endpoint)),
            transfer_config=TransferConfig(use_threads=False),  # whoever writes several at once has threads for it
        )

    def _open(self, name: str, mode: str = "rb") -> File:
        """Read all of an object before its first byte is given out, so that none breaks off half-way."""
        with _trouble(), ExitStack() as on_failure:
            found = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=name)
            content = on_failure.enter_context(SpooledTemporaryFile(IN_MEMORY))
            shutil.copyfileobj(found["Body"], content)
            on_failure.pop_all()
        content.seek(0)
        return File(content, name)

    def _save(self, name: str, content: Any) -> str:
        with _trouble():
            saved: str = super()._save(name, content)
        return saved

    def delete(self, name: str) -> None:
        with _trouble():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with _trouble():
            return bool(super().exists(name))

    def url(self, name: str, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("Objects have no URL of their own; this server's links name the row.")

    def objects(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Yield key and size in bytes of every object whose key starts with this folder."""
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        with _trouble():
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=f"{folder}/" if folder else ""):
                yield from ((found["Key"], found["Size"]) for found in page.get("Contents", ()))

    def erase(self, folder: str) -> None:
        """Delete every object whose key starts with this folder."""
        keys = [key for key, _ in self.objects(folder)]
        for start in range(0, len(keys), AT_ONCE):
            with _trouble():
                self._delete_together(keys[start : start + AT_ONCE])

    def _delete_together(self, keys: list[str]) -> None:
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self.connection.meta.client.delete_objects(Bucket=self.bucket_name, Delete=wanted)
        if failed := answer.get("Errors"):
            logger.error("%d objects could not be deleted: %s", len(failed), failed[0].get("Code"))
            raise StoreUnavailable


def _client_config(*, path_style: bool) -> Config:
    """Return how to talk to S3; stores that only resemble it know neither buckets in host names nor new check sums."""
    alike: dict[str, Any] = {
        "s3": {"addressing_style": "path"},
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    return Config(
        signature_version="s3v4",
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 3},
        **(alike if path_style else {}),
    )


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except ClientError as problem:
        code = problem.response.get("Error", {}).get("Code", "")
        if code in MISSING:
            raise FileNotFoundError("There is no such object in the bucket.") from problem
        logger.error("The bucket refuses: %s", code)  # noqa: TRY400 - boto3's own frames say nothing more
        raise StoreUnavailable from problem
    except (BotoCoreError, Boto3Error) as problem:
        logger.error("The bucket does not answer: %s", problem)  # noqa: TRY400
        raise StoreUnavailable from problem
