"""Files that were uploaded to be sent, and wait for a message."""

from typing import ClassVar

from django.db import models

from environments import clock
from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned
from mail.models.messages import Blob


class Upload(EnvironmentOwned):
    """A file that was announced; ``blob`` is empty until its bytes have come. It goes when it expires."""

    id = PrefixedIDField("upl", primary_key=True)
    blob = SameEnvironmentForeignKey(Blob, models.RESTRICT, null=True)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "blob"], name="uploads_by_blob"),
            models.Index(fields=["environment", "expires_at"], name="uploads_by_end"),
            models.Index(fields=["environment", "-id"], name="uploads_listed"),
        ]

    def __str__(self) -> str:
        return self.filename
