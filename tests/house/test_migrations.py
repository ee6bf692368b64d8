"""What a migration must not do while the release before it serves: drop, rename, or demand what old code does not give.

The linter reads the SQL of each migration (https://github.com/3YOURMIND/django-migration-linter); that old code works
on the new tables is tried in ``tests/site/test_previous_release.py``.
"""

from typing import Any

from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import analyse_sql_statements, get_sql_analyser_class

from environments.checks import OURS

BEFORE_THE_FIRST_RELEASE = {  # there was no code before it that they could break; this list gets no longer
    "apikeys/0002_initial",
    "mail/0001_initial",
    "webhooks/0003_events_by_number",
}

BREAKS_NOTHING = {  # what the linter finds, where what it fears cannot come
    # Whatever the new key refuses is refused by the old one already: an event is of one environment.
    "webhooks/0007_keys_hold_the_environment": ["ADD_UNIQUE"],
}


class Linter(MigrationLinter):
    """Notes what is wrong with which migration, in place of printing it."""

    def __init__(self) -> None:
        super().__init__(include_apps=OURS, no_cache=True, no_output=True)
        self.wrong: dict[str, list[str]] = {}

    def print_linting_msg(self, app_label: str, migration_name: str, msg: str, lint_result: Any) -> None:
        self.looked_at = f"{app_label}/{migration_name}"
        if msg == "ERR":
            self.wrong[self.looked_at] = []

    def print_errors(self, errors: Any) -> None:
        if self.looked_at in self.wrong:
            self.wrong[self.looked_at] += [error.code for error in errors]


def test_no_migration_takes_from_the_release_before_what_it_needs(db: None) -> None:
    linter = Linter()
    linter.lint_all_migrations()
    assert linter.nb_total > 20
    found = {name: codes for name, codes in linter.wrong.items() if name not in BEFORE_THE_FIRST_RELEASE}
    assert found == BREAKS_NOTHING
    assert linter.wrong.keys() >= BEFORE_THE_FIRST_RELEASE


def test_the_linter_would_say_so() -> None:
    analyser = get_sql_analyser_class("django.db.backends.postgresql")
    errors, *_ = analyse_sql_statements(analyser, ["ALTER TABLE mail_message DROP COLUMN subject CASCADE;"], [])
    assert [error.code for error in errors] == ["DROP_COLUMN"]
