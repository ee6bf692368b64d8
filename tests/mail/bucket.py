"""A bucket behind a real HTTP server that speaks S3."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from django.conf import settings
from moto.server import ThreadedMotoServer


@dataclass
class Bucket:
    """One bucket, seen with its owner's eyes."""

    endpoint: str
    name: str

    def __post_init__(self) -> None:
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="id",
            aws_secret_access_key="secret",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    @property
    def variables(self) -> dict[str, str]:
        """Return the settings that name it, as a process reads them."""
        return {
            "AGENTPOST_S3_BUCKET": self.name,
            "AGENTPOST_S3_ENDPOINT": self.endpoint,
            "AGENTPOST_S3_REGION": "us-east-1",
            "AGENTPOST_S3_ACCESS_KEY": "id",
            "AGENTPOST_S3_SECRET_KEY": "secret",
        }

    @property
    def storages(self) -> dict[str, Any]:
        """Return STORAGES with the object store in it."""
        words = ("bucket", "endpoint", "region", "access_key", "secret_key")
        options = dict(zip(words, self.variables.values(), strict=True))
        return {**settings.STORAGES, "default": {"BACKEND": "mail.bucket.BucketStorage", "OPTIONS": options}}

    def listed(self, prefix: str = "") -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", ())]

    def content(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def make(self) -> None:
        self.client.create_bucket(Bucket=self.name)

    def remove(self) -> None:
        for key in self.listed():
            self.client.delete_object(Bucket=self.name, Key=key)
        self.client.delete_bucket(Bucket=self.name)

    @contextlib.contextmanager
    def missing(self) -> Iterator[None]:
        """Let every request for the bucket be refused in the block."""
        self.remove()
        yield
        self.make()


@contextlib.contextmanager
def running_bucket() -> Iterator[Bucket]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = Bucket(f"http://{host}:{port}", f"mail-{uuid.uuid4().hex[:12]}")
    bucket.make()
    yield bucket
    server.stop()
