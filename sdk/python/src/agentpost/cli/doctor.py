"""``agentpost doctor``: what works between here and the server, and what to do about what does not."""

import smtplib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.utils import make_msgid, parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional
from urllib.parse import urlsplit

import typer

from agentpost.cli import terminal
from agentpost.cli.failures import Failure, Status, failure_of
from agentpost.cli.session import Session, api_json, command
from agentpost.cli.sign_in import works_in

if TYPE_CHECKING:
    import httpx2

PATIENCE, MAIL_PATIENCE = 10.0, 30.0  # seconds
SKEW_WORTH_KNOWING, SKEW_TOO_MUCH = 5, 300  # seconds; receivers of webhooks refuse what is five minutes off
SOON = 7 * 24 * 3600  # seconds
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
MODES = {
    "capture": "nothing leaves; mail is kept as it would have been sent",
    "allowlist": "only addresses on the environment's list get mail; the rest is captured",
    "redirect": "all mail goes to one address",
    "live": "mail goes to its recipients",
}
WANTED = ("messages:read", "messages:send", "inboxes:read", "events:read")


@dataclass(frozen=True)
class Finding:
    """What one check found: ``status`` is ok, warn or fail."""

    status: str
    check: str
    found: str
    fix: str = ""


def add_to(program: typer.Typer) -> None:
    """Add the command to the program."""
    command(program, "doctor")(doctor)


def doctor(
    session: Session,
    smtp: Annotated[
        Optional[str],
        typer.Option(
            envvar="AGENTPOST_SMTP", metavar="HOST:PORT", help="Where mail comes in; else the API's host, 2525 or 25."
        ),
    ] = None,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Send a mail in and one out, in capture mode only; both stay here.")
    ] = False,
) -> None:
    """Check server, clock, key, environment, SMTP and domains, and say what to do. Ends with 1 when a check fails."""
    findings = []
    for finding in _examined(session, smtp, send_test):
        findings.append(finding)
        if not session.as_json:
            _print(finding)
    is_well = all(finding.status != "fail" for finding in findings)
    if session.as_json:
        session.print_json({"ok": is_well, "checks": [asdict(finding) for finding in findings]})
    if not is_well:
        raise Failure("")  # said already, line by line


def _print(finding: Finding) -> None:
    status = terminal.painted(finding.status.ljust(4), COLOURS[finding.status])
    terminal.write(f"{status}  {finding.check:12}  {terminal.one_line(finding.found)}")
    if finding.fix:
        terminal.write(f"{'':20}{terminal.one_line(finding.fix)}")


def _examined(session: Session, smtp: Optional[str], send_test: bool) -> Iterator[Finding]:
    """Yield findings, the most basic first; what nothing can be said about after a failure is left out."""
    try:
        base_url = session.credentials.base_url
    except Failure as problem:
        yield Finding("fail", "profile", problem.message, problem.fix)
        return
    yield Finding("ok", "profile", f"{session.credentials.profile}, for {base_url}")
    server = list(_server(base_url))
    yield from server
    if server[0].status == "fail":
        return
    door = smtp or _default_door(base_url)
    yield _smtp(door)
    try:
        yield from _with_key(session, door, send_test)
    except Exception as problem:
        failure = failure_of(problem)
        if failure is None:
            raise
        check = "key" if failure.status is Status.NOT_ALLOWED else "API"
        yield Finding("fail", check, failure.message, failure.fix)


# --- The server -------------------------------------------------------------------------------------------------------


def _server(base_url: str) -> Iterator[Finding]:
    import httpx2

    try:
        answer = httpx2.get(f"{base_url}/readyz", timeout=PATIENCE)
    except httpx2.HTTPError as problem:
        fix = "Start it (make run), or mend the base URL: agentpost login --base-url …"
        yield Finding("fail", "server", f"{base_url} does not answer: {problem}", fix)
        return
    checks = _checks_of(answer)
    if checks is None:
        found = f"{base_url} answers {answer.status_code}, and not as AgentPost does."
        yield Finding("fail", "server", found, "The base URL is the origin alone, as https://mail.example.com.")
        return
    failing = {name: outcome for name, outcome in checks.items() if outcome != "ok"}
    if failing:
        yield Finding("warn", "server", f"Answers, and is not ready: {terminal.readable(failing)}", "See its log.")
    else:
        yield Finding("ok", "server", f"Answers and is ready: {', '.join(checks)}")
    yield _clock(answer)


def _checks_of(answer: "httpx2.Response") -> Optional[dict[str, str]]:
    try:
        return dict(answer.json()["checks"])
    except (ValueError, KeyError, TypeError):
        return None


