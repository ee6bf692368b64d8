"""The table of precision and recall, printed below every run that tested it."""

import pytest

from tests.mail.inspection import scores


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the scores; with xdist this runs where the results come together."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    if any("inspection/test_scores.py" in report.nodeid for report in reports):
        terminalreporter.section("hostile content: precision and recall on tests/hostile")
        for line in scores.lines():
            terminalreporter.write_line(line)
