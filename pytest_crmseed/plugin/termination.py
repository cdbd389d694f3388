"""SIGTERM tears down like Ctrl-C, so that a cancelled CI job leaves nothing behind."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Termination:
    """Turn SIGTERM into KeyboardInterrupt while portals are open.

    Only in the main thread, and only where nobody else handles the signal.
    """

    def __init__(self) -> None:
        self._installed = False

    def install(self) -> None:
        """Take over the signal, if it is free."""
        main = threading.current_thread() is threading.main_thread()
        if self._installed or not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return
        signal.signal(signal.SIGTERM, _interrupt)
        self._installed = True

    def remove(self) -> None:
        """Give the signal back."""
        if self._installed and signal.getsignal(signal.SIGTERM) is _interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._installed = False


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt("SIGTERM")
