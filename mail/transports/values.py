"""What goes into a transport and what comes out of it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MayLeave = Callable[[], Awaitable[bool]]
LONGEST_REPLY = 1000  # of what the other side says, so much is kept
LONGEST = {"reply": LONGEST_REPLY, "enhanced_code": 20, "host": 255, "tls": 40, "provider_id": 255}
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")  # controls, lone surrogates


class Ending(StrEnum):
    """How an attempt to hand a mail over ended for one recipient."""

    DELIVERED = "delivered"  # the recipient's own server took it
    ACCEPTED = "accepted"  # a relay or a provider took it
    DEFERRED = "deferred"  # not now; also whenever it is not known
    REFUSED = "refused"  # never
    WITHHELD = "withheld"  # it may not leave any more


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail as it leaves: with CRLF line ends, without Bcc, and signed unless the carrier ``takes_groups``.

    Such a carrier is a provider, which signs by itself. ``recipients`` are the envelope's: one, or more for such a one.
    """

    raw: bytes
    envelope_sender: str
    recipients: tuple[str, ...]
    environment_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the other side said about one recipient.

    ``code`` and ``enhanced_code`` are those of RFC 5321 and RFC 3463 where there are any; ``reply`` is text for a
    person; ``host`` is who said it; ``provider_id`` is what a provider calls the mail. All of it may come from a
    stranger: a result holds it on one line, without what no database takes, and cut to ``LONGEST``.
    """

    ending: Ending
    reply: str = ""
    code: int | None = None
    enhanced_code: str = ""
    host: str = ""
    tls: str = ""
    provider_id: str = ""

    def __post_init__(self) -> None:
        """Clean the texts."""
        for name, longest in LONGEST.items():
            object.__setattr__(self, name, on_one_line(getattr(self, name))[:longest])


def on_one_line(text: str) -> str:
    """Return a text with a blank in place of controls, line ends and lone surrogates."""
    return UNPRINTABLE.sub(" ", text).strip()


class Carrier(Protocol):
    """Something that takes mail out."""

    name: str
    takes_groups: bool

    async def hand_over(self, parcel: Parcel, may_leave: MayLeave) -> Mapping[str, Result]:
        """Hand a mail over and return what became of it at each of the parcel's recipients.

        ``may_leave`` is awaited at each server, before DATA and again right before the first byte of the mail goes
        out, and before each call of an API; so it must be safe to ask several times. After its False it is not asked
        any more, nothing goes out, and the results are WITHHELD. Whatever the network does is a Result; nothing is
        raised.
        """

    async def close(self) -> None:
        """Close what is open."""
