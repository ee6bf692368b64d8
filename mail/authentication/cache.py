"""DNS answers that are kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

ENTRY_BYTES = 300  # what an entry costs beside its records; measured roughly, on the high side

Record = bytes | str | tuple[int, str]
Records = tuple[Record, ...]
Question = tuple[str, str]


class Kept(NamedTuple):
    """An answer, or the reason why there was none."""

    records: Records
    failure: str = ""


class Cache:
    """Answers by question, each until its time, all together within a number of bytes; the least used leaves first.

    Safe for threads. Times are seconds of one clock, the caller's.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Question, tuple[float, int, Kept]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, question: Question, now: float) -> Kept | None:
        with self._lock:
            found = self._kept.get(question)
            if found is None:
                return None
            if found[0] <= now:
                self._drop(question)
                return None
            self._kept.move_to_end(question)
            return found[2]

    def put(self, question: Question, kept: Kept, until: float) -> None:
        cost = ENTRY_BYTES + len(question[0]) + sum(_size(record) for record in kept.records)
        with self._lock:
            self._drop(question)
            self._kept[question] = (until, cost, kept)
            self._bytes += cost
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def _drop(self, question: Question) -> None:
        found = self._kept.pop(question, None)
        if found:
            self._bytes -= found[1]


def _size(record: Record) -> int:
    return len(record[1]) + 64 if isinstance(record, tuple) else len(record) + 64
