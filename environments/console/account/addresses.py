"""From where a request comes, and with what."""

import ipaddress
import re

from django.http import HttpRequest

BROWSERS = (  # the most derived first: each of these also names those after it
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS|HeadlessChrome)/")),
    ("Safari", re.compile(r"\bVersion/\d.*\bSafari/")),
    ("curl", re.compile(r"^curl/")),
)
LONGEST = 500  # characters that are looked at; real ones have fewer
SYSTEMS = (
    ("iPhone", re.compile(r"\biPhone\b")),
    ("iPad", re.compile(r"\biPad\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMac OS X\b|\bMacintosh\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)


def address_of(request: HttpRequest) -> str | None:
    """Return the address that the request came from, as far as this server can see; None where that is none."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def described(user_agent: str) -> str:
    """Return a browser as a person knows it: ``Firefox on Linux``."""
    user_agent = user_agent[:LONGEST]
    browser = next((name for name, pattern in BROWSERS if pattern.search(user_agent)), "Another browser")
    system = next((name for name, pattern in SYSTEMS if pattern.search(user_agent)), "")
    return f"{browser} on {system}" if system else browser
