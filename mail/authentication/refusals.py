"""Why a signature does not count."""

from __future__ import annotations

from mail.authentication.values import PERMERROR


class Refused(Exception):
    """A signature or chain is not accepted: a reason that continues "the signature of example.org: ..."."""

    def __init__(self, reason: str, result: str = PERMERROR) -> None:
        super().__init__(reason)
        self.reason = reason
        self.result = result
