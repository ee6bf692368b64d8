"""An environment's own way out."""

from typing import ClassVar

from django.db import models

from environments.ids import PrefixedIDField
from environments.models import EnvironmentOwned, Timestamped
from environments.sealed import SealedBytes


class Transport(EnvironmentOwned, Timestamped):
    """How an environment's mail leaves: through a relay, straight to its recipients' servers, or a provider.

    All that it is told is sealed (``environments.encryption``). A provider's webhooks come to a URL with a token in it,
    of which only the SHA-256 is kept.
    """

    PURPOSE: ClassVar = "transport"  # of what is sealed

    id = PrefixedIDField("trn", primary_key=True)
    kind = models.CharField(max_length=20)
    sealed = SealedBytes(editable=False, purpose=PURPOSE)
    token_hash = models.BinaryField(max_length=32, null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment"], name="one_transport_per_environment"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "-id"], name="transports_listed"),
            models.Index(
                fields=["token_hash"], name="transports_by_token", condition=models.Q(token_hash__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.kind
