"""The fixtures of public reply-extraction projects, read from checkouts: what came in, and what its authors expect.

Only expectations of a whole reply are taken, as the projects' own tests state them; nothing is copied.
"""

from __future__ import annotations

import ast
import re
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TALON_REPLY = "Hi. I am fine.\n\nThanks,\nAlex"
_TAG = re.compile(r"<[^>]*>")
_CALLED = re.compile(r"""(?:get_email|getFixtures|join|email|open)\(\s*["'](?:[\w/]*/)?([\w-]+)(?:\.txt)?["']\)""")
_COMMON = re.compile(r"COMMON_FIRST_FRAGMENT = '(.*?)';", re.DOTALL)


class Fixture(NamedTuple):
    """One mail of a set, as text or as HTML, and its new part as text."""

    name: str
    text: str | None
    html: str | None
    expected: str


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")


def trimmer(root: Path) -> Iterator[Fixture]:
    """discourse/email_reply_trimmer: two folders with a file of the same name in each."""
    for path in sorted((root / "test/emails").glob("*.txt")):
        yield Fixture(path.stem, _read(path), None, _read(root / "test/trimmed" / path.name))


def _by_test(source: str, mails: Path, start: str, literal: re.Pattern[str]) -> Iterator[Fixture]:
    """Yield a fixture for each test that opens one mail and then compares its reply with a literal or the constant."""
    common = _COMMON.search(source)
    seen = set()
    for test in re.split(start, source)[1:]:
        called, stated = _CALLED.search(test), literal.search(test)
        if not (called and stated) or called.group(1) in seen or not (mails / f"{called.group(1)}.txt").exists():
            continue
        is_common = "COMMON_FIRST_FRAGMENT" in stated.group()
        expected = common.group(1) if common and is_common else ast.literal_eval(f'"""{stated.group(1)}"""')
        seen.add(called.group(1))
        yield Fixture(called.group(1), _read(mails / f"{called.group(1)}.txt"), None, expected.replace("\\n\\\n", "\n"))


def github(root: Path) -> Iterator[Fixture]:
    """github/email_reply_parser, Ruby."""
    source = _read(next((root / "test").glob("*.rb"))).replace(".txt", "")
    literal = re.compile(r'assert_equal "((?:[^"\\]|\\.)*)",\s*EmailReplyParser\.parse_reply')
    yield from _by_test(source, root / "test/emails", r"\n  def test_", literal)


def zapier(root: Path) -> Iterator[Fixture]:
    """zapier/email-reply-parser, Python."""
    source = _read(root / "test/test_email_reply_parser.py")
    literal = re.compile(r"""assertEqual\(\s*["']((?:[^"'\\]|\\.)*)["'],\s*EmailReplyParser\.parse_reply""")
    reply = re.compile(r"""assertEqual\(message\.reply\.strip\(\), '([^']*)'""")
    yield from _by_test(source, root / "test/emails", r"\n    def test_", literal)
    yield from _by_test(source, root / "test/emails", r"\n    def test_", reply)


def crisp(root: Path) -> Iterator[Fixture]:
    """crisp-oss/email-reply-parser, JavaScript."""
    literal = re.compile(
        r"""test\.equal\((?:COMMON_FIRST_FRAGMENT|"((?:[^"\\]|\\.)*)"), (?:fragments\[0\]|email|text)"""
    )
    yield from _by_test(_read(root / "test/test.js"), root / "test/fixtures", r"\nexport function te[sx]t_", literal)


def willdurand(root: Path) -> Iterator[Fixture]:
    """willdurand/EmailReplyParser, PHP."""
    literal = re.compile(
        r"""assertEquals\((?:static::COMMON_FIRST_FRAGMENT|["']([^"']*)["']), (?:trim\(\$fragments\[0|\$email->getV)"""
    )
    source = _read(root / "tests/EmailReplyParser/Tests/Parser/EmailParserTest.php")
    yield from _by_test(source, root / "tests/Fixtures", r"\$this->parser->parse|function test", literal)


def mail_parser_reply(root: Path) -> Iterator[Fixture]:
    """alfonsrv/mail-parser-reply, Python."""
    literal = re.compile(r'assertTrue\("((?:[^"\\]|\\.)*)" == mail\.replies\[0\]\.body')
    source = _read(root / "test/test_email_reply_parser.py")
    yield from _by_test(source, root / "test/emails", r"\n    def test_", literal)


