"""The manager without walls is for the framework; our own code may use it in these files only."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("agentpost_site", "environments", "apikeys", "webhooks", "inboxes", "mail")
USE = re.compile(r"\.(everywhere|_base_manager|_default_manager)\b")

ALLOWED = {
    "agentpost_site/isolation": "the proof takes the walls down to see the other one hold",
    "apikeys/authentication.py": "a key is found by its secret before its organization is known",
    "apikeys/streams.py": "all who listen in this process are asked about at once, whoever they are",
    "apikeys/tasks.py": "chores go through every environment, one at a time",
    "environments/console/reach.py": "a person's organizations and environments are what it finds out",
    "environments/provisioning.py": "a command names an environment before its organization is known",
    "environments/services/accounts.py": "a person's account is theirs in every organization that they are in",
    "environments/services/importing.py": "whether the id in an archive is free is asked of all environments at once",
    "environments/services/members.py": "an invitation is found by its token before its organization is known",
    "environments/services/sealing.py": "the secrets of every environment are sealed anew, one at a time",
    "environments/tasks.py": "invitations run out everywhere at once, and so do exports, one environment at a time",
    "inboxes/tasks.py": "the domains of every environment are checked, one environment at a time",
    "mail/management/commands/index_messages.py": "goes through every environment, one at a time",
    "mail/services/inventory.py": "the objects of every environment are compared with its rows, one at a time",
    "mail/services/receive.py": "mail of all environments is stored at once, each by the policies of its own",
    "mail/services/unsubscribe.py": "whose recipient leaves is known from the token, and read by its id",
    "mail/sending/door.py": "what is due is found by the gate, and its environment read by its id",
    "mail/services/transports.py": "the environment of a provider's report is found by its token, and read by its id",
    "mail/tasks.py": "the ledger of every environment is shortened, one at a time",
    "webhooks/tasks.py": "the log of every environment is shortened, one at a time",
}


def users_of_everywhere() -> set[str]:
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    return {str(path.relative_to(ROOT)) for path in files if USE.search(path.read_text())}


def is_allowed(file: str) -> bool:
    return any(file == place or file.startswith(place + "/") for place in ALLOWED)


def test_the_unguarded_manager_is_used_where_there_is_a_reason_for_it() -> None:
    assert [file for file in sorted(users_of_everywhere()) if not is_allowed(file)] == []


def test_no_reason_outlives_its_use() -> None:
    used = users_of_everywhere()
    assert [place for place in ALLOWED if not any(file.startswith(place) for file in used)] == []
