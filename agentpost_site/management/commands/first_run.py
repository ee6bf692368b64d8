"""Greet whoever starts the server: with all they need to begin the first time, later with where things are."""

import shutil
import sys
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand

from agentpost_site.first_run import Beginning, begin
from environments.doors import smtp_door

AGENT = "https://agent.example.com/hook"
AGENT_HERE = "http://127.0.0.1:9000/hook"


class Command(BaseCommand):
    """``serve`` runs it at every start, after migrations."""

    help = "Make what a fresh machine begins with, and tell it once; later tell only where things are."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the greeting."""
        beginning = begin()
        self.stdout.write(first_greeting(beginning) if beginning else later_greeting())
        self.stdout.flush()


def later_greeting() -> str:
    """Return one line that tells where things are."""
    url = settings.AGENTPOST_PUBLIC_URL
    host, port = smtp_door()
    return (
        f"AgentPost: console {url}/console/, API {url}/api/v1, SMTP {host}:{port}, data {settings.AGENTPOST_DATA_DIR}"
    )


def first_greeting(beginning: Beginning) -> str:
    """Return what is told once, with three commands to paste."""
    url = settings.AGENTPOST_PUBLIC_URL
    host, port = smtp_door()
    return f"""
Welcome to AgentPost. Keep this: the password and the key are not told again.

  organization  {beginning.organization.name} ({beginning.organization.slug})
  environments  {_described(beginning)}
  console       {url}/console/
  sign in as    {beginning.login}
  password      {beginning.password}
  API           {url}/api/v1 (reference: {url}/api/v1/docs)
  API key       {beginning.key}
  inbox         {beginning.address} (in {beginning.development.slug})
  SMTP          {host}:{port}
  data          {settings.AGENTPOST_DATA_DIR}

Send a mail in:

  {mail_command(beginning)}

Read it:

  {read_command(beginning)}

Be told of the next one, at an address of yours:

  {webhook_command(beginning)}
"""


def _described(beginning: Beginning) -> str:
    production, development = beginning.production, beginning.development
    return (
        f"{production.slug} (the default), {development.slug}; both in {production.delivery_mode} mode, nothing leaves"
    )


def mail_command(beginning: Beginning) -> str:
    """Return a shell command that sends a mail to the first inbox."""
    host, port = smtp_door()
    python = "python3" if shutil.which("python3") else sys.executable
    sender, recipient = "you@customer.example", beginning.address
    headers = rf"From: {sender}\r\nTo: {recipient}\r\nSubject: Hello\r\n\r\n"
    mail = rf"{headers}Is anybody there?\r\n"
    code = (
        f'server = smtplib.SMTP("{host}", {port}); server.sendmail("{sender}", "{recipient}", "{mail}"); server.quit()'
    )
    return f"{python} -c 'import smtplib; {code}'"


def read_command(beginning: Beginning) -> str:
    """Return a shell command that reads what came in."""
    return f"curl -s {_asking(beginning)} '{settings.AGENTPOST_PUBLIC_URL}/api/v1/messages?include=body'"


def webhook_command(beginning: Beginning) -> str:
    """Return a shell command that adds a webhook, on this machine where that is allowed."""
    target = AGENT_HERE if settings.AGENTPOST_DEVELOPMENT else AGENT
    body = orjson.dumps({"url": target, "events": ["message.received"]}).decode()
    endpoint = f"{settings.AGENTPOST_PUBLIC_URL}/api/v1/webhook-endpoints"
    return f"curl -s {_asking(beginning)} -H 'Content-Type: application/json' -d '{body}' {endpoint}"


def _asking(beginning: Beginning) -> str:
    return f"-H 'Authorization: Bearer {beginning.key}' -H 'AgentPost-Environment: {beginning.development.slug}'"
