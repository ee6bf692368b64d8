"""What is found out about a sender: one verdict per mechanism, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_REASON = 300
MAX_NAME = 255

PASS, FAIL, SOFTFAIL, NEUTRAL, NONE = "pass", "fail", "softfail", "neutral", "none"
TEMPERROR, PERMERROR = "temperror", "permerror"
RESULTS = frozenset((PASS, FAIL, SOFTFAIL, NEUTRAL, NONE, TEMPERROR, PERMERROR))


def shown(text: str, limit: int = MAX_REASON) -> str:
    """Return a stranger's text fit to be stored and read: one line, printable, at most `limit` characters."""
    cut = text[: limit + 1]
    line = cut if cut.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in cut)
    return line if len(line) <= limit else line[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one mechanism says: a result of RFC 8601, the domain it is about, and why.

    `reason` is one printable line of at most 300 characters. `particulars` belong to the mechanism: a selector, a
    published policy.
    """

    result: str
    reason: str
    domain: str = ""
    particulars: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", shown(self.reason))
        object.__setattr__(self, "domain", shown(self.domain, MAX_NAME))
        object.__setattr__(self, "particulars", {key: shown(value) for key, value in self.particulars.items()})

    def as_json(self) -> dict[str, str]:
        return {"result": self.result, "domain": self.domain, "reason": self.reason, **self.particulars}


NOT_LOOKED_AT = Verdict(NONE, "not evaluated")


@dataclass(frozen=True, slots=True)
class Authentication:
    """Who sent a mail. `aligned`: SPF or DKIM vouches for the domain that the mail shows as its sender's.

    `signatures` has a verdict for each DKIM signature that was looked at; `dkim` is the one that counts most.
    """

    spf: Verdict = NOT_LOOKED_AT
    dkim: Verdict = NOT_LOOKED_AT
    dmarc: Verdict = NOT_LOOKED_AT
    arc: Verdict = NOT_LOOKED_AT
    aligned: bool = False
    signatures: tuple[Verdict, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what a message's `authentication` is in the API; reasons stand in `details`."""
        return {
            "spf": self.spf.result,
            "dkim": self.dkim.result,
            "dmarc": self.dmarc.result,
            "arc": self.arc.result,
            "aligned": self.aligned,
            "details": {
                "spf": self.spf.as_json(),
                "dkim": [verdict.as_json() for verdict in self.signatures],
                "dmarc": self.dmarc.as_json(),
                "arc": self.arc.as_json(),
            },
        }
