"""What happens during a seed, as values; the plugin and the command line listen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_crmseed.records import RecordResult


@dataclass(frozen=True, slots=True)
class Degraded:
    """Object types of a portal have no unique field for our key.

    ``ways`` says by object type how records are found again all the same.
    """

    portal: str
    field: str
    ways: Mapping[str, str]

    def __str__(self) -> str:
        grouped: dict[str, list[str]] = {}
        for object_type, way in self.ways.items():
            grouped.setdefault(way, []).append(object_type)
        told = "; ".join(f"{', '.join(names)} {way}" for way, names in grouped.items())
        return (
            f"{self.portal} has no unique field {self.field} for some object types. Their records are found "
            f"again: {told}. `crmseed setup` makes what can be made."
        )


@dataclass(frozen=True, slots=True)
class PlanReady:
    """A plan is made: how many records of each object type, and how many requests they take."""

    counts: Mapping[str, int]
    requests: int


@dataclass(frozen=True, slots=True)
class BatchSent:
    """A batch was answered: the ``number``-th of ``of`` batches of its object type."""

    object_type: str
    number: int
    of: int
    records: int


@dataclass(frozen=True, slots=True)
class Retried:
    """A request is sent again after ``wait`` seconds, because of ``reason``."""

    what: str
    attempt: int
    wait: float
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: again in {self.wait:.1f} s, {self.reason}"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A request got no proper answer; its records were looked up by key: so many exist, so many do not."""

    object_type: str
    found: int
    missing: int

    def __str__(self) -> str:
        return f"{self.object_type}: an answer was lost; {self.found} exist, {self.missing} do not"


@dataclass(frozen=True, slots=True)
class GraphRefused:
    """One request for so many records of several object types made none; they go out by batches."""

    records: int
    reason: str

    def __str__(self) -> str:
        return f"{self.records} records at once: none was made, now by batches; {self.reason}"


@dataclass(frozen=True, slots=True)
class BatchSizeChanged:
    """The portal could not take as much in one request, or can again: at most so many records, or bytes."""

    records: int
    bytes: int
    reason: str

    def __str__(self) -> str:
        return f"at most {self.records} records or {self.bytes} bytes in a batch: {self.reason}"


@dataclass(frozen=True, slots=True)
class ValueChanged:
    """The portal holds another value than was sent; ``field`` is its neutral name where it has one."""

    object_type: str
    index: int
    id: str
    field: str
    native: str
    sent: Any
    held: Any

    def __str__(self) -> str:
        where = f"{self.object_type}[{self.index}].{self.field}"
        return f"{where}: sent {self.sent!r}, the portal holds {self.held!r}"


@dataclass(frozen=True, slots=True)
class RecordFailed:
    """The portal refused a record."""

    result: RecordResult


@dataclass(frozen=True, slots=True)
class Seeded:
    """A seed is complete: records by object type, requests sent, seconds taken."""

    counts: Mapping[str, int]
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Records were removed (or were gone already), and some may be left."""

    removed: int
    left: int
    seconds: float


Event = (
    Degraded
    | PlanReady
    | BatchSent
    | BatchSizeChanged
    | GraphRefused
    | Retried
    | Reconciled
    | RecordFailed
    | ValueChanged
    | Seeded
    | Cleaned
)
Remark = Retried | Reconciled | GraphRefused | BatchSizeChanged | ValueChanged
"""What people who watch a seed are told; the text of an event says it."""

Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
