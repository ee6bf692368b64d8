"""Mail of three sizes, each with a Message-ID of its own, and clients that bring it."""

import base64
import random
import smtplib
from concurrent.futures import ThreadPoolExecutor

SIZES = {"1 KB": 0, "10 KB": 1, "100 KB": 2}  # and how it is made up
TEXT = "Your order has been packed and leaves the house this afternoon; the rest of it follows tomorrow. "
PICTURE = 70_000  # bytes, before base64
SESSIONS = 4
SENDER = "ann@customers.example"


def mail(size: str, number: int, to: str) -> bytes:
    """Return one: of 10 KB as text and HTML, of 100 KB with a file too."""
    drawn = random.Random(number)  # noqa: S311 - no secret
    words = " ".join(
        f"{drawn.choice(('order', 'parcel', 'invoice', 'refund'))}{drawn.randrange(50_000)}" for _ in range(8)
    )
    head = f"From: Ann Example <{SENDER}>\r\nTo: {to}\r\nSubject: Order {number}\r\n"
    head += f"Message-ID: <{size[:-3]}.{number}@cost.example>\r\n"
    head += "Date: Mon, 30 Nov 2026 04:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    if not SIZES[size]:
        return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n{_lines(700)}\r\n".encode()
    html = "".join(f"<p>{line}</p>\r\n" for line in _lines(4000).splitlines())
    parts = [("text/plain; charset=utf-8", "", f"{words}\r\n{_lines(4000)}"), ("text/html; charset=utf-8", "", html)]
    if SIZES[size] == SIZES["100 KB"]:
        content = base64.encodebytes(drawn.randbytes(PICTURE)).decode().replace("\n", "\r\n")
        top = "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=picture.png\r\n"
        parts.append(("image/png", top, content))
    body = "".join(f"--b\r\nContent-Type: {kind}\r\n{top}\r\n{content}\r\n" for kind, top, content in parts)
    kind = "mixed" if SIZES[size] == SIZES["100 KB"] else "alternative"
    return f'{head}Content-Type: multipart/{kind}; boundary="b"\r\n\r\n{body}--b--\r\n'.encode()


def _lines(length: int) -> str:
    return "\r\n".join([TEXT] * (length // len(TEXT)))


def bring(port: int, to: str, size: str, numbers: range) -> int:
    """Bring so many mails in some sessions at once; return their bytes. Raises SMTPException for one not taken."""
    stretches = [numbers[one::SESSIONS] for one in range(SESSIONS)]
    with ThreadPoolExecutor(SESSIONS) as sessions:
        return sum(sessions.map(lambda stretch: _bring(port, to, size, stretch), stretches))


def _bring(port: int, to: str, size: str, numbers: range) -> int:
    total = 0
    with smtplib.SMTP("127.0.0.1", port, timeout=120) as client:
        for number in numbers:
            content = mail(size, number, to)
            client.sendmail(SENDER, [to], content)
            total += len(content)
    return total
