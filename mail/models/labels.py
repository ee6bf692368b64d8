"""Labels on messages and threads."""

from typing import ClassVar

from django.db import models

from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned
from mail.models.messages import Message, Thread


class MessageLabel(EnvironmentOwned):
    """A label on a message. Rows and not an array: only a b-tree serves under row-level security."""

    id = PrefixedIDField("lbl", primary_key=True)
    message = SameEnvironmentForeignKey(Message, models.CASCADE)
    label = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "label", "message"], name="one_label_per_message")
        ]
        indexes: ClassVar = [models.Index(fields=["environment", "message"], name="labels_of_message")]

    def __str__(self) -> str:
        return self.label


class ThreadLabel(EnvironmentOwned):
    """A label on a thread, independent of those on its messages."""

    id = PrefixedIDField("lbl", primary_key=True)
    thread = SameEnvironmentForeignKey(Thread, models.CASCADE)
    label = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "label", "thread"], name="one_label_per_thread")
        ]
        indexes: ClassVar = [models.Index(fields=["environment", "thread"], name="labels_of_thread")]

    def __str__(self) -> str:
        return self.label
