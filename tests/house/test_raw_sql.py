"""SQL that is written by hand passes no manager: it asks for tables of environments in these files only.

Gates are not among them: each declares what it opens, and `manage.py verify_isolation` looks at it.
"""

import re
from pathlib import Path

from environments.models import Environment
from environments.walls import environment_owned

ROOT = Path(__file__).resolve().parents[2]
APPS = ("agentpost_site", "environments", "apikeys", "webhooks", "inboxes", "mail")
TABLES = "|".join(sorted(model._meta.db_table for model in [Environment, *environment_owned()]))
ASKS = re.compile(rf'\b(?:FROM|JOIN|UPDATE|INTO|TABLE|PREPARE)\s+\\?"?(?:(?:{TABLES})\b|{{)')

ALLOWED = {
    "agentpost_site/isolation": "the proof takes the walls down to see the other one hold",
    "environments/erasure.py": "counts what is left of an environment, in whatever table, by its id",
    "environments/prepared.py": "executes what others have written: each is here for itself",
    "environments/scanning.py": "looks for what still names an erased environment, in every table there is",
    "environments/services/usage.py": "adds up counters of the environment that the transaction is bound to",
    "environments/walls.py": "raises the walls",
    "environments/writing.py": "writes rows that are of the environment named, as it checks, many at once",
    "mail/models/sending.py": "a trigger copies what the row's own environment says",
    "mail/services/judge.py": "what is known already, and what names are ours, each by the environment's id",
    "mail/services/recipients.py": "the environment of an address is found by the gate, and two columns read by its id",
    "mail/services/repetition.py": "counts in one conditional statement, in the row of the environment named",
    "mail/services/threads.py": "the messages and the awaited ones that a mail may answer, by the environment's id",
    "mail/services/windows.py": "counts in one conditional statement, in the row of the environment named",
    "webhooks/delivery/claims.py": "reads and settles what the gate claimed, inside each claim's environment",
    "webhooks/delivery/records.py": "records many attempts at once, inside the environment they are of",
    "webhooks/services/deliveries.py": "sends many deliveries again at once, by the environment's id",
    "webhooks/services/log.py": "asks the sequence of event numbers, which holds nobody's rows",
}


def who_asks() -> set[str]:
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    files = [path for path in files if not {"migrations", "gates", "gates.py"} & {*path.parts}]
    return {str(path.relative_to(ROOT)) for path in files if ASKS.search(path.read_text(encoding="utf-8"))}


def is_allowed(file: str) -> bool:
    return any(file == place or file.startswith(place + "/") for place in ALLOWED)


def test_sql_by_hand_asks_for_tables_of_environments_where_there_is_a_reason_for_it() -> None:
    assert [file for file in sorted(who_asks()) if not is_allowed(file)] == []


def test_no_reason_outlives_its_use() -> None:
    used = who_asks()
    assert [place for place in ALLOWED if not any(file.startswith(place) for file in used)] == []
