"""Odoo's requests and answers. Sends nothing.

Sources: Odoo docs, "External JSON-2 API", "External RPC API", "ORM API" (``load``, ``search_read``,
``unlink``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pytest_crmseed.errors import NotAPortal, Unauthorized
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
from pytest_crmseed.providers.odoo import linking, sign_in
from pytest_crmseed.providers.odoo.calls import Session, model_and_method, result_of
from pytest_crmseed.providers.odoo.capabilities import (
    API_VERSIONS,
    CAPABILITIES,
    CREDENTIALS,
    DATABASE,
    JSON_RPC,
    KEY,
    MODULE,
    URL,
)
from pytest_crmseed.providers.odoo.definitions import STAGE_FIELD, model_of
from pytest_crmseed.providers.odoo.discovery import Discovery
from pytest_crmseed.providers.odoo.judging import judge
from pytest_crmseed.providers.odoo.legend import LEGEND
from pytest_crmseed.providers.odoo.writing import held, matrix, row_of
from pytest_crmseed.records import Batch, Draft, RecordResult
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import Kind, ObjectType, Schema

_IDS = "ir.model.data"
_ROUTE = KeyRoute("unique", KEY)
# No id is longer: bodies are measured before the parents' ids are known.
_ID = "0" * 10


class Odoo:
    """The Odoo provider, for one database.

    Signing in tells it the protocol that the server speaks.
    """

    name: ClassVar[str] = "odoo"
    title: ClassVar[str] = "Odoo"
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
        self._chosen = api_version
        self._session = Session("")
        self._origin = ""

    @property
    def enforces_admin_rules(self) -> bool:
        """What an administrator made required is so in the schema itself."""
        return False

    # -- the way in ------------------------------------------------------------------------------
    def base_url(self, credentials: Mapping[str, str]) -> str:
        """Return the server's own address."""
        return credentials[URL].rstrip("/")

    def headers(self, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers of JSON-2."""
        return sign_in.bearer(credentials)

    def sign_in(self, credentials: Mapping[str, str]) -> Exchange[Mapping[str, str]]:
        """Ask for the version, sign in as it takes, and return the headers: none for JSON-RPC.

        Raises:
            UsageError: it takes a login, and there is none.
            Unauthorized: the server knows no such user of this database.
        """
        signed = yield from sign_in.sign_in(credentials, self._chosen)
        self._session, self.api_version = signed.session, signed.api_version
        return signed.headers

    def account(self, credentials: Mapping[str, str]) -> Exchange[Account]:
        """Ask who the user is, and for the currency; a database is known by its name alone.

        An answer proves the name: the server was asked for this database and no other.
        """
        self._origin = credentials.get(URL, "").rstrip("/")
        # JSON-2 is asked nothing before this: it tells whether the key is one.
        context = result_of((yield self._session.call("res.users", "context_get", "ask who the user is")))
        if not isinstance(context, Mapping):
            raise NotAPortal(
                "The address does not answer as Odoo does to: ask who the user is.",
                remedy=f"Check {URL}, and proxies on the way.",
            )
        what = "ask for the company"
        companies = yield from self._session.rows("res.company", [], ("currency_id",), what)
        currency = companies[0].get("currency_id") if companies else None
        return Account(
            portal_id=credentials[DATABASE],
            kind="database",
            production=None,
            ui_url=self._origin,
            currency=str(currency[1]) if isinstance(currency, list) else "",
            sandbox_name=True,
        )

    def scopes(self, object_types: Sequence[str]) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Return none: rights are the user's, by model."""
        return {}

    def discover(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Read the fields of all models that hold records of people's, stages and lists."""
        discovery = Discovery(self._session, self.schema)
        return discovery.schema(object_types, portal_id=portal_id, taken_at=taken_at)

    def key_routes(self, object_types: Sequence[str]) -> Exchange[Mapping[str, KeyRoute]]:
        """Return that all go by their external ids, if the user may read those.

        Raises:
            Unauthorized: the user may not.
        """
        what = "ask whether external ids may be read"
        if self.api_version == JSON_RPC:
            ask = self._session.call(
                _IDS, "check_access_rights", what, operation="read", raise_exception=False
            )
        else:
            ask = self._session.call(_IDS, "has_access", what, operation="read")
        if result_of((yield ask)) is not True:
            raise Unauthorized(
                "Odoo does not let this user read external ids (ir.model.data), by which records of ours are "
                "told from others. Nothing was written.",
                remedy="Use the API key of a user with the right 'Administration: Access Rights'.",
                status=403,
            )
        return dict.fromkeys(object_types, _ROUTE)

    def make_key(self, object_type: str) -> Exchange[None]:
        """Do nothing: every record can have an external id."""
        yield from ()

    def searchable(self, object_type: str, ids: Sequence[str]) -> Exchange[frozenset[str]]:
        """Return all of them: searches read the records themselves, and trail behind nothing."""
        yield from ()
        return frozenset(ids)

    def marked(self, object_type: str) -> Exchange[Mapping[str, str]]:
        """Search the external ids of ours that are of an object type's model."""
        domain = [["module", "=", MODULE], ["model", "=", self._model(object_type)]]
        what = f"search {object_type} that carry a key of ours"
        rows = yield from self._session.rows(_IDS, domain, ("name", "res_id"), what)
        return {str(row["res_id"]): str(row["name"]) for row in rows}

    # -- records ---------------------------------------------------------------------------------
    def create(self, batch: Batch, ids: Mapping[tuple[str, int], str]) -> Request:
        """Return the import that creates a batch, all of it or nothing."""
        columns, data = matrix([self._row(draft, ids) for draft in batch.drafts])
        return self._session.call(
            self._model(batch.object_type),
            "load",
            f"create {len(batch)} {batch.object_type}",
            Effect.CREATE,
            records=len(batch),
            fields=columns,
            data=data,
        )

    def _row(self, draft: Draft, ids: linking.Ids) -> dict[str, str]:
        object_type = self._object_type(draft.object_type)
        rules = self.links.get(draft.object_type) or self._rules(draft, object_type)
        return row_of(object_type, draft.key, draft.values, linking.columns(draft, rules, ids))

    def _rules(self, draft: Draft, object_type: ObjectType) -> dict[str, LinkRule]:
        """Return the link rules of a model that goes by its own name: its required references."""
        rules: dict[str, LinkRule] = {}
        for link in draft.links:
            to = model_of(self._native(link.object_type))
            homes = [
                field.name
                for field in object_type.fields.values()
                if field.kind is Kind.REFERENCE and to in field.references
            ]
            if homes:
                home = link.field if link.field in homes else homes[0]
                rules[link.field] = LinkRule(link.object_type, home=home)
        return rules

    def size(self, draft: Draft) -> int:
        """Return how many bytes a draft takes in a batch's body, rather a few too many."""
        ids = {(link.object_type, link.index or 0): _ID for link in draft.links}
        return len(json.dumps(self._row(draft, ids), ensure_ascii=False).encode("utf-8"))

    def results(self, batch: Batch, answer: Answer) -> Sequence[RecordResult]:
        """Return the ids of a batch, in its order.

        Raises:
            NotAPortal: the answer does not have as many ids as there are drafts.
        """
        result = result_of(answer)
        ids = result.get("ids") if isinstance(result, Mapping) else None
        if not isinstance(ids, list) or len(ids) != len(batch):
            raise NotAPortal(
                f"Odoo's answer does not have {len(batch)} ids, to: {answer.request.what}.",
                status=answer.status,
            )
        return [
            RecordResult(draft, str(id), native=dict(draft.values), url=self._url(batch.object_type, str(id)))
            for draft, id in zip(batch.drafts, ids, strict=True)
        ]

    def delete(self, object_type: str, ids: Sequence[str]) -> Request:
        """Return the request that deletes records, all of them or none: one that is gone stops it."""
        return self._session.call(
            self._model(object_type),
            "unlink",
            f"delete {len(ids)} {object_type}",
            Effect.DELETE,
            ids=[int(id) for id in ids],
            records=len(ids),
        )

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Request:
        """Return the search for records by id, archived ones too; it finds those that exist.

        Our key is no field of theirs: it is read where nothing else is asked for.
        """
        if list(fields) == [KEY]:
            domain = [["module", "=", MODULE], ["model", "=", self._model(object_type)]]
            return self._session.search(
                _IDS,
                [*domain, ["res_id", "in", [int(id) for id in ids]]],
                ("name", "res_id"),
                f"read the external ids of {len(ids)} {object_type}",
                records=len(ids),
            )
        object_fields = self._object_type(object_type).fields
        stage = object_fields.get(STAGE_FIELD)
        # It tells a lost deal from one that has no stage.
        more = ("active",) if stage is not None and stage.external == "stages" else ()
        return self._session.search(
            self._model(object_type),
            [["id", "in", [int(id) for id in ids]]],
            [*(field for field in fields if field != KEY), *more],
            f"read {len(ids)} {object_type}",
            records=len(ids),
        )

    def found(self, answer: Answer) -> Sequence[Found]:
        """Return the records of a read; those that are gone are not among them.

        Raises:
            NotAPortal: the answer is no list of records.
        """
        rows = result_of(answer)
        if not isinstance(rows, list):
            raise NotAPortal(
                f"Odoo's answer is no list of records, to: {answer.request.what}.", status=answer.status
            )
        model, _ = model_and_method(answer.request)
        if model == _IDS:
            return [Found(str(row["res_id"]), {KEY: row["name"]}) for row in rows]
        return [self._found(model, row) for row in rows]

    def find(
        self,
        object_type: str,
        route: KeyRoute,
        sought: Sequence[Sought],
        fields: Sequence[str],
        *,
        since: float,
    ) -> Exchange[Mapping[str, Sequence[Found]]]:
        """Find records by their external ids, and read them: an external id may outlive its record."""
        keys = [each.key for each in sought]
        model = self._model(object_type)
        domain = [["module", "=", MODULE], ["model", "=", model], ["name", "in", keys]]
        what = f"look for the external ids of {object_type}"
        rows = yield from self._session.rows(_IDS, domain, ("name", "res_id"), what)
        if not rows:
            return {}
        ids = {str(row["res_id"]): str(row["name"]) for row in rows}
        records = self.found((yield self.read(object_type, list(ids), fields)))
        found: dict[str, list[Found]] = {}
        for record in records:
            found.setdefault(ids[record.id], []).append(record)
        return found

    def portal_made(
        self, object_type: str, ids: Sequence[str], ours: Collection[str]
    ) -> Exchange[Sequence[PortalMade]]:
        """Return none: what Odoo makes with a record goes with it."""
        yield from ()
        return ()

    # -- judging answers -------------------------------------------------------------------------
    def judge(self, request: Request, answer: Answer) -> Verdict:
        """Return how an answer is to be taken, by the exception it names."""
        return judge(request, answer)

    def readings(self, request: Request, answer: Answer, now: datetime) -> Sequence[Reading]:
        """Return none: there are no budgets."""
        return ()

    # -- names -----------------------------------------------------------------------------------
    def _native(self, object_type: str) -> str:
        entry = self.legend.objects.get(object_type)
        return entry.native if entry else object_type

    def _model(self, object_type: str) -> str:
        return model_of(self._native(object_type))

    def _object_type(self, object_type: str) -> ObjectType:
        native = self._native(object_type)
        return self.schema.object_types.get(native) or ObjectType(native, native, native, {})

    def _found(self, model: str, row: Mapping[str, Any]) -> Found:
        # A lead and a deal are of one model, and only a deal has stages that are known to be such.
        kind = "crm.lead:opportunity" if model == "crm.lead" else model
        object_type = self.schema.object_types.get(kind) or self.schema.object_types.get(model)
        return Found(str(row["id"]), held(object_type, row), self._url(model, str(row["id"])))

    def _url(self, object_type: str, id: str) -> str | None:
        if not self._origin:
            return None
        model = self._model(object_type)
        if self.api_version == JSON_RPC:
            return f"{self._origin}/web#id={id}&model={model}&view_type=form"
        return f"{self._origin}/odoo/{model}/{id}"
