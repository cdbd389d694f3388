"""Pipedrive's requests and answers. Sends nothing.

Sources: Pipedrive docs, "API v2 reference", "API v1 reference" (leads, notes, users), "Rate limiting".
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import LinkRule
from pytest_crmseed.providers.base import (
    Account,
    Answer,
    Capabilities,
    Credential,
    Effect,
    Exchange,
    Found,
    KeyRoute,
    PortalMade,
    Reading,
    Request,
    Rounds,
    Sought,
    Verdict,
)
from pytest_crmseed.providers.pipedrive import finding, linking, lists, setup
from pytest_crmseed.providers.pipedrive.bodies import (
    DEAL_PRODUCTS,
    PATHS,
    base_of,
    body_of,
    id_of,
    native_of,
    number,
)
from pytest_crmseed.providers.pipedrive.capabilities import (
    API_TOKEN,
    API_VERSIONS,
    BUCKETS,
    BURST,
    BURST_SECONDS,
    CAPABILITIES,
    COMPANY_DOMAIN,
    CREDENTIALS,
    DAILY,
    KEY,
    SANDBOX_SUFFIX,
    SEARCH,
    V1,
    V2,
)
from pytest_crmseed.providers.pipedrive.discovery import Discovery
from pytest_crmseed.providers.pipedrive.judging import gone, judge
from pytest_crmseed.providers.pipedrive.legend import LEGEND
from pytest_crmseed.records import Batch, Draft, RecordResult
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import ObjectType, Schema

_HOST = ".pipedrive.com"
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# The longest id, a lead's: bodies are measured before the parents' ids are known.
_ID = "0" * 36
_LIMIT, _LEFT = "x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining"

# The activities that neutral object types stand for.
_TYPES = {"activities": "task", "activities:call": "call", "activities:meeting": "meeting"}
_PAGES = {
    "organizations": "organization",
    "persons": "person",
    "deals": "deal",
    "products": "products",
    "leads": "leads/inbox",
}


class Pipedrive:
    """The Pipedrive provider.

    It keeps what it learnt of the company: its domain, the default currency of the token's user, and the
    codes of the field for our key.
    """

    name: ClassVar[str] = "pipedrive"
    title: ClassVar[str] = "Pipedrive"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials: ClassVar[tuple[Credential, ...]] = CREDENTIALS
    legend: ClassVar[Legend] = LEGEND
    links: ClassVar[Mapping[str, Mapping[str, LinkRule]]] = linking.LINKS
    api_versions: ClassVar[tuple[str, ...]] = API_VERSIONS
    portal_makes_for: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, schema: Schema, *, api_version: str | None = None) -> None:
        self.schema = schema
        self.api_version = api_version or API_VERSIONS[0]
        self.routes: Mapping[str, KeyRoute] = {}
        self._domain = ""
        self._currency = "USD"
        self._codes: dict[str, str] = {}

    @property
    def enforces_admin_rules(self) -> bool:
        """Fields that an administrator made required are so in the user interface alone."""
        return False

    # -- the way in ------------------------------------------------------------------------------
    def base_url(self, credentials: Mapping[str, str]) -> str:
        """Return the origin of the company's own domain.

        Raises:
            UsageError: the domain is none.
        """
        return f"https://{_domain(credentials[COMPANY_DOMAIN])}{_HOST}"

    def headers(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the header of an API token."""
        return {"x-api-token": credentials[API_TOKEN]}

    def sign_in(self, credentials: Mapping[str, str]) -> Exchange[Mapping[str, str]]:
        """Return the header of the API token; there is nothing to ask."""
        yield from ()
        return self.headers(credentials)

    def account(self, credentials: Mapping[str, str]) -> Exchange[Account]:
        """Ask who the token's user is, and of which company; the headers tell the tokens left.

        Raises:
            UsageError: the token is of another company than the domain that is given.
        """
        request = Request(
            "GET", "/api/v1/users/me", "ask for the company", Effect.READ, buckets=BUCKETS, cost=2
        )
        answer = yield request
        user: Any = answer.json().get("data") or {}
        domain = str(user.get("company_domain") or "")
        given = credentials.get(COMPANY_DOMAIN)
        if given and _domain(given) != domain.lower():
            raise UsageError(
                f"The token in {API_TOKEN} is of the company {domain!r}, and {COMPANY_DOMAIN} is "
                f"{_domain(given)!r}. Nothing was written.",
                remedy="Use the token of that company, or correct the domain.",
            )
        self._domain = domain
        self._currency = str(user.get("default_currency") or self._currency)
        limit, left = _budget(answer)
        return Account(
            portal_id=f"{user.get('company_id')}@{domain}",
            kind="company",
            production=None,
            daily_limit=limit,
            daily_left=left,
            ui_url=f"https://{domain}{_HOST}",
            currency=str(user.get("default_currency") or ""),
            sandbox_name=domain.endswith(SANDBOX_SUFFIX),
        )

    def scopes(self, object_types: Sequence[str]) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Return none: an API token may do what its user may."""
        return {}

    def discover(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Read field definitions, pipelines, stages, activity types and lead labels."""
        return Discovery(self.schema).schema(object_types, portal_id=portal_id, taken_at=taken_at)

    def key_routes(self, object_types: Sequence[str]) -> Exchange[Mapping[str, KeyRoute]]:
        """Look for the field ``crmseed_key``; without it, take a text, or parents and a title."""
        natives = {name: self._native(name) for name in object_types}
        routes, codes = yield from setup.key_routes(natives)
        self._codes |= codes
        return routes

    def make_key(self, object_type: str) -> Exchange[None]:
        """Make the field ``crmseed_key``, which Pipedrive does not keep unique."""
        return setup.make_key(self._native(object_type))

    def searchable(self, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
        """Return those of ``ids`` whose key the search finds; all, where it does not look through keys."""
        base = base_of(self._native(object_type))
        if base not in setup.HOLDERS or self._route(object_type).field != KEY:
            return frozenset(ids)
        found = yield from finding.searched(base)
        return frozenset(ids) & found

    def marked(self, object_type: str) -> Exchange[Mapping[str, str]]:
        """List the records of an object type, and return those that carry a key of ours."""
        route = self._route(object_type)
        what = f"look through {object_type} for keys of ours"
        rows = yield from lists.changed_since(self._native(object_type), None, what)
        records = [self._found(object_type, row) for row in rows]
        return {
            record.id: key
            for record in records
            if (key := route.key_in(record.native)) is not None and key.startswith("crmseed-")
        }

    # -- records ---------------------------------------------------------------------------------
    def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
        """Return the request that creates the one record of a batch."""
        (draft,) = batch.drafts
        native = self._native(draft.object_type)
        base = base_of(native)
        homes = linking.homes(draft.object_type, draft.links, ids)
        path = PATHS.get(base, "")
        if base == DEAL_PRODUCTS:
            path = f"{PATHS['deals']}/{homes.get('deal_id', draft.values.get('deal_id'))}/products"
        return Request(
            "POST",
            path,
            f"create {draft.object_type}[{draft.index}]",
            Effect.CREATE,
            body=self._body(draft, homes),
            records=1,
            buckets=BUCKETS,
            cost=(V1 if base in ("leads", "notes") else V2).create,
        )

    def _body(self, draft: Draft, homes: Mapping[str, str]) -> dict[str, Any]:
        native = self._native(draft.object_type)
        values: dict[str, Any] = {}
        if native in _TYPES:
            values["type"] = _TYPES[native]
        values |= draft.values
        values |= {name: number(id) for name, id in homes.items()}
        route = self._route(draft.object_type)
        if route.kind == "field":
            values[route.field] = draft.key
        object_type = self.schema.object_types.get(native) or ObjectType(native, native, native, {})
        return body_of(object_type, values, key_code=self._code(native), currency=self._currency)

    def size(self, draft: Draft) -> int:
        """Return how many bytes a draft takes in a request's body, rather a few too many."""
        ids = {(link.object_type, link.index or 0): _ID for link in draft.links}
        body = self._body(draft, linking.homes(draft.object_type, draft.links, ids))
        return len(json.dumps(body, ensure_ascii=False).encode("utf-8"))

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        """Return what became of the draft; one whose answer has no id is left open."""
        (draft,) = batch.drafts
        result = RecordResult(draft)
        try:
            found = self._found(draft.object_type, answer.json()["data"])
        except (ValueError, KeyError, TypeError, AttributeError):
            result.remarks = ("Pipedrive's answer has no id of the record.",)
            return [result]
        result.id, result.native, result.url = found.id, dict(found.native), found.url
        return [result]

    def delete(self, object_type: str, ids: Sequence[str]) -> Request:
        """Return the request that deletes one record."""
        (record_id,) = ids
        base = base_of(self._native(object_type))
        return Request(
            "DELETE",
            _path(base, record_id),
            f"delete {object_type} {record_id}",
            Effect.DELETE,
            records=1,
            buckets=BUCKETS,
            cost=(V1 if base in ("leads", "notes") else V2).delete,
        )

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Request:
        """Return the request that reads one record by its id, or several of v2 from a list."""
        base = base_of(self._native(object_type))
        v1 = base in ("leads", "notes")
        query: lists.Query = ()
        if base == DEAL_PRODUCTS:
            # They have no address of their own.
            path = f"{PATHS['deals']}/products"
            deals = dict.fromkeys(record_id.partition("/")[0] for record_id in ids)
            query, cost = (("deal_ids", ",".join(deals)), ("limit", str(lists.PAGE))), V2.page
        elif len(ids) == 1:
            path, cost = _path(base, ids[0]), (V1 if v1 else V2).read
        else:
            path, cost = PATHS[base], V2.page
            query = (("ids", ",".join(ids)), ("limit", str(lists.PAGE)))
        what = f"read {object_type} {', '.join(ids)}" if len(ids) < 4 else f"read {len(ids)} {object_type}"
        return Request(
            "GET", path, what, Effect.READ, query=query, records=len(ids), buckets=BUCKETS, cost=cost
        )

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records of a read; what is deleted is not among them, though it may be readable."""
        if gone(answer):
            return []
        base = _base_in(answer.request.path)
        body = answer.json()
        data = body.get("data") if isinstance(body, Mapping) else None
        rows = [data] if isinstance(data, Mapping) else lists.rows_of(answer)
        return [self._found(base, row) for row in rows if not _deleted(row)]

    def more(self, answer: Answer) -> Request | None:
        """Return the request for the next page of a deal's products, of which there may be any number."""
        if gone(answer) or not isinstance(answer.json().get("data"), list):
            return None
        further = lists.following(answer)
        if further is None:
            return None
        request = answer.request
        kept = [part for part in request.query if part[0] != further[0]]
        return replace(request, query=(*kept, further))

    def find(
        self,
        object_type: str,
        route: KeyRoute,
        sought: Sequence[Sought],
        fields: Sequence[str],
        *,
        since: float,
    ) -> Exchange[Mapping[str, Sequence[Found]]]:
        """Find records of ours among all that were made or changed since then."""
        native = self._native(object_type)
        if route.field == KEY and native not in self._codes:
            self._codes |= (yield from setup.key_routes({object_type: native}))[1]
        rows = yield from lists.changed_since(native, since, f"look through {object_type} for keys of ours")
        records = [(row, self._found(object_type, row)) for row in rows if not _deleted(row)]
        if route.kind == "parents":
            return finding.among_children(object_type, route, sought, records, since=since)
        return finding.by_key(route, sought, [record for _, record in records])

    def portal_made(
        self, object_type: str, ids: Sequence[str], ours: Collection[str]
    ) -> Exchange[Sequence[PortalMade]]:
        """Return none: Pipedrive makes no records by itself."""
        yield from ()
        return ()

    # -- judging answers -------------------------------------------------------------------------
    def judge(self, request: Request, answer: Answer) -> Verdict:
        """Return how an answer is to be taken (docs, "HTTP status codes")."""
        return judge(request, answer)

    def readings(self, request: Request, answer: Answer, now: datetime) -> Sequence[Reading]:
        """Return what the headers say of the burst limit, in two rolling seconds, and of the day's tokens."""
        readings = []
        burst = _whole(answer, "x-ratelimit-limit")
        if burst:
            bucket = SEARCH if SEARCH in request.buckets else BURST
            # What remains of a window of two seconds is old when the answer arrives.
            readings.append(Reading(bucket, limit=burst, seconds=BURST_SECONDS))
        limit, left = _budget(answer)
        if limit:
            readings.append(Reading(DAILY, limit=limit, remaining=left))
        return readings

    # -- names -----------------------------------------------------------------------------------
    def _native(self, object_type: str) -> str:
        entry = self.legend.objects.get(object_type)
        return entry.native if entry else object_type

    def _route(self, object_type: str) -> KeyRoute:
        route = self.routes.get(object_type)
        if route is not None:
            return route
        base = base_of(self._native(object_type))
        return (
            KeyRoute("field", setup.ORIGIN if base == "leads" else KEY)
            if base
            in (
                *setup.HOLDERS,
                "leads",
            )
            else KeyRoute("text", setup.TEXTS[base])
        )

    def _code(self, native: str) -> str:
        """Return the code of the field for our key; before the company was asked, what its schema says."""
        object_type = self.schema.object_types.get(native)
        field = object_type.fields.get(KEY) if object_type is not None else None
        known = field.native.get("field_code", KEY) if field is not None else KEY
        return self._codes.get(native, known)

    def _found(self, object_type: str, row: Mapping[str, Any]) -> Found:
        native = self._native(object_type)
        base, record_id = base_of(native), id_of(native, row)
        url = f"https://{self._domain}{_HOST}/{_PAGES[base]}/{record_id}" if base in _PAGES else None
        return Found(record_id, native_of(native, row, key_code=self._code(native)), url)


def _domain(text: str) -> str:
    """Return the label of a company's domain, from whatever way it is written in."""
    label = text.strip().lower().removeprefix("https://").rstrip("/").removesuffix(_HOST)
    if not _DOMAIN.fullmatch(label):
        raise UsageError(
            f"{COMPANY_DOMAIN} is {text!r}, which is no domain of a company.",
            remedy="Give what stands before .pipedrive.com in the browser: acme-sandbox.",
        )
    return label


def _path(base: str, record_id: str) -> str:
    if base == DEAL_PRODUCTS:
        deal, _, attached = record_id.partition("/")
        return f"{PATHS['deals']}/{deal}/products/{attached}"
    return f"{PATHS[base]}/{record_id}"


def _base_in(path: str) -> str:
    """Return the object type that a path of records is of."""
    if path.endswith("/products") and path.startswith(f"{PATHS['deals']}/"):
        return DEAL_PRODUCTS
    return path.split("/")[3]


def _deleted(row: Mapping[str, Any]) -> bool:
    return bool(row.get("is_deleted")) or row.get("active_flag") is False


def _whole(answer: Answer, name: str) -> int | None:
    text = answer.headers.get(name, "").strip()
    return int(text) if text.isdigit() else None


def _budget(answer: Answer) -> tuple[int | None, int | None]:
    """Return how many tokens the company has a day, and how many are left."""
    return _whole(answer, _LIMIT), _whole(answer, _LEFT)
