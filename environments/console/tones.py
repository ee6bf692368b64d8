"""What colour a word for a state has, on every page: the one table, of pills and of the theme's labels."""

PLAIN = "plain"
SAID = {
    "success": "accepted active allow allowed approved created delivered enabled intact on owner pass ready received"
    " sent stored success valid verified",
    "info": "admin capture captured pending queued running scheduled sending waiting",
    "warning": "allowlist changed deferred expired expiring failing hard_bounce off paused pending_approval quarantined"
    " redirect retiring softfail temperror test withheld",
    "danger": "block blocked bounced broken complained complaint disabled fail failed live permerror refused rejected"
    " revoked suspended",
}
TONES: dict[str, str] = {word: tone for tone, words in SAID.items() for word in words.split()}


def tone_of(word: str) -> str:
    """Return success, info, warning or danger; ``plain`` for a word that needs no colour."""
    return TONES.get(str(word), PLAIN)
