"""HubSpot's requests and answers. Sends nothing.

Sources: HubSpot docs "Using object APIs", "Error handling", "API usage guidelines and limits",
"Account information", "Properties guide", and the published OpenAPI files for paths and bodies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, Unauthorized
from pytest_crmseed.planning import NEUTRAL_LINKS, LinkRule
from pytest_crmseed.providers.base import (
    Account,
    Answer,
    Capabilities,
    Credential,
    Effect,
    Exchange,
    Found,
    Outcome,
    Reading,
    Request,
    Verdict,
)
from pytest_crmseed.providers.hubspot.capabilities import (
    API_HOST,
    API_VERSIONS,
    CAPABILITIES,
    CREDENTIALS,
    KEY,
    SCOPES,
    TEST_ACCOUNTS,
)
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.providers.hubspot.refusals import read_refusals
from pytest_crmseed.records import Batch, Draft, RecordResult
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import Schema

# HubSpot docs, "Error handling": 423 locks last two seconds. 477 carries Retry-After.
_LOCKED_FOR = 2.0
# No figure is documented for a burst 429; the window rolls, so some room comes back soon.
_BURST_WAIT = 2.0
_SECONDLY_WAIT = 1.0


class HubSpot:
    """The HubSpot provider."""

    name: ClassVar[str] = "hubspot"
    title: ClassVar[str] = "HubSpot"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials: ClassVar[tuple[Credential, ...]] = CREDENTIALS
    legend: ClassVar[Legend] = LEGEND
    links: ClassVar[Mapping[str, Mapping[str, LinkRule]]] = NEUTRAL_LINKS
    api_versions: ClassVar[tuple[str, ...]] = API_VERSIONS

    def __init__(self, schema: Schema, *, api_version: str | None = None) -> None:
        self.schema = schema
        self.api_version = api_version or API_VERSIONS[0]

    # -- the way in ------------------------------------------------------------------------------
    def base_url(self, credentials: Mapping[str, str]) -> str:
        """Return the API's origin; one for all portals."""
        return API_HOST

    def headers(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the bearer token's header."""
        return {"Authorization": f"Bearer {credentials['HUBSPOT_ACCESS_TOKEN']}"}

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
        except ApiRefused:
            return None
        scopes = info.get("scopes") if isinstance(info, dict) else None
        return frozenset(map(str, scopes)) if isinstance(scopes, list) else None

    def _daily_quota(self) -> Exchange[tuple[int | None, int | None]]:
        path = self._path("account-info", "api-usage/daily/private-apps")
        try:
            usage = (yield _get(path, "ask for the day's use of the API")).json()
        except (ApiRefused, Unauthorized):
            return None, None
        for entry in usage.get("results") or ():
            limit, used = entry.get("usageLimit"), entry.get("currentUsage")
            if isinstance(limit, int) and isinstance(used, int):
                return limit, max(0, limit - used)
        return None, None

    def scopes(self, object_types: Sequence[str]) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Return, by object type, the sets of scopes of which one each is needed."""
        return {name: SCOPES.get(name, ()) for name in object_types}

    def missing_keys(self, object_types: Sequence[str]) -> Exchange[Sequence[str]]:
        """Return the object types that have no unique property ``crmseed_key``."""
        missing = []
        for name in object_types:
            path = f"{self._path('crm', 'properties', versioned_last=True)}/{name}/{KEY}"
            try:
                definition = (yield _get(path, f"look for {KEY} of {name}")).json()
            except ApiRefused as refused:
                if refused.status != 404:
                    raise
                missing.append(name)
                continue
            if not definition.get("hasUniqueValue"):
                missing.append(name)
        return missing

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

    def _input(self, draft: Draft, ids: Mapping[tuple[str, int], str]) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "objectWriteTraceId": draft.key,
            "properties": {**draft.values, KEY: draft.key},
        }
        if draft.links:
            entry["associations"] = self._associations(draft, ids)
        return entry

    def _associations(self, draft: Draft, ids: Mapping[tuple[str, int], str]) -> list[dict[str, Any]]:
        object_type = self.schema.object_types[draft.object_type]
        associations = []
        with_primary: set[str] = set()
        for link in draft.links:
            to = link.id if link.id is not None else ids[(link.object_type, link.index or 0)]
            types = [object_type.association(link.object_type)]
            if link.label:
                types.append(object_type.association(link.object_type, label=link.label))
            elif link.object_type not in with_primary:
                # One primary per record: the first company linked.
                types.append(object_type.association(link.object_type, primary=True))
                with_primary.add(link.object_type)
            associations.append(
                {
                    "to": {"id": to},
                    "types": [
                        {"associationCategory": a.category, "associationTypeId": a.type_id} for a in types if a
                    ],
                }
            )
        return associations

    def size(self, draft: Draft) -> int:
        """Return about how many bytes a draft takes in a batch's body."""
        return 120 * (1 + len(draft.links)) + sum(
            len(str(name)) + 4 * len(str(value)) + 8 for name, value in draft.values.items()
        )

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        """Return what became of each draft, matched by trace id, else by key, never by position."""
        results = {draft.key: RecordResult(draft) for draft in batch.drafts}
        body = answer.json()
        for entry in body.get("results") or ():
            properties = entry.get("properties") or {}
            result = results.get(str(entry.get("objectWriteTraceId"))) or results.get(str(properties.get(KEY)))
            if result is not None and entry.get("id"):
                result.id = str(entry["id"])
                result.native = dict(properties)
                result.url = entry.get("url")
        for entry in body.get("errors") or ():
            for trace_id in (entry.get("context") or {}).get("objectWriteTraceId") or ():
                result = results.get(str(trace_id))
                if result is not None and result.id is None:
                    refusals = read_refusals(entry, status=answer.status, sent=result.draft.values)
                    result.refusals += refusals
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

    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str], *, by_key: bool = False
    ) -> Request:
        """Return the batch read, which HubSpot serves from the record store, not the search index."""
        wanted = list(dict.fromkeys([*fields, KEY]))
        body: dict[str, Any] = {"properties": wanted, "inputs": [{"id": given} for given in ids]}
        if by_key:
            body["idProperty"] = KEY
        return Request(
            "POST",
            self._objects(object_type, "batch/read"),
            f"read {len(ids)} {object_type}",
            Effect.READ,
            body=body,
            records=len(ids),
        )

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records of a batch read; the missing ones stand in a 207's ``errors``."""
        return [
            Found(str(entry["id"]), dict(entry.get("properties") or {}), entry.get("url"))
            for entry in answer.json().get("results") or ()
        ]

    # -- judging answers -------------------------------------------------------------------------
    def judge(self, request: Request, answer: Answer) -> Verdict:
        """Return how an answer is to be taken (docs, "Error handling")."""
        body = _json_object(answer)
        status = answer.status
        if 200 <= status < 300:
            if body is not None or status == 204 or (request.effect is Effect.DELETE and not answer.body):
                return Verdict(Outcome.DONE)
            return _not_json(request, answer)
        if status == 429:
            return _throttled(answer, body or {})
        if status in (423, 477):
            wait = _LOCKED_FOR if status == 423 else _retry_after(answer)
            message = f"HubSpot is locked ({status}) for: {request.what}."
            return Verdict(Outcome.NOT_EXECUTED, PortalError(message, status=status), wait)
        if status >= 500 and not (status == 501 and body is not None):
            said = f" It says: {body['message']}" if body and body.get("message") else ""
            message = f"HubSpot failed with {status} at: {request.what}.{said}"
            return Verdict(Outcome.FAILED, PortalError(message, status=status))
        if body is None:
            return _not_json(request, answer)
        if status in (401, 403):
            return Verdict(Outcome.REFUSED, _unauthorized(request, status, body))
        refusals = read_refusals(body, status=status)
        message = f"HubSpot refused to {request.what} ({status}): {refusals[0].message}"
        return Verdict(Outcome.REFUSED, ApiRefused(message, status=status, refusals=refusals))

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
    def _objects(self, object_type: str, tail: str) -> str:
        native = self.legend.objects[object_type].native if object_type in self.legend.objects else object_type
        return f"{self._path('crm', 'objects', versioned_last=True)}/{native}/{tail}"

    def _path(self, family: str, tail: str, *, versioned_last: bool = False) -> str:
        # HubSpot writes /crm/v3/objects but /crm/objects/2026-03; account-info has one order.
        if versioned_last and self.api_version[0].isdigit():
            return f"/{family}/{tail}/{self.api_version}"
        return f"/{family}/{self.api_version}/{tail}"


