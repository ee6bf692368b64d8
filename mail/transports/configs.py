"""What transports there are, what each must be told, and which of that is secret."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as value_field
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mail.transports.session import Security

LONGEST = 4096
HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*|[0-9a-f:.]+"
)
WORD = re.compile(r"[\x21-\x7e]+")
REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)*")
LOCAL = {"localhost", "127.0.0.1", "::1"}


class WrongConfig(ValueError):
    """A configuration that cannot be used; ``field`` names the culprit, the text is a sentence."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Config:
    """A transport as it is to be opened. ``environment_id`` is empty for the operator's own relay."""

    kind: str
    values: tuple[tuple[str, Any], ...] = value_field(default=(), repr=False)
    environment_id: str = ""

    def __getitem__(self, name: str) -> Any:
        """Return a value, or None."""
        return dict(self.values).get(name)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise ValueError("Must be a line of text.")
    return value


def _word(value: Any) -> str:
    if not WORD.fullmatch(_text(value)):
        raise ValueError("Must be printable ASCII without spaces.")
    return str(value)


def _host(value: Any) -> str:
    host = _text(value).strip().lower().removesuffix(".")
    if not HOST.fullmatch(host):
        raise ValueError("Must be the name or address of a host.")
    return host


def _port(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**16:
        raise ValueError("Must be a number between 1 and 65535.")
    return int(text)


def _region(value: Any) -> str:
    if not REGION.fullmatch(_text(value)):
        raise ValueError("Must be the name of a region, in lower case.")
    return str(value)


def _security(value: Any) -> str:
    try:
        return str(Security(_text(value)))
    except ValueError as problem:
        raise ValueError(f"Must be one of {', '.join(Security)}.") from problem


def _public_key(value: Any) -> str:
    """Return a public key in base64 on one line, with or without PEM's first and last lines around it."""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValueError("Must be a public key in base64.")
    written = "".join(re.sub(r"-----[A-Z ]+-----", "", value).split())
    try:
        load_der_public_key(base64.b64decode(written, validate=True))
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise ValueError("Must be a public key in base64.") from problem
    return written


def _url(value: Any) -> str:
    parsed = urlsplit(_text(value))
    if parsed.scheme not in {"http", "https"} or not parsed.hostname or parsed.username or parsed.fragment:
        raise ValueError("Must be an http or https URL without a user name.")
    return str(value)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a transport is told; ``read`` checks it, and raises ValueError with a sentence."""

    name: str
    read: Callable[[Any], Any] = _word
    is_required: bool = False
    is_secret: bool = False


def key(name: str) -> Field:
    """Return a secret that must be there."""
    return Field(name, is_required=True, is_secret=True)


def secret(name: str) -> Field:
    """Return a secret that may be there."""
    return Field(name, is_secret=True)


API_URL = Field("api_url", _url)
REGIONAL = Field("region", _region)
KINDS: Mapping[str, tuple[Field, ...]] = {
    "smtp": (
        Field("host", _host, is_required=True),
        Field("port", _port),
        Field("security", _security),
        Field("username", _text),
        Field("password", _text, is_secret=True),
    ),
    "direct": (),
    "amazon_ses": (
        Field("access_key_id", is_required=True),
        key("secret_access_key"),
        Field("region", _region, is_required=True),
        Field("configuration_set_name"),
        API_URL,
    ),
    "brevo": (key("api_key"), API_URL),
    "mailersend": (key("api_token"), secret("signing_secret"), secret("inbound_secret"), API_URL),
    "mailgun": (key("api_key"), Field("sender_domain", _host), secret("webhook_signing_key"), REGIONAL, API_URL),
    "mailjet": (key("api_key"), key("secret_key"), API_URL),
    "mandrill": (key("api_key"), secret("webhook_key"), API_URL),
    "postmark": (key("server_token"), Field("message_stream"), API_URL),
    "resend": (key("api_key"), secret("signing_secret"), API_URL),
    "sendgrid": (key("api_key"), Field("webhook_verification_key", _public_key), REGIONAL, API_URL),
    "sparkpost": (key("api_key"), Field("subaccount"), REGIONAL, API_URL),
}
SMTP_PORTS = {Security.TLS: 465, Security.STARTTLS: 587}


def checked(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with each value in its one form, those left out or empty aside. Raises WrongConfig."""
    if kind not in KINDS:
        raise WrongConfig("kind", f"Must be one of {', '.join(KINDS)}.")
    fields = {field.name: field for field in KINDS[kind]}
    if unknown := given.keys() - fields.keys():
        raise WrongConfig(min(map(str, unknown)), f"A transport of the kind {kind} has no such field.")
    found = {name: _read(field, given.get(name)) for name, field in fields.items()}
    found = {name: value for name, value in found.items() if value is not None}
    return _complete_smtp(found) if kind == "smtp" else found


def _read(field: Field, value: Any) -> Any:
    if value in (None, ""):
        if field.is_required:
            raise WrongConfig(field.name, "This is needed.")
        return None
    try:
        return field.read(value)
    except ValueError as problem:
        raise WrongConfig(field.name, str(problem)) from problem


def _complete_smtp(found: dict[str, Any]) -> dict[str, Any]:
    """Return what a relay is told, completed: a password travels encrypted unless it is told not to."""
    if "password" in found and "username" not in found:
        raise WrongConfig("username", "A password needs a user name.")
    is_guarded = "username" in found and found["host"] not in LOCAL
    default = Security.TLS if found.get("port") == SMTP_PORTS[Security.TLS] else Security.STARTTLS
    security = Security(found.get("security") or (default if is_guarded else Security.OPPORTUNISTIC))
    return {**found, "security": str(security), "port": found.get("port") or SMTP_PORTS.get(security, 25)}


def secrets_of(kind: str) -> set[str]:
    """Return the names of the fields that are shown to nobody."""
    return {field.name for field in KINDS[kind] if field.is_secret}


def config_of(kind: str, values: Mapping[str, Any], environment_id: str = "") -> Config:
    """Return a configuration that was checked, ready to be opened."""
    return Config(kind, tuple(sorted(values.items())), environment_id)


def of_relay_url(url: str) -> Config | None:
    """Return the operator's own transport; None where the setting is empty.

    ``smtp://user:password@host:port?security=…``, ``smtps://…``, or ``direct:`` for the recipients' own servers.
    Raises WrongConfig.
    """
    parsed = urlsplit(url.strip())
    if not url.strip():
        return None
    if parsed.scheme == "direct":
        return config_of("direct", {})
    if parsed.scheme not in {"smtp", "smtps"}:
        raise WrongConfig("AGENTPOST_RELAY_URL", "Must start with smtp://, smtps:// or direct:.")
    return config_of("smtp", checked("smtp", _of_url(parsed)))


def _of_url(parsed: SplitResult) -> dict[str, Any]:
    try:
        port = parsed.port
    except ValueError as problem:
        raise WrongConfig("AGENTPOST_RELAY_URL", "Its port is none.") from problem
    stated = parse_qs(parsed.query).get("security", [""])[0]
    return {
        "host": parsed.hostname or "",
        "port": port,
        "username": unquote(parsed.username or ""),
        "password": unquote(parsed.password or ""),
        "security": Security.TLS if parsed.scheme == "smtps" else stated,
    }
