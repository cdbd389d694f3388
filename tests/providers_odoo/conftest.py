"""A database in memory that answers as Odoo does, by both protocols."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.redaction import Redactor
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.planning import Count
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.odoo import Odoo
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import Address, Target

URL = "https://acme-staging.odoo.example"
CREDENTIALS = {
    "ODOO_URL": URL,
    "ODOO_DATABASE": "staging",
    "ODOO_API_KEY": "0123456789abcdef0123456789abcdef01234567",
    "ODOO_LOGIN": "seeder",
}


class Failed(Exception):
    """An exception of the server's, by name and message."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name = status, name


class Database:
    """Records of any model with their external ids; answers requests as a server of ``major`` does.

    ``protected`` are ids that cannot be deleted. ``sent`` are the requests, in order.
    """

    def __init__(self, major: int = 19) -> None:
        self.major = major
        self.records: dict[str, dict[int, dict[str, Any]]] = {}
        self.external: dict[str, tuple[str, int]] = {}
        self.protected: set[int] = set()
        self.sent: list[Request] = []
        self.redactor = Redactor(CREDENTIALS.values())
        self._next = 0

    # -- the wire --------------------------------------------------------------------------------
    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        status, body = self._answer(request)
        return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode(), request)

    def sign_in(self, headers: Mapping[str, str]) -> None:
        self.headers = headers

    def close(self) -> None:
        pass

    def _answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/web/version":
            if self.major < 19:
                return 404, "no such page"
            return 200, {"version_info": [self.major, 0, 0, "final", 0, ""], "version": f"{self.major}.0"}
        if request.path == "/jsonrpc":
            params = request.body["params"]
            try:
                return 200, {"jsonrpc": "2.0", "id": 1, "result": self._service(params)}
            except Failed as failed:
                data = {"name": failed.name, "message": str(failed), "debug": "Traceback…"}
                error = {"code": 0, "message": "Odoo Server Error", "data": data}
                return 200, {"jsonrpc": "2.0", "id": 1, "error": error}
        model, method = request.path.removeprefix("/json/2/").split("/")
        try:
            named = dict(request.body)
            return 200, self.call(model, method, named.pop("ids", None), named)
        except Failed as failed:
            return failed.status, {"name": failed.name, "message": str(failed), "debug": "Traceback…"}

    def _service(self, params: Mapping[str, Any]) -> Any:
        arguments = params["args"]
        if params["method"] == "version":
            return {"server_version_info": [self.major, 0, 0, "final", 0, ""]}
        if params["method"] == "authenticate":
            return 7 if arguments[:3] == ["staging", "seeder", CREDENTIALS["ODOO_API_KEY"]] else False
        database, uid, key, model, method, positional, named = arguments
        assert (database, uid, key) == ("staging", 7, CREDENTIALS["ODOO_API_KEY"])
        return self.call(model, method, positional[0] if positional else None, named)

    # -- models ----------------------------------------------------------------------------------
    def call(self, model: str, method: str, ids: list[int] | None, named: Mapping[str, Any]) -> Any:
        assert named["context"]["lang"] == "en_US"
        if method in ("has_access", "check_access_rights"):
            return True
        if method == "context_get":
            return {"uid": 7, "lang": "en_US"}
        rows = self.records.setdefault(model, {})
        if method == "load":
            return self._load(model, rows, named)
        if method == "search_read":
            return [self._read(model, id, named["fields"]) for id in self._search(model, named["domain"])]
        assert method == "unlink" and ids is not None, (model, method)
        if gone := [id for id in ids if id not in rows]:
            message = f"Record does not exist or has been deleted.\n(Record: {model}({gone[0]},), User: 7)"
            raise Failed(404, "odoo.exceptions.MissingError", message)
        if self.protected & set(ids):
            message = "You cannot delete contacts linked to an active user."
            raise Failed(500, "odoo.exceptions.RedirectWarning", message)
        for id in ids:
            del rows[id]
        self.external = {name: to for name, to in self.external.items() if to[0] != model or to[1] in rows}
        return True

    def _load(self, model: str, rows: dict[int, dict[str, Any]], named: Mapping[str, Any]) -> Any:
        made = [dict(zip(named["fields"], cells, strict=True)) for cells in named["data"]]
        for number, row in enumerate(made):
            if "name" in row and row["name"] in ("", "nameless"):
                message = (
                    "Missing required value for the field 'Opportunity' (name).\nModel: 'Lead' (crm.lead)\n"
                    "- create/update: a mandatory field is not set\n- delete: another model requires it"
                )
                where = {"rows": {"from": number, "to": number}, "record": number}
                error = {**where, "type": "error", "message": message, "field": "name"}
                return {"ids": False, "messages": [error], "nextrow": 0}
        ids = []
        for row in made:
            name = row.pop("id").removeprefix("crmseed.")
            if name not in self.external:
                self._next += 1
                self.external[name] = (model, self._next)
            ids.append(self.external[name][1])
            rows[ids[-1]] = row
        return {"ids": ids, "messages": [], "nextrow": 0}

    def _search(self, model: str, domain: list[Any]) -> list[int]:
        wanted = {field: value for field, _, value in domain}
        if model == "ir.model.data":
            names = sorted(self.external)
            return [
                names.index(name)
                for name, (of, id) in self.external.items()
                if of == wanted["model"]
                and name in wanted.get("name", names)
                and id in wanted.get("res_id", [id])
            ]
        return sorted(id for id in self.records[model] if id in wanted.get("id", [id]))

    def _read(self, model: str, id: int, fields: list[str]) -> dict[str, Any]:
        if model == "ir.model.data":
            name = sorted(self.external)[id]
            return {"id": id, "name": name, "res_id": self.external[name][1]}
        row = self.records[model][id]
        held: dict[str, Any] = {"id": id}
        for field in fields:
            if f"{field}/.id" in row:
                held[field] = [int(row[f"{field}/.id"]), "somebody"] if row[f"{field}/.id"] else False
            elif field == "active":
                held[field] = row.get(field, "1") == "1"
            elif field != "id":
                held[field] = row.get(field) or False
        return held


class Scene:
    """An engine before a database in memory."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        schema = catalog.bundled("odoo")
        provider = Odoo(schema)
        connection = Connection(
            provider,
            database,  # type: ignore[arg-type]
            Budget((), scopes={}),
            RetryPolicy(sleep=lambda seconds: None),
            sign_in=lambda: provider.sign_in(CREDENTIALS),
        )
        connection.sign_in()
        account = connection.run(provider.account(CREDENTIALS))
        address = Address(URL, CREDENTIALS, CREDENTIALS["ODOO_API_KEY"])
        self.target = Target(
            provider, connection, account, Translator(provider.legend, schema), address, Chosen(schema)
        )
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.engine = Engine(
            self.target,
            self.ledger,
            RunInfo("run"),
            Limits(),
            errors=ErrorFile(folder / "crm-errors.jsonl"),
            sleep=lambda seconds: None,
        )

    def seed(self, counts: Mapping[str, int | Count]) -> Seed:
        return self.engine.seed(counts, Recipe(random_seed=7, base_date=date(2026, 11, 2)), node="test")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    scenes: list[Scene] = []

    def made(major: int = 19) -> Scene:
        folder = tmp_path / str(len(scenes))
        folder.mkdir()
        scenes.append(Scene(Database(major), folder))
        return scenes[-1]

    yield made
    for each in scenes:
        each.engine.end()
        each.ledger.close()
        each.target.close()
