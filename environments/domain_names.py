"""Domain names in the one form in which they are compared, stored and written on the wire."""

import idna

LONGEST = 253  # RFC 1035 section 2.3.4, without the final dot


def ascii_domain(domain: str) -> str:
    """Return a domain in lower-case ASCII, without a final dot (RFC 5891, prepared by UTS #46).

    Whatever compares a domain uses this, so that no spelling is one domain to a rule and another to a mail server.
    Raises ValueError for what cannot be one.
    """
    domain = domain.strip().removesuffix(".")
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode().lower()
    except idna.IDNAError as problem:
        raise ValueError("The domain cannot be written in ASCII.") from problem
