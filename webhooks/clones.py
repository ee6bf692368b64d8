"""What is copied of who listens: endpoints, each with a fresh secret, and disabled until somebody enables it."""

from collections.abc import Sequence

from environments.callers import Actor
from environments.cloning import CREATE, KEEP, Copy, Described, Item
from environments.models import Environment
from webhooks.models import WebhookEndpoint
from webhooks.services.endpoints import create_endpoint

KIND = "webhook endpoints"
DISABLED = "It was copied from another environment."
TOLD = "It gets a secret of its own, and starts disabled: enable it once its receiver expects these events."


def describe(source: Environment) -> list[Described]:
    """Return the endpoints without what is secret or of the source alone: secrets, values of headers, inboxes."""
    rows = WebhookEndpoint.objects.in_environment(source).order_by("url", "pk")
    return [
        {
            "url": row.url,
            "events": sorted(row.events),
            "description": row.description,
            "headers": sorted(row.headers),
            "has_inboxes": bool(row.inbox_ids),
        }
        for row in rows
    ]


def plan(target: Environment, described: Sequence[Described]) -> list[Item]:
    """Return an item for each URL; one that the target has already stays as it is."""
    there = set(WebhookEndpoint.objects.in_environment(target).values_list("url", flat=True))
    items = []
    for one in described:
        is_there = one["url"] in there
        there.add(one["url"])
        items.append(
            Item(KIND, one["url"], KEEP, why="There is an endpoint with this URL already.")
            if is_there
            else Item(KIND, one["url"], CREATE, after=one, why=_told(one))
        )
    return items


def _told(endpoint: Described) -> str:
    headers, inboxes = endpoint["headers"], endpoint["has_inboxes"]
    more = f" Its headers ({', '.join(headers)}) are not copied, since their values may be secret." if headers else ""
    return TOLD + more + (" It hears of all inboxes, not only of some." if inboxes else "")


def apply(target: Environment, items: Sequence[Item], actor: Actor) -> dict[str, str]:
    """Create the endpoints, disabled; return the secrets by URL."""
    secrets = {}
    for item in items:
        given = {name: item.after[name] for name in ("events", "description")}
        endpoint, _ = create_endpoint(
            target, actor=actor, url=item.name, is_enabled=False, disabled_reason=DISABLED, **given
        )
        secrets[item.name] = endpoint.secret
    return secrets


COPIES: Sequence[Copy] = (Copy(KIND, describe, plan, apply),)
