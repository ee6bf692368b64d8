"""What a key may do: ``<resource>:read`` and ``<resource>:write``, and two rights of their own."""

from collections.abc import Iterable

from environments.errors import field_error

RESOURCES = (
    "environments",
    "members",
    "api_keys",
    "inboxes",
    "messages",
    "threads",
    "drafts",
    "labels",
    "domains",
    "filter_rules",
    "suppressions",
    "webhooks",
    "events",
    "usage",
    "audit",
)
SEND = "messages:send"
APPROVE = "drafts:approve"
ALL = frozenset({*(f"{name}:{verb}" for name in RESOURCES for verb in ("read", "write")), SEND, APPROVE})


def expand(given: Iterable[str]) -> list[str]:
    """Return the plain scopes behind a list that may hold ``*`` and ``messages:*``, sorted.

    ``messages:write`` implies ``messages:send``; ``drafts:approve`` is implied by nothing, not even ``*``: it stands in
    for a person's yes, and must be asked for by name. Raises ValidationFailed for a scope that does not exist.
    """
    scopes: set[str] = set()
    for scope in given:
        meant = _meant(scope)
        if not meant:
            raise field_error("scopes", f"There is no scope {scope}.")
        scopes |= meant
    if "messages:write" in scopes:
        scopes.add(SEND)
    return sorted(scopes)


def _meant(scope: str) -> set[str]:
    if scope == "*":
        return set(ALL - {APPROVE})
    resource, _, verb = scope.partition(":")
    if verb == "*" and resource in RESOURCES:
        return {f"{resource}:read", f"{resource}:write"}
    return {scope} & ALL
