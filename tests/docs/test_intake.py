"""docs/intake.md tells of every reason and outcome that there is, and of no other."""

import re

from mail.models import Intake
from mail.reasons import REASONS
from mail.services.attempts import LISTED_PER_HOUR
from mail.smtp import Limits
from tests.docs.pages import text

PAGE = text("docs/intake.md")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def table(heading: str) -> list[str]:
    _, _, after = PAGE.partition(f"## {heading}\n")
    return ROW.findall(after.partition("\n## ")[0])


def test_every_reason_has_its_row_in_the_order_of_the_code() -> None:
    assert table("Reasons") == list(REASONS)


def test_every_outcome_has_its_row() -> None:
    assert table("Outcomes") == Intake.Outcome.values


def test_every_stage_is_told() -> None:
    assert [stage for stage in Intake.Stage.values if f"`{stage}` (" not in PAGE] == []


def test_the_limits_are_those_of_the_code() -> None:
    assert f"Beyond {LISTED_PER_HOUR:,} different refusals" in PAGE
    assert f"up to {Limits().max_waiting_notes:,} such refusals" in PAGE
