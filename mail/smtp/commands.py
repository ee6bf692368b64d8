"""What MAIL and RCPT say (RFC 5321 section 4.1.2, RFC 1870, RFC 6152, RFC 6531)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mail.intake import Refused

_IN_BRACKETS = re.compile(r"<([^<>\s]+)>")
# Dots may stand anywhere in a local part: whole providers have let their customers choose such addresses.
_DOT_STRING = r"[\w.!#$%&'*+/=?^`{|}~\u0080-\U0010ffff-]+"
_QUOTED_STRING = r'"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"'
_DOMAIN = r"[\w\u0080-\U0010ffff-]+(?:\.[\w\u0080-\U0010ffff-]+)*"
_LITERAL = r"\[[!-Z^-~]+\]"
_MAILBOX = rf"(?:{_DOT_STRING}|{_QUOTED_STRING})@(?:{_DOMAIN}|{_LITERAL})"
_SOURCE_ROUTE = r"@[^\s<>:\"]+:"
_PATH = re.compile(
    rf"(?:<(?:{_SOURCE_ROUTE})?(?P<path>{_MAILBOX}|postmaster|)>|(?P<bare>{_MAILBOX}))(?:[ \t]+(?P<parameters>.*))?",
    re.ASCII | re.IGNORECASE,
)
_PLAIN_QUOTED = re.compile(r'^"([\w.+-]+)"(?=@)', re.ASCII)
_PARAMETER = re.compile(r"(?P<name>[A-Z0-9][A-Z0-9-]*)(?:=(?P<value>[!-<>-~\u0080-\U0010ffff]+))?", re.IGNORECASE)
_SIZE = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Sender:
    """What MAIL FROM announces."""

    address: str
    size: int
    """As declared by SIZE=, else 0."""
    smtputf8: bool


def parse_mail(argument: str, *, extended: bool) -> Sender:
    """Read the argument of MAIL. Raises Refused; parameters are only for peers that greeted with EHLO."""
    address, parameters = _path(argument, "FROM:", "MAIL FROM:<address>", "5.1.7")
    _refuse_unless(extended or not parameters, "555 5.5.4 Parameters need EHLO")
    _refuse_unless(parameters.keys() <= {"SIZE", "BODY", "SMTPUTF8"}, "555 5.5.4 Parameter not known")
    size = parameters.get("SIZE", "0")
    _refuse_unless(_SIZE.fullmatch(size), "501 5.5.4 SIZE is a number of octets")
    _refuse_unless(parameters.get("BODY", "7BIT").upper() in {"7BIT", "8BITMIME"}, "501 5.5.4 BODY not known")
    _refuse_unless(not parameters.get("SMTPUTF8"), "501 5.5.4 SMTPUTF8 takes no value")
    smtputf8 = "SMTPUTF8" in parameters
    _refuse_unless(smtputf8 or address.isascii(), "553 5.6.7 This address needs SMTPUTF8")
    return Sender(address, int(size), smtputf8)


def parse_rcpt(argument: str, *, smtputf8: bool, hostname: str) -> str:
    """Read the argument of RCPT and return the address, its domain in lower case. Raises Refused.

    The bare `postmaster` of RFC 5321 section 4.5.1 is the one at `hostname`.
    """
    address, parameters = _path(argument, "TO:", "RCPT TO:<address>", "5.1.3")
    _refuse_unless(address, "501 5.1.3 A recipient is needed")
    _refuse_unless(not parameters, "555 5.5.4 Parameter not known")
    _refuse_unless(smtputf8 or address.isascii(), "553 5.6.7 This address needs SMTPUTF8")
    return address if "@" in address else f"{address}@{hostname.lower()}"


def address_in(argument: str) -> str:
    """Return what stands in the brackets of an argument that cannot be read; all of it where there are none."""
    named = _IN_BRACKETS.search(argument)
    return named[1] if named else argument


def _path(argument: str, keyword: str, syntax: str, malformed: str) -> tuple[str, dict[str, str]]:
    _refuse_unless(argument[: len(keyword)].upper() == keyword, f"501 5.5.4 Syntax: {syntax}")
    match = _PATH.fullmatch(argument[len(keyword) :].strip(" \t"))
    # The octets of an address that is not UTF-8 arrive as lone surrogates.
    if match is None or any("\ud800" <= character <= "\udfff" for character in argument):
        raise Refused(f"501 {malformed} Malformed address, syntax: {syntax}")
    return _normal(match["path"] or match["bare"] or ""), _parameters(match["parameters"] or "")


def _normal(address: str) -> str:
    """Take quotes off that quote nothing; spell the domain, which has no case, in lower case."""
    address = _PLAIN_QUOTED.sub(r"\1", address)
    local_part, at_sign, domain = address.rpartition("@")
    return f"{local_part}@{domain.lower()}" if at_sign else address


def _parameters(text: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None or match["name"].upper() in parameters:
            raise Refused("501 5.5.4 Malformed or repeated parameter")
        parameters[match["name"].upper()] = match["value"] or ""
    return parameters


def _refuse_unless(condition: object, reply: str) -> None:
    if not condition:
        raise Refused(reply)
