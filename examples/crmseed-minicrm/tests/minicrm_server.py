"""A MiniCRM to test against: a small HTTP server on SQLite."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Field = dict[str, Any]


def _field(name: str, type: str = "text", **more: Any) -> Field:
    return {"name": name, "label": name.replace("_", " ").capitalize(), "type": type, "unique": False, **more}


_KEY = _field("crmseed_key", unique=True)
_CREATED = _field("created_on", "date", read_only=True)
_PHASES = [
    {"value": x, "label": x.capitalize()} for x in ("lead", "contacted", "offer", "talks", "won", "lost")
]
SCHEMA: dict[str, dict[str, Any]] = {
    "organisations": {
        "label": "Organisation",
        "plural": "Organisations",
        "shown_as": "name",
        "fields": [
            _field("name", required=True, longest=120),
            _field("website"),
            _field("phone", "phone"),
            _field("staff", "whole"),
            _field("city"),
        ],
    },
    "people": {
        "label": "Person",
        "plural": "People",
        "shown_as": "family_name",
        "fields": [
            _field("given_name"),
            _field("family_name", required=True),
            _field("email", "email", unique=True),
            _field("phone", "phone"),
            _field("organisation_id", "link", to="organisations"),
        ],
    },
    "deals": {
        "label": "Deal",
        "plural": "Deals",
        "shown_as": "title",
        "fields": [
            _field("title", required=True),
            _field("value", "decimal"),
            _field("phase", "choice", choices=_PHASES, required=True),
            _field("closes_on", "date"),
            _field("organisation_id", "link", to="organisations", required=True),
            _field("person_id", "link", to="people"),
        ],
    },
}
for _object_type in SCHEMA.values():
    _object_type["fields"] += [_CREATED, _KEY]

PAGE = 50


class Refused(Exception):
    """What MiniCRM says no to."""

    def __init__(self, status: int, message: str, field: str | None = None, code: str = "invalid") -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "field": field, "code": code}


class MiniCRMServer:
    """MiniCRM on a loopback address, as a context manager; ``count`` looks into its database."""

    def __init__(self, api_key: str = "minicrm-key-0001", plan: str = "sandbox") -> None:
        self.api_key = api_key
        self.plan = plan
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(
            "CREATE TABLE records (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, body TEXT)"
        )
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, data = server.handle(self.command, self.path, self.headers.get("X-Api-Key"), body)
                content = json.dumps(data).encode("utf-8")
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
        self._database.close()

    def count(self, native: str) -> int:
        """Return how many records of a type the database holds."""
        with self._lock:
            return self._database.execute(
                "SELECT count(*) FROM records WHERE type = ?", (native,)
            ).fetchone()[0]

    # -- requests --------------------------------------------------------------------------------
    def handle(self, method: str, target: str, key: str | None, body: bytes) -> tuple[int, Any]:
        """Answer a request: status and JSON data."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        with self._lock:
            try:
                if key != self.api_key:
                    raise Refused(401, "This API key is unknown.")
                return 200, self._route(method, url.path, query, json.loads(body) if body else None)
            except Refused as refused:
                return refused.status, {"error": refused.error}

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        if path == "/me":
            return {"account": "mini-1", "plan": self.plan}
        found = re.fullmatch(r"/(schema|records)/(\w+)(?:/(batch|delete))?", path)
        if not found or found[2] not in SCHEMA:
            raise Refused(404, f"There is no {path}.")
        where, native, action = found.groups()
        if where == "schema":
            return SCHEMA[native]
        if action == "batch":
            return {"results": [self._create(native, values) for values in body["records"]]}
        if action == "delete":
            for record_id in body["ids"]:
                self._database.execute("DELETE FROM records WHERE id = ? AND type = ?", (record_id, native))
            return {"deleted": True}
        return {"records": self._select(native, query)}

    def _select(self, native: str, query: dict[str, str]) -> list[dict[str, Any]]:
        records = self._all(native)
        if "ids" in query:
            wanted = set(query["ids"].split(","))
            return [record for record in records if str(record["id"]) in wanted]
        if "crmseed_key" in query:
            wanted = set(query["crmseed_key"].split(","))
            return [record for record in records if record.get("crmseed_key") in wanted]
        after = int(query.get("after", "0"))
        has = query.get("has", "id")
        return [record for record in records if record["id"] > after and record.get(has) is not None][:PAGE]

    def _all(self, native: str) -> list[dict[str, Any]]:
        rows = self._database.execute("SELECT id, body FROM records WHERE type = ? ORDER BY id", (native,))
        return [{"id": record_id, **json.loads(body)} for record_id, body in rows]

    def _create(self, native: str, values: dict[str, Any]) -> dict[str, Any]:
        try:
            self._check(native, values)
        except Refused as refused:
            return {"key": values.get("crmseed_key"), "error": refused.error}
        held = {**values, "created_on": date.today().isoformat()}
        cursor = self._database.execute(
            "INSERT INTO records (type, body) VALUES (?, ?)", (native, json.dumps(held))
        )
        return {"key": values.get("crmseed_key"), "record": {"id": cursor.lastrowid, **held}}

    def _check(self, native: str, values: dict[str, Any]) -> None:
        fields = {field["name"]: field for field in SCHEMA[native]["fields"]}
        for name in values:
            if name not in fields or fields[name].get("read_only"):
                raise Refused(400, f"{native} have no field {name} to write.", name)
        for name, field in fields.items():
            value = values.get(name)
            if value is None:
                if field.get("required"):
                    raise Refused(400, f"{field['label']} is required.", name)
                continue
            self._check_value(native, field, value)

    def _check_value(self, native: str, field: Field, value: Any) -> None:
        name, type = field["name"], field["type"]
        patterns = {"decimal": r"-?\d+(\.\d+)?", "date": r"\d{4}-\d\d-\d\d", "email": r"[^@]+@[^@]+"}
        if type in patterns and not re.fullmatch(patterns[type], str(value)):
            raise Refused(400, f"{value!r} is no {type}.", name)
        if type == "whole" and not isinstance(value, int):
            raise Refused(400, f"{value!r} is no whole number.", name)
        if type == "choice" and value not in [choice["value"] for choice in field["choices"]]:
            raise Refused(400, f"{value!r} is none of the choices.", name)
        if type == "link" and not any(str(record["id"]) == str(value) for record in self._all(field["to"])):
            raise Refused(400, f"There is no record {value} of {field['to']}.", name)
        if len(str(value)) > field.get("longest", 1000):
            raise Refused(400, f"{field['label']} is too long.", name)
        if field["unique"] and any(record.get(name) == value for record in self._all(native)):
            raise Refused(409, f"{field['label']} {value!r} is taken.", name, "taken")
