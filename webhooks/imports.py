"""What becomes of endpoints when an archive was taken in: each has a new secret, which is told once."""

from collections.abc import Sequence

from environments.services.importing import Import, Step
from environments.services.unpacking import ArchiveRefused
from webhooks.models import WebhookEndpoint


def tell_secrets(done: Import) -> None:
    """Note the secrets to be shown; refuse an endpoint that is no URL."""
    for endpoint in WebhookEndpoint.objects.in_environment(done.environment).order_by("pk"):
        if not endpoint.url.startswith(("https://", "http://")):
            raise ArchiveRefused(f"The webhook endpoint {endpoint.pk} has no URL of http or https.")
        done.secrets[endpoint.pk] = endpoint.secret
        done.remarks.append(
            f"{endpoint.url} is disabled, and has a new secret, which --json shows, and none of its own headers."
        )


STEPS: Sequence[Step] = (tell_secrets,)
