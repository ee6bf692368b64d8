"""Hard or soft: whether a failure says that nobody can be reached at an address, now or later.

Wrongly called hard, an address is never written to again; wrongly called soft, it is tried once more. So a failure is
hard where the status or the words say that the mailbox or its domain does not exist or has been closed; a full
mailbox, a refused content, sender or host, and a failure that gives no reason are soft.
"""

from __future__ import annotations

import re

MAX_LOOKED_AT = 4_000

# No digit or dot beside it: an IP address is no status.
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_REPLY = re.compile(
    r"(?<![\d.:/+-])([45][0-5]\d)(?=[ \-#:)\]]|$)(?! ?(?:bytes|days|hours|minutes|kb|mb)\b)", re.IGNORECASE
)


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_FULL = _any_of(
    r"(?:mail)?box (?:is |was )?(?:full|exceed)",
    r"over ?quota",
    r"quota exceed",
    r"exceed\w{0,10} (?:\w+ ){0,4}(?:quota|storage)",
    r"not enough (?:storage|disk)? ?space",
    r"insufficient (?:system |disk )?(?:storage|space)",
    r"full mailbox",
    r"mailfolder is full",
    r"mailbox size limit",
    r"out of storage",
    r"quota",
    r"maildir (?:over|delivery failed)",
    r"user is over",
    r"disk full",
)
_PASSING = _any_of(
    r"temporar(?:y|ily)",
    r"try again (?:in|later|after)",
    r"not found, try again",
    r"receiving mail (?:too quickly|at a rate)",
    r"name server (?:timeout|reply)",
    r"may not exist",
    r"nicht vorhanden ist bzw",
    r"n'existe pas ou",
    r"可能不存在",
    r"no existe o ",
    r"possibly",
)
_GONE = _any_of(
    r"(?:user|recipient|mailbox|account|address|alias|customer|subscriber|inbox|person|"
    r"name|id)\)?:? ?(?:\S{1,250} )?(?:is |was |are )?"
    r"(?:unknown|not (?:be )?found|not known|invalid\b|nonexistent|non-existent|no longer|"
    r"not exist|unrouteable|undeliverable|"
    r"does ?n[o']t exist|does not exist|do not exist|doesn't have|not listed|not a valid|"
    r"terminated|has been (?:disabled|deactivated|"
    r"closed|removed|deleted)|inactive|disabled|deactivated|not active|closed|deleted|"
    r"not available|lookup failed|unavailable)",
    r"(?:unknown|invalid|no such|nonexistent|non-existent|bad|illegal|undeliverable|unrouteable|"
    r"inactive|not a (?:valid|known)|no valid|"
    r"unable to find|could not find|couldn't find|disabled|not our|not an active|no mailbox "
    r"(?:here )?by that|no mail-?box|no (?:matching|known)|"
    r"there is no|isn't a valid|wrong|is not a) "
    r"(?:\w+ ){0,3}(?:user\w*|recipient|recipients|mailbox|mailboxes|account|address|addressee|"
    r"person|alias|name|customer|local part|maildrop)",
    r"no such (?:user|recipient|address|mailbox|person|domain|host|account|local)",
    r"user (?:doesn't|does not) (?:exist|have)",
    r"user not (?:found|known|local|exist)",
    r"(?:not|isn't) in (?:my|our|the) (?:control\w*|local|recipient|directory|list)",
    r"host (?:or domain name |\S{1,250} )?not found",
    r"(?:host|domain)(?: name)? (?:is )?unknown",
    r"unknown (?:host|domain)",
    r"domain (?:\S+ )?(?:does ?n.t exist|not found)",
    r"name or service not known",
    r"type=\w+: (?:host|domain) not found",
    r"nxdomain",
    r"null ?mx",
    r"nullmx",
    r"no mail exchanger",
    r"couldn't find any host",
    r"has moved",
    r"user has left",
    r"no longer (?:at|with|works|employed|in use|active|available|valid|exists?|accept)",
    r"address (?:no longer|couldn't be found|not found|does not exist|rejected: undeliverable)",
    r"unrouteable",
    r"unroutable",
    r"not have an account",
    r"doesn't have an? \S+ account",
    r"recipient(?: address)? rejected: (?:access denied|undeliver|unknown|invalid|no such)",
    r"(?:no|not|an?y?) (?:\w+ ){0,3}smtp service",
    r"find (?:a|any) mail exchanger",
    r"no mx (?:record|host)",
    r"does not accept (?:e?-?mail|any mail)",
    r"recipient unresolvable",
    r"recipnotfound",
    r"recipientnotfound",
    r"adr_unknown",
    r"addressee unknown",
    r"recipient not found",
    r"mailbox unavailable",
    r"not a deliverable",
    r"unknown or illegal",
    r"relay not permitted.*unknown",
    r"vrfy.*fail",
    r"リストにありません",
    r"不存在",
    r"存在しません",
    r"見つかりません",
    r"nicht (?:gefunden|vorhanden|bekannt)",
    r"unbekannt",
    r"inconnu\w*",
    r"n'existe pas",
    r"no existe",
    r"desconocid\w+",
    r"não existe",
    r"inexistente",
    r"non esiste",
    r"sconosciut\w+",
    r"не (?:существует|найден)",
    r"nie istnieje",
    r"bestaat niet",
    r"all recipients were bad",
)
_OTHER = _any_of(
    r"spam",
    r"blocked",
    r"black ?list",
    r"block ?list",
    r"deny ?list",
    r"blocklist",
    r"reputation",
    r"policy",
    r"\bspf\b",
    r"\bdkim\b",
    r"dmarc",
    r"rdns",
    r"reverse dns",
    r"\bptr\b",
    r"greylist",
    r"gr[ae]y.?list",
    r"rate.?limit",
    r"too many",
    r"throttl",
    r"too (?:large|big|fast)",
    r"size (?:limit|exceed)",
    r"exceeds? (?:\w+ ){0,4}(?:size|limit)",
    r"virus",
    r"unsolicited",
    r"content (?:reject|filter)",
    r"time[d -]*out",
    r"expired",
    r"temporar",
    r"try again",
    r"retry time",
    r"relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed))",
    r"unable to relay",
    r"sender (?:address )?(?:rejected|denied|verify|verification|unknown|domain|is not)",
    r"your (?:ip|host|domain|server)",
    r"authenticat",
    r"not authori[sz]ed",
    r"connection (?:refused|timed|reset|lost)",
    r"message refused",
    r"suspended",
    r"loop",
    r"too many hops",
    r"dnsbl",
    r"\brbl\b",
    r"spamhaus",
    r"client host",
    r"access denied",
    r"not permitted",
    r"restrict",
    r"moderat",
    r"ip address",
    r"from address",
    r"junk",
    r"bulk",
    r"phish",
    r"malware",
)
_SENDER = _any_of(
    r"sender (?:\S{1,250} )?(?:address |domain )?(?:rejected|denied|verif\w+|unknown|not "
    r"found|does not exist|invalid|is not)",
    r"domain of sender",
    r"(?:unknown|invalid|bad) sender",
    r"your (?:host|domain|envelope|sender)",
    r"cannot find your",
    r"unresolvable sender",
    r"(?:after|reply to|response to|to) mail from",
    r"my name was rejected",
    r"ip for sending",
    r"member of",
    r"mail from (?:command )?(?:rejected|denied)",
    r"return(?:ing)? address",
    r"from (?:address|domain)",
    r"spf|dkim|dmarc|dnsbl|spamhaus|blacklist|blocklist|helo|ehlo|reverse|ptr\b|hostname "
    r"for",
    r"client host",
    r"unknown\[",
)

