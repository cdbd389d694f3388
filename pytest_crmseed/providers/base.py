"""What a provider is: data, and a sans-I/O adapter that builds requests and reads answers.

A provider sends nothing. A step that takes several requests is an *exchange*: a generator that
yields a :class:`Request`, is sent the :class:`Answer`, and returns its result; ``ingest`` runs it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

from pytest_crmseed.errors import CrmseedError, PortalError
from pytest_crmseed.planning import LinkRule
from pytest_crmseed.records import Batch, Draft, RecordResult
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import Schema

T = TypeVar("T")


class Effect(Enum):
    """What a request does to the portal; decides what may be sent again."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Request:
    """A request relative to the portal's base URL; ``body`` is JSON data, or None.

    ``what`` describes it to people ("create 100 deals"). ``buckets`` names the rate budgets it
    counts against. ``headers`` go out beside those that sign it in; ``form`` is sent as a web form,
    in place of a body.
    """

    method: str
    path: str
    what: str
    effect: Effect
    query: tuple[tuple[str, str], ...] = ()
    # Out of the repr: a body may hold a token, and reprs end up in tracebacks.
    body: Any = field(default=None, repr=False)
    records: int = 0
    buckets: tuple[str, ...] = ("burst", "daily")
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    form: Mapping[str, str] | None = field(default=None, repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A portal's answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request: Request

    def json(self) -> Any:
        """Return the body as JSON data.

        Raises:
            ValueError: the body is no JSON.
        """
        return json.loads(self.body)


class Outcome(Enum):
    """How an answer is to be taken."""

    DONE = "done"  # read the body
    NOT_EXECUTED = "not executed"  # surely not executed: any request may be sent again
    FAILED = "failed"  # a passing fault: reads may be repeated, for a write the outcome is unknown
    REFUSED = "refused"  # terminal: sending it again changes nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """A provider's judgement of an answer: outcome, the error it amounts to, the wait it asks for."""

    outcome: Outcome
    error: PortalError | None = None
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A rolling-window limit: ``limit`` requests in ``seconds``, in the budget named ``bucket``.

    ``per`` says what shares it: ``"token"`` or ``"portal"``.
    """

    bucket: str
    limit: int
    seconds: float
    per: str = "token"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer's headers say of a budget: at most ``limit`` in ``seconds``, ``remaining`` now."""

    bucket: str
    limit: int | None = None
    remaining: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider's API can do, as values; the limits are its documentation's.

    ``settle_seconds`` is how long after a request with unknown outcome its records may still turn
    up; only then does a read prove that they do not exist. ``unique_keys_enforced`` says that the
    portal itself refuses a second record with the same key of ours.
    """

    batch_records: int
    batch_bytes: int
    delete_records: int
    read_records: int
    in_flight: int
    settle_seconds: float
    rates: tuple[Rate, ...]
    unique_keys_enforced: bool = True


@dataclass(frozen=True, slots=True)
class Credential:
    """One value a provider signs in with: its variable's name, and whether it is a secret."""

    variable: str
    secret: bool
    required: bool = True
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Who the portal says it is. ``production`` is None where the API gives no proof either way.

    ``scopes`` is None where the token does not tell. ``daily_left`` counts requests.
    """

    portal_id: str
    kind: str
    production: bool | None
    scopes: frozenset[str] | None = None
    daily_limit: int | None = None
    daily_left: int | None = None
    ui_url: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A record read back: its id, its wire values, its page in the CRM's own user interface."""

    id: str
    native: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PortalMade:
    """A record that the portal may have made by itself for one of ours, and the domain it has."""

    object_type: str
    id: str
    domain: str


Exchange: TypeAlias = Generator[Request, Answer, T]
"""Several requests that make one step: yields requests, is sent their answers, returns the result."""

Rounds: TypeAlias = Generator[Sequence[Request], "Sequence[Answer | CrmseedError]", T]
"""Exchanges side by side: yields the requests of a round, is sent an answer or an error for each."""


def together(exchanges: Sequence[Exchange[T]]) -> Rounds[list[T]]:
    """Run exchanges that do not depend on each other side by side; return their results in order.

    An error that an exchange does not handle ends them all.
    """
    results: dict[int, T] = {}
    waiting: dict[int, Request] = {}

    def step(number: int, answer: Answer | CrmseedError | None) -> None:
        exchange = exchanges[number]
        try:
            if isinstance(answer, CrmseedError):
                waiting[number] = exchange.throw(answer)
            elif answer is None:
                waiting[number] = next(exchange)
            else:
                waiting[number] = exchange.send(answer)
        except StopIteration as done:
            waiting.pop(number, None)
            results[number] = done.value

    try:
        for number in range(len(exchanges)):
            step(number, None)
        while waiting:
            numbers = list(waiting)
            answers = yield [waiting[number] for number in numbers]
            for number, answer in zip(numbers, answers, strict=True):
                step(number, answer)
    finally:
        for exchange in exchanges:
            exchange.close()
    return [results[number] for number in range(len(exchanges))]


class Provider(Protocol):
    """A CRM, for one portal: made with the schema it works by and the API version."""

    name: ClassVar[str]
    title: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    credentials: ClassVar[tuple[Credential, ...]]
    legend: ClassVar[Legend]
    links: ClassVar[Mapping[str, Mapping[str, LinkRule]]]
    api_versions: ClassVar[tuple[str, ...]]
    # Object types for whose records a portal may make others by itself.
    portal_makes_for: ClassVar[frozenset[str]]

    schema: Schema
    api_version: str

    def __init__(self, schema: Schema, *, api_version: str | None = None) -> None: ...

    @property
    def enforces_admin_rules(self) -> bool:
        """Whether this version of the API obeys what the portal's administrators made required."""

    # -- the way in ------------------------------------------------------------------------------
    def base_url(self, credentials: Mapping[str, str]) -> str:
        """Return the origin of the portal's API for these credentials."""

    def headers(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that sign a request in."""

    def sign_in(self, credentials: Mapping[str, str]) -> Exchange[Mapping[str, str]]:
        """Return the headers that sign a request in, after asking the portal for them where it takes that.

        The requests themselves are not signed in. Asked again when a session is over.

        Raises:
            UsageError: the credentials are not enough for any way in.
            Unauthorized: the portal refuses them.
        """

    def account(self, credentials: Mapping[str, str]) -> Exchange[Account]:
        """Ask the portal who it is, and what these credentials may do."""

    def scopes(self, object_types: Sequence[str]) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Return, by object type, sets of scopes: to seed and clean it takes one of each set."""

    def discover(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Read the schema of object types, by native name, and of all custom ones, from the portal itself."""

    def missing_keys(self, object_types: Sequence[str]) -> Exchange[Sequence[str]]:
        """Return the object types whose records cannot carry our unique key in this portal."""

    def make_key(self, object_type: str) -> Exchange[None]:
        """Make the field for our unique key on an object type; for ``crmseed setup`` alone.

        Raises:
            PortalError: the portal refuses.
        """

    def searchable(self, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
        """Return those of ``ids`` that the portal's search finds by now, where it trails behind writes."""

    def marked(self, object_type: str) -> Exchange[Mapping[str, str]]:
        """Find the records that carry a key of ours, whichever run made them: keys by record id.

        A search index will do: what it names is read again before anything is deleted.
        """

    # -- records ---------------------------------------------------------------------------------
    def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
        """Return the request that creates a batch; ``ids`` gives parents by (object type, index)."""

    def size(self, draft: Draft) -> int:
        """Return about how many bytes a draft takes in a batch's body, rather too many."""

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        """Return what became of each draft; a draft the answer does not account for has neither."""

    def delete(self, object_type: str, ids: Sequence[str]) -> Request:
        """Return the request that deletes records."""

    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str], *, by_key: bool = False
    ) -> Request:
        """Return the request that reads records by id or, with ``by_key``, by our unique key."""

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records that an answer to ``read`` holds; those missing are gone."""

    def portal_made(
        self, object_type: str, ids: Sequence[str], ours: Collection[str]
    ) -> Exchange[Sequence[PortalMade]]:
        """Find what the portal may have made by itself for records of ours, but for the ids in ``ours``.

        Asked for the object types in ``portal_makes_for`` alone, before their records are deleted.
        """

    # -- judging answers -------------------------------------------------------------------------
    def judge(self, request: Request, answer: Answer) -> Verdict:
        """Return how an answer is to be taken, from its body first and its status second."""

    def readings(self, request: Request, answer: Answer, now: datetime) -> Sequence[Reading]:
        """Return what the headers say of the rate budgets."""
