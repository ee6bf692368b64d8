"""What templates of the mail pages ask for: words, and addresses as a mail program shows them."""

from collections.abc import Iterable

from django import template

from mail.display.words import people as people_of
from mail.inspection.flags import MEANINGS, is_hostile, meaning_of

register = template.Library()
register.filter(is_hostile)
register.filter("meaning", meaning_of)


@register.filter
def people(addresses: Iterable[dict[str, str]]) -> str:
    """Return addresses on one line."""
    return people_of(addresses)


@register.filter
def in_words(code: str) -> str:
    """Return a code such as ``not_on_allowlist`` as words."""
    return str(code).replace("_", " ")


@register.filter
def by_code(reasons: Iterable[dict[str, str]]) -> list[tuple[str, str]]:
    """Return reasons of a quarantine by their code, those of one code in one sentence after the other."""
    told: dict[str, list[str]] = {}
    for reason in reasons:
        code, explanation = reason.get("code", ""), reason.get("explanation", "")
        flag, _, sentence = explanation.partition(": ")
        told.setdefault(code, []).append(sentence if flag in MEANINGS else explanation)
    return [(code, " ".join(sentences)) for code, sentences in told.items()]
