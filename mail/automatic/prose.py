"""Bounces that no machine-readable part explains: qmail, Exim, old Sendmail and Postfix, Exchange, Gmail and others.

They have in common that they name the failed address at the beginning of a line or of a list of addresses, tell the
reason behind it, and return the mail below. Where no address can be told, there is no report.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mail.automatic import fields, originals, permanence, wording
from mail.automatic.values import Action, DeliveryReport, RecipientStatus
from mail.parsing.identifiers import own_message_id

if TYPE_CHECKING:
    from mail.automatic.originals import Original
    from mail.parsing.values import ParsedMail

MAX_RECIPIENTS = 100
MAX_REASON_LINES = 15

_DAEMON = re.compile(
    r"^(?:mail[.]delivery[.]system|mailer-?daemon|postmaster|mail-?daemon|maildaemon|mdaemon|"
    r"daemon|mail(?:er)?-?(?:delivery-?)?(?:system|subsystem)|bounces?|"
    r"post_?office|mailmaster|microsoftexchange[0-9a-f]*|system-?administrator|delivery|"
    r"mta|mmdf|mailadm\w*|mailgate\w*|exchange-?admin\w*)(?=[@+.-]|$)",
    re.IGNORECASE,
)
SUBJECT = re.compile(
    r"undeliver|deliver(?:y|ing)[\w -]{0,30}(?:fail|status|problem|error|notif|report|"
    r"delay|incomplete|suspend|warn)|fail\w{0,10}[\w -]{0,20}(?:deliver|notice|message|mail)|"
    r"error sending|メールエラー|returned (?:mail|to sender)|returning (?:mail|message)|mail "
    r"(?:system|delivery|not|could not|fail)|message (?:not|could not|you sent|delayed|"
    r"status)|"
    r"non[- ]?(?:deliver|remis|recap)|not delivered|bounce|unzustellbar|nicht zugestellt|"
    r"unzustellbarkeit|zustellung|"
    r"non remis|non distribu|échec|no (?:se )?(?:ha podido )?entreg|devuelto|não (?:foi "
    r")?entreg|mancat\w{0,10} (?:recapito|consegna)|не доставлен|недоставлен|"
    r"onbestelbaar|niet (?:af|be)leverbaar|niedostarcz|nie można dostarczyć|nedoruč|kézbesíthetetlen|"
    r"olevererbar|ikke leveres|teslim edilemedi|"
    r"配信不能|配信できません|送信できません|エラーメール|退信|退回|无法投递|無法傳遞|未送达|반송|전송 실패",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"will (?:be retried|continue|keep|retry|try)|still (?:being|try|attempt)|no(?:t)? "
    r"need to (?:resend|retry)|do not need to resend|warning: (?:message|could)|"
    r"(?:delivery|message)(?: \w+){0,3} (?:has been |is |was )?delayed|not yet been delivered|"
    r"this is a warning|temporar\w{1,10} unable to deliver your|attempts to deliver",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"giv(?:en|ing|e) up|permanent|not be re-?(?:tried|sent)|retry timeout exceeded|has "
    r"expired|could not be delivered|fatal|no further|"
    r"have failed|following address(?:es)? failed|returned|undeliverable",
    re.IGNORECASE,
)
_NOT_A_RECIPIENT = re.compile(
    r"^\W*(?:from|sender|return-path|reply-to|message-id|in-reply-to|references|mail from|"
    r"contact|reporting-mta|received|date|subject|x-\w+)\b.{0,3}[:=]"
    r"|mail from:|\bcontact\b|>>> ?mail from|sent by",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^[\s>*•=|'\"(\[<.-]{0,40}(?:\d{1,3}[.)] ?|[45]\d\d[ -]{1,3}<?)?(?:(?:to|recipients?|"
    r"address(?:es)?|e-?mail(?: address)?|mailbox|final-recipient|original-recipient|user|"
    r"failed recipient|rcpt to|>>> ?rcpt to|"
    r"for|smtp|rfc822|recipient address|failed to deliver to|unable to deliver (?:message "
    r")?to|mail to|delivery to|sent to|受信者|宛先|收件人)\b[\s:;=<('\"]{1,8}){0,3}[<\"'(\[]?$",
    re.IGNORECASE,
)


def is_from_a_daemon(email: str) -> bool:
    """Whether an address is one of those that mail systems write from."""
    return bool(_DAEMON.match(email))


def read(mail: ParsedMail) -> DeliveryReport | None:
    """Return the report that a bounce in prose amounts to; None for other mail, and where no address can be told."""
    failed = [one for value in mail.headers.get("x-failed-recipients", []) for one in fields.addresses(value[:4_000])]
    if not failed and not _may_be_bounce(mail):
        return None
    told, returned = wording.parts(mail)
    if not failed and not is_bounce(mail, told):
        return None
    original = originals.of(mail)
    if original == originals.Original() and returned:
        original = originals.read(_from_first_header(returned).encode())
    named = _named(mail, told, original)
    why = reasons(told, failed or _chosen(named, original))
    if not why:
        return None
    return DeliveryReport(
        recipients=tuple(_status(whom, words, told) for whom, words in why.items()),
        original_message_id=original.message_id or _message_id_in(returned) or mail.in_reply_to or "",
    )


def _is_from_nobody(mail: ParsedMail) -> bool:
    return mail.from_address is None or is_from_a_daemon(mail.from_address.email)


def _speaks_of_delivery(mail: ParsedMail) -> bool:
    return bool(SUBJECT.search(mail.subject[:300]))


def _may_be_bounce(mail: ParsedMail) -> bool:
    return _is_from_nobody(mail) or _speaks_of_delivery(mail)


def is_bounce(mail: ParsedMail, told: str) -> bool:
    """Whether a mail is a bounce: two of its writer, its subject and what it tells must say so."""
    return _is_from_nobody(mail) + _speaks_of_delivery(mail) + permanence.gives_a_reason(told) > 1


def _from_first_header(returned: str) -> str:
    """Drop the line that announces the copy, and indentation or quoting in front of the headers."""
    lines = [line.lstrip("> ") if line.startswith((">", "    ")) else line for line in returned.split("\n")]
    start = next((number for number, line in enumerate(lines) if re.match(r"[A-Za-z][\w-]{1,40}: ?\S", line)), 0)
    return "\n".join(lines[start:])


def _message_id_in(returned: str) -> str:
    match = re.search(r"^[> \t]{0,8}message-id:[ \t]*(<[^<>\s]{1,900}>)", returned, re.IGNORECASE | re.MULTILINE)
    return own_message_id(match[1]) or "" if match else ""


def _named(mail: ParsedMail, told: str, original: Original) -> dict[str, bool]:
    """Return the addresses in the explanation that may have failed, and whether each one begins a line."""
    writer = mail.from_address.email.lower() if mail.from_address else ""
    own = {box.email.lower() for box in mail.to} | {original.sender.lower(), writer}
    own -= {one.lower() for one in original.recipients}
    found: dict[str, bool] = {}
    for line in told.split("\n"):
        if "@" not in line or _NOT_A_RECIPIENT.search(line):
            continue
        for email in fields.addresses(line):
            is_leading = bool(_LEADING.match(line[: line.index(email)]))
            is_certain = email.lower() != writer and line.lstrip().startswith(f"<{email}>:")
            known = next((one for one in found if one.lower() == email.lower()), email)
            if is_certain or (email.lower() not in own and (is_leading or not is_from_a_daemon(email))):
                found[known] = found.get(known, False) or is_leading
    return found


def _chosen(named: dict[str, bool], original: Original) -> list[str]:
    known = {one.lower() for one in original.recipients}
    leading = [email for email, is_leading in named.items() if is_leading]
    sent_to = [email for email in named if email.lower() in known]
    if sent_to and not set(sent_to) & set(leading):
        return sent_to
    if leading or named:
        return leading or list(named)[:1]
    return list(original.recipients) if len(known) == 1 else []


def reasons(told: str, failed: list[str]) -> dict[str, str]:
    """Return what is told about each address: from its line on, up to the next address."""
    found: dict[str, str] = dict.fromkeys(failed[:MAX_RECIPIENTS], "")
    current, room = "", 0
    for line in told.split("\n"):
        begun = next((email for email in found if email in line), "") if "@" in line else ""
        if begun and (not current or current not in line):
            current, room = "" if found[begun] else begun, MAX_REASON_LINES
        if current and room > 0:
            found[current] += f"{line.strip()} "
            room -= bool(line.strip())
    return found


def _status(whom: str, why: str, told: str) -> RecipientStatus:
    is_telling = permanence.status_in(why) or permanence.reply_in(why) or permanence.is_hard("", why)
    words = fields.text(why if is_telling else f"{why} {told}", 2_000)
    status = permanence.status_in(words)
    action: Action = "delayed" if _DELAYED.search(told) and not _GIVEN_UP.search(told) else "failed"
    words_alone = words.replace(whom, "")
    is_hard = action == "failed" and permanence.is_hard(status, words_alone)
    return RecipientStatus(whom, action, status=status, diagnostic_code=fields.text(words), is_hard=is_hard)
