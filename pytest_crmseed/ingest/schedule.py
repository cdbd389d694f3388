"""Which batch may start, and what a plan costs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_crmseed.ingest.batches import batch_count
from pytest_crmseed.ingest.limits import SHARE, RateOverride
from pytest_crmseed.planning import Plan
from pytest_crmseed.providers.base import Capabilities, Rate
from pytest_crmseed.records import Batch, Draft, Link


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests that a plan takes: creating, reading back, and removing with its check.

    ``tokens`` is what they take of a day's budget that does not count requests, else 0.
    """

    writes: int = 0
    cleanup: int = 0
    reads: int = 0
    tokens: int = 0

    @property
    def requests(self) -> int:
        """All requests together."""
        return self.writes + self.reads + self.cleanup

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.writes + other.writes,
            self.cleanup + other.cleanup,
            self.reads + other.reads,
            self.tokens + other.tokens,
        )


def cost(
    plan: Plan,
    capabilities: Capabilities,
    *,
    batch_size: int | None = None,
    verified: bool = False,
    bin_emptied: bool = False,
    at_once: int = 0,
) -> Cost:
    """Return what a plan costs at least, by the number of its records.

    ``verified`` counts the requests that read the records back, ``bin_emptied`` those that take what was
    removed out of the recycle bin. ``at_once`` is how many requests make all of it at once, if any do.
    """
    most = min(batch_size or capabilities.batch_records, capabilities.batch_records)
    writes = at_once or sum(batch_count(step.count, most) for step in plan.steps)
    page = capabilities.page_records
    reads = checks = deletions = tokens = 0
    for step in plan.steps:
        deletes = batch_count(step.count, capabilities.delete_records)
        read = batch_count(step.count, page or capabilities.read_at_once(step.object_type))
        # What is deleted is read again in the same chunks, after a look for what has no unique key.
        checked = deletes + read if page else read
        reads, checks, deletions = reads + read, checks + checked, deletions + deletes
        price = capabilities.prices.get(step.object_type)
        if price is not None:
            looks = read * (2 if verified else 1)
            tokens += batch_count(step.count, most) * price.create + looks * price.page
            tokens += deletes * (price.delete + price.read)
    if bin_emptied:
        deletions *= 2
    return Cost(writes, deletions + checks, reads if verified else 0, tokens)


def least_seconds(cost: Cost, rates: Iterable[Rate], override: RateOverride) -> float:
    """Return how long making and reading back take at least, by the portal's pace and the one asked for.

    ``rates`` are the portal's own; what a server takes to answer is not in it.
    """
    paces = [
        (rate.limit * (override.share or SHARE), rate.seconds) for rate in rates if rate.bucket == "burst"
    ]
    if override.limit is not None and override.seconds is not None:
        paces = [(override.limit, override.seconds)]
    requests = cost.writes + cost.reads
    waits = [max(0, requests - 1) // max(1, int(granted)) * seconds for granted, seconds in paces]
    return max(waits, default=0.0)


class Schedule:
    """The batches still to be sent; hands out those whose parents' ids are known.

    A plan is a graph, not levels: object types that do not depend on each other go out side by
    side, and a batch of children starts as soon as its own parents exist.
    """

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._waiting = list(batches)
        self._handed_out: dict[str, int] = {}

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

    def next_ready(self, ids: Mapping[tuple[str, int], str], but: Collection[str] = ()) -> Batch | None:
        """Return the first batch whose parents all have ids, and forget it; None when none has.

        Batches of the object types ``but`` stay where they are.
        """
        for position, batch in enumerate(self._waiting):
            if batch.object_type not in but and all(
                link.id is not None or _target(link) in ids for draft in batch.drafts for link in draft.links
            ):
                self._handed_out[batch.object_type] = self._handed_out.get(batch.object_type, 0) + 1
                return self._waiting.pop(position)
        return None

    def cut_again(self, cut: Callable[[Sequence[Draft], int], list[Batch]]) -> None:
        """Make other batches of the drafts that wait, object type by object type, in the same order.

        ``cut`` takes drafts of a type and how many batches of it come before them.
        """
        groups: list[list[Draft]] = []
        group_of: dict[str, list[Draft]] = {}
        for batch in self._waiting:
            # A draft and its own parent must not come into one batch: it would wait for itself.
            alone = _refers_to_its_own_type(batch)
            if alone or batch.object_type not in group_of:
                groups.append([])
                group_of[batch.object_type] = groups[-1]
            group_of[batch.object_type] += batch.drafts
            if alone:
                del group_of[batch.object_type]
        before = dict(self._handed_out)
        self._waiting = []
        for drafts in groups:
            name = drafts[0].object_type
            batches = cut(drafts, before.get(name, 0))
            before[name] = before.get(name, 0) + len(batches)
            self._waiting += batches
        for batch in self._waiting:
            batch.of = before[batch.object_type]


def _refers_to_its_own_type(batch: Batch) -> bool:
    return any(
        link.id is None and link.object_type == batch.object_type
        for draft in batch.drafts
        for link in draft.links
    )


def _target(link: Link) -> tuple[str, int]:
    return link.object_type, link.index or 0
