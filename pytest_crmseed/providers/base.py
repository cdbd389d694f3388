"""What a provider is: data, and a sans-I/O adapter that builds requests and reads answers.

A provider sends nothing. A step that takes several requests is an *exchange*: a generator that
yields a :class:`Request`, is sent the :class:`Answer`, and returns its result; ``ingest`` runs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import urlencode

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


SESSION = "{session}"
"""Stands in a request's XML for the token of the session, which only the transport knows."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request relative to the portal's base URL; ``body`` is JSON data, or None.

    ``what`` describes it to people ("create 100 deals"). ``buckets`` names the rate budgets it
    counts against. ``headers`` go out beside those that sign it in; ``form`` is sent as a web form,
    in place of a body, and so is ``xml``, in which :data:`SESSION` stands for the token that signs in. A
    request that is not ``signed`` goes out without the headers that sign in.
    ``cost`` is what it takes of the day's budget (bucket ``daily``), where that does not count requests.
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
    signed: bool = True
    cost: int = 1
    xml: str | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


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
class Price:
    """What requests for one object type take of a day's budget that counts tokens in place of requests.

    ``read`` is the price of one record, ``page`` that of a page of several.
    """

    create: int
    delete: int
    read: int
    page: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider's API can do, as values; the limits are its documentation's.

    ``settle_seconds`` is how long after a request with unknown outcome its records may still turn
    up; only then does a read prove that they do not exist. ``read_records_of`` gives the object types of
    which fewer are read at once; ``find_records`` how many are sought at once, where a look for records
    goes through pages of ``page_records``. ``prices`` are set where the day's budget counts tokens.
    Without ``unique_keys`` the portal keeps no field unique, and none of them is worth a word.
    ``no_key_field`` are object types that can have no field of their own for our key: a text holds it.
    ``same_fields`` says that the records of one batch have values for the same fields, and
    ``atomic_deletes`` that a request deletes all of its records or none. ``id_within`` names the object
    type of the parent whose id and a slash stand before a record's own id.
    """

    batch_records: int
    batch_bytes: int
    delete_records: int
    read_records: int
    in_flight: int
    settle_seconds: float
    rates: tuple[Rate, ...]
    read_records_of: Mapping[str, int] = field(default_factory=dict, hash=False)
    find_records: int | None = None
    page_records: int | None = None
    prices: Mapping[str, Price] = field(default_factory=dict, hash=False)
    unique_keys: bool = True
    no_key_field: frozenset[str] = frozenset()
    same_fields: bool = False
    atomic_deletes: bool = False
    id_within: Mapping[str, str] = field(default_factory=dict, hash=False)

    def read_at_once(self, object_type: str) -> int:
        """Return how many records of an object type one request reads by id."""
        return self.read_records_of.get(object_type, self.read_records)


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

    ``scopes`` is None where the token does not tell. ``daily_left`` counts requests, or tokens where
    requests have prices. ``sandbox_name`` says whether the portal is called as sandboxes are by custom:
    where it is not None, nothing proves a sandbox, and it takes a pin as well.
    """

    portal_id: str
    kind: str
    production: bool | None
    scopes: frozenset[str] | None = None
    daily_limit: int | None = None
    daily_left: int | None = None
    ui_url: str = ""
    currency: str = ""
    sandbox_name: bool | None = None


@dataclass(frozen=True, slots=True)
class KeyRoute:
    """How the records of an object type are found again by our unique key, in one portal.

    ``unique``: the key stands in ``field``, which the portal keeps unique. All others are degraded:

    - ``field``: it stands in ``field``, which takes the same key twice;
    - ``value``: the record carries no key, and ``field`` has another value that is the run's own and that
      the portal keeps unique (an e-mail address);
    - ``text``: the key stands in the text of ``field``, behind what that holds;
    - ``parents``: the record carries no key; it is associated with its parents, has the value of
      ``field`` that was sent, and was made since.
    """

    kind: Literal["unique", "field", "value", "text", "parents"]
    field: str

    @property
    def enforced(self) -> bool:
        """Whether the portal refuses to make a record twice."""
        return self.kind in ("unique", "value")

    @property
    def carries_key(self) -> bool:
        """Whether a record shows whose it is, without a ledger."""
        return self.kind in ("unique", "field", "text")

    @property
    def way(self) -> str:
        """How a record is found again, in a few words that follow its name."""
        match self.kind:
            case "unique":
                return f"by {self.field}"
            case "field":
                return f"by {self.field}, which takes a key twice"
            case "value":
                return f"by {self.field}, and not from another machine"
            case "text":
                return f"by a mark at the end of {self.field}"
        return f"by their parents and {self.field}, and not from another machine"

    def key_in(self, native: Mapping[str, Any]) -> str | None:
        """Return the key that a record carries, from its wire values; None where it carries none."""
        held = native.get(self.field)
        if held is None or not self.carries_key:
            return None
        if self.kind == "text":
            keys = _KEY.findall(str(held))
            return keys[-1] if keys else None
        return str(held)


_KEY = re.compile(r"crmseed-1-[0-9A-Za-z_.~-]+")


@dataclass(frozen=True, slots=True)
class Sought:
    """A record to be found again: its key, and what finds it where it carries none.

    ``value`` is that of the route's field as it was sent; ``parents`` are native object types and ids.
    """

    key: str
    value: str = ""
    parents: tuple[tuple[str, str], ...] = ()


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
    # By object type; one that is missing has a unique field for our key. Set once the portal was asked.
    routes: Mapping[str, KeyRoute]

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

        The requests themselves are not ``signed``. Asked again when a session is over.

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

    def key_routes(self, object_types: Sequence[str]) -> Exchange[Mapping[str, KeyRoute]]:
        """Return the best route by which each object type's records are found again in this portal.

        An object type that has none is left out: it cannot be seeded.
        """

    def make_key(self, object_type: str) -> Exchange[None]:
        """Make the field for our unique key on an object type; for ``crmseed setup`` alone.

        Where the portal keeps no such field unique, it is made all the same (route ``field``).

        Raises:
            PortalError: the portal refuses.
        """

    def searchable(self, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
        """Return those of ``ids`` that the portal's search finds by now, where it trails behind writes."""

    def marked(self, object_type: str) -> Exchange[Mapping[str, str]]:
        """Find the records that carry a key of ours, whichever run made them: keys by record id.

        Asked for object types whose route carries a key. A search index will do: what it names is read
        again before anything is deleted.
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

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Request:
        """Return the request that reads records by id."""

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records that an answer to ``read`` holds; those missing are gone."""

    def find(
        self,
        object_type: str,
        route: KeyRoute,
        sought: Sequence[Sought],
        fields: Sequence[str],
        *,
        since: float,
    ) -> Exchange[Mapping[str, Sequence[Found]]]:
        """Find records of ours by a route, in the record store and never in a search index; by key.

        At most ``capabilities.find_records``, else ``read_records``, are sought at once. ``since`` is when
        the first of them was sent, in seconds since 1970 by this machine's clock. Where the route does not
        tell records of the same parents and value apart, each key gets all of them.
        """

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
