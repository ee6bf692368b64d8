"""Who a mail says it is from, against the address that it is from."""

from __future__ import annotations

from collections.abc import Iterator

from mail.inspection.characters import without_invisible
from mail.inspection.domains import addresses_in, domain_of, imitated, registrable, skeleton
from mail.inspection.values import Ours
from mail.parsing.values import ParsedMail

MAX_NAMES = 10

# Alone or together they say what somebody does, not who it is.
_GENERIC = frozenset(
    "account accounting accounts admin agent alerts assistant billing bot contact customer e-mail email finance hello help helpdesk hr "  # noqa: SIM905, E501
    "inbox info invoice invoices it mail marketing news newsletter no-reply noreply notification notifications office "
    "orders our payroll postmaster purchasing reception sales security service services shop staff support system team "
    "the webmaster your buchhaltung kontakt rechnung rechnungen vertrieb compta contabilidad soporte "
    "ventas main test".split(),
)


def names_to_look_up(mail: ParsedMail) -> tuple[str, ...]:
    """Return what the sender claims to be, to be looked up among the inboxes: names and addresses, at most ten.

    They are lower case with single spaces; `Ours.names` and `Ours.addresses` may be those among them that exist.
    """
    if mail.from_address is None:
        return ()
    name = _folded(mail.from_address.name)
    claimed = [*([name] if _is_somebody(name) else []), *addresses_in(name)]
    return tuple(dict.fromkeys(claimed))[:MAX_NAMES]


def reply_to_mismatch(mail: ParsedMail) -> Iterator[str]:
    """Yield the addresses for answers of another registered domain than From, unless a mailing list set them."""
    sender = domain_of(mail.from_address.email) if mail.from_address else ""
    if not sender or mail.headers.get("list-id") or mail.headers.get("list-post"):
        return
    for box in mail.reply_to[:20]:
        domain = domain_of(box.email)
        if domain and registrable(domain) != registrable(sender):
            yield f"{box.email} instead of {sender}"


def display_name_spoofing(mail: ParsedMail, ours: Ours) -> Iterator[str]:
    """Yield what the display name claims and the address does not bear out.

    Another address than the sender's (a mailing list may name whom it speaks for), or an inbox, an address or a domain
    of ours from outside.
    """
    if mail.from_address is None or not mail.from_address.name:
        return
    name, sender = _folded(mail.from_address.name), mail.from_address.email.lower()
    domain = registrable(domain_of(sender))
    own = {registrable(one) for one in ours.domains} | {registrable(domain_of(one)) for one in ours.addresses}
    for address in addresses_in(name)[:MAX_NAMES]:
        is_list = bool(mail.headers.get("list-id")) and registrable(domain_of(address)) not in own
        if registrable(domain_of(address)) != domain and not is_list:
            yield f"{address} in the name of {sender}"
    if domain not in own and sender not in {one.lower() for one in ours.addresses}:
        yield from _claims(name, sender, ours)


def _claims(name: str, sender: str, ours: Ours) -> Iterator[str]:
    looks_like = skeleton(name)
    for one in sorted(ours.names):
        if _is_somebody(_folded(one)) and skeleton(_folded(one)) == looks_like:
            yield f"{one} from {sender}"
    for domain in sorted(ours.domains):
        if domain.lower() in name.replace("@", " ").split():
            yield f"{domain} in the name of {sender}"


def _folded(name: str) -> str:
    return " ".join(without_invisible(name[:1_000]).lower().split())


def _is_somebody(name: str) -> bool:
    """Whether a name has two words at least and says more than a function ("Support Team")."""
    words = name.replace("-", "- ").split()
    return len(words) > 1 and not all(word.strip("-.,&") in _GENERIC or len(word) == 1 for word in words)


def homograph(mail: ParsedMail, ours: Ours) -> Iterator[str]:
    """Yield the domains of From and Reply-To that look like another one."""
    boxes = [mail.from_address, *mail.reply_to[:5]] if mail.from_address else mail.reply_to[:5]
    for domain in dict.fromkeys(domain_of(box.email) for box in boxes if box):
        if looks_like := imitated(domain, ours.domains):
            yield f"{domain} looks like {looks_like}"
