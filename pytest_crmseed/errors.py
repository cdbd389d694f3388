"""One exception tree; every text says what happened and what to do about it.

``CrmseedError``
    ``UsageError`` — something the caller wrote: a name, a number, an option
        ``UnknownName``, ``SettingsError``
    ``ValidationFailed`` — records that the schema refuses, before anything is sent
    ``GuardRefused`` — a guard said no, before anything is written
    ``PortalError`` — the portal, or the way to it
        ``Unreachable`` (surely not executed), ``OutcomeUnknown`` (sent, no proper
        answer), ``NotAPortal``, ``Unauthorized``, ``Throttled``, ``ApiRefused``
            ``TooLarge`` — a smaller request may do
    ``RecordsRefused`` — the portal refused records of a seed
        ``Conflict`` — a record that is not ours already has a unique value
        ``VerificationFailed`` — it took them, and does not hold them as they were sent
    ``CleanupIncomplete`` — records are left behind
    ``LedgerError`` — the ledger cannot be read or written
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pytest_crmseed.suggest import did_you_mean

if TYPE_CHECKING:
    from pytest_crmseed.records import RecordResult, Refusal


class CrmseedError(Exception):
    """The root of all errors of this package.

    ``message`` says what happened, ``remedy`` what to do; ``str()`` gives both as one paragraph.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        # A message of several lines ends its last one itself.
        space = "" if self.message.endswith("\n") else " "
        return f"{self.message}{space}{self.remedy}".rstrip()


class UsageError(CrmseedError):
    """Something the caller wrote is wrong; nothing was sent."""


class UnknownName(UsageError):
    """A name that is none of those known; the text suggests the nearest and lists the others."""

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, where: str = "", remedy: str = ""
    ) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        place = f" {where}" if where else ""
        super().__init__(f"unknown {kind} {name!r}{place}{did_you_mean(name, self.known)}", remedy=remedy)


class SettingsError(UsageError):
    """A setting has a value that cannot be used; the text names the value's origin."""


class ValidationFailed(CrmseedError):
    """Records that the schema refuses; nothing was sent. ``problems`` holds all of them."""

    def __init__(self, message: str, problems: Sequence[object] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)


class GuardRefused(CrmseedError):
    """A guard refused the run before anything was written. ``guard`` names which one."""

    def __init__(self, guard: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.guard = guard


class PortalError(CrmseedError):
    """The portal, or the way to it, failed. ``status`` is the HTTP status, or None without an answer.

    ``body`` is what the portal answered, shortened where it is very long, without our secrets.
    """

    def __init__(self, message: str, *, remedy: str = "", status: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.body = ""


class Unreachable(PortalError):
    """No connection was made: the request was surely not executed."""


class OutcomeUnknown(PortalError):
    """The request was sent and no proper answer came: it may or may not have been executed.

    ``timed_out`` says that it took too long, so that a smaller one may do better.
    """

    def __init__(
        self, message: str, *, remedy: str = "", status: int | None = None, timed_out: bool = False
    ) -> None:
        super().__init__(message, remedy=remedy, status=status)
        self.timed_out = timed_out


class NotAPortal(PortalError):
    """Something answered, but not this CRM's API (an HTML page, for example)."""


class Unauthorized(PortalError):
    """The portal refused the credentials, or they lack a scope (``scopes``).

    ``expired`` says that a session is over: signing in anew may help.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        status: int | None = None,
        scopes: Sequence[str] = (),
        expired: bool = False,
    ) -> None:
        super().__init__(message, remedy=remedy, status=status)
        self.scopes = tuple(scopes)
        self.expired = expired


class Throttled(PortalError):
    """A rate limit; surely not executed. ``policy`` names the limit as the portal does."""

    def __init__(
        self, message: str, *, remedy: str = "", status: int | None = None, policy: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy, status=status)
        self.policy = policy


class ApiRefused(PortalError):
    """The API refused a whole request. ``refusals`` holds what it said, field by field where it did."""

    def __init__(
        self, message: str, *, remedy: str = "", status: int | None = None, refusals: Sequence[Refusal] = ()
    ) -> None:
        super().__init__(message, remedy=remedy, status=status)
        self.refusals = tuple(refusals)


class TooLarge(ApiRefused):
    """The API does not take a request of this size; nothing of it was executed."""


class RecordsRefused(CrmseedError):
    """The portal refused records of a seed. ``results`` holds the refused ones."""

    def __init__(self, message: str, results: Sequence[RecordResult] = (), *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.results = tuple(results)


class Conflict(RecordsRefused):
    """A record that is not ours already holds a unique value; it was not touched."""


class VerificationFailed(RecordsRefused):
    """The portal took records, but does not hold them as they were sent; ``results`` names them."""


class CleanupIncomplete(CrmseedError):
    """Records are left behind; the remedy is the command that removes them."""


class LedgerError(CrmseedError):
    """The ledger cannot be read or written."""
