"""A row on its way into the store: what it will hold, and what the client said."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_crmseed.portal.salesforce.definitions import SObject
from pytest_crmseed.portal.salesforce.errors import Problem
from pytest_crmseed.portal.salesforce.rows import Row


@dataclass
class Draft:
    """A row to be made, or to be changed if there is an ``old`` one. ``given`` are fields that were named."""

    object: SObject
    values: dict[str, str]
    given: frozenset[str]
    old: Row | None = None
    problems: list[Problem] = field(default_factory=list)

    def __getitem__(self, name: str) -> str | None:
        """Return the value of a field, by its name in its own case; None without one."""
        return self.values.get(name)

    def put(self, name: str, value: str | None) -> None:
        """Set a field, or clear it."""
        if value is None:
            self.values.pop(name, None)
        else:
            self.values[name] = value

    def default(self, name: str, value: str | None) -> None:
        """Set a field of a new row that the client left out."""
        if self.old is None and name not in self.given and name not in self.values:
            self.put(name, value)

    def flag(self, name: str) -> bool:
        """Return the value of a checkbox."""
        return self.values.get(name) == "true"

    def before(self, name: str) -> str | None:
        """Return the value that a field had; None in a new row."""
        return None if self.old is None else self.old[name]

    def changes(self, name: str) -> bool:
        """Return whether a field gets another value than it had."""
        return self.values.get(name) != self.before(name)
