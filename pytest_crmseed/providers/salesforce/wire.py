"""Salesforce's requests and answers. Sends nothing.

Sources: Salesforce docs, "REST API Developer Guide" (collections, composite, query, describe, limits) and
"Object Reference"; answers recorded from real orgs for their shapes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from pytest_crmseed.errors import NotAPortal
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
from pytest_crmseed.providers.salesforce import (
    graph,
    linking,
    recycle_bin,
    setup,
    sign_in,
    soql,
    writing,
)
from pytest_crmseed.providers.salesforce.capabilities import (
    ACCESS_TOKEN,
    API_VERSIONS,
    CAPABILITIES,
    CREDENTIALS,
    INSTANCE_URL,
    KEY,
    WRITING_HEADERS,
)
from pytest_crmseed.providers.salesforce.definitions import base_of
from pytest_crmseed.providers.salesforce.discovery import Discovery
from pytest_crmseed.providers.salesforce.judging import judge
from pytest_crmseed.providers.salesforce.legend import LEGEND
from pytest_crmseed.providers.salesforce.organization import account_of
from pytest_crmseed.providers.salesforce.reading import READS, found_in, found_row, selection, statement
from pytest_crmseed.providers.salesforce.rows import Rows
from pytest_crmseed.records import Batch, Draft, RecordResult
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import Schema

_ENTRY = "PricebookEntry."
_USAGE = re.compile(r"api-usage=(?P<used>\d+)/(?P<limit>\d+)")


class Salesforce:
    """The Salesforce provider.

    It keeps the ids of price book entries it has seen, since line items refer to them and not to
    products: those it made or read products of.
    """

    name: ClassVar[str] = "salesforce"
    title: ClassVar[str] = "Salesforce"
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
        self._origin = ""
        self._signed_in = False
        self._rows = Rows(
            lambda: self.schema,
            native=self._native,
            has_key=lambda object_type: self._route(object_type).field == KEY,
        )

    @property
    def enforces_admin_rules(self) -> bool:
        """Rules of an org's administrators are not in its describe; there is nothing to know beforehand."""
        return False

    # -- the way in ------------------------------------------------------------------------------
    def base_url(self, credentials: Mapping[str, str]) -> str:
        """Return the org's own domain."""
        return credentials[INSTANCE_URL].rstrip("/")

    def headers(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the header of an existing access token."""
        return sign_in.bearer(credentials[ACCESS_TOKEN])

    def sign_in(self, credentials: Mapping[str, str]) -> Exchange[Mapping[str, str]]:
        """Return the header of a session; asked for another one, it goes through an OAuth flow.

        Raises:
            UsageError: the credentials are complete for no flow.
            Unauthorized: Salesforce refuses them.
        """
        headers = yield from sign_in.sign_in(credentials, used_up=self._signed_in)
        self._signed_in = True
        return headers

    def account(self, credentials: Mapping[str, str]) -> Exchange[Account]:
        """Ask for the Organization row; the answer's headers tell the requests left."""
        self._origin = credentials.get(INSTANCE_URL, "").rstrip("/")
        return account_of(self.api_version, self._origin, _usage)

    def scopes(self, object_types: Sequence[str]) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Return none: rights are the user's, by object and field, and show in the describe."""
        return {}

    def discover(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Read the describes of object types, stages, and the describes of all custom objects."""
        discovery = Discovery(self.api_version, self.schema)
        return discovery.schema(object_types, portal_id=portal_id, taken_at=taken_at)

    def key_routes(self, object_types: Sequence[str]) -> Exchange[Mapping[str, KeyRoute]]:
        """Look for the unique external id ``crmseed_key__c``; without it, take the description."""
        return setup.key_routes(self.api_version, {name: self._api_name(name) for name in object_types})

    def make_key(self, object_type: str) -> Exchange[None]:
        """Make the unique external id ``crmseed_key__c``, and let the user's own profile see it."""
        return setup.make_key(self.api_version, self._api_name(object_type), object_type)

    def searchable(self, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
        """Return all of them: queries read the records themselves, and trail behind nothing."""
        yield from ()
        return frozenset(ids)

    def marked(self, object_type: str) -> Exchange[Mapping[str, str]]:
        """Query the records of an object type that carry a key of ours."""
        route = self._route(object_type)
        wanted = f"SELECT Id, {route.field} FROM {self._api_name(object_type)}"
        if route.field == KEY:
            # A description cannot be filtered by.
            wanted += f" WHERE {KEY} LIKE 'crmseed-%'"
        rows = yield from soql.rows(
            self.api_version, wanted, f"search {object_type} that carry a key of ours"
        )
        return {str(row["Id"]): key for row in rows if (key := route.key_in(row)) is not None}

    # -- records ---------------------------------------------------------------------------------
    def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
        """Return the request that creates a batch: collections, or a composite one with companions.

        Companions are the price book entries of products and the contacts' roles of deals; orders get the
        standard price book, without which they take no items.
        """
        rows = [self._rows.row(draft, ids) for draft in batch.drafts]
        companions = [row for draft in batch.drafts for row in self._rows.companions(draft, ids)]
        with_book = self._rows.need_book(batch.object_type)
        root = f"{soql.root(self.api_version)}/composite"
        if companions or with_book:
            body = writing.composite(self.api_version, rows, companions, with_book=with_book)
        else:
            root += "/sobjects"
            body = writing.collection(rows)
        return Request(
            "POST",
            root,
            f"create {len(batch)} {batch.object_type}",
            Effect.CREATE,
            body=body,
            records=len(batch),
            buckets=soql.BUCKETS,
            headers=WRITING_HEADERS,
        )

    def upsert(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request | None:
        """Return the upsert by our external id; none for records with companions, which have no key.

        Source: Salesforce docs, "Upsert Multiple Records with Fewer Round-Trips".
        """
        companions = any(self._rows.companions(draft, ids) for draft in batch.drafts)
        with_book = self._rows.need_book(batch.object_type)
        if companions or with_book or self._route(batch.object_type).kind != "unique":
            return None
        root = f"{soql.root(self.api_version)}/composite/sobjects"
        return Request(
            "PATCH",
            f"{root}/{self._api_name(batch.object_type)}/{KEY}",
            f"create what is missing of {len(batch)} {batch.object_type}",
            Effect.CREATE,
            body=writing.collection([self._rows.row(draft, ids) for draft in batch.drafts]),
            records=len(batch),
            buckets=soql.BUCKETS,
            headers=WRITING_HEADERS,
        )

    def size(self, draft: Draft) -> int:
        """Return how many bytes a draft takes in a batch's body, rather a few too many."""
        return self._rows.size(draft)

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        """Return what became of each draft, by position, as the API orders its answers.

        A record whose companion was refused has both an id and refusals.
        """
        written = writing.Written(answer)
        self._rows.book = written.book or self._rows.book
        results = {
            draft.key: writing.result_of(draft, sent, got, answer.status, self._rows.book)
            for draft, (sent, got) in zip(batch.drafts, written.rows, strict=True)
        }
        for key, sent, got in written.companions:
            result = results[key]
            if result.id is None:
                continue
            self._take_companion(result, sent, got, answer.status)
        return list(results.values())

    def _take_companion(self, result: RecordResult, sent: writing.Row, got: Any, status: int) -> None:
        made = writing.add_companion(result, sent, got, status)
        if made and result.id is not None and result.draft.object_type == "products":
            self._rows.entries[result.id] = made
            result.native |= {
                name: value for name, value in result.draft.values.items() if name.startswith(_ENTRY)
            }

    # -- a small plan at once ----------------------------------------------------------------------
    def learn(self, batches: Sequence[Batch]) -> Exchange[bool]:
        """Ask for the standard price book where products or orders need it: no query is part of a graph."""
        if not any(self._rows.need_book(batch.object_type) for batch in batches):
            return True
        rows = yield from soql.rows(
            self.api_version, writing.STANDARD_BOOK, "look for the standard price book"
        )
        self._rows.book = str(rows[0]["Id"]) if rows else ""
        return bool(self._rows.book)

    def graph(self, batches: Sequence[Batch]) -> Request | None:
        """Return one composite graph of all drafts and their companions; None where that does not do."""
        nodes = self._rows.nodes(batches)
        body = graph.body(self.api_version, nodes) if nodes else None
        if body is None:
            return None
        counts = ", ".join(f"{len(batch)} {batch.object_type}" for batch in batches)
        return Request(
            "POST",
            f"{soql.root(self.api_version)}/composite/graph",
            f"create {counts}",
            Effect.CREATE,
            body=body,
            records=sum(map(len, batches)),
            buckets=soql.BUCKETS,
            headers=WRITING_HEADERS,
        )

    def graph_results(self, batches: Sequence[Batch], answer: Answer) -> Sequence[RecordResult]:
        """Return what became of each draft, by its node's name."""
        grown = graph.Grown(answer)
        results = []
        for draft in (draft for batch in batches for draft in batch.drafts):
            name = graph.reference(draft)
            result = writing.result_of(
                draft, grown.row(name), grown.got(name), answer.status, self._rows.book
            )
            if result.id is not None:
                for companion in grown.companions(name):
                    got = grown.got(companion) or {}
                    self._take_companion(result, grown.row(companion), got, answer.status)
            results.append(result)
        return results

    def delete(self, object_type: str, ids: Sequence[str]) -> Request:
        """Return the collections delete; each record goes by itself, those gone already do no harm."""
        return Request(
            "DELETE",
            f"{soql.root(self.api_version)}/composite/sobjects",
            f"delete {len(ids)} {object_type}",
            Effect.DELETE,
            query=(("ids", ",".join(ids)), ("allOrNone", "false")),
            records=len(ids),
            buckets=soql.BUCKETS,
        )

    def empty_bin(self, object_type: str, ids: Sequence[str]) -> Exchange[Mapping[str, str]]:
        """Take deleted records out of the recycle bin for good; return those that stay in it, and why."""
        return recycle_bin.empty(self.api_version, object_type, ids)

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Request:
        """Return queries within one composite request: an address has not room for so many ids.

        A query sees what was written before it (it is none of the search index).
        """
        return self._read(object_type, "Id", list(ids), fields)

    def _read(self, object_type: str, by: str, ids: list[str], fields: Sequence[str]) -> Request:
        api_name = self._api_name(object_type)
        # A field that an org does not have cannot be asked for.
        asked = object_type in self.routes and self.routes[object_type].field == KEY
        wanted = [KEY, *fields] if asked or by == KEY else fields
        parts = [
            soql.part(
                self.api_version,
                statement(api_name, wanted, by, some),
                f"{READS}{number}",
            )
            for number, some in enumerate(soql.chunks(ids, -(-len(ids) // 4) or 1))
        ]
        return Request(
            "POST",
            f"{soql.root(self.api_version)}/composite",
            f"read {len(ids)} {object_type}",
            Effect.READ,
            body={"allOrNone": False, "compositeRequest": parts},
            records=len(ids),
            buckets=soql.BUCKETS,
        )

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records of a read; what is in the bin is not among them.

        Raises:
            PortalError: the answer does not say of every record whether it exists.
        """
        try:
            records, entries = found_in(answer, self._origin)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise NotAPortal(
                f"The address answered {answer.status} without results to: {answer.request.what}.",
                remedy="Is this Salesforce's API? Check SALESFORCE_INSTANCE_URL, and proxies on the way.",
                status=answer.status,
            ) from None
        self._rows.entries |= entries
        return records

    def find(
        self,
        object_type: str,
        route: KeyRoute,
        sought: Sequence[Sought],
        fields: Sequence[str],
        *,
        since: float,
    ) -> Exchange[Mapping[str, Sequence[Found]]]:
        """Query records by our key; where it stands in a text, all that were made since."""
        keys = [each.key for each in sought]
        if route.field == KEY:
            records = self.found((yield self._read(object_type, KEY, keys, fields)))
        else:
            wanted = selection(self._api_name(object_type), [*fields, route.field])
            made = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            what = f"look through {object_type} for keys of ours"
            rows = yield from soql.rows(self.api_version, f"{wanted} WHERE CreatedDate >= {made}", what)
            records = [found_row(row, self._origin)[0] for row in rows]
        found: dict[str, list[Found]] = {}
        for record in records:
            key = route.key_in(record.native)
            if key in keys:
                found.setdefault(str(key), []).append(record)
        return found

    def portal_made(
        self, object_type: str, ids: Sequence[str], ours: Collection[str]
    ) -> Exchange[Sequence[PortalMade]]:
        """Return none: what Salesforce makes with a record goes with it."""
        yield from ()
        return ()

    # -- judging answers -------------------------------------------------------------------------
    def judge(self, request: Request, answer: Answer) -> Verdict:
        """Return how an answer is to be taken (docs, "Status Codes and Error Responses")."""
        return judge(request, answer)

    def readings(self, request: Request, answer: Answer, now: datetime) -> Sequence[Reading]:
        """Return what ``Sforce-Limit-Info`` says; its counter may well go backwards."""
        usage = _usage(answer)
        return [Reading("daily", limit=usage[0], remaining=usage[1])] if usage else []

    # -- names -----------------------------------------------------------------------------------
    def _native(self, object_type: str) -> str:
        entry = self.legend.objects.get(object_type)
        return entry.native if entry else object_type

    def _route(self, object_type: str) -> KeyRoute:
        return self.routes.get(object_type) or KeyRoute("unique", KEY)

    def _api_name(self, object_type: str) -> str:
        return base_of(self._native(object_type))


def _usage(answer: Answer) -> tuple[int, int] | None:
    """Return how many requests the org has a day, and how many are left."""
    match = _USAGE.search(answer.headers.get("sforce-limit-info", ""))
    if match is None:
        return None
    limit = int(match["limit"])
    return limit, max(0, limit - int(match["used"]))
