"""What stands in the ledger: runs, entries, and the states an entry goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What is known of a record."""

    INTENDED = "intended"  # to be sent
    SENT = "sent"  # its request is under way
    KNOWN = "known"  # it exists, and its id is known
    UNKNOWN = "unknown"  # sent without a proper answer: it may or may not exist
    REFUSED = "refused"  # the portal refused it, or it was never sent
    GONE = "gone"  # deleted, or proven not to exist


# From which states each state may be reached. "sent" follows "sent" when a batch is split after a
# refusal that named no record, and "unknown" when absence was proven; "known" follows "gone" when
# a record turns up late. A step that was taken already may be taken again.
MOVES: Mapping[State, frozenset[State]] = {
    State.SENT: frozenset({State.INTENDED, State.SENT, State.UNKNOWN}),
    State.KNOWN: frozenset({State.SENT, State.UNKNOWN, State.KNOWN, State.GONE}),
    State.UNKNOWN: frozenset({State.SENT, State.UNKNOWN}),
    State.REFUSED: frozenset({State.INTENDED, State.SENT, State.REFUSED}),
    State.GONE: frozenset({State.SENT, State.KNOWN, State.UNKNOWN, State.GONE}),
}

LIVE = (State.SENT, State.KNOWN, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Run:
    """A run against one portal; times are seconds since 1970.

    ``expires_at`` is when the run may be swept if it gives no more sign of life, ``kept_until``
    until when its records are exempt. ``ephemeral`` says that the portal dies with its process.
    """

    run_id: str
    provider: str
    portal_id: str
    target: str
    base_url: str
    pid: int
    host: str
    worker: str
    started_at: float
    heartbeat_at: float
    expires_at: float
    kept_until: float | None = None
    ended_at: float | None = None
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run with the number of its records by object type and state."""

    run: Run
    counts: Mapping[str, Mapping[State, int]] = field(default_factory=dict)

    @property
    def live(self) -> int:
        """How many records may still exist in the portal."""
        return sum(by_state.get(state, 0) for by_state in self.counts.values() for state in LIVE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in the ledger. A greater ``order`` was made later.

    An adopted record has neither index nor key; ``id`` is None until the portal told it.
    ``kept_until`` is the later of its run's and its seed's. ``locator`` is what finds a record again
    that no unique field holds the key of.
    """

    run_id: str
    seed: str
    object_type: str
    index: int | None
    key: str | None
    id: str | None
    state: State
    order: int
    kept_until: float | None = None
    locator: str | None = None
