"""Which addresses may be people's, and which domains are agents', told by those on the right: one explicit hook.

This app stands left of ``inboxes`` and imports nothing of it (see docs/decisions/0036-events-from-the-left.md).
"""

import re
from collections.abc import Callable, Collection

Judge = Callable[[str, Collection[str]], bool]
_judges: list[Judge] = []

# A dot-atom (RFC 5322, section 3.2.3) without % and !, with which old mail servers are told to pass mail on elsewhere.
LOCAL_PART = re.compile(r"[a-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[a-z0-9#$&'*+/=?^_`{|}~-]+)*")
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})+")


def judge_through(judge: Judge) -> None:
    """Let this function say from now on whether a domain is one of agents, for people of these organizations."""
    _judges[:] = [judge]


def is_of_agents(domain: str, organization_ids: Collection[str]) -> bool:
    """Return whether mail to the domain may come to be read by an agent of this server.

    ``domain`` is in ASCII and lower case. ``organization_ids`` are those in which a person of it has a say, or would.
    """
    return any(judge(domain, organization_ids) for judge in _judges)


def on_the_envelope(address: str) -> str | None:
    """Return the one spelling under which every mail server understands the address; None where there is none.

    It is ASCII and in lower case, the domain as IDNA has it (RFC 3490). A quoted local part, or one that is not ASCII,
    has none: what is read as one address here and as another further on is no person's.
    """
    local, _, domain = address.strip().lower().rpartition("@")
    try:
        written = domain.encode("idna").decode().lower()
    except UnicodeError:
        return None
    if len(local) > 64 or not LOCAL_PART.fullmatch(local) or not DOMAIN.fullmatch(written):  # noqa: PLR2004 - RFC 5321
        return None
    return f"{local}@{written}"