def talon_mails(root: Path) -> Iterator[Fixture]:
    """mailgun/talon: whole mails of clients, in text or in HTML."""
    for path in sorted((root / "tests/fixtures/html_replies").glob("*.html")):
        yield Fixture(path.stem, None, _read(path), TALON_REPLY)
    for path in sorted((root / "tests/fixtures/standard_replies").glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        text, reply = mail.get_body(("plain",)), path.with_name(f"{path.stem}_reply_text")
        yield Fixture(
            path.stem, text.get_content() if text else None, None, _read(reply) if reply.exists() else "Hello"
        )


def talon_cases(root: Path) -> Iterator[Fixture]:
    """mailgun/talon: the cases written into its tests, text and HTML."""
    for kind in ("text", "html"):
        for test in ast.parse(_read(root / f"tests/{kind}_quotations_test.py")).body:
            if isinstance(test, ast.FunctionDef):
                yield from _talon_case(test, is_html=kind == "html")


def _talon_case(test: ast.FunctionDef, *, is_html: bool) -> Iterator[Fixture]:
    """Yield the case of a test that compares one literal with what talon extracts from another."""
    strings = {
        node.targets[0].id: node.value.value
        for node in ast.walk(test)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_text(node.value)
    }
    compared = [node for node in ast.walk(test) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "eq_"]
    if len(compared) != 1 or not _is_text(compared[0].args[0]):
        return
    calls = [node for node in ast.walk(compared[0].args[1]) if isinstance(node, ast.Call)]
    extracting = [call for call in calls if getattr(call.func, "attr", "").startswith("extract_from_")]
    if not extracting:
        return
    given = extracting[0].args[0]
    mail = given.value if _is_text(given) else strings.get(getattr(given, "id", ""))
    expected = compared[0].args[0].value
    if mail and expected.strip():
        expected = _TAG.sub(" ", expected) if is_html else expected
        yield Fixture(test.name, None if is_html else mail, mail if is_html else None, expected)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def quotequail(root: Path) -> Iterator[Fixture]:
    """closeio/quotequail: tables of (mail, its parts, its parts with the introduction taken for history)."""
    for kind in ("quote", "quote_html"):
        tables = [
            node.args[1]
            for node in ast.walk(ast.parse(_read(root / f"tests/test_{kind}.py")))
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "parametrize"
        ]
        for number, row in enumerate(ast.literal_eval(tables[0])):
            mail, _, parts = row
            new = "\n".join(part for is_new, part in parts if is_new)
            is_html = kind == "quote_html"
            yield Fixture(
                f"{kind} {number}",
                None if is_html else mail,
                mail if is_html else None,
                _TAG.sub(" ", new) if is_html else new,
            )


SETS: dict[str, tuple[str, Callable[[Path], Iterator[Fixture]]]] = {
    "email_reply_trimmer": ("discourse/email_reply_trimmer", trimmer),
    "email_reply_parser (Ruby)": ("github/email_reply_parser", github),
    "email-reply-parser (Python)": ("zapier/email-reply-parser", zapier),
    "email-reply-parser (JavaScript)": ("crisp-oss/email-reply-parser", crisp),
    "EmailReplyParser (PHP)": ("willdurand/EmailReplyParser", willdurand),
    "mail-parser-reply": ("alfonsrv/mail-parser-reply", mail_parser_reply),
    "talon, mails": ("mailgun/talon", talon_mails),
    "talon, cases": ("mailgun/talon", talon_cases),
    "quotequail": ("closeio/quotequail", quotequail),
}


def read(folder: Path) -> dict[str, list[Fixture]]:
    """Return the fixtures by set, of those projects that are checked out in a folder as `owner+name` or `name`."""
    found = {}
    for title, (repository, loader) in SETS.items():
        owner, _, name = repository.partition("/")
        roots = [folder / f"{owner}+{name}", folder / name]
        root = next(filter(lambda path: path.is_dir(), roots), None)
        found[title] = [fixture for fixture in loader(root) if fixture.expected.strip()] if root else []
    return {title: fixtures for title, fixtures in found.items() if fixtures}
