"""How many steps a backtracking matcher takes: the order of what `re` does, counted, so that no clock is asked.

It walks the tree that `re` itself parses. Only the counts differ from the real engine, which skips some steps by
shortcuts that change no growth.
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from re import _constants as sre
from re import _parser as parser
from typing import Any

from tests.house.expressions import accepts

Go = Callable[[int], bool]
ONE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
AT_BEGINNING = (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)


class TooMany(Exception):
    """More steps than were granted."""


def _anywhere(_: int) -> bool:
    return True


class Matcher:
    """One pattern; `steps` counts what its matches took."""

    def __init__(self, pattern: str | bytes, flags: int = 0, most: int = 10**6) -> None:
        text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
        parsed = parser.parse(text, flags & ~re.UNICODE.value)
        self.flags = parsed.state.flags
        self._tree, self._most = list(parsed), most
        self._known: dict[tuple[int, str], bool] = {}
        self._ways = {sre.BRANCH: self._branch, sre.SUBPATTERN: self._group, sre.ATOMIC_GROUP: self._atomic}
        self._ways |= {sre.MAX_REPEAT: self._repeat, sre.MIN_REPEAT: self._lazily, sre.POSSESSIVE_REPEAT: self._possess}
        self._ways |= {sre.ASSERT: self._ahead, sre.ASSERT_NOT: self._not_ahead, sre.GROUPREF: self._same_again}
        self._ways |= {sre.GROUPREF_EXISTS: self._if_group, sre.AT: self._at}

    def spans(self, text: str, mode: str = "search") -> Iterator[tuple[int, int]]:
        """Yield what `finditer` would find, or `match` or `fullmatch` alone. Raises TooMany."""
        self.text, self.steps = text, 0
        start, was_empty = 0, False
        while start <= len(text):
            self.groups: dict[int, tuple[int, int]] = {}
            wanted = partial(operator.eq, len(text)) if mode == "fullmatch" else _anywhere
            end = self._end(self._tree, start, partial(operator.ne, start) if was_empty else wanted)
            if end is not None:
                yield start, end
            if mode != "search":
                return
            was_empty = end == start
            start = start + 1 if end is None else end

    def count(self, text: str, mode: str = "search") -> int:
        """Return the steps of going through the whole text. Raises TooMany."""
        for _ in self.spans(text, mode):
            pass
        return self.steps

    def _end(self, nodes: Sequence[Any], at: int, wanted: Go = _anywhere) -> int | None:
        """Return where the first way through ends, to which nobody comes back."""
        found: list[int] = []

        def arrived(end: int) -> bool:
            return wanted(end) and not found.append(end)  # type: ignore[func-returns-value]

        return found[0] if self._go(nodes, 0, at, arrived) else None

    def _go(self, nodes: Sequence[Any], number: int, at: int, go: Go) -> bool:
        while number < len(nodes):
            kind, argument = nodes[number]
            self._step()
            if kind not in ONE:
                return self._ways[kind](argument, at, partial(self._go_on, nodes, number + 1, go))
            if not self._takes(nodes[number], at):
                return False
            number, at = number + 1, at + 1
        return go(at)

    def _go_on(self, nodes: Sequence[Any], number: int, go: Go, at: int) -> bool:
        return self._go(nodes, number, at, go)

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self._most:
            raise TooMany

    def _takes(self, node: Any, at: int) -> bool:
        if at >= len(self.text):
            return False
        character = self.text[at]
        key = (id(node), character)
        if key not in self._known:
            both = {character, character.swapcase()} if self.flags & re.IGNORECASE else {character}
            is_any = node[0] is sre.ANY and self.flags & re.DOTALL
            self._known[key] = bool(is_any) or any(accepts(*node, ord(one)) for one in both if len(one) == 1)
        return self._known[key]

    def _branch(self, argument: Any, at: int, go: Go) -> bool:
        return any(self._go(list(way), 0, at, go) for way in argument[1])

    def _group(self, argument: Any, at: int, go: Go) -> bool:
        number, _, _, body = argument

        def closed(end: int) -> bool:
            before = self.groups.get(number)
            self.groups[number] = (at, end)
            if go(end):
                return True
            self.groups.pop(number) if before is None else self.groups.__setitem__(number, before)
            return False

        return self._go(body, 0, at, go if number is None else closed)

    def _atomic(self, argument: Any, at: int, go: Go) -> bool:
        end = self._end(argument, at)
        return end is not None and go(end)

    def _run(self, node: Any, at: int, most: int) -> int:
        end = at
        while end - at < most and self._takes(node, end):
            self._step()
            end += 1
        return end

    def _repeat(self, argument: Any, at: int, go: Go) -> bool:
        least, most, body = argument
        if len(body) == 1 and body[0][0] in ONE:
            for end in range(self._run(body[0], at, most), at + least - 1, -1):
                self._step()
                if go(end):
                    return True
            return False

        def again(count: int, at: int) -> bool:
            def further(end: int) -> bool:
                return (end != at or count < least) and again(count + 1, end)

            self._step()
            return (count < most and self._go(body, 0, at, further)) or (count >= least and go(at))

        return again(0, at)

    def _lazily(self, argument: Any, at: int, go: Go) -> bool:
        least, most, body = argument

        def again(count: int, at: int) -> bool:
            self._step()
            if count >= least and go(at):
                return True
            return count < most and self._go(
                body, 0, at, lambda end: (end != at or count < least) and again(count + 1, end)
            )

        return again(0, at)

    def _possess(self, argument: Any, at: int, go: Go) -> bool:
        least, most, body = argument
        count = 0
        while count < most and (end := self._end(body, at)) is not None and (end != at or count < least):
            count, at = count + 1, end
        return count >= least and go(at)

    def _looks(self, argument: Any, at: int) -> bool:
        direction, body = argument
        before = body.getwidth()[0] if direction < 0 else 0
        return at >= before and self._end(body, at - before) is not None

    def _ahead(self, argument: Any, at: int, go: Go) -> bool:
        return self._looks(argument, at) and go(at)

    def _not_ahead(self, argument: Any, at: int, go: Go) -> bool:
        return not self._looks(argument, at) and go(at)

    def _same_again(self, number: Any, at: int, go: Go) -> bool:
        if number not in self.groups:
            return False
        start, end = self.groups[number]
        return self.text.startswith(self.text[start:end], at) and go(at + end - start)

    def _if_group(self, argument: Any, at: int, go: Go) -> bool:
        number, then, otherwise = argument
        way = then if number in self.groups else otherwise
        return self._go(way, 0, at, go) if way else go(at)

    def _at(self, place: Any, at: int, go: Go) -> bool:
        return self._is_at(place, at) and go(at)

    def _is_at(self, place: Any, at: int) -> bool:
        text, lines = self.text, self.flags & re.MULTILINE
        if place in AT_BEGINNING:
            return at == 0 or bool(lines and place is sre.AT_BEGINNING and text[at - 1] == "\n")
        if place is sre.AT_END:
            return at >= len(text) - (text[-1:] == "\n" and at == len(text) - 1) or bool(lines and text[at] == "\n")
        if place is sre.AT_END_STRING:
            return at == len(text)
        is_boundary = _is_word(text[at - 1 : at] if at else "") != _is_word(text[at : at + 1])
        return is_boundary == (place is sre.AT_BOUNDARY)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