_HARD_STATUSES = frozenset(("7.27", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1", "4.4", "4.310"))


def status_in(diagnostic: str) -> str:
    """Return the first enhanced status code of a failure in a text, or "" if there is none."""
    match = _ENHANCED.search(diagnostic[:MAX_LOOKED_AT])
    return ".".join(match.groups()) if match else ""


def reply_in(diagnostic: str) -> str:
    """Return the first SMTP reply code of a failure in a text, or ""."""
    match = _REPLY.search(diagnostic[:MAX_LOOKED_AT])
    return match[1] if match else ""


def gives_a_reason(diagnostic: str) -> bool:
    """Whether a text gives a reason that only a failed delivery has."""
    words = diagnostic[:MAX_LOOKED_AT]
    return bool(status_in(words) or reply_in(words) or _FULL.search(words) or _GONE.search(words))


def is_hard(status: str, diagnostic: str) -> bool:
    """Whether a failed delivery with this status (RFC 3463, or "") and these words is a hard bounce."""
    words = diagnostic[:MAX_LOOKED_AT]
    if _may_pass(status, words) or _FULL.search(words) or _PASSING.search(words):
        return False
    gone = _GONE.search(words)
    if gone:
        return not _SENDER.search(words)
    subject = status.partition(".")[2]
    return subject in _HARD_STATUSES and not _OTHER.search(words)


def _may_pass(status: str, words: str) -> bool:
    """Whether the server said that another attempt may succeed (RFC 3463, 2: class 4; RFC 5321, 4.2.1: 4yz)."""
    if status.startswith("5"):
        return False
    stated = status_in(words) or reply_in(words)
    return not stated.startswith("5") if status.startswith(("4", "2")) else stated.startswith("4")
