"""What is searched."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from environments.fields import SameEnvironmentForeignKey
from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned
from mail.models.messages import Message


class SearchEntry(EnvironmentOwned):
    """What of a message is searched, and the text of its attachments, which is kept nowhere else.

    ``document`` is made by ``mail.search`` and read by the gate ``search_messages`` alone. Without ``fastupdate``,
    since a search reads all of the list of pending entries, whosever they are.
    """

    id = PrefixedIDField("sea", primary_key=True)
    message = SameEnvironmentForeignKey(Message, models.CASCADE)
    document = SearchVectorField()
    attachment_texts = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "message"], name="one_entry_per_message")
        ]
        indexes: ClassVar = [GinIndex(fields=["document"], name="search_documents", fastupdate=False)]
        verbose_name_plural = "search entries"

    def __str__(self) -> str:
        return f"entry of {self.message_id}"
