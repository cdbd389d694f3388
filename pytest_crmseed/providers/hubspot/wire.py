"""HubSpot's requests and answers. Sends nothing.

Sources: HubSpot docs "Using object APIs", "Error handling", "API usage guidelines and limits",
"Account information", "Properties guide", and the published OpenAPI files for paths and bodies.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pytest_crmseed.errors import ApiRefused, NotAPortal, Unauthorized
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
from pytest_crmseed.providers.hubspot import finding, linking, portal_made, setup
from pytest_crmseed.providers.hubspot.capabilities import (
    API_HOST,
    API_VERSIONS,
    CAPABILITIES,
    CREDENTIALS,
    CUSTOM_SCOPES,
    KEY,
    SCOPES,
    TEST_ACCOUNTS,
)
from pytest_crmseed.providers.hubspot.discovery import Discovery, linked_pairs
from pytest_crmseed.providers.hubspot.judging import judge
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.providers.hubspot.refusals import read_refusals, read_warnings
from pytest_crmseed.records import Batch, Draft, RecordResult
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import Schema

# No id of a record has more digits: bodies are measured before the parents' ids are known.
_LONGEST_ID = 20


class HubSpot:
    """The HubSpot provider."""

    name: ClassVar[str] = "hubspot"
    title: ClassVar[str] = "HubSpot"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials: ClassVar[tuple[Credential, ...]] = CREDENTIALS
    legend: ClassVar[Legend] = LEGEND
    links: ClassVar[Mapping[str, Mapping[str, LinkRule]]] = linking.LINKS
    api_versions: ClassVar[tuple[str, ...]] = API_VERSIONS
    portal_makes_for: ClassVar[frozenset[str]] = frozenset({"contacts"})

    def __init__(self, schema: Schema, *, api_version: str | None = None) -> None:
        self.schema = schema
        self.api_version = api_version or API_VERSIONS[0]
        self.routes: Mapping[str, KeyRoute] = {}

    @property
    def enforces_admin_rules(self) -> bool:
        """From 2026-09 on, writes obey what an administrator made required (docs, "Changelog")."""
        return self.api_version[0].isdigit() and self.api_version >= "2026-09"

    # -- the way in ------------------------------------------------------------------------------
    def base_url(self, credentials: Mapping[str, str]) -> str:
        """Return the API's origin; one for all portals."""
        return API_HOST

    def headers(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the bearer token's header."""
        return {"Authorization": f"Bearer {credentials['HUBSPOT_ACCESS_TOKEN']}"}

    def sign_in(self, credentials: Mapping[str, str]) -> Exchange[Mapping[str, str]]:
        """Return the bearer token's header; there is nothing to ask."""
        yield from ()
        return self.headers(credentials)

    def account(self, credentials: Mapping[str, str]) -> Exchange[Account]:
        """Ask for the account's details, the token's scopes, and the day's use of the API.

        Scopes stay unknown for OAuth tokens, which this call does not know; so does the quota
        where the portal does not tell.
        """
        details = (yield _get(self._path("account-info", "details"), "ask for the account")).json()
        try:
            portal_id, kind = str(details["portalId"]), str(details["accountType"])
        except (KeyError, TypeError):
            raise NotAPortal(
                "The address answers, but not with a HubSpot account's details.",
                remedy="Check the base URL.",
            ) from None
        scopes = yield from self._token_scopes(credentials["HUBSPOT_ACCESS_TOKEN"])
        limit, left = yield from self._daily_quota()
        return Account(
            portal_id=portal_id,
            kind=kind,
            production=kind not in TEST_ACCOUNTS,
            scopes=scopes,
            daily_limit=limit,
            daily_left=left,
            ui_url=f"https://{details.get('uiDomain', 'app.hubspot.com')}/contacts/{portal_id}",
            currency=str(details.get("companyCurrency", "")),
        )

    def _token_scopes(self, token: str) -> Exchange[frozenset[str] | None]:
        request = Request(
            "POST",
            "/oauth/v2/private-apps/get/access-token-info",
            "ask for the token's scopes",
            Effect.READ,
            body={"tokenKey": token},
        )
        try:
            info = (yield request).json()
        except (ApiRefused, Unauthorized, NotAPortal):
            return None
        scopes = info.get("scopes")
        return frozenset(map(str, scopes)) if isinstance(scopes, list) else None

    def _daily_quota(self) -> Exchange[tuple[int | None, int | None]]:
        path = self._path("account-info", "api-usage/daily/private-apps")
        try:
            usage = (yield _get(path, "ask for the day's use of the API")).json()
        except (ApiRefused, Unauthorized, NotAPortal):
            return None, None
        for entry in usage.get("results") or ():
            if entry.get("fetchStatus", "SUCCESS") not in ("SUCCESS", "CACHED"):
                continue
            limit, used = entry.get("usageLimit"), entry.get("currentUsage")
            if isinstance(limit, int) and isinstance(used, int):
                return limit, max(0, limit - used)
        return None, None

    def scopes(self, object_types: Sequence[str]) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Return, by object type, the sets of scopes of which one each is needed."""
        return {name: SCOPES.get(name, CUSTOM_SCOPES) for name in object_types}

    def discover(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Read properties, groups, rules, pipelines, owners, association types, and custom objects."""
        discovery = Discovery(self.api_version, self.schema, linked_pairs(self.legend, self.links))
        return discovery.schema(object_types, portal_id=portal_id, taken_at=taken_at)

    def key_routes(self, object_types: Sequence[str]) -> Exchange[Mapping[str, KeyRoute]]:
        """Look for the property ``crmseed_key``; without a unique one, take the next best route."""
        found: dict[str, KeyRoute] = {}
        for name in object_types:
            path = f"{self._path('crm', 'properties', versioned_last=True)}/{self._native(name)}/{KEY}"
            definition = None
            try:
                definition = (yield _get(path, f"look for {KEY} of {name}")).json()
            except ApiRefused as refused:
                if refused.status != 404:
                    raise
            route = setup.route_of(definition, self._native(name), self.schema)
            if route is not None:
                found[name] = route
        return found

    def make_key(self, object_type: str) -> Exchange[None]:
        """Make the property ``crmseed_key``, unique where HubSpot offers that."""
        native = self._native(object_type)
        known = self.schema.object_types.get(native)
        path = f"{self._path('crm', 'properties', versioned_last=True)}/{native}"
        return setup.make_key(path, object_type, known.singular if known else native)

    def searchable(self, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
        """Search records by id: HubSpot's index trails behind writes."""
        return finding.searchable(self._objects(object_type, "search"), object_type, ids)

    def marked(self, object_type: str) -> Exchange[Mapping[str, str]]:
        """Search the records that carry a key of ours; those that have it in a text are looked through."""
        route = self._route(object_type)
        if route.kind == "text":
            path = self._objects(object_type)
            found = yield from finding.by_list(path, object_type, route, lambda key: True, ())
            return finding.keys_of(found.items())
        return (yield from finding.marked(self._objects(object_type, "search"), object_type))

    # -- records ---------------------------------------------------------------------------------
    def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
        """Return the batch create of a batch, associations inline.

        Every input carries our key as ``objectWriteTraceId`` too: with one on every input HubSpot
        takes the good records and names the bad ones (docs, "Error handling"), and ``results`` come
        in no particular order.
        """
        inputs = [self._input(draft, ids) for draft in batch.drafts]
        return Request(
            "POST",
            self._objects(batch.object_type, "batch/create"),
            f"create {len(batch)} {batch.object_type}",
            Effect.CREATE,
            body={"inputs": inputs},
            records=len(batch),
        )

    def _input(self, draft: Draft, ids: linking.Ids) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "objectWriteTraceId": draft.key,
            # An id that was given by itself goes before that of a parent nobody named.
            "properties": {
                **linking.properties(draft, ids, self.schema, self._native),
                **draft.values,
                **({KEY: draft.key} if self._route(draft.object_type).field == KEY else {}),
            },
        }
        associations = linking.associations(draft, ids, self.schema, self._native)
        if associations:
            entry["associations"] = associations
        return entry

    def size(self, draft: Draft) -> int:
        """Return how many bytes a draft takes in a batch's body, rather a few too many."""
        ids = {
            (link.object_type, link.index or 0): f"{n:0{_LONGEST_ID}}" for n, link in enumerate(draft.links)
        }
        entry = self._input(draft, ids)
        # The comma, and each draft's share of what stands around the inputs.
        return len(json.dumps(entry, ensure_ascii=False).encode("utf-8")) + 20

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        """Return what became of each draft, matched by trace id, else by key, never by position."""
        results = {draft.key: RecordResult(draft) for draft in batch.drafts}
        body = answer.json()
        for entry in body.get("results") or ():
            properties = entry.get("properties") or {}
            result = results.get(str(entry.get("objectWriteTraceId"))) or results.get(
                str(properties.get(KEY))
            )
            if result is not None and entry.get("id"):
                result.id = str(entry["id"])
                result.native = dict(properties)
                result.url = entry.get("url")
                result.warnings = read_warnings(entry)
        remarks: list[str] = []
        for entry in body.get("errors") or ():
            named = [
                results[trace_id]
                for trace_id in map(str, (entry.get("context") or {}).get("objectWriteTraceId") or ())
                if trace_id in results and results[trace_id].id is None
            ]
            for result in named:
                result.refusals += read_refusals(entry, status=answer.status, sent=result.draft.values)
            if not named:
                remarks += [refusal.message for refusal in read_refusals(entry, status=answer.status)]
        for result in results.values():
            if result.id is None and not result.refusals:
                result.remarks = tuple(remarks)
        return list(results.values())

    def delete(self, object_type: str, ids: Sequence[str]) -> Request:
        """Return the batch archive; HubSpot answers 204 for records already gone, too."""
        return Request(
            "POST",
            self._objects(object_type, "batch/archive"),
            f"archive {len(ids)} {object_type}",
            Effect.DELETE,
            body={"inputs": [{"id": record_id} for record_id in ids]},
            records=len(ids),
        )

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Request:
        """Return the batch read, which HubSpot serves from the record store, not the search index."""
        return finding.batch_read(self._objects(object_type), object_type, ids, [*fields, KEY])

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records of a batch read; the missing ones stand in a 207's ``errors``.

        Raises:
            PortalError: the answer does not say of every record whether it exists.
        """
        return finding.found_in(answer)

    def find(
        self,
        object_type: str,
        route: KeyRoute,
        sought: Sequence[Sought],
        fields: Sequence[str],
        *,
        since: float,
    ) -> Exchange[Mapping[str, Sequence[Found]]]:
        """Find records by a unique property, by looking through all of them, or by their parents."""
        path = self._objects(object_type)
        if route.enforced:
            return (yield from finding.by_unique(path, object_type, route, sought, fields))
        if route.carries_key:
            keys = {each.key for each in sought}
            return (yield from finding.by_list(path, object_type, route, keys.__contains__, fields))
        native = self._native(object_type)

        def associations(parent: str) -> str:
            return self._associations(self._native(parent), f"{native}/batch/read")

        return (yield from finding.by_parents(path, associations, object_type, route, sought, fields, since))

    def portal_made(
        self, object_type: str, ids: Sequence[str], ours: Collection[str]
    ) -> Exchange[Sequence[PortalMade]]:
        """Find the companies that contacts are linked to, with their domains."""
        return portal_made.companies(
            self._associations(self._native(object_type), "companies/batch/read"),
            self._objects("companies", "batch/read"),
            ids,
            ours,
            most=self.capabilities.read_records,
        )

    # -- judging answers -------------------------------------------------------------------------
    def judge(self, request: Request, answer: Answer) -> Verdict:
        """Return how an answer is to be taken (docs, "Error handling")."""
        return judge(request, answer)

    def readings(self, request: Request, answer: Answer, now: datetime) -> Sequence[Reading]:
        """Return what the rate headers say; search answers carry none."""
        headers = answer.headers
        readings = []
        limit = _number(headers.get("x-hubspot-ratelimit-max"))
        if limit is not None:
            interval = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds"))
            remaining = _number(headers.get("x-hubspot-ratelimit-remaining"))
            readings.append(Reading("burst", limit, remaining, interval / 1000 if interval else None))
        daily = _number(headers.get("x-hubspot-ratelimit-daily"))
        if daily is not None:
            left = _number(headers.get("x-hubspot-ratelimit-daily-remaining"))
            readings.append(Reading("daily", daily, left))
        return readings

    # -- paths -----------------------------------------------------------------------------------
    def _objects(self, object_type: str, *tail: str) -> str:
        return "/".join([self._path("crm", "objects", versioned_last=True), self._native(object_type), *tail])

    def _route(self, object_type: str) -> KeyRoute:
        return self.routes.get(object_type) or KeyRoute("unique", KEY)

    def _native(self, object_type: str) -> str:
        entry = self.legend.objects.get(object_type)
        return entry.native if entry else object_type

    def _associations(self, native: str, tail: str) -> str:
        # The last one without a date is v4 here (docs, "Associations guide").
        if self.api_version[0].isdigit():
            return f"/crm/associations/{self.api_version}/{native}/{tail}"
        return f"/crm/v4/associations/{native}/{tail}"

    def _path(self, family: str, tail: str, *, versioned_last: bool = False) -> str:
        # HubSpot writes /crm/v3/objects but /crm/objects/2026-03; account-info has one order.
        if versioned_last and self.api_version[0].isdigit():
            return f"/{family}/{tail}/{self.api_version}"
        return f"/{family}/{self.api_version}/{tail}"


def _get(path: str, what: str) -> Request:
    return Request("GET", path, what, Effect.READ)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None
