"""Somebody else's service, small enough to run here: it mails a one-time code to who signs up, and takes it back."""

import json
import secrets
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import make_msgid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SENDER = "no-reply@service.example"


@contextmanager
def running_service(smtp: str) -> Iterator[str]:
    """Run the service, and yield its URL. ``smtp`` is the ``host:port`` that its mail is handed to."""
    codes: dict[str, str] = {}

    class Pages(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/sign-up":
                codes[form["email"]] = f"{secrets.randbelow(10**6):06}"
                mail_code(smtp, form["email"], codes[form["email"]])
                self.answer(202, {"next": "Enter the code that we have mailed to you."})
            elif codes.get(form["email"]) == form["code"]:
                self.answer(200, {"account": form["email"]})
            else:
                self.answer(403, {"error": "This is not the code."})

        def answer(self, status: int, body: dict[str, str]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def mail_code(smtp: str, email: str, code: str) -> None:
    """Mail a code, with another number beside it that is none."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Service <{SENDER}>", email, "Confirm your account"
    mail["Message-ID"] = make_msgid(domain="service.example")
    mail.set_content(f"Welcome!\n\nYour verification code is {code[:3]} {code[3:]}.\n\nCustomer number: 20260308\n")
    host, port = smtp.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), timeout=30) as server:
        server.send_message(mail)
