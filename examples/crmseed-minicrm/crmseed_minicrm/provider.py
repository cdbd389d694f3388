"""MiniCRM's requests and answers. Sends nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from crmseed_minicrm.legend import KEY, LEGEND, LINKS
from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Throttled, TooLarge, Unauthorized
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
    Outcome,
    PortalMade,
    Rate,
    Reading,
    Request,
    Rounds,
    Sought,
    Verdict,
    together,
)
from pytest_crmseed.records import Batch, Draft, RecordResult, Refusal
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Option, Schema

_KINDS = {
    "text": Kind.STRING,
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "whole": Kind.INTEGER,
    "decimal": Kind.DECIMAL,
    "date": Kind.DATE,
    "choice": Kind.OPTION,
    "link": Kind.REFERENCE,
}
# No id of MiniCRM has more digits: bodies are measured before the parents' ids are known.
_LONGEST_ID = "9" * 12


class MiniCRM:
    """The MiniCRM provider."""

    name: ClassVar[str] = "minicrm"
    title: ClassVar[str] = "MiniCRM"
    capabilities: ClassVar[Capabilities] = Capabilities(
        batch_records=50,
        batch_bytes=200_000,
        delete_records=50,
        read_records=50,
        in_flight=2,
        settle_seconds=2.0,
        rates=(Rate("burst", 50, 1.0),),
    )
    credentials: ClassVar[tuple[Credential, ...]] = (
        Credential("MINICRM_API_KEY", secret=True, meaning="from MiniCRM's settings"),
        Credential("MINICRM_URL", secret=False, required=False, meaning="where MiniCRM is, without a path"),
    )
    legend: ClassVar[Legend] = LEGEND
    links: ClassVar[Mapping[str, Mapping[str, LinkRule]]] = LINKS
    api_versions: ClassVar[tuple[str, ...]] = ("1",)
    portal_makes_for: ClassVar[frozenset[str]] = frozenset()
    enforces_admin_rules = False

    def __init__(self, schema: Schema, *, api_version: str | None = None) -> None:
        self.schema = schema
        self.api_version = api_version or self.api_versions[0]
        self.routes: Mapping[str, KeyRoute] = {}

    # -- the way in ------------------------------------------------------------------------------
    def base_url(self, credentials: Mapping[str, str]) -> str:
        """Return where MiniCRM is."""
        return credentials.get("MINICRM_URL") or "https://minicrm.example"

    def headers(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the header with the API key."""
        return {"X-Api-Key": credentials["MINICRM_API_KEY"]}

    def sign_in(self, credentials: Mapping[str, str]) -> Exchange[Mapping[str, str]]:
        """Return the header with the API key; there is nothing to ask."""
        yield from ()
        return self.headers(credentials)

    def account(self, credentials: Mapping[str, str]) -> Exchange[Account]:
        """Ask MiniCRM whose it is."""
        me = (yield _get("/me", "ask for the account")).json()
        try:
            return Account(str(me["account"]), str(me["plan"]), production=me["plan"] != "sandbox")
        except (KeyError, TypeError):
            raise NotAPortal("What answers there is no MiniCRM.", remedy="Check MINICRM_URL.") from None

    def scopes(self, object_types: Sequence[str]) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Return none: a key may do everything."""
        return {}

    def discover(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Read the definitions of object types, side by side."""
        found = yield from together([self._object_type(name) for name in object_types])
        return Schema(
            provider=self.name,
            object_types={object_type.name: object_type for object_type in found},
            source="live",
            taken_at=taken_at,
            portal_id=portal_id,
            complete=True,
        )

    def _object_type(self, native: str) -> Exchange[ObjectType]:
        told = (yield _get(f"/schema/{native}", f"read the definition of {native}")).json()
        return ObjectType(
            name=native,
            label=told["label"],
            plural=told["plural"],
            display_field=told["shown_as"],
            # The key's field is ours, and no field that anybody gives a value.
            fields={field["name"]: _field(field) for field in told["fields"] if field["name"] != KEY},
        )

    def key_routes(self, object_types: Sequence[str]) -> Exchange[Mapping[str, KeyRoute]]:
        """Look for the unique field ``crmseed_key``."""
        routes = {}
        for name in object_types:
            path = f"/schema/{self._native(name)}"
            told = (yield _get(path, f"look for {KEY} of {name}")).json()
            if any(field["name"] == KEY and field["unique"] for field in told["fields"]):
                routes[name] = KeyRoute("unique", KEY)
        return routes

    def make_key(self, object_type: str) -> Exchange[None]:
        """Make the unique field ``crmseed_key``."""
        path = f"/schema/{self._native(object_type)}/fields"
        body = {"name": KEY, "label": "crmseed key", "type": "text", "unique": True}
        yield Request("POST", path, f"make {KEY} on {object_type}", Effect.CREATE, body=body)

    def searchable(self, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
        """Return all of them: MiniCRM searches its records themselves."""
        yield from ()
        return frozenset(ids)

    def marked(self, object_type: str) -> Exchange[Mapping[str, str]]:
        """List the records that carry a key, page by page."""
        found: dict[str, str] = {}
        after = "0"
        while True:
            request = _get(self._path(object_type), f"list {object_type} that carry a key of ours")
            query = (("has", KEY), ("after", after))
            records = (yield Request(**_fields(request), query=query)).json()["records"]
            if not records:
                return found
            found |= {str(record["id"]): str(record[KEY]) for record in records}
            after = str(records[-1]["id"])

    # -- records ---------------------------------------------------------------------------------
    def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
        """Return the batch create; a refused record does not keep the others from being made."""
        return Request(
            "POST",
            f"{self._path(batch.object_type)}/batch",
            f"create {len(batch)} {batch.object_type}",
            Effect.CREATE,
            body={"records": [_body(draft, ids) for draft in batch.drafts]},
            records=len(batch),
        )

    def size(self, draft: Draft) -> int:
        """Return how many bytes a draft takes in a body, rather a few too many."""
        ids = {(link.object_type, link.index or 0): _LONGEST_ID for link in draft.links}
        # The comma, and each draft's share of what stands around the records.
        return len(json.dumps(_body(draft, ids), ensure_ascii=False).encode("utf-8")) + 20

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        """Return what became of each draft, matched by key."""
        results = {draft.key: RecordResult(draft) for draft in batch.drafts}
        for entry in answer.json()["results"]:
            result = results.get(str(entry["key"]))
            if result is None:
                continue
            if "record" in entry:
                result.id, result.native = str(entry["record"]["id"]), dict(entry["record"])
            else:
                result.refusals = (_refusal(entry["error"], answer.status, result.draft.values),)
        return list(results.values())

    def delete(self, object_type: str, ids: Sequence[str]) -> Request:
        """Return the deletion of records; MiniCRM passes over those that are gone."""
        return Request(
            "POST",
            f"{self._path(object_type)}/delete",
            f"delete {len(ids)} {object_type}",
            Effect.DELETE,
            body={"ids": list(ids)},
            records=len(ids),
        )

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Request:
        """Return the request that reads records by id; MiniCRM gives all fields."""
        request = _get(self._path(object_type), f"read {len(ids)} {object_type}")
        return Request(**_fields(request), query=(("ids", ",".join(ids)),))

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records of an answer."""
        return [Found(str(record["id"]), record) for record in answer.json()["records"]]

    def find(
        self,
        object_type: str,
        route: KeyRoute,
        sought: Sequence[Sought],
        fields: Sequence[str],
        *,
        since: float,
    ) -> Exchange[Mapping[str, Sequence[Found]]]:
        """Find records by their keys."""
        request = _get(self._path(object_type), f"look for {len(sought)} {object_type}")
        query = ((KEY, ",".join(each.key for each in sought)),)
        answer = yield Request(**_fields(request), query=query)
        return {str(record.native[KEY]): [record] for record in self.found(answer)}

    def portal_made(
        self, object_type: str, ids: Sequence[str], ours: Collection[str]
    ) -> Exchange[Sequence[PortalMade]]:
        """Return none: MiniCRM makes nothing by itself."""
        yield from ()
        return []

    # -- judging answers -------------------------------------------------------------------------
    def judge(self, request: Request, answer: Answer) -> Verdict:
        """Return how an answer is to be taken."""
        status = answer.status
        try:
            body = answer.json()
        except ValueError:
            return _no_json(request, status)
        if 200 <= status < 300:
            return Verdict(Outcome.DONE)
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return _no_json(request, status)
        message = f"MiniCRM refused to {request.what} ({status}): {error.get('message')}"
        if status == 429:
            wait = answer.headers.get("retry-after", "")
            throttled = Throttled(message, status=status)
            return Verdict(Outcome.NOT_EXECUTED, throttled, float(wait) if wait.isdigit() else None)
        if status >= 500:
            return Verdict(Outcome.FAILED, PortalError(message, status=status))
        if status in (401, 403):
            unauthorized = Unauthorized(message, remedy="Check MINICRM_API_KEY.", status=status)
            return Verdict(Outcome.REFUSED, unauthorized)
        refused = TooLarge if status == 413 else ApiRefused
        return Verdict(
            Outcome.REFUSED, refused(message, status=status, refusals=[_refusal(error, status, {})])
        )

    def readings(self, request: Request, answer: Answer, now: datetime) -> Sequence[Reading]:
        """Return none: MiniCRM does not tell what is left of its rate."""
        return []

    # -- paths -----------------------------------------------------------------------------------
    def _native(self, object_type: str) -> str:
        entry = self.legend.objects.get(object_type)
        return entry.native if entry else object_type

    def _path(self, object_type: str) -> str:
        return f"/records/{self._native(object_type)}"


def _get(path: str, what: str) -> Request:
    return Request("GET", path, what, Effect.READ)


def _fields(request: Request) -> dict[str, Any]:
    return {"method": request.method, "path": request.path, "what": request.what, "effect": request.effect}


def _body(draft: Draft, ids: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    rules = LINKS.get(draft.object_type, {})
    parents = {
        rules[link.field].home: link.id or ids[(link.object_type, link.index or 0)] for link in draft.links
    }
    return {**parents, **draft.values, KEY: draft.key}


def _field(told: Mapping[str, Any]) -> Field:
    return Field(
        name=told["name"],
        label=told["label"],
        kind=_KINDS.get(told["type"], Kind.OTHER),
        options=tuple(Option(choice["value"], choice["label"]) for choice in told.get("choices", ())),
        required=told.get("required", False),
        read_only=told.get("read_only", False),
        unique=told.get("unique", False),
        max_length=told.get("longest"),
        references=(told["to"],) if "to" in told else (),
    )


def _refusal(error: Mapping[str, Any], status: int, sent: Mapping[str, Any]) -> Refusal:
    field = error.get("field")
    return Refusal(
        message=str(error.get("message") or "no reason given"),
        code=str(error.get("code") or ""),
        field=field,
        value=sent.get(field) if field else None,
        status=status,
        conflict=error.get("code") == "taken",
        body=json.dumps(error),
    )


def _no_json(request: Request, status: int) -> Verdict:
    error = NotAPortal(
        f"The address answered {status}, and not as MiniCRM does, to: {request.what}.",
        remedy="Check MINICRM_URL, and proxies on the way.",
        status=status,
    )
    # A proxy may have put it in the place of the answer to what was done.
    return Verdict(Outcome.REFUSED if request.effect is Effect.READ else Outcome.FAILED, error)
