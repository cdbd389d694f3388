"""What the summary tells of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Totals:
    """What the summary tells: added up over workers, so plain numbers and texts only."""

    records: dict[str, int] = field(default_factory=dict)
    seeds: int = 0
    requests: int = 0
    seconds: float = 0.0
    removed: int = 0
    retries: int = 0
    refused: int = 0
    lost: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    portals: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    swept: dict[str, int] = field(default_factory=dict)
    sweeping: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    kept_privately: bool = False

    def add(self, other: Mapping[str, Any]) -> None:
        """Add another process's totals, given as a mapping."""
        for name in ("seeds", "requests", "seconds", "removed", "retries", "refused", "lost", "kept"):
            setattr(self, name, getattr(self, name) + other[name])
        for name in ("records", "changed", "swept", "left"):
            mine = getattr(self, name)
            for key, number in other[name].items():
                mine[key] = mine.get(key, 0) + number
        self.portals.update(other["portals"])
        # One worker reads a portal's schema live, and the others what it left in the cache.
        for portal, text in other["schemas"].items():
            if portal not in self.schemas or ": live" in text:
                self.schemas[portal] = text
        self.notes += other["notes"]
        self.sweeping += other["sweeping"]
        self.troubles += other["troubles"]
        self.kept_privately |= other["kept_privately"]
