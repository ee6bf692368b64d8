"""Hostile clients: attack a whole AgentPost as a sender, a client of the API and a neighbour, and count what broke.

Beside every attack a neighbour sends a mail and asks the API again and again; that they are served is a promise too.
"""

import os
import tempfile
from pathlib import Path

from bench.report import Table

HEADS = ("attack", "promise", "tried", "broken")


def measure(*, full: bool) -> tuple[list[Table], bool]:
    """Run every attack; return the tables, and whether every promise was kept."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentpost_site.settings")
    import django

    django.setup()
    from bench.chaos.hostile import bombs, described, dialogues, expressions, forgery, holding, timing
    from bench.chaos.hostile.ground import Ground
    from tests.site.instance import Instance

    held = expressions.attack(full=full)
    held += bombs.read()
    with tempfile.TemporaryDirectory(prefix="agentpost-hostile-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another user
        with Instance(Path(folder) / "data", AGENTPOST_REQUESTS_PER_MINUTE="1000000") as instance:
            ground = Ground(instance, full=full)
            for attack in (
                dialogues.attack,
                bombs.attack,
                forgery.attack,
                holding.attack,
                described.attack,
                timing.attack,
            ):
                held += ground.beside_a_neighbour(attack)
            held += ground.survived()
    about = "Attacks on one instance of `manage.py serve`, and on the code itself where the attack needs no server."
    rows = [(one.attack, one.promise, one.tried, one.broken) for one in held]
    notes = sorted({one.note for one in held if one.note})
    return [Table(about, HEADS, rows, notes)], not any(one.broken for one in held)
