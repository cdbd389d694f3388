"""Drafts → batches, by count and by bytes; how large a batch may be in this run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from pytest_crmseed.records import Batch, Draft

# After so many batches of full size that went well, the next size is tried.
GROW_AFTER = 4


def in_batches(
    drafts: Sequence[Draft],
    *,
    most: int,
    most_bytes: int,
    size: Callable[[Draft], int],
    before: int = 0,
    same_fields: bool = False,
) -> list[Batch]:
    """Return drafts of one object type as batches, in order, as few as the limits allow.

    ``most`` is the largest number of drafts in a batch, ``most_bytes`` its largest body by
    ``size``. A draft that is larger by itself gets a batch of its own: the portal decides.
    ``before`` batches of the type have been handed out already. With ``same_fields``, drafts that have
    values for other fields come into other batches.
    """
    groups: list[list[Draft]] = []
    for alike in _alike(drafts) if same_fields else [drafts]:
        room: int | None = None
        for draft in alike:
            weight = size(draft)
            if room is None or len(groups[-1]) >= most or weight > room:
                groups.append([])
                room = most_bytes
            groups[-1].append(draft)
            room -= weight
    return [
        Batch(group[0].object_type, number, before + len(groups), group)
        for number, group in enumerate(groups, start=before + 1)
    ]


def _alike(drafts: Sequence[Draft]) -> Iterable[Sequence[Draft]]:
    """Return drafts by the fields and links that they have values for, each group in order."""
    groups: dict[tuple[frozenset[str], frozenset[str]], list[Draft]] = {}
    for draft in drafts:
        fields = (frozenset(draft.values), frozenset(link.field for link in draft.links))
        groups.setdefault(fields, []).append(draft)
    return groups.values()


def batch_count(records: int, most: int) -> int:
    """Return the least number of batches for ``records``, by count alone."""
    return -(-records // most)


def halves(drafts: Sequence[Draft]) -> tuple[list[Draft], list[Draft]]:
    """Return the two halves of two or more drafts, in order."""
    middle = (len(drafts) + 1) // 2
    return list(drafts[:middle]), list(drafts[middle:])


class Bound:
    """A number that goes down when that much was too much, and up again carefully.

    It halves, but not below what has gone well before; it grows half of the way to what is not
    known to be too much.
    """

    def __init__(self, most: int) -> None:
        self.now = most
        self._most = most
        self._ceiling = most
        self._proven = 0
        self._streak = 0

    @property
    def lowered(self) -> bool:
        """Whether it stands below where it began."""
        return self.now < self._most

    def failed(self, amount: int, *, for_good: bool) -> None:
        """Note that ``amount`` was too much; ``for_good``, if it always will be."""
        if for_good:
            self._ceiling = min(self._ceiling, max(1, amount - 1))
        proven = self._proven if self._proven < amount else 0
        self.now = min(self.now, self._ceiling, max(1, amount // 2, proven))
        self._streak = 0

    def went_well(self, amount: int) -> None:
        """Note that ``amount`` was not too much."""
        self._proven = max(self._proven, amount)
        gap = self._ceiling - self.now
        # A batch that does not fill the bound proves nothing about more.
        if gap <= 0 or amount < self.now * 3 / 4:
            return
        self._streak += 1
        if self._streak < GROW_AFTER:
            return
        self._streak = 0
        if gap > self.now // 10:
            self.now += (gap + 1) // 2
        elif self._ceiling == self._most:
            self.now = self._most
        # Else what is too much is known well enough; another try would only be refused again.


class BatchSize:
    """How much goes out in one request, for the whole of a run; thread-safe.

    ``records`` and ``bytes`` begin at what the settings and the API allow; ``graph_records`` is the largest
    number of records of all object types that go out as one graph. ``changes`` counts how often either of
    the first two was changed.
    """

    def __init__(self, records: int, bytes: int) -> None:
        self._lock = threading.Lock()
        self._records = Bound(records)
        self._bytes = Bound(bytes)
        self._graph = Bound(records)
        self.changes = 0

    @property
    def records(self) -> int:
        """The largest number of records."""
        return self._records.now

    @property
    def bytes(self) -> int:
        """The largest body."""
        return self._bytes.now

    @property
    def graph_records(self) -> int:
        """The largest number of records in a graph."""
        return min(self._graph.now, self._records.now)

    def graph_failed(self, records: int) -> None:
        """Note that a graph of so many records came to nothing, and not for a record's sake."""
        with self._lock:
            self._graph.failed(records, for_good=False)

    def graph_went_well(self, records: int) -> None:
        """Note that a graph of so many records was made."""
        with self._lock:
            self._graph.went_well(records)

    def too_large(self, bytes: int) -> bool:
        """Note that the portal takes no body of so many bytes; return whether anything changed."""
        return self._change(lambda: self._bytes.failed(bytes, for_good=True))

    def too_many(self, records: int) -> bool:
        """Note that the portal takes no batch of so many records; return whether anything changed."""
        return self._change(lambda: self._records.failed(records, for_good=True))

    def too_slow(self, records: int) -> bool:
        """Note that the portal took too long over so many; return whether anything changed."""
        return self._change(lambda: self._records.failed(records, for_good=False))

    def went_well(self, records: int, measure: Callable[[], int]) -> bool:
        """Note that a batch went well; ``measure`` gives its bytes where they matter."""

        def note() -> None:
            self._records.went_well(records)
            if self._bytes.lowered:
                self._bytes.went_well(measure())

        return self._change(note)

    def _change(self, note: Callable[[], None]) -> bool:
        with self._lock:
            before = (self._records.now, self._bytes.now)
            note()
            changed = before != (self._records.now, self._bytes.now)
            self.changes += changed
            return changed
