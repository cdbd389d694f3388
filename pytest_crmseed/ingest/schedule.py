"""Which batch may start, and what a plan costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_crmseed.ingest.batches import batch_count
from pytest_crmseed.planning import Plan
from pytest_crmseed.providers.base import Capabilities
from pytest_crmseed.records import Batch, Draft, Link


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests that a plan takes: creating, and removing with its check."""

    writes: int = 0
    cleanup: int = 0

    @property
    def requests(self) -> int:
        """All requests together."""
        return self.writes + self.cleanup

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.writes + other.writes, self.cleanup + other.cleanup)


def cost(plan: Plan, capabilities: Capabilities, *, batch_size: int | None = None) -> Cost:
    """Return what a plan costs at least, by the number of its records."""
    most = min(batch_size or capabilities.batch_records, capabilities.batch_records)
    writes = sum(batch_count(step.count, most) for step in plan.steps)
    cleanup = sum(
        batch_count(step.count, capabilities.delete_records)
        + batch_count(step.count, capabilities.read_records)
        for step in plan.steps
    )
    return Cost(writes, cleanup)


class Schedule:
    """The batches still to be sent; hands out those whose parents' ids are known.

    A plan is a graph, not levels: object types that do not depend on each other go out side by
    side, and a batch of children starts as soon as its own parents exist.
    """

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._waiting = list(batches)

    def rest(self) -> Sequence[Batch]:
        """Return the batches that were never handed out."""
        return tuple(self._waiting)

    def without_children_of(self, lost: Iterable[tuple[str, int]]) -> list[tuple[Draft, Link]]:
        """Take drafts out that can never be sent, since a parent does not exist; return each with it.

        ``lost`` names records by object type and index. What depends on a draft taken out goes too.
        """
        gone = set(lost)
        orphans: list[tuple[Draft, Link]] = []
        before = -1
        while before < len(orphans):
            before = len(orphans)
            for batch in self._waiting:
                kept = []
                for draft in batch.drafts:
                    parent = next((x for x in draft.links if x.id is None and _target(x) in gone), None)
                    if parent is None:
                        kept.append(draft)
                    else:
                        orphans.append((draft, parent))
                        gone.add((draft.object_type, draft.index))
                batch.drafts = kept
        self._waiting = [batch for batch in self._waiting if batch.drafts]
        return orphans

    def next_ready(self, ids: Mapping[tuple[str, int], str]) -> Batch | None:
        """Return the first batch whose parents all have ids, and forget it; None when none has."""
        for position, batch in enumerate(self._waiting):
            if all(
                link.id is not None or _target(link) in ids for draft in batch.drafts for link in draft.links
            ):
                return self._waiting.pop(position)
        return None


def _target(link: Link) -> tuple[str, int]:
    return link.object_type, link.index or 0
