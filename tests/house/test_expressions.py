"""No regular expression of ours takes much longer over a text that is made to hurt it: steps are counted, not time."""

import sys
from collections.abc import Iterator

import pytest

from tests.house.expressions import Attack, Expression, attacks, expressions
from tests.house.steps import Matcher, TooMany

LENGTHS = (60, 120, 240)
PER_CHARACTER = 100  # steps; more are too many whatever their growth
RATIO = 2.6  # steps that twice the text may cost, twice in a row
MOST = 10  # attacks on one expression

# Patterns that grow, and why nobody can make use of it.
CAPPED = {
    "agentpost_site.isolation.catalogue.functions:'\\\\s*([(),])\\\\s*'": "definitions of our own functions",
    "environments.destinations:DOMAIN": "looks at 253 characters at most",
    "mail.extraction.complexity:_LAST_QUOTE.'": "only ever matched from the beginning",
    'mail.extraction.complexity:_LAST_QUOTE."': "only ever matched from the beginning",
    "mail.extraction.introductions:_UNDERLINES": "lines of MAX_LINE characters at most",
    "mail.parsing.uuencoding:_BEGIN": "a name of 255 octets and 99 blanks at most",
}
# Patterns that are put together when they are used, and of what.
BUILT = {
    "agentpost_site.front.router:route.pattern": "the routes of our own table",
    "agentpost_site.mcp.arguments:schema['pattern']": "the patterns of our own tools",
    "mail.automatic.classification:value": "constants of that module, found where it holds them",
    "mail.automatic.permanence:'|'.join(patterns)": "constants of that module, found where it holds them",
    "mail.extraction.complexity:f'.*=\\\\s*+{quote}'": "two quotation marks, found where it holds them",
    "mail.extraction.complexity:f'</{name}[ \\\\t\\\\n\\\\r]*+>'": "names of elements, found where it holds them",
    "mail.extraction.stripping:f'</{name}[^>]*+(?:>|\\\\Z)'": "names of elements, found where it holds them",
    "mail.inspection.instructions:pattern": "constants of that module, found where it holds them",
    "mail.inspection.markup:f'</{name}[^>]*+(?:>|\\\\Z)'": "names of elements, found where it holds them",
}


@pytest.fixture(autouse=True)
def deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def grows(matcher: Matcher, expression: Expression, attack: Attack) -> bool:
    try:
        least, *more = (matcher.count(attack.text(length), expression.mode) for length in LENGTHS[:2])
        return more[0] / least > RATIO and matcher.count(attack.text(LENGTHS[2]), expression.mode) / more[0] > RATIO
    except TooMany:
        return True


def hurt(expression: Expression) -> list[Attack]:
    matcher = Matcher(expression.pattern, expression.flags, LENGTHS[-1] * PER_CHARACTER)
    return [attack for attack in attacks(expression, MOST) if grows(matcher, expression, attack)][:1]


def test_every_expression_takes_time_in_proportion_to_its_text() -> None:
    found = {one.place: (one.pattern, hurt(one)) for one in expressions()[0]}
    assert len(found) > 300
    assert {place: told for place, told in found.items() if told[1] and place not in CAPPED} == {}
    assert [place for place in CAPPED if place not in found] == []


def test_what_is_put_together_later_is_made_of_our_own_constants() -> None:
    assert sorted(set(expressions()[1])) == sorted(BUILT)


EVIL = [r"(a+)+$", r"(a|a)*b", r"\s*(x)", r"(?:\d+,?)+;", r"a*a*a*b", r"(\w+\s?)*!", r"[^>]*>"]
GOOD = [r"(?<!a)a++b", r"^(?>a+)+b", r"^\d+$", r"<[^<>]{1,20}>", r"^(?:ab)*+c", r"x"]


@pytest.mark.parametrize("pattern", EVIL)
def test_the_count_finds_what_is_evil(pattern: str) -> None:
    assert hurt(Expression(pattern, 0, pattern, "search"))


@pytest.mark.parametrize("pattern", GOOD)
def test_the_count_lets_pass_what_is_not(pattern: str) -> None:
    assert not hurt(Expression(pattern, 0, pattern, "search"))


def test_the_steps_are_those_of_re() -> None:
    for expression in expressions()[0][::4]:
        for attack in attacks(expression, 4):
            text = attack.text(20).encode("ascii", "ignore").decode()
            compared = text if isinstance(expression.pattern, str) else text.encode()
            expected = [found.span() for found in expression.compiled().finditer(compared)]
            assert list(Matcher(expression.pattern, expression.flags).spans(text)) == expected, (expression, text)
