"""Progress of a seed on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from pytest_crmseed.events import BatchSent, Degraded, Event, PlanReady, Remark

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

# About so many lines an object type has at most; a file of a thousand tells nobody anything.
LINES = 20

# Carriage return, and clear to the end of the line.
_CLEAR = "\r\x1b[K"


class Progress:
    """Listen to a seed, and show how far it is. Events come from several threads."""

    def __init__(self, *, terminal: bool | None = None) -> None:
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._bar: ProgressBar[int] | None = None
        self._now = ""
        self._done: dict[str, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._end()

    def hear(self, event: Event) -> None:
        """Show what happened."""
        with self._lock:
            if isinstance(event, PlanReady):
                self._start(event)
            elif isinstance(event, BatchSent):
                self._batch(event)
            elif isinstance(event, Remark | Degraded):
                self._tell(str(event))

    def _start(self, event: PlanReady) -> None:
        self._end()
        if not self._terminal:
            return
        self._now = next(iter(event.counts), "")
        self._bar = click.progressbar(
            length=sum(event.counts.values()),
            file=sys.stderr,
            width=30,
            show_eta=False,
            bar_template="[%(bar)s]  %(info)s",
            item_show_func=lambda _: self._now,
        )
        self._bar.render_progress()

    def _batch(self, event: BatchSent) -> None:
        # Batches in flight end in any order; people count those that are done.
        done = self._done[event.object_type] = self._done.get(event.object_type, 0) + 1
        told = f"{event.object_type}: batch {done}/{max(done, event.of)}"
        if self._bar is not None:
            self._now = told
            self._bar.update(event.records)
        elif done >= event.of or done % -(-event.of // LINES) == 0:
            click.echo(told, err=True)

    def _tell(self, text: str) -> None:
        # On the line of the bar, which the next batch draws anew below.
        click.echo(text if self._bar is None else f"{_CLEAR}{text}", err=True, color=self._terminal)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
