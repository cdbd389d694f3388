"""Salesforce's schema, read live: describes of object types and custom objects, and stages.

Sources: Salesforce docs, "sObject Describe", "Describe Global"; "Object Reference", OpportunityStage and
CaseStatus.

Requests: one for the list of objects, one describe for each object type and each custom object, two for
stages, one for the record types of person accounts where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Unauthorized
from pytest_crmseed.providers.base import Effect, Exchange, Request, Rounds, together
from pytest_crmseed.providers.salesforce import definitions, person_accounts, soql
from pytest_crmseed.providers.salesforce.definitions import ROLES, Json, base_of
from pytest_crmseed.providers.salesforce.person_accounts import ACCOUNT
from pytest_crmseed.schema.model import ObjectType, Schema

_PRODUCT, _ENTRY, _DEAL = "Product2", "PricebookEntry", "Opportunity"

# What their own pages say of stages, by object type.
_STAGES = {
    _DEAL: (
        "SELECT ApiName, MasterLabel, IsClosed, IsWon, DefaultProbability FROM OpportunityStage "
        "WHERE IsActive = true ORDER BY SortOrder"
    ),
    "Case": "SELECT ApiName, MasterLabel, IsClosed FROM CaseStatus ORDER BY SortOrder",
}

_CONSEQUENCES = {
    "objects": "custom objects cannot be seeded",
    "stages": "those that Salesforce has from the start are known, others count as open",
    "record types": "of those of people only the one named Person Account is known",
    "fields": "these object types cannot be seeded",
}


class Discovery:
    """Read the schema of one org: object types of the snapshot ``known``, and its custom objects.

    What the org does not have, or the user may not see, is left out and noted in the schema's ``gaps``.
    """

    def __init__(self, version: str, known: Schema) -> None:
        self._version = version
        self._known = known
        self._found: dict[str, ObjectType] = {}
        self._rows: dict[str, Sequence[Json]] = {}
        self._customs: list[str] = []
        self._person_types: list[str] | None = None
        self._refused: dict[tuple[str, str], list[str]] = {}
        self._first_refusal: PortalError | None = None

    def schema(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Return the live schema of these object types, by native name, and of all custom objects.

        Raises:
            PortalError: the org fails, or lets nothing be read.
        """
        asked = dict.fromkeys(map(base_of, object_types))
        # What is described for the sake of another: prices of products, roles of contacts.
        more = {_PRODUCT: _ENTRY, _DEAL: ROLES}
        names = dict.fromkeys([*asked, *(more[name] for name in asked if name in more)])
        first = [self._list(), *map(self._describe, names), *(self._stages(n) for n in asked if n in _STAGES)]
        yield from together(first)
        if not self._found and self._first_refusal is not None:
            raise self._first_refusal
        then = [self._describe(name) for name in self._customs if name not in self._found]
        account = self._found.get(ACCOUNT)
        if account is not None and person_accounts.are_on(account):
            then.append(self._people())
        yield from together(then)
        found = {
            name: definitions.with_stages(each, self._rows.get(name)) for name, each in self._found.items()
        }
        if _DEAL in found:
            found[_DEAL] = definitions.with_roles(found[_DEAL], found.get(ROLES))
        if _PRODUCT in found:
            found[_PRODUCT] = definitions.with_price(found[_PRODUCT], found.get(_ENTRY))
        every = {
            variant.name: variant
            for name in (*names, *self._customs)
            if name in found
            for variant in definitions.variants(found[name], self._person_types)
        }
        return Schema(
            provider=self._known.provider,
            object_types=definitions.with_id_patterns(every),
            source="live",
            taken_at=taken_at,
            portal_id=portal_id,
            complete=True,
            gaps=tuple(self._gaps()),
        )

    def _list(self) -> Exchange[None]:
        path = f"{soql.root(self._version)}/sobjects"
        try:
            body: Any = (yield self._get(path, "list the objects")).json()
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note("objects", "", refused)
            return
        self._customs = [
            str(entry["name"])
            for entry in body.get("sobjects") or ()
            if str(entry["name"]).endswith("__c")
            and entry.get("custom")
            and entry.get("createable")
            and entry.get("deletable")
            and entry.get("queryable")
            and not entry.get("customSetting")
            and not entry.get("deprecatedAndHidden")
        ]

    def _describe(self, name: str) -> Exchange[None]:
        path = f"{soql.root(self._version)}/sobjects/{name}/describe"
        try:
            described: Any = (yield self._get(path, f"describe {name}")).json()
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note("fields", name, refused)
            return
        object_type = definitions.object_type_of(described)
        snapshot = self._known.object_types.get(name)
        if snapshot is not None and not object_type.display_field:
            object_type = replace(object_type, display_field=snapshot.display_field)
        self._found[name] = object_type

    def _stages(self, name: str) -> Exchange[None]:
        try:
            self._rows[name] = yield from soql.rows(
                self._version, _STAGES[name], f"read the stages of {name}"
            )
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note("stages", name, refused)

    def _people(self) -> Exchange[None]:
        try:
            rows = yield from soql.rows(
                self._version, person_accounts.PERSON_TYPES, "read the record types of person accounts"
            )
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note("record types", ACCOUNT, refused)
        else:
            self._person_types = [str(row["Id"]) for row in rows]

    def _get(self, path: str, what: str) -> Request:
        return Request("GET", path, what, Effect.READ, buckets=soql.BUCKETS)

    def _note(self, part: str, name: str, refused: PortalError) -> None:
        if refused.status == 401:
            raise refused
        self._first_refusal = self._first_refusal or refused
        code = next((x.code for x in getattr(refused, "refusals", ()) if x.code), "")
        reason = f"Salesforce answers {refused.status}{f', {code}' if code else ''}"
        self._refused.setdefault((part, reason), []).append(name)

    def _gaps(self) -> list[str]:
        gaps = []
        for (part, reason), names in self._refused.items():
            of = f" of {', '.join(names)}" if any(names) else ""
            gaps.append(f"The {part}{of} could not be read ({reason}): {_CONSEQUENCES[part]}.")
        return gaps
