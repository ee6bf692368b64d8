"""The headers of an endpoint's own that go with every POST to it: which they may be."""

import re
from collections.abc import Mapping

from webhooks.transport import is_permitted_header

MOST_HEADERS = 20
LONGEST_VALUE = 2000
OURS = re.compile(r"x-agentpost-|webhook-|content-type$|user-agent$", re.IGNORECASE)
PROBLEM = f"At most {MOST_HEADERS} headers, none that AgentPost sets itself."


def are_permitted(headers: Mapping[str, str]) -> bool:
    """Return whether an endpoint may have these headers."""
    return len(headers) <= MOST_HEADERS and all(
        is_permitted_header(name, value) and not OURS.match(name) and len(value) <= LONGEST_VALUE
        for name, value in headers.items()
    )
