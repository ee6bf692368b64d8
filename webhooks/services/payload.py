"""What is sent of an event: all of it, or, where that would be too long, what is short of it and links to the rest."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

MOST_BYTES = 256 * 1024
LAST_TO_GO = ("subject", "_address")  # endings of names; ids never go


def payload(envelope: Mapping[str, Any], public_url: str) -> bytes:
    """Return an event's envelope as JSON in UTF-8, at most ``MOST_BYTES`` long.

    Of one that is longer, the largest texts and lists of ``data`` go until it fits, subject and single addresses last.
    ``data`` then holds their names as ``omitted``, and as ``links`` where ``public_url`` serves the whole event and,
    where it tells of one, the whole message. Takes time linear in the size of the envelope. Raises TypeError for what
    cannot be written as JSON.
    """
    whole = orjson.dumps(envelope)
    if len(whole) <= MOST_BYTES:
        return whole
    data, omitted, links = envelope["data"], list[str](), _links(envelope, public_url)
    surplus = len(whole) + len(orjson.dumps({"omitted": [], "links": links})) - MOST_BYTES
    for name, size in _going(data):
        if surplus <= 0:
            break
        omitted.append(name)
        surplus -= size  # its name moves into ``omitted``
    kept = {name: value for name, value in data.items() if name not in omitted}
    return orjson.dumps({**envelope, "data": {**kept, "omitted": omitted, "links": links}})


def _links(envelope: Mapping[str, Any], public_url: str) -> dict[str, str]:
    links = {"event": f"{public_url}/api/v1/events/{envelope['id']}"}
    if message_id := envelope["data"].get("message_id"):
        links["message"] = f"{public_url}/api/v1/messages/{message_id}"
    return links


def _going(data: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the names and sizes in JSON of what may be left out, what goes first at first."""
    sizes = {
        name: len(orjson.dumps(value))
        for name, value in data.items()
        if isinstance(value, str | list | dict) and not name.endswith("_id")
    }
    yield from sorted(sizes.items(), key=lambda item: (item[0].endswith(LAST_TO_GO), -item[1]))
