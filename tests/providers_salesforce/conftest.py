"""An org in memory, as the reference describes one, and the facts that tests quote."""

from __future__ import annotations

import json
import re
import string
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pytest_crmseed.events import Event
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.limits import Budget
from pytest_crmseed.ingest.redaction import Redactor
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.planning import Count
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.providers.salesforce.ids import full_id
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Schema
from pytest_crmseed.seeder.errorfile import ErrorFile
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo, Seed
from pytest_crmseed.seeder.target import Address, Target

ORIGIN = "https://acme--dev.sandbox.my.salesforce.com"
CREDENTIALS = {"SALESFORCE_INSTANCE_URL": ORIGIN, "SALESFORCE_ACCESS_TOKEN": "00D000000000001!AQ.secret"}
ORGANIZATION = {
    "Id": "00D7e0000000001EAA",
    "Name": "Acme",
    "IsSandbox": True,
    "OrganizationType": "Developer Edition",
    "TrialExpirationDate": None,
    "InstanceName": "CS420",
    "NamespacePrefix": None,
}
KEY = "crmseed_key__c"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# What goes with a deleted record, and what keeps one from being deleted.
_CASCADE = {
    "Account": {"Contact": "AccountId", "Opportunity": "AccountId"},
    "Contact": {"OpportunityContactRole": "ContactId", "CampaignMember": "ContactId", "Task": "WhoId"},
    "Opportunity": {"OpportunityContactRole": "OpportunityId", "OpportunityLineItem": "OpportunityId"},
    "Product2": {"PricebookEntry": "Product2Id"},
    "Order": {"OrderItem": "OrderId"},
    "Campaign": {"CampaignMember": "CampaignId"},
}
_RESTRICT = {
    "Account": {"Case": "AccountId", "Order": "AccountId"},
    "Contact": {"Case": "ContactId"},
    "Product2": {"OpportunityLineItem": "Product2Id"},
}
Json = dict[str, Any]


def refused(code: str, message: str, *fields: str) -> Json:
    return {
        "success": False,
        "errors": [{"statusCode": code, "message": message, "fields": list(fields)}],
    }


