"""What ``agentpost login`` was told: profiles in one file that only its owner may read."""

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import typer

from agentpost import _variables
from agentpost._variables import DEFAULT_BASE_URL
from agentpost.cli.failures import Unusable

DEFAULT_PROFILE = "default"
OF_VARIABLES = "(environment variables)"  # no name that a profile may have


@dataclass(frozen=True)
class Credentials:
    """Which server is asked, with which key, about which environment; ``profile`` is where they come from."""

    profile: str
    base_url: str
    api_key: str = field(repr=False)
    environment: Optional[str]


class Profiles:
    """The file of profiles, as it is now. Changes are written at once, whole or not at all."""

    def __init__(self) -> None:
        self.path = Path(typer.get_app_dir("agentpost")) / "profiles.json"
        self._content: dict[str, Any] = {"profiles": {}, "listen_secrets": {}}
        self._content.update(self._read())

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError) as problem:
            fix = "Mend it, or remove it and log in again."
            raise Unusable(f"{self.path} cannot be read: {problem}", fix) from None

    def __getitem__(self, name: str) -> dict[str, Any]:
        """Return a profile. Raises KeyError."""
        return dict(self._content["profiles"][name])

    def __contains__(self, name: str) -> bool:
        return name in self._content["profiles"]

    def names(self) -> list[str]:
        """Return the names of all profiles."""
        return sorted(self._content["profiles"])

    def keep(self, name: str, profile: dict[str, Any]) -> None:
        """Write a profile, in place of the one that had this name."""
        self._content["profiles"][name] = profile
        self._write()

    def forget(self, name: str) -> None:
        """Remove a profile and its secret for ``listen``. Raises KeyError."""
        del self._content["profiles"][name]
        self._content["listen_secrets"].pop(name, None)
        self._write()

    def listen_secret(self, name: str, new: str) -> str:
        """Return the secret that ``listen`` signs with under this profile: the one it has, or else the new one."""
        if name not in self._content["listen_secrets"]:
            self._content["listen_secrets"][name] = new
            self._write()
        return str(self._content["listen_secrets"][name])

    def _write(self) -> None:
        """Write all of it, readable by its owner alone from the first byte on."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".profiles-")  # made with mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(self._content, file, indent=2)
        Path(name).replace(self.path)


def credentials(profile: Optional[str] = None, environment: Optional[str] = None) -> Credentials:
    """Return what to ask with: the options' word first, then the variables', then the profile's.

    A key goes to its own server only. With AGENTPOST_API_KEY set no profile is read, unless ``profile`` names one; and
    an AGENTPOST_BASE_URL other than the profile's is refused. Raises Unusable, and ConfigurationError for one that is
    no URL.
    """
    key, chosen = _variables.api_key(), environment or _variables.environment()
    if key and not profile:
        return Credentials(OF_VARIABLES, _variables.base_url() or DEFAULT_BASE_URL, key, chosen)
    name = profile or profile_name()
    found = _found(name)
    asked = None if profile else _variables.base_url()
    if asked and asked != found["base_url"]:
        message = f"AGENTPOST_BASE_URL is {asked}, and the key of profile {name} is for {found['base_url']}."
        raise Unusable(message, "Unset it, set AGENTPOST_API_KEY too, or log in there under another --profile.")
    return Credentials(name, found["base_url"], found["api_key"], chosen or found.get("environment"))


def _found(name: str) -> dict[str, Any]:
    try:
        return Profiles()[name]
    except KeyError:
        missing = "You are not logged in." if name == DEFAULT_PROFILE else f"There is no profile {name}."
        raise Unusable(missing, "Run agentpost login, or set AGENTPOST_API_KEY and AGENTPOST_BASE_URL.") from None


def profile_name() -> str:
    """Return the profile that is used when no option names one."""
    return os.environ.get("AGENTPOST_PROFILE") or DEFAULT_PROFILE
