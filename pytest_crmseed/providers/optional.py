"""What some providers can do besides, where a CRM's API has it: a provider that can has the methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from pytest_crmseed.providers.base import Answer, Exchange, Request
from pytest_crmseed.records import Batch, RecordResult


@runtime_checkable
class Graphs(Protocol):
    """Records of several object types in one request, each naming others of it as its parents.

    All of them are made, or none. Asked for small plans, where the portal keeps our keys unique; what no
    graph makes goes out by batches.
    """

    def learn(self, batches: Sequence[Batch]) -> Exchange[bool]:
        """Ask the portal for what a graph of batches names besides; return whether it tells."""

    def graph(self, batches: Sequence[Batch]) -> Request | None:
        """Return the request that makes all drafts of batches; None where one does not take them.

        What is still to be learned stands in it as a placeholder.
        """

    def graph_results(self, batches: Sequence[Batch], answer: Answer) -> Sequence[RecordResult]:
        """Return what became of each draft; a draft the answer does not account for has neither."""


@runtime_checkable
class Upserts(Protocol):
    """Records are created or updated by our unique key, so that a repetition makes none twice."""

    def upsert(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request | None:
        """Return the request that makes what is missing of a batch; None where its records need more.

        Asked for drafts whose first request got no answer and that were not found since. The answer is read
        by ``results``.
        """


@runtime_checkable
class RecycleBin(Protocol):
    """Deleted records stay in a recycle bin that the API empties."""

    def empty_bin(self, object_type: str, ids: Sequence[str]) -> Exchange[Mapping[str, str]]:
        """Take deleted records out of the bin for good; return those that stay in it, with the reason.

        A record that is not in the bin is out of it. Any number of ids may be given.
        """


@runtime_checkable
class Paged(Protocol):
    """Reads by id may be answered in pages."""

    def more(self, answer: Answer) -> Request | None:
        """Return the request for the page after an answer to ``read``; None after the last one."""
