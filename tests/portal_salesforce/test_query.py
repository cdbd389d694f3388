"""Queries over HTTP: the way in, pages and their locators, the recycle bin, and what an index saves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce import ids, rows
from pytest_crmseed.portal.salesforce.behaviour import CustomField, SalesforceBehaviour

_ROWS = "SELECT Id FROM Account"


def _make(org: Any, number: int) -> list[str]:
    made: list[str] = []
    for start in range(0, number, 200):
        records = [
            {"attributes": {"type": "Account"}, "Name": f"A{place:04}"}
            for place in range(start, min(number, start + 200))
        ]
        results = org.json("POST", "/composite/sobjects", {"records": records})
        made += [result["id"] for result in results]
    return made


# -- the way in --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path",
    [
        "/query?q=SELECT+Id+FROM+Account",
        "/query/?q=SELECT%20Id%20FROM%20Account",
        "/QUERY?q=select+id+from+account",
        "/services/data/v41.0/query/?q=SELECT+Id+FROM+Account+",
        "/queryAll/?q=%0ASELECT+Id%0AFROM+Account%0A",
        "/queryall?q=SELECT+Id+FROM+Account",
    ],
)
def test_ways_to_ask(org: Any, path: str) -> None:
    id = org.make("Account", Name="A")
    answer = org.json("GET", path)
    assert (answer["totalSize"], answer["done"], answer["records"][0]["Id"]) == (1, True, id)
    version = path.split("/")[3] if path.startswith("/services") else "v66.0"
    url = f"/services/data/{version}/sobjects/Account/{id}"
    assert answer["records"][0]["attributes"] == {"type": "Account", "url": url}


def test_the_order_of_keys_is_that_of_the_service(org: Any) -> None:
    _make(org, 201)
    answer = org.query(_ROWS, sforce_query_options="batchSize=200")
    assert list(answer) == ["totalSize", "done", "nextRecordsUrl", "records"]
    assert list(answer["records"][0]) == ["attributes", "Id"]


@pytest.mark.parametrize(
    ("path", "status", "code", "said"),
    [
        ("/query", 400, "MALFORMED_QUERY", "SOQL statement is missing: it goes into the parameter q"),
        ("/query?q=+", 400, "MALFORMED_QUERY", "SOQL statement is missing: it goes into the parameter q"),
        (
            "/query?explain=SELECT+Id+FROM+Account",
            501,
            "NOT_EMULATED",
            "The local portal does not emulate query plans.",
        ),
        (
            f"/query?q=SELECT+Id+FROM+Account+WHERE+Name='{'x' * 16_384}'",
            414,
            "URI_TOO_LONG",
            "The URI is longer than 16384 bytes",
        ),
    ],
)
def test_what_is_no_query(org: Any, path: str, status: int, code: str, said: str) -> None:
    assert org.refused("GET", path) == (status, code, said)


def test_headers_count_too(org: Any) -> None:
    answer = org.ask("GET", "/query?q=SELECT+Id+FROM+Account", x_filler="x" * 16_384)
    (error,) = answer.json()
    assert (answer.status, error["errorCode"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
    assert error["message"] == "The URI and the headers are longer than 16384 bytes"


@pytest.mark.parametrize(
    ("length", "status", "code"), [(99_000, 200, None), (100_000, 400, "QUERY_TOO_COMPLICATED")]
)
def test_a_long_query_has_room_in_a_composite_request(
    org: Any, length: int, status: int, code: str | None
) -> None:
    text = f"SELECT Id FROM Account WHERE Name = '{'x' * length}'"
    part = {"method": "GET", "url": f"{org.root}/query?q={quote_plus(text)}", "referenceId": "q"}
    (answer,) = org.json("POST", "/composite", {"compositeRequest": [part]})["compositeResponse"]
    assert answer["httpStatusCode"] == status
    if code is not None:
        (error,) = answer["body"]
        said = "SOQL statements cannot be longer than 100000 characters."
        assert (error["errorCode"], error["message"]) == (code, said)


def test_a_query_is_not_posted(org: Any) -> None:
    status, code, said = org.refused("POST", "/query?q=SELECT+Id+FROM+Account", {})
    assert (status, code) == (405, "METHOD_NOT_ALLOWED")
    assert said == "HTTP Method 'POST' not allowed. Allowed are GET,HEAD"


def test_unknown_objects_are_shown_in_their_place(org: Any) -> None:
    assert org.refused("GET", "/query?q=select+count()+from+XYZZY") == (
        400,
        "INVALID_TYPE",
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
        "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to "
        "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
        "appropriate names.",
    )


# -- pages -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "most", "sizes"),
    [
        ("batchSize=200", 2_000, [200, 200, 50]),
        ("BATCHSIZE = 300", 2_000, [300, 150]),
        ("batchSize=225", 2_000, [225, 225]),
        ("batchSize=450", 2_000, [450]),
        ("batchSize=1", 2_000, [200, 200, 50]),
        ("batchSize=9999", 2_000, [450]),
        ("nonsense", 2_000, [450]),
        ("batchSize=300", 250, [250, 200]),
    ],
)
def test_page_sizes(new_org: Callable[..., Any], header: str, most: int, sizes: list[int]) -> None:
    org = new_org(Behaviour(salesforce=SalesforceBehaviour(page_size=most)))
    made = _make(org, 450)
    answer = org.query(_ROWS, sforce_query_options=header)
    pages = [answer["records"]]
    while not answer["done"]:
        assert answer["nextRecordsUrl"].startswith(f"{org.root}/query/01g")
        answer = org.json("GET", answer["nextRecordsUrl"])
        assert answer["totalSize"] == 450
        pages.append(answer["records"])
    assert "nextRecordsUrl" not in answer
    assert [len(page) for page in pages] == sizes
    assert [record["Id"] for page in pages for record in page] == made


def test_a_locator_is_an_id_and_a_place(org: Any) -> None:
    org.behaviour.salesforce.page_size = 2
    _make(org, 5)
    first = org.query(_ROWS)["nextRecordsUrl"].rpartition("/")[2]
    id, _, place = first.partition("-")
    assert (len(id), id[:3], ids.full(id[:15]), place) == (18, "01g", id, "2")
    second = org.query(_ROWS, resource="queryAll")["nextRecordsUrl"]
    assert second.startswith(f"{org.root}/queryAll/01g") and second.rpartition("/")[2] != first
    # A page is there as often as it is asked for.
    pages = [org.json("GET", f"/query/{id}-4") for _ in range(2)]
    assert pages[0] == pages[1] and len(pages[0]["records"]) == 1


@pytest.mark.parametrize(
    "locator", ["{id}", "{id}-5", "{id}-", "{id}--1", "{id}-%C2%B2", "01g000000000000AAA-2", "x"]
)
def test_locators_that_lead_nowhere(org: Any, locator: str) -> None:
    org.behaviour.salesforce.page_size = 2
    _make(org, 5)
    id = org.query(_ROWS)["nextRecordsUrl"].rpartition("/")[2].partition("-")[0]
    refused = org.refused("GET", f"/query/{locator.format(id=id)}")
    assert refused == (400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def test_cursors_last_two_days_and_no_reset(org: Any) -> None:
    org.behaviour.salesforce.page_size = 2
    _make(org, 5)
    next_page = org.query(_ROWS)["nextRecordsUrl"]
    org.clock.advance(2 * 86_400 - 1)
    assert len(org.json("GET", next_page)["records"]) == 2
    org.clock.advance(1)
    assert org.refused("GET", next_page)[1] == "INVALID_QUERY_LOCATOR"
    next_page = org.query(_ROWS)["nextRecordsUrl"]
    org.portal.reset()
    assert org.refused("GET", next_page)[1] == "INVALID_QUERY_LOCATOR"


# -- the recycle bin ---------------------------------------------------------------------------------
def test_query_all_finds_what_is_deleted_by_any_condition(org: Any) -> None:
    kept, gone = org.make("Account", Name="Kept"), org.make("Account", Name="Gone")
    of_kept, of_gone = (org.make("Contact", LastName="X", AccountId=id) for id in (kept, gone))
    org.delete("Account", gone)
    for where in (
        "LastName = 'X'",
        f"AccountId IN ('{kept}', '{gone}')",
        f"Id IN ('{of_gone}', '{of_kept}')",
    ):
        text = f"SELECT Id FROM Contact WHERE {where}"
        assert org.column(text, "Id") == [of_kept]
        assert org.column(text, "Id", resource="queryAll") == [of_kept, of_gone]
        assert org.column(f"{text} AND IsDeleted = true", "Id", resource="queryAll") == [of_gone]
        assert org.column(f"{text} AND IsDeleted = true", "Id") == []


def test_children_in_query_all_are_not_emulated(org: Any) -> None:
    assert org.unasked("SELECT Id, (SELECT Id FROM Contacts) FROM Account", resource="queryAll") == (
        501,
        "NOT_EMULATED",
        "The local portal does not emulate queries of children in queryAll.",
    )


# -- what an index saves -----------------------------------------------------------------------------
@pytest.fixture
def indexed(org: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[str], str]:
    made = _make(org, 300)
    parent = org.make("Account", Name="Parent")
    for number, id in enumerate(made):
        values = {"crmseed_key__c": f"Run-{number}", "ParentId": parent}
        assert org.ask("PATCH", f"/sobjects/Account/{id}", values).status == 204

    def scan(*_: Any, **__: Any) -> Any:
        raise AssertionError("the rows were read one after the other")

    monkeypatch.setattr(rows.Rows, "scan", scan)
    return org, made, parent


def test_ids_keys_and_parents_are_found_without_reading_all_rows(indexed: Any) -> None:
    org, made, parent = indexed
    some = ", ".join(f"'{id}'" for id in made[50:250])
    keys = ", ".join(f"'run-{number}'" for number in range(50, 250))
    for where in (
        f"Id IN ({some})",
        f"crmseed_key__c IN ({keys})",
        f"Name != null AND (crmseed_key__c IN ({keys}) AND IsDeleted = false)",
        f"ParentId = '{parent}' AND Name >= 'A0050' AND Name < 'A0250'",
    ):
        text = f"SELECT Id FROM Account WHERE {where}"
        part = {"method": "GET", "url": f"{org.root}/query?q={quote_plus(text)}", "referenceId": "found"}
        (answer,) = org.json("POST", "/composite", {"compositeRequest": [part]})["compositeResponse"]
        assert [record["Id"] for record in answer["body"]["records"]] == made[50:250]
    assert org.column(f"SELECT Id FROM Account WHERE Id = '{made[7]}'", "Id", resource="queryAll") == [
        made[7]
    ]
    children = org.query(f"SELECT Id, (SELECT Id FROM ChildAccounts) FROM Account WHERE Id = '{parent}'")
    found = [record["Id"] for record in children["records"][0]["ChildAccounts"]["records"]]
    assert found == made


_KEYS = ("k1", "K2", "k3", "ß", "SS", "İ")


@pytest.fixture(scope="module")
def mixed(new_org: Callable[..., Any]) -> Any:
    """Companies with keys, parents and numbers, some of them deleted."""
    fields = (
        CustomField("Ext__c", unique=True, external_id=True),
        CustomField("Exact__c", unique=True, case_sensitive=True),
    )
    org = new_org(Behaviour(salesforce=SalesforceBehaviour(custom_fields={"Account": fields})))
    parents = [org.make("Account", Name=f"Parent {number}") for number in range(2)]
    org.held = [
        {"Id": id, "Name": f"Parent {number}", "IsDeleted": False} for number, id in enumerate(parents)
    ]
    for number, key in enumerate(_KEYS):
        values = {
            "Name": "Child" if number % 2 else f"Child {number}",
            "Ext__c": key,
            "Exact__c": key.swapcase(),
            "ParentId": [None, *parents][number % 3],
            "NumberOfEmployees": number or None,
        }
        org.held.append({**values, "Id": org.make("Account", **values), "IsDeleted": number in (2, 3)})
    for held in org.held:
        if held["IsDeleted"]:
            org.delete("Account", held["Id"])
    return org


def _terms(held: list[dict[str, Any]]) -> st.SearchStrategy[tuple[str, Callable[[dict[str, Any]], bool]]]:
    def listed(name: str, values: list[str], fold: Callable[[str], str]) -> st.SearchStrategy[Any]:
        def term(chosen: list[str]) -> tuple[str, Any]:
            wanted = {fold(each) for each in chosen}
            text = f"{name} IN ({', '.join(repr(each) for each in chosen)})"
            return text, lambda row: row.get(name) is not None and fold(row[name]) in wanted

        return st.lists(st.sampled_from(values), min_size=1, max_size=4).map(term)

    names = {
        "Id": (
            [row["Id"] for row in held] + [held[0]["Id"][:15], ids.full("001000000000000")],
            lambda id: id[:15],
        ),
        "ParentId": (
            [held[0]["Id"], held[1]["Id"][:15], held[2]["Id"], ids.full("003000000000000")],
            lambda id: id[:15],
        ),
        "Ext__c": ([*_KEYS, "K1", "ss", "none"], str.lower),
        "Exact__c": ([*_KEYS, *map(str.swapcase, _KEYS)], str),
        "Name": (["child", "CHILD 0", "Parent 1"], str.lower),
    }
    simple = [listed(name, values, fold) for name, (values, fold) in names.items()]
    numbers = st.integers(0, 6).map(
        lambda n: (
            f"NumberOfEmployees > {n}",
            lambda row: row.get("NumberOfEmployees") is not None and row["NumberOfEmployees"] > n,
        )
    )
    return st.one_of(*simple, numbers)


@given(st.data())
def test_an_index_finds_what_reading_all_rows_finds(mixed: Any, data: st.DataObject) -> None:
    terms = data.draw(st.lists(_terms(mixed.held), min_size=1, max_size=3))
    word, join = data.draw(st.sampled_from([(" AND ", all), (" OR ", any)]))
    for resource in ("query", "queryAll"):
        text = word.join(f"({text})" for text, _ in terms)
        found = mixed.column(f"SELECT Id FROM Account WHERE {text}", "Id", resource=resource)
        seen = [row for row in mixed.held if resource == "queryAll" or not row["IsDeleted"]]
        assert found == [row["Id"] for row in seen if join(passes(row) for _, passes in terms)]


def test_the_parser_is_loaded_with_the_first_query() -> None:
    program = """
import sys
from pytest_crmseed.portal import Portal, PortalRequest
portal = Portal()
token = portal.apis["salesforce"].tokens()["application"]
home = "/services/data/v66.0"
for method, path, body in (
    ("POST", "/sobjects/Account", {"Name": "A"}),
    ("GET", "/query?q=SELECT+Id+FROM+Account", None),
):
    answer = portal.handle(PortalRequest.of(method, home + path, body, token=token))
    print(answer.status, "lark" in sys.modules)
portal.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["201", "False", "200", "True"]
