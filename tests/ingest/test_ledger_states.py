"""The ledger's states, step by step against a plain model."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pytest_crmseed.errors import LedgerError
from pytest_crmseed.ingest.ledger import Ledger, Run, State

KEYS = [f"k{n}" for n in range(5)]
some_keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True)

# Written down a second time on purpose, the other way round: to where each state may go.
MAY_BECOME = {
    None: set(),
    State.INTENDED: {State.SENT, State.REFUSED},
    State.SENT: {State.SENT, State.KNOWN, State.UNKNOWN, State.REFUSED, State.GONE},
    State.KNOWN: {State.KNOWN, State.GONE},
    State.UNKNOWN: {State.SENT, State.UNKNOWN, State.KNOWN, State.GONE},
    State.REFUSED: {State.REFUSED},
    State.GONE: {State.GONE, State.KNOWN},
}


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "ledger.sqlite"
        self.ledgers = [Ledger(path, durable=False), Ledger(path, durable=False)]
        self.ledgers[0].open_run(Run("r", "hubspot", "77", "sandbox", "", 1, "box", "", 1.0, 1.0, 2.0))
        self.states: dict[str, State | None] = dict.fromkeys(KEYS)
        self.ids: dict[str, str] = {}
        self.order: list[str] = []

    def teardown(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
        self.folder.cleanup()

    def step(self, keys: list[str], to: State, do: Callable[[], None]) -> None:
        legal = all(to in MAY_BECOME[self.states[key]] for key in keys)
        with contextlib.nullcontext() if legal else pytest.raises(LedgerError):
            do()
        if legal:
            self.states.update(dict.fromkeys(keys, to))

    @rule(keys=some_keys, writer=st.integers(0, 1))
    def intend(self, keys: list[str], writer: int) -> None:
        records = [(KEYS.index(key), key) for key in keys]
        legal = all(self.states[key] is None for key in keys)
        with contextlib.nullcontext() if legal else pytest.raises(LedgerError):
            self.ledgers[writer].intend("r", "1", "deals", records)
        if legal:
            self.states.update(dict.fromkeys(keys, State.INTENDED))
            self.order += keys

    @rule(keys=some_keys, writer=st.integers(0, 1))
    def sent(self, keys: list[str], writer: int) -> None:
        legal = all(State.SENT in MAY_BECOME[self.states[key]] for key in keys)
        self.step(keys, State.SENT, lambda: self.ledgers[writer].sent("r", keys))
        if legal:
            self.order = [key for key in self.order if key not in keys] + keys

    @rule(keys=some_keys, writer=st.integers(0, 1), number=st.integers(1, 3))
    def known(self, keys: list[str], writer: int, number: int) -> None:
        records = [(key, f"{key}-{number}") for key in keys]
        if any(self.ids.get(key, new) != new for key, new in records):
            with pytest.raises(LedgerError):
                self.ledgers[writer].known("r", records)
            return
        self.step(keys, State.KNOWN, lambda: self.ledgers[writer].known("r", records))
        if all(self.states[key] is State.KNOWN for key in keys):
            self.ids.update(records)

    @rule(keys=some_keys, writer=st.integers(0, 1))
    def unknown(self, keys: list[str], writer: int) -> None:
        self.step(keys, State.UNKNOWN, lambda: self.ledgers[writer].unknown("r", keys))

    @rule(keys=some_keys, writer=st.integers(0, 1))
    def refused(self, keys: list[str], writer: int) -> None:
        self.step(keys, State.REFUSED, lambda: self.ledgers[writer].refused("r", keys))

    @rule(keys=some_keys, writer=st.integers(0, 1))
    def gone(self, keys: list[str], writer: int) -> None:
        self.step(keys, State.GONE, lambda: self.ledgers[writer].gone("r", keys))

    @rule()
    def clean_all(self) -> None:
        entries = self.ledgers[0].live("r")
        self.ledgers[1].gone("r", entries)
        for entry in entries:
            assert entry.key is not None
            self.states[entry.key] = State.GONE

    @invariant()
    def the_ledger_says_what_the_model_says(self) -> None:
        live = [
            key
            for key in reversed(self.order)
            if self.states[key] in (State.SENT, State.KNOWN, State.UNKNOWN)
        ]
        for ledger in self.ledgers:
            entries = ledger.live("r", "1")
            assert [entry.key for entry in entries] == live
            for entry in entries:
                assert entry.key is not None
                assert (entry.state, entry.id) == (self.states[entry.key], self.ids.get(entry.key))
            counts: dict[State, int] = {}
            for state in self.states.values():
                if state is not None:
                    counts[state] = counts.get(state, 0) + 1
            [summary] = ledger.runs()
            assert summary.counts == ({"deals": counts} if counts else {})
            assert summary.live == len(live)


LedgerMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLedgerStates = LedgerMachine.TestCase
