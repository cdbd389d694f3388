"""The moments at which an object's rules are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer


class Rules:
    """The rules of an object that has none of its own."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        """Put in what follows from other values."""

    def required(self, writer: Writer, draft: Draft) -> Sequence[str]:
        """Return fields without a value that the server demands, though no describe says so."""
        return ()

    def check(self, writer: Writer, draft: Draft) -> None:
        """Check a draft whose values are right one by one.

        Raises:
            Refusal: they are not right together.
        """

    def saved(self, writer: Writer, draft: Draft, row: Row) -> None:
        """Do what goes with a row that was saved."""

    def deleting(self, writer: Writer, row: Row) -> None:
        """Check whether a row may be deleted.

        Raises:
            Refusal: it may not.
        """

    def deleting_alone(self, writer: Writer, row: Row) -> None:
        """Check whether a row may be deleted by itself, and not only with a parent.

        Raises:
            Refusal: it may not.
        """

    def deleted(self, writer: Writer, row: Row) -> None:
        """Do what goes with a row that was deleted."""
