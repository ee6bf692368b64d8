"""Every regular expression of ours, and texts made from its own parts that would hurt a careless one."""

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from re import _constants as sre
from re import _parser as parser
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
APPS = ("agentpost_site", "environments", "apikeys", "webhooks", "inboxes", "mail")
CALLS = {"compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"}
MODES = ("search", "match", "fullmatch")
NOT_SERVED = "agentpost_site.documentation"
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
MANY = 16  # from how many times on a repeat counts as one without end
POOL = "a0 <>\"'=-_.,:;/@!?&#%*+()[]{}|~\\\t\r\nxABzZ9é\u200b\u0600中"
STRANGE = "\x00"  # what hardly anything accepts: the end that makes an expression try everything


@dataclass(frozen=True)
class Expression:
    """A pattern and where it was found; ``mode`` is how it is applied: one that is only ever matched searches less."""

    pattern: str | bytes
    flags: int
    place: str
    mode: str

    def compiled(self) -> re.Pattern[Any]:
        return re.compile(self.pattern, self.flags)

    def __str__(self) -> str:
        return self.place


@dataclass(frozen=True)
class Attack:
    """A text of any length: something again and again, between two other things."""

    prefix: str
    pump: str
    suffix: str

    def text(self, length: int) -> str:
        return self.prefix + self.pump * -(-length // len(self.pump)) + self.suffix


def modules() -> Iterator[str]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if "migrations" not in path.parts and not name.startswith(NOT_SERVED):
                yield name


@cache
def expressions() -> tuple[list[Expression], list[str]]:
    """Return all that are found, and the calls whose pattern is known only when they are made."""
    found: dict[tuple[str | bytes, int], Expression] = {}
    unknown: list[str] = []
    for name in modules():
        module = importlib.import_module(name)
        tree = ast.parse(sources()[name])
        for place, pattern, flags, mode in _called(tree, module, unknown):
            found.setdefault((pattern, flags), Expression(pattern, flags, place, mode))
    for name in modules():
        for place, compiled in _held(name, vars(importlib.import_module(name)), set()):
            key = (compiled.pattern, compiled.flags & ~re.UNICODE.value)
            known = {(pattern, flags & ~re.UNICODE.value) for pattern, flags in found}
            if key not in known:
                found[compiled.pattern, compiled.flags] = Expression(compiled.pattern, compiled.flags, place, "search")
    return list(found.values()), unknown


def _called(tree: ast.Module, module: Any, unknown: list[str]) -> Iterator[tuple[str, str | bytes, int, str]]:
    names = {id(node.value): node.targets[0] for node in ast.walk(tree) if isinstance(node, ast.Assign)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) in {f"re.{call}" for call in CALLS}):
            continue
        call = ast.unparse(node.func).removeprefix("re.")
        name = ast.unparse(names[id(node)]) if id(node) in names else ""
        place = f"{module.__name__}:{name or ast.unparse(node.args[0])[:40]}"
        flags = [argument for argument in node.args[1:] if re.match(r"re\.[A-Z]", ast.unparse(argument))]
        flags += [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
        try:
            pattern = _value(node.args[0], module)
            number = int(_value(flags[0], module)) if flags else 0
        except NameError:
            unknown.append(f"{module.__name__}:{ast.unparse(node.args[0])}")
            continue
        yield place, pattern, number, _mode({call} if call != "compile" else _uses(name, module))


def _value(node: ast.expr, module: Any) -> Any:
    return eval(compile(ast.Expression(node), module.__name__, "eval"), dict(vars(module)))  # noqa: S307 - our own code


def _mode(uses: set[str]) -> str:
    return next((mode for mode in ("fullmatch", "match") if mode in uses and uses <= set(MODES[1:])), "search")


def _uses(name: str, module: Any) -> set[str]:
    """Return what is done with a compiled pattern, by its methods' names; "" for anything else."""
    if not re.fullmatch(r"\w+", name):
        return {""}
    here, last = module.__name__, module.__name__.rpartition(".")[2]
    texts = [
        text
        for place, text in sources().items()
        if name in text and (place == here or f"from {here} import" in text or f"{last}.{name}" in text)
    ]
    lines = (line for text in texts for line in text.splitlines() if name in line)
    found = (re.search(rf"^(.*)\b{name}\b(?:\.(\w+))?(.*)$", line) for line in lines)
    return {use[2] or "" for use in found if use and not _is_no_use(use)}


def _is_no_use(use: re.Match[str]) -> bool:
    is_import = use[1].lstrip().startswith(("from ", "import ")) or (not use[1].strip() and use[3] == ",")
    return is_import or (not use[1].strip() and use[3].startswith((" =", ": "))) or use[2] == "pattern"


@cache
def sources() -> dict[str, str]:
    return {name: (ROOT / _path(name)).read_text(encoding="utf-8") for name in modules()}


def _path(name: str) -> Path:
    path = Path(*name.split("."))
    return path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")


def _held(place: str, value: Any, seen: set[int]) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield the compiled patterns that a module holds, in whatever it holds them."""
    if isinstance(value, re.Pattern):
        yield place, value
        return
    if id(value) in seen or isinstance(value, str | bytes | int | type):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list | tuple | set | frozenset):
        parts = enumerate(value)
    elif type(value).__module__.startswith(APPS) and hasattr(value, "__dict__"):
        parts = vars(value).items()
    elif type(value).__module__.startswith(APPS):
        parts = ((name, getattr(value, name, None)) for name in getattr(type(value), "__slots__", ()))
    else:
        return
    for name, part in parts:
        yield from _held(f"{place}.{name}" if ":" in place else f"{place}:{name}", part, seen)


# --- Texts that hurt -------------------------------------------------------------------------------------------------


def attacks(expression: Expression, most: int) -> list[Attack]:
    """Return at most so many: each repeat's body again and again, behind what leads there, and with strange ends."""
    pattern = expression.pattern
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    tree = parser.parse(text, expression.flags & ~re.UNICODE.value)
    made: dict[Attack, None] = {}
    pumps = list(dict.fromkeys(_pumps(tree, "")))
    bodies = list(dict.fromkeys(pump for _, pump in pumps))
    pumps += [("", first + second) for first, second in pairwise(bodies)]
    pumps += [("", lead + pump) for lead, pump in pumps if lead]
    whole = sample(tree, 0)
    pumps += [("", whole), ("", whole[:-1]), ("", whole[:1])]
    for prefix, pump in pumps:
        for suffix in (STRANGE, ""):
            if pump:
                made[Attack(prefix, pump, suffix)] = None
    return list(islice(made, most))


def _pumps(tree: Sequence[Any], before: str) -> Iterator[tuple[str, str]]:
    """Yield the bodies of repeats, and what a text must begin with to get there."""
    for operator, argument in tree:
        if operator in REPEATS:
            _, most, body = argument
            if most >= MANY:
                yield from ((before, text) for text in samples(body) if text)
            yield from _pumps(body, before)
        for inner in _inner(operator, argument):
            yield from _pumps(inner, before)
        before += sample([(operator, argument)], 0)


def _inner(operator: Any, argument: Any) -> list[Sequence[Any]]:
    """Return the parts of what is no repeat."""
    if operator is sre.SUBPATTERN:
        return [argument[3]]
    if operator is sre.BRANCH:
        return list(argument[1])
    if operator is sre.ATOMIC_GROUP:
        return [argument]
    if operator in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    if operator is sre.GROUPREF_EXISTS:
        return [part for part in argument[1:] if part]
    return []


def samples(tree: Sequence[Any]) -> list[str]:
    """Return a few different texts that it accepts, or nearly."""
    return list(dict.fromkeys(sample(tree, choice) for choice in range(3)))


def sample(tree: Sequence[Any], choice: int) -> str:
    """Return a text that it accepts, or nearly: assertions and references are taken as nothing."""
    return "".join(_sample(operator, argument, choice) for operator, argument in tree)


def _sample(operator: Any, argument: Any, choice: int) -> str:
    if operator in REPEATS:
        least, most, body = argument
        return sample(body, choice) * min(max(least, min(1, most)), 300)
    if operator is sre.BRANCH:
        return sample(argument[1][choice % len(argument[1])], choice)
    if operator is sre.SUBPATTERN:
        return sample(argument[3], choice)
    if operator is sre.ATOMIC_GROUP:
        return sample(argument, choice)
    if operator in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
        return _character(operator, argument, choice)
    return ""


def _character(operator: Any, argument: Any, choice: int) -> str:
    if operator is sre.LITERAL:
        return chr(argument)
    accepted = [character for character in _candidates(argument) if accepts(operator, argument, ord(character))]
    return accepted[choice % len(accepted)] if accepted else "a"


def _candidates(argument: Any) -> str:
    named = (
        [
            item[1] if item[0] is sre.LITERAL else item[1][0]
            for item in argument or ()
            if isinstance(item, tuple) and item[0] in (sre.LITERAL, sre.RANGE)
        ]
        if isinstance(argument, list)
        else []
    )
    return POOL + "".join(map(chr, named))


def accepts(operator: Any, argument: Any, code: int) -> bool:
    """Tell whether one item of a parsed pattern accepts a character."""
    if operator is sre.LITERAL:
        return bool(code == argument)
    if operator is sre.NOT_LITERAL:
        return bool(code != argument)
    if operator is sre.ANY:
        return code != ord("\n")
    is_negated = bool(argument) and argument[0][0] is sre.NEGATE
    return any(_is_of(item, code) for item in argument) != is_negated


def _is_of(item: Any, code: int) -> bool:
    kind, value = item
    if kind is sre.RANGE:
        return bool(value[0] <= code <= value[1])
    if kind is sre.CATEGORY:
        return _is_of_category(value, chr(code))
    return kind is sre.LITERAL and bool(code == value)


def _is_of_category(category: Any, character: str) -> bool:
    name = str(category)
    if name.endswith("DIGIT"):
        found = character.isdecimal()
    elif name.endswith("SPACE"):
        found = character.isspace()
    else:
        found = character.isalnum() or character == "_"
    return found != ("NOT" in name)
