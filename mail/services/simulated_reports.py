"""What a simulated recipient sends back: a bounce (RFC 3464) or a complaint (RFC 5965), as a real server writes it."""

from email.utils import format_datetime

from environments import clock
from mail.models import Message
from mail.services.compose import new_message_id

MARK = "X-AgentPost-Simulated"  # of every mail that nobody sent
REPORT = """From: Mail Delivery System <{writer}>
To: {to}
Subject: {subject}
Date: {date}
Message-ID: {message_id}
Auto-Submitted: auto-replied
{mark}: yes
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="{boundary}"

--{boundary}
Content-Type: text/plain; charset=us-ascii

{text}

--{boundary}
Content-Type: message/{kind}

{fields}
--{boundary}
Content-Type: text/rfc822-headers

Message-ID: {about}
From: {sender}
To: {recipient}

--{boundary}--
"""
BOUNCE = """Reporting-MTA: dns; {host}
Arrival-Date: {date}

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: {words}
"""
COMPLAINT = """Feedback-Type: abuse
User-Agent: AgentPost-Simulator/1.0
Version: 1
Original-Mail-From: <{to}>
Original-Rcpt-To: <{recipient}>
Arrival-Date: {date}
"""


def bounce(message: Message, email: str, to: str, words: str) -> bytes:
    """Return the report that a mail to this recipient failed; ``words`` hold the code, ``to`` is the return path."""
    status = words.split()[2]
    text = "This is a simulated bounce. Your mail could not be delivered."
    fields = BOUNCE.format(**_common(email, to), status=status, words=words)
    return _report(message, email, to, "delivery-status", fields, "Undelivered mail", text)


def complaint(message: Message, email: str, to: str) -> bytes:
    """Return the report that this recipient called a mail spam."""
    text = "This is a simulated complaint."
    fields = COMPLAINT.format(**_common(email, to))
    return _report(message, email, to, "feedback-report", fields, "Complaint", text)


def _common(email: str, to: str) -> dict[str, str]:
    return {"recipient": email, "to": to, "host": email.rpartition("@")[2], "date": format_datetime(clock.now())}


def _report(message: Message, email: str, to: str, kind: str, fields: str, subject: str, text: str) -> bytes:
    host = email.rpartition("@")[2]
    raw = REPORT.format(
        **_common(email, to),
        writer=f"mailer-daemon@{host}",
        mark=MARK,
        subject=subject,
        message_id=new_message_id(host),
        boundary=message.pk,
        text=text,
        kind=kind,
        fields=fields,
        about=message.message_id_header,
        sender=message.from_email,
    )
    return raw.replace("\n", "\r\n").encode()