class Org:
    """A transport that leads to an org; ``faults`` are asked before each request."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.requests: list[Request] = []
        self.redactor = Redactor([])
        self.faults: list[Callable[[Request], Answer | None]] = []
        self.row_faults: list[Callable[[Json], Json | None]] = []
        self.after: list[Callable[[Request], None]] = []
        self.rows: dict[str, dict[str, Json]] = {}
        self.bin: set[str] = set()
        self._count = 0
        self._lock = threading.RLock()
        self.book = self._new("Pricebook2", {"Name": "Standard", "IsStandard": True, "IsActive": True})
        self._new("Organization", ORGANIZATION)

    def close(self) -> None:
        """Nothing is open."""

    @property
    def counts(self) -> dict[str, int]:
        own = ("Pricebook2", "Organization")
        return {name: len(rows) for name, rows in self.rows.items() if rows and name not in own}

    @property
    def writes(self) -> list[Request]:
        return [r for r in self.requests if r.effect.value == "create"]

    def send(self, request: Request) -> Answer:
        with self._lock:
            return self._send(request)

    def _send(self, request: Request) -> Answer:
        self.requests.append(request)
        for fault in self.faults:
            if (answer := fault(request)) is not None:
                return answer
        status, body = self.handle(request.method, request.path, dict(request.query), request.body)
        for after in self.after:
            after(request)
        text = json.dumps(body) if body is not None else ""
        headers = {
            "content-type": "application/json;charset=UTF-8",
            "sforce-limit-info": f"api-usage={len(self.requests)}/15000",
        }
        return Answer(status, headers, text.encode(), request)

    def handle(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        tail = re.sub(r"^/services/data/v\d+\.0", "", path)
        if (method, tail) == ("GET", "/query"):
            return self._query(query["q"])
        if (method, tail) == ("POST", "/composite/sobjects"):
            assert body["allOrNone"] is False and len(body["records"]) <= 200
            return 200, [self._create(row) for row in body["records"]]
        if match := re.fullmatch(rf"/composite/sobjects/(\w+)/{KEY}", tail):
            assert method == "PATCH" and {row["attributes"]["type"] for row in body["records"]} == {match[1]}
            return 200, [self._upsert(row) for row in body["records"]]
        if (method, tail) == ("DELETE", "/composite/sobjects"):
            return 200, [self._delete(record_id) for record_id in query["ids"].split(",")]
        if (method, tail) == ("POST", "/composite"):
            return self._composite(body)
        if (method, tail) == ("POST", "/composite/graph"):
            return 200, {"graphs": [self._graph(graph) for graph in body["graphs"]]}
        if match := re.fullmatch(r"/sobjects/(\w+)/describe", tail):
            names = [*self.schema.object_types[match[1]].fields, KEY]
            fields = [{"name": n, "unique": True, "externalId": True, "createable": True} for n in names]
            return 200, {"name": match[1], "fields": fields}
        return 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]

    def _composite(self, body: Json) -> tuple[int, Any]:
        parts = body["compositeRequest"]
        assert len(parts) <= 5, "queries and collections calls in one composite request"
        done: dict[str, Any] = {}
        answers = []
        for part in parts:
            text = json.dumps(part.get("body"))
            for name, index, field in re.findall(r"@\{(\w+)\.records\[(\d)\]\.(\w+)\}", text):
                value = done[name]["records"][int(index)][field]
                text = text.replace(f"@{{{name}.records[{index}].{field}}}", value)
            url = urlsplit(part["url"])
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, answer = self.handle(part["method"], url.path, query, json.loads(text))
            done[part["referenceId"]] = answer
            answers.append(
                {
                    "body": answer,
                    "httpHeaders": {},
                    "httpStatusCode": status,
                    "referenceId": part["referenceId"],
                }
            )
        return 200, {"compositeResponse": answers}

    def _graph(self, graph: Json) -> Json:
        """All rows, or none; one that fails tells why, and the others that they were halted."""
        before = {name: dict(rows) for name, rows in self.rows.items()}
        done: dict[str, Json] = {}
        for part in graph["compositeRequest"]:
            version, name = re.fullmatch(r"/services/data/v(\d+)\.0/sobjects/(\w+)", part["url"]).groups()
            assert (part["method"], int(version) >= 50) == ("POST", True)
            text = json.dumps(part["body"])
            for parent in re.findall(r"@\{(\w+)\.id\}", text):
                text = text.replace(f"@{{{parent}.id}}", done[parent]["id"])
            row = self._create({"attributes": {"type": name}, **json.loads(text)})
            done[part["referenceId"]] = row
            if not row["success"]:
                self.rows = before
                halted = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back."}]
                said = [{"errorCode": e["statusCode"], **e} for e in row["errors"]]
                answers = {p["referenceId"]: halted for p in graph["compositeRequest"]}
                answers[part["referenceId"]] = said
                return _graph_answer(graph, answers, 400)
        return _graph_answer(graph, done, 201)

    # -- rows ------------------------------------------------------------------------------------
    def _new(self, name: str, row: Json) -> str:
        self._count += 1
        digits, number = "", self._count
        while number:
            number, digit = divmod(number, 62)
            digits = _DIGITS[digit] + digits
        prefix = self.schema.object_types[name].type_id if name in self.schema.object_types else "01s"
        record_id = row.get("Id") or full_id(f"{prefix or 'a00'}7e{digits:0>10}")
        self.rows.setdefault(name, {})[record_id] = {**row, "Id": record_id}
        return str(record_id)

    def _create(self, given: Json) -> Json:
        for fault in self.row_faults:
            if (answer := fault(given)) is not None:
                return answer
        row = dict(given)
        name = row.pop("attributes")["type"]
        fields = self.schema.object_types[name].fields
        for relation in [field for field, value in row.items() if isinstance(value, dict)]:
            key = row.pop(relation)[KEY]
            found = [r["Id"] for rows in self.rows.values() for r in rows.values() if r.get(KEY) == key]
            if not found:
                said = f"Foreign key external ID: {key} not found for field {KEY} in entity {relation}"
                return refused("INVALID_FIELD", said)
            row[f"{relation}Id"] = found[0]
        unknown = [field for field in row if field not in fields and field != KEY]
        if unknown:
            return refused("INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {name}")
        missing = [f.name for f in fields.values() if f.required and row.get(f.name) is None]
        if missing:
            return refused(
                "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing
            )
        for field, value in row.items():
            if field != KEY and value is not None and (wrong := self._wrong(fields[field], value)):
                return wrong
        twin = next(
            (r for r in self.rows.get(name, {}).values() if KEY in row and r.get(KEY) == row[KEY]), None
        )
        if twin:
            said = f"duplicate value found: {KEY} duplicates value on record with id: {twin['Id'][:15]}"
            return refused("DUPLICATE_VALUE", said)
        if name == "OpportunityLineItem":
            row["Product2Id"] = self.rows["PricebookEntry"][row["PricebookEntryId"]]["Product2Id"]
        return {"id": self._new(name, row), "success": True, "errors": []}

    def _upsert(self, row: Json) -> Json:
        """Create a row, or update the one that has its key."""
        rows = self.rows.get(row["attributes"]["type"], {})
        known = next((each for each in rows.values() if each.get(KEY) == row[KEY]), None)
        if known is None:
            answer = self._create(row)
            return answer | ({"created": True} if answer["success"] else {})
        known.update({field: value for field, value in row.items() if field != "attributes"})
        return {"id": known["Id"], "success": True, "errors": [], "created": False}

    def _wrong(self, field: Any, value: Any) -> Json | None:
        if isinstance(value, str) and field.max_length and len(value) > field.max_length:
            said = f"{field.label}: data value too large: {value} (max length={field.max_length})"
            return refused("STRING_TOO_LONG", said, field.name)
        known = [to for to in field.references if to in self.rows]
        if field.references and not any(value in self.rows[to] for to in known) and field.name != "OwnerId":
            return refused("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field.name)
        return None

    def _delete(self, record_id: str) -> Json:
        if record_id in self.bin:
            return refused("ENTITY_IS_DELETED", "entity is deleted")
        name = next((name for name, rows in self.rows.items() if record_id in rows), None)
        if name is None:
            return refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        for child, field in _RESTRICT.get(name, {}).items():
            if any(row.get(field) == record_id for row in self.rows.get(child, {}).values()):
                said = (
                    f"Your attempt to delete it could not be completed because it is associated with {child}."
                )
                return refused("DELETE_FAILED", said)
        del self.rows[name][record_id]
        self.bin.add(record_id)
        for child, field in _CASCADE.get(name, {}).items():
            for row in list(self.rows.get(child, {}).values()):
                if row.get(field) == record_id:
                    self._delete(row["Id"])
        return {"id": record_id, "success": True, "errors": []}

    # -- SOQL, as far as this provider sends it ------------------------------------------------------
    def _query(self, statement: str) -> tuple[int, Any]:
        match = re.fullmatch(r"SELECT (.+) FROM (\w+)(?: WHERE (.+?))?(?: LIMIT 1)?", statement)
        assert match, statement
        wanted, name, where = match.groups()
        nested = re.search(r", \(SELECT (.+) FROM PricebookEntries WHERE .+\)$", wanted)
        if nested:
            wanted = wanted[: nested.start()]
        rows = [row for row in self.rows.get(name, {}).values() if self._fits(row, where)]
        found = []
        for row in rows:
            picked = {"attributes": {"type": name}, **{f: row.get(f) for f in wanted.split(", ")}}
            if nested:
                entries = [
                    {"attributes": {}, **{f: entry.get(f) for f in nested[1].split(", ")}}
                    for entry in self.rows.get("PricebookEntry", {}).values()
                    if entry["Product2Id"] == row["Id"]
                ]
                one = {"totalSize": 1, "done": True, "records": entries}
                picked["PricebookEntries"] = one if entries else None
            found.append(picked)
        return 200, {"totalSize": len(found), "done": True, "records": found}

    @staticmethod
    def _fits(row: Json, where: str | None) -> bool:
        if not where or where == "IsStandard = true":
            return True
        if match := re.fullmatch(r"(\w+) IN \((.*)\)", where):
            return row.get(match[1]) in [text.strip("'") for text in match[2].split(", ")]
        match = re.fullmatch(r"(\w+) LIKE '(.*)%'", where)
        assert match, where
        return str(row.get(match[1])).startswith(match[2])


def _graph_answer(graph: Json, bodies: Mapping[str, Any], status: int) -> Json:
    parts = [
        {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name}
        for name, body in bodies.items()
    ]
    good = status < 300
    return {"graphId": graph["graphId"], "graphResponse": {"compositeResponse": parts}, "isSuccessful": good}


class Bench:
    """An engine that seeds an org."""

    def __init__(self, org: Org, schema: Schema, folder: Path, **options: Any) -> None:
        self.org = org
        provider = Salesforce(schema)
        self.slept: list[float] = []
        policy = RetryPolicy(random=lambda: 0.0, sleep=self.slept.append)
        transport: Any = org
        self.connection = Connection(
            provider, transport, Budget((), scopes={"token": "t", "portal": "p"}, path=None), policy
        )
        account = self.connection.run(provider.account(CREDENTIALS))
        self.target = Target(
            provider,
            self.connection,
            account,
            Translator(provider.legend, schema),
            Address(ORIGIN, CREDENTIALS, "token", is_local=True, private=True),
            Chosen(schema),
        )
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.heard: list[Event] = []
        self.engine = Engine(
            self.target,
            self.ledger,
            RunInfo("run1"),
            Limits(),
            errors=ErrorFile(folder / "crm-errors.jsonl"),
            listener=self.heard.append,
            sleep=self.slept.append,
            **options,
        )

    def seed(self, counts: Mapping[str, int | Count], **more: Any) -> Seed:
        recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
        return self.engine.seed(counts, recipe, node="test", test="test_x.py::test_it", **more)


@pytest.fixture
def schema() -> Schema:
    return catalog.bundled("salesforce")


@pytest.fixture
def salesforce(schema: Schema) -> Salesforce:
    return Salesforce(schema)


@pytest.fixture
def org(schema: Schema) -> Org:
    return Org(schema)


@pytest.fixture
def bench(org: Org, schema: Schema, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(org, schema, tmp_path)
    yield bench
    bench.engine.end()
    bench.engine.target.close()
    bench.ledger.close()
