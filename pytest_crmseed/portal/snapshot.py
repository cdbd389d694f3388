"""What a portal held at one moment, to go back to it quickly."""

from __future__ import annotations

import sqlite3
import threading


class Snapshot:
    """Records, associations and definitions of a portal, in memory; made by ``snapshot()``.

    It can be restored any number of times, and lasts as long as something refers to it.
    """

    def __init__(self, copied: sqlite3.Connection) -> None:
        self.copied = copied
        self.lock = threading.Lock()

    def __del__(self) -> None:
        self.copied.close()

    def __repr__(self) -> str:
        return "<Snapshot>"
