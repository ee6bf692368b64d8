"""How well codes and links are found: `python -m bench.codes [--appwrite CHECKOUT] [--show]`.

First on the mails of our own in tests/mail/codes, those held out apart. `--appwrite` names a checkout of
https://github.com/appwrite/appwrite, whose mails about signing in are written in some seventy languages: each is made
as that project makes it, with a code or a link, as HTML.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mail.codes import Kind, find

OURS = Path(__file__).parent.parent / "tests" / "mail" / "codes"
SECRET_LINK = "https://api.example/v1/auth/c?userId=66aa12&secret=9f8e7d6c5b"  # noqa: S105 - an example
WORDS = {
    "project": "Harbor",
    "user": "Dana",
    "otp": "482913",
    "redirect": SECRET_LINK,
    "agentClient": "Firefox 128",
    "agentDevice": "Desktop",
    "agentOs": "Linux",
    "phrase": "brave otter",
    "date": "March 11",
    "year": "2026",
    "time": "09:20:31",
    "device": "Firefox 128 on Linux",
    "ipAddress": "203.0.113.24",
    "country": "Germany",
    "b": "<b>",
}
THEIRS = {  # their name of a mail: its template, the code and the link in it
    "otpSession": ("email-otp", {"482913"}, set()),
    "mfaChallenge": ("email-mfa-challenge", {"482913"}, set()),
    "magicSession": ("email-magic-url", set(), {SECRET_LINK}),
    "verification": ("email-inner-base", set(), {SECRET_LINK}),
    "recovery": ("email-inner-base", set(), {SECRET_LINK}),
    "sessionAlert": ("email-session-alert", set(), set()),
}


class Case(NamedTuple):
    """A mail, and what is to be found in it."""

    group: str
    name: str
    subject: str
    text: str | None
    html: str | None
    codes: set[str]
    links: set[str]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appwrite", type=Path)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in [*_ours(), *(_theirs(given.appwrite / "app" / "config" / "locale") if given.appwrite else ())]:
        groups[case.group].append(case)
    for group, cases in groups.items():
        _tell(group, cases, show=given.show)


def _tell(group: str, cases: list[Case], *, show: bool) -> None:
    counts = [0] * 6
    for case in cases:
        found = find(case.subject, case.text, case.html)
        links = {link.url for link in found.links if link.kind is Kind.VERIFICATION}
        pairs = ((set(found.codes), case.codes), (links, case.links))
        for number, (got, wanted) in enumerate(pairs):
            for place, several in enumerate((got & wanted, got, wanted)):
                counts[3 * number + place] += len(several)
            if show and got != wanted:
                sys.stdout.write(f"  {case.group}, {case.name}: {sorted(got)} for {sorted(wanted)}\n")
    right, got, there, right_links, got_links, links_there = counts
    sys.stdout.write(
        f"{group:22} {len(cases):4} mails  codes: {right} of {got} right, of {there} found;  "
        f"links: {right_links} of {got_links} right, of {links_there} found\n"
    )


def _ours() -> Iterator[Case]:
    for file in sorted(OURS.glob("*.json")):
        group = "held out" if file.stem == "held_out" else "ours"
        for one in json.loads(file.read_text()):
            wanted = set(one["codes"]), set(one["verification"])
            yield Case(group, one["name"], one["subject"], one.get("text"), one.get("html"), *wanted)


def _theirs(folder: Path) -> Iterator[Case]:
    for file in sorted((folder / "translations").glob("*.json")):
        words = json.loads(file.read_text())
        for kind, (template, codes, links) in THEIRS.items():
            prefix = f"emails.{kind}."
            own = {name.removeprefix(prefix): text for name, text in words.items() if name.startswith(prefix)}
            if "subject" in own and own.keys() & {"body", "description", "optionButton"}:
                html = _filled((folder / "templates" / f"{template}.tpl").read_text(), own)
                yield Case(f"appwrite {kind}", file.stem, _filled(own["subject"], {}), None, html, codes, links)


def _filled(template: str, own: dict[str, str]) -> str:
    words = WORDS | own
    for _ in range(3):  # a text in a template may hold words of its own
        template = re.sub(r"{{\s*(\w+)\s*}}", lambda found: words.get(found[1], ""), template.replace("{{/b}}", "</b>"))
    return template


if __name__ == "__main__":
    main()