def _clock(answer: "httpx2.Response") -> Finding:
    """Compare this machine's clock with the answer's Date, which is in whole seconds."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return Finding("warn", "clock", "The server does not tell its time.")
    skew = time.time() - theirs
    if abs(skew) <= SKEW_WORTH_KNOWING:
        return Finding("ok", "clock", "As the server's.")
    status = "fail" if abs(skew) >= SKEW_TOO_MUCH else "warn"
    fix = "Set this machine's clock (NTP): webhooks more than five minutes off are refused."
    return Finding(status, "clock", f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's.", fix)


def _default_door(base_url: str) -> str:
    host = urlsplit(base_url).hostname or "127.0.0.1"
    return f"{host}:{2525 if host in ('127.0.0.1', 'localhost', '::1') else 25}"


def _smtp(door: str) -> Finding:
    host, _, port = door.rpartition(":")
    try:
        with smtplib.SMTP(host.strip("[]"), int(port), timeout=PATIENCE) as client:
            code, _ = client.ehlo()
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        fix = "Say where mail comes in: --smtp HOST:PORT. Many networks block outgoing port 25."
        return Finding("warn", "SMTP", f"{door} does not answer: {problem}", fix)
    return Finding("ok", "SMTP", f"{door} answers {code}")


# --- What the key sees ------------------------------------------------------------------------------------------------


def _with_key(session: Session, door: str, send_test: bool) -> Iterator[Finding]:
    me = session.client.me()
    yield _key(me)
    yield _scopes(me)
    environment = _environment(session, me)
    if environment is None:
        many = ", ".join(place.slug for place in me.environments)
        found = f"The key reaches several ({many}), and none of them is chosen." if many else "The key reaches none."
        yield Finding("warn", "environment", found, "agentpost environments use SLUG")
        return
    yield from _place(environment)
    yield from _domains(session, me, environment)
    if send_test:
        yield from _round_trip(session, environment, door)


def _key(me: Any) -> Finding:
    name = f"{me.name or me.api_key_id} ({me.kind}) of {me.organization.name}"
    if me.expires_at is None:
        return Finding("ok", "key", f"{name}, does not expire")
    left = me.expires_at.timestamp() - time.time()
    fix = "Rotate it before then." if left < SOON else ""
    return Finding("warn" if fix else "ok", "key", f"{name}, expires {me.expires_at:%Y-%m-%d %H:%M} UTC", fix)


def _scopes(me: Any) -> Finding:
    if not me.scopes:
        return Finding("fail", "scopes", "None: this key may do nothing.", "Create a key with scopes.")
    missing = [scope for scope in WANTED if scope not in me.scopes]
    if missing:
        return Finding("ok", "scopes", f"{len(me.scopes)} scopes; not among them: {', '.join(missing)}")
    return Finding("ok", "scopes", f"{len(me.scopes)} scopes; reads and sends mail, follows events")


def _environment(session: Session, me: Any) -> Any:
    """Return the environment that commands work in, as far as this key may see it; None when there is none."""
    name = works_in(api_json(me), session.credentials.environment)
    if name is None:
        return None
    found = next((place for place in me.environments if name in (place.id, place.slug)), None)
    return session.client.environments.get(name) if found is None or "environments:read" in me.scopes else found


def _place(environment: Any) -> Iterator[Finding]:
    mode = environment.delivery_mode
    yield Finding("ok", "environment", f"{environment.slug}, in {mode} mode: {MODES.get(mode, '')}")
    for what in ("outbound", "inbound", "webhooks"):
        if getattr(environment, f"{what}_paused", False):
            found = f"{what} is paused in {environment.slug}; nothing is lost, everything waits."
            yield Finding("warn", "pause", found, "A person lifts it in the console.")


def _domains(session: Session, me: Any, environment: Any) -> Iterator[Finding]:
    if "domains:read" not in me.scopes:
        yield Finding("ok", "domains", "Not looked at: the key has no domains:read.")
        return
    for domain in session.client.domains.list(limit=100):
        if domain.status == "verified":
            yield Finding("ok", "domain", f"{domain.domain} is verified")
        if domain.kind == "subdomain" and environment.delivery_mode == "capture":
            continue  # it needs DNS for its signatures alone, and nobody sees any
        for record in domain.records:
            if record.required and record.status != "verified":
                fix = f"Publish {record.type} {record.name} {record.value}"
                status = "warn" if domain.status == "verified" else "fail"
                yield Finding(
                    status, "domain", f"{domain.domain} ({domain.status}): {record.reason or record.purpose}", fix
                )


# --- A round trip -----------------------------------------------------------------------------------------------------


def _round_trip(session: Session, environment: Any, door: str) -> Iterator[Finding]:
    if environment.delivery_mode != "capture":
        found = f"Not tried: {environment.slug} is in {environment.delivery_mode} mode, and mail would leave."
        yield Finding("warn", "test mail", found, "Try it in an environment in capture mode: --environment SLUG")
        return
    inbox = session.client.inboxes.create(username="doctor", client_id="agentpost-doctor")
    yield _sent_in(session, inbox, door)
    sent = session.client.messages.send(
        inbox.id, to=["doctor@example.com"], subject="agentpost doctor", text_body="Nobody gets this."
    )
    status = "ok" if sent.status == "captured" else "fail"
    yield Finding(status, "mail out", f"{sent.status}, {sent.id}")


def _sent_in(session: Session, inbox: Any, door: str) -> Finding:
    since = session.client.messages.wait(inbox.id, timeout=0).now
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "doctor@example.com", inbox.email, "agentpost doctor"
    mail["Message-ID"] = make_msgid(domain="example.com")
    mail.set_content("Sent by agentpost doctor.")
    host, _, port = door.rpartition(":")
    try:
        with smtplib.SMTP(host.strip("[]"), int(port), timeout=PATIENCE) as client:
            client.send_message(mail)
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        return Finding("fail", "mail in", f"{door} did not take it: {problem}", "See the intake ledger in the console.")
    found = session.client.messages.wait(inbox.id, timeout=MAIL_PATIENCE, since=since, subject="agentpost doctor")
    if found.message is None:
        return Finding("fail", "mail in", f"Taken at {door}, and not in {inbox.email} yet.", "See the intake ledger.")
    return Finding("ok", "mail in", f"{door} -> {inbox.email}, {found.message.id}")
