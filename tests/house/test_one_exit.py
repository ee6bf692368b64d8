"""There is one way to the transports, and it is through the muzzle: every path in the code is found and named."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("agentpost_site", "environments", "apikeys", "webhooks", "inboxes", "mail")

# What can speak SMTP or to a provider, or make Django do so.
WAYS_OUT = (
    "aiosmtplib",
    "anymail",
    "django.core.mail",
    "smtplib",
    "socket.create_connection",
    "asyncio.open_connection",
)
MAY_SPEAK = {
    "mail/transports": "the carriers themselves",
    "agentpost_site/health": "knocks at the doors of this very server, and says nothing",
    "environments/relay.py": "mail of the platform to its own people, not of an environment: nobody else is written to",
    "agentpost_site/demo": "plays a customer who writes to a running instance from outside",
}
MAY_CARRY = {
    "mail/transports": "the carriers themselves",
    "mail/sending": "the sender: every mail passes let_go() a moment before its bytes leave",
    "mail/services/muzzle.py": "asks whether the settings of a transport can be used, and opens none",
    "mail/services/transports.py": "keeps the settings of a transport, and opens none",
    "mail/models/transports.py": "keeps the settings of a transport, and opens none",
    "mail/admin/transports": "shows the settings of a transport, and opens none",
    "mail/api/transport": "shows the settings of a transport, and opens none",
    "mail/api/provider_webhooks.py": "takes what providers report, and opens none",
    "mail/services/provider_intake.py": "takes mail that came in at a provider, and opens none",
    "mail/services/provider_reports.py": "takes what providers report, and opens none",
    "mail/management/commands/set_transport.py": "keeps the settings of a transport, and opens none",
}
MAKES_HAND_OVERS = {"mail/services/outbound.py"}
NO_CARRIER = ("mail/transports/", "mail/smtp/")  # carriers among themselves; the front, which hands over what came in
TAKES_THE_LAST_DECISION = {"mail/sending/sender.py"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def is_among(file: str, places: object) -> bool:
    return any(file.startswith(place) for place in places)  # type: ignore[attr-defined]


def begins_with(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def test_only_transports_speak_to_mail_servers() -> None:
    speaking = {
        file
        for file, tree in modules()
        if any(begins_with(name, WAYS_OUT) for name in [*imported(tree), *called(tree)])
    }
    assert [file for file in sorted(speaking) if not is_among(file, MAY_SPEAK)] == []


def test_only_the_sender_uses_transports() -> None:
    carrying = {
        file for file, tree in modules() if any(begins_with(name, ("mail.transports",)) for name in imported(tree))
    }
    assert [file for file in sorted(carrying) if not is_among(file, MAY_CARRY)] == []


def test_hand_overs_are_made_in_one_place() -> None:
    assert {file for file, tree in modules() if "HandOver" in set(called(tree))} == MAKES_HAND_OVERS


def test_a_carrier_is_given_mail_in_one_place_with_the_last_decision_beside_it() -> None:
    giving = {file for file, tree in modules() if any(name.endswith(".hand_over") for name in called(tree))}
    assert {file for file in giving if not file.startswith(NO_CARRIER)} == TAKES_THE_LAST_DECISION
    [sender] = TAKES_THE_LAST_DECISION
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / sender).read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".hand_over")
    ]
    assert [ast.unparse(call.args[-1]) for call in calls] == ["partial(self._doorkeeper.let_go, job)"]