def _get(path: str, what: str) -> Request:
    return Request("GET", path, what, Effect.READ)


def _json_object(answer: Answer) -> dict[str, Any] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None


def _retry_after(answer: Answer) -> float | None:
    seconds = _number(answer.headers.get("retry-after"))
    return float(seconds) if seconds is not None else None


def _not_json(request: Request, answer: Answer) -> Verdict:
    kind = answer.headers.get("content-type", "no content type").split(";")[0]
    error = NotAPortal(
        f"The address answered {answer.status} with {kind} instead of JSON to: {request.what}.",
        remedy="Is this HubSpot's API? Check the base URL, and proxies on the way.",
        status=answer.status,
    )
    if request.effect is Effect.READ:
        return Verdict(Outcome.REFUSED, error)
    return Verdict(Outcome.FAILED if answer.status < 300 else Outcome.REFUSED, error)


def _throttled(answer: Answer, body: Mapping[str, Any]) -> Verdict:
    policy = str(body.get("policyName") or "")
    said = str(body.get("message") or "Too many requests.")
    error = Throttled(f"HubSpot's rate limit: {said}", status=429, policy=policy)
    if policy == "DAILY" or "daily" in said.lower():
        error.remedy = "The day's quota of the portal is used up; it resets at midnight of the portal's time zone."
        return Verdict(Outcome.REFUSED, error)
    secondly = policy == "SECONDLY" or "secondly" in said.lower()
    default = _SECONDLY_WAIT if secondly else _BURST_WAIT
    asked = _retry_after(answer)
    return Verdict(Outcome.NOT_EXECUTED, error, asked if asked is not None else default)


def _unauthorized(request: Request, status: int, body: Mapping[str, Any]) -> Unauthorized:
    message = str(body.get("message") or "no reason given")
    if status == 401:
        return Unauthorized(
            f"HubSpot does not accept the access token (401): {message}",
            remedy="Check HUBSPOT_ACCESS_TOKEN (or CRMSEED_HUBSPOT_ACCESS_TOKEN): expired, revoked, or of another region?",
            status=status,
        )
    scopes: list[str] = []
    for entry in body.get("errors") or ():
        context = entry.get("context") or {}
        scopes += context.get("requiredGranularScopes") or context.get("requiredScopes") or []
    if not scopes:
        return Unauthorized(
            f"HubSpot refused to {request.what} (403): {message}",
            remedy="Does the portal's subscription include this object type?",
            status=status,
        )
    return Unauthorized(
        f"HubSpot refused to {request.what} (403): the token lacks a scope ({', '.join(scopes)}).",
        remedy="Add the scope to the private app, and use its new token.",
        status=status,
        scopes=scopes,
    )
