"""References, limits and halves undone: the rules of composite requests, graphs, batches and trees."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

_HOME = "/services/data/v66.0"
_HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]


def _part(name: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    part = {"referenceId": name, "method": method, "url": _HOME + path, **more}
    return part if body is None else {**part, "body": body}


def _answers(org: Any, *parts: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
    body = {"allOrNone": all_or_none, "compositeRequest": list(parts)}
    answers: list[dict[str, Any]] = org.json("POST", "/composite", body)["compositeResponse"]
    return answers


# -- composite ---------------------------------------------------------------------------------------
def test_what_there_is(org: Any) -> None:
    assert org.json("GET", "/composite/") == {
        name: f"{_HOME}/composite/{name}" for name in ("tree", "batch", "sobjects", "graph")
    }


def test_references_lead_into_answers_of_every_form(org: Any) -> None:
    rows = {"records": [{"attributes": {"type": "Account"}, "Name": name} for name in ("A", "B")]}
    *_, last = _answers(
        org,
        _part("rows", "POST", "/composite/sobjects", rows),
        _part("found", "GET", "/query?q=SELECT+Id,+Name+FROM+Account+ORDER+BY+Name"),
        _part("c", "POST", "/sobjects/Contact", {"LastName": "C", "AccountId": "@{rows[1].id}"}),
        _part("read", "GET", "/sobjects/Account/@{found.records[1].Id}?fields=Name,Id"),
        _part(
            "task",
            "POST",
            "/sobjects/Task",
            {"Subject": "@{read.Name} and @{found.records[0].name}", "WhatId": "@{READ.Id}"},
        ),
        _part(
            "task2",
            "POST",
            "/sobjects/Task",
            {
                "Subject": "@{read.Name} and @{found.records[0].name}",
                "WhoId": "@{c.id}",
                "WhatId": "@{read.id}",
            },
        ),
    )
    assert last["httpStatusCode"] == 201
    assert org.column("SELECT Subject FROM Task", "Subject") == ["B and A"]
    assert org.column("SELECT Account.Name FROM Contact", "Account")[0]["Name"] == "B"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("none.id", "No value for none.id found in none"),
        ("rows.id", "No value for rows.id found in rows"),
        ("rows[7].id", "No value for rows[7].id found in rows"),
        ("rows[0].nme", "No value for rows[0].nme found in rows"),
        ("ROWS[0].id", "No value for ROWS[0].id found in ROWS"),
    ],
)
def test_references_that_lead_nowhere(org: Any, reference: str, said: str) -> None:
    rows = {"records": [{"attributes": {"type": "Account"}, "Name": "A"}]}
    _, refused = _answers(
        org,
        _part("rows", "POST", "/composite/sobjects", rows),
        _part("c", "POST", "/sobjects/Contact", {"LastName": "C", "AccountId": f"@{{{reference}}}"}),
    )
    error = {"errorCode": "PROCESSING_HALTED", "message": f"Invalid reference specified. {said}"}
    assert (refused["httpStatusCode"], refused["body"]) == (400, [error])


def test_headers_of_a_part_are_its_own(org: Any) -> None:
    (answer,) = _answers(
        org,
        _part(
            "q",
            "GET",
            "/query?q=SELECT+Id+FROM+Account",
            httpHeaders={"Sforce-Query-Options": "batchSize=200"},
        ),
    )
    assert answer == {
        "body": {"totalSize": 0, "done": True, "records": []},
        "httpHeaders": {},
        "httpStatusCode": 200,
        "referenceId": "q",
    }


def test_a_part_that_is_not_served_says_so_and_the_others_go_on(org: Any) -> None:
    first, second, third = _answers(
        org,
        _part("a", "GET", "/nothing/here"),
        _part("b", "POST", "/composite", {"compositeRequest": []}),
        _part("c", "POST", "/sobjects/Account", {"Name": "A"}),
    )
    assert (first["httpStatusCode"], first["body"][0]["errorCode"]) == (501, "NOT_EMULATED")
    assert (second["httpStatusCode"], second["body"][0]["message"]) == (
        501,
        "The local portal does not emulate composite requests within composite requests.",
    )
    assert third["httpStatusCode"] == 201


@pytest.mark.parametrize("kind", ["", "/batch", "/graph"])
def test_nothing_composite_is_within_a_batch(org: Any, kind: str) -> None:
    inner = {"method": "POST", "url": f"v66.0/composite{kind}", "richInput": {}}
    (result,) = org.json("POST", "/composite/batch", {"batchRequests": [inner]})["results"]
    assert (result["statusCode"], result["result"][0]["errorCode"]) == (501, "NOT_EMULATED")


def test_all_or_none_undoes_deletes_and_fields_too(org: Any) -> None:
    id = org.make("Account", Name="Kept")
    field = {"FullName": "Account.New__c", "Metadata": {"type": "Checkbox", "label": "New", "required": True}}
    made, removed, failed = _answers(
        org,
        _part("f", "POST", "/tooling/sobjects/CustomField", field),
        _part("d", "DELETE", f"/sobjects/Account/{id}"),
        _part("x", "POST", "/sobjects/Contact", {}),
        all_or_none=True,
    )
    assert (made["body"], removed["body"]) == (_HALTED, _HALTED)
    assert failed["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert org.column("SELECT Name FROM Account") == ["Kept"]
    described = org.json("GET", "/sobjects/Account/describe")["fields"]
    assert "New__c" not in {each["name"] for each in described}


def test_the_outer_all_or_none_is_that_of_the_rows(org: Any) -> None:
    rows = [{"attributes": {"type": "Account"}, "Name": "A"}, {"attributes": {"type": "Account"}}]
    part = _part("rows", "POST", "/composite/sobjects", {"allOrNone": False, "records": rows})
    (answer,) = _answers(org, part, all_or_none=True)
    codes = [row["errors"][0]["statusCode"] for row in answer["body"]]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    (answer,) = _answers(org, part)
    assert [row["success"] for row in answer["body"]] == [True, False]


def test_the_outer_all_or_none_overrides_that_of_a_delete(org: Any) -> None:
    id = org.make("Account", Name="Kept")
    part = _part("d", "DELETE", f"/composite/sobjects?ids={id},001000000000000AAA&allOrNone=false")
    (answer,) = _answers(org, part, all_or_none=True)
    assert [row["success"] for row in answer["body"]] == [False, False]
    assert org.column("SELECT Name FROM Account") == ["Kept"]
    (answer,) = _answers(org, part)
    assert [row["success"] for row in answer["body"]] == [True, False]


_COUNTED = ("/query?q=x", "/queryAll/?q=x", "/composite/sobjects/Account")


@pytest.mark.parametrize(
    ("parts", "code", "said"),
    [
        ("x", "INVALID_INPUT", "compositeRequest is a list of objects, and holds at least one"),
        ([1], "INVALID_INPUT", "compositeRequest is a list of objects, and holds at least one"),
        (
            [_part("a b", "GET", "/limits")],
            "INVALID_INPUT",
            "Invalid reference ID 'a b': letters, digits and underscores alone",
        ),
        (
            [{"method": "GET", "url": f"{_HOME}/limits"}],
            "INVALID_INPUT",
            "Invalid reference ID None: letters, digits and underscores alone",
        ),
        (
            [_part(f"p{n}", "GET", "/limits") for n in range(26)],
            "LIMIT_EXCEEDED",
            "The limit of 25 subrequests in a composite request is exceeded",
        ),
        (
            [_part(f"p{n}", "GET", _COUNTED[n % 3]) for n in range(6)],
            "LIMIT_EXCEEDED",
            "The limit of 5 query and sObject Collections subrequests is exceeded",
        ),
    ],
)
def test_composite_requests_that_are_refused_as_a_whole(org: Any, parts: Any, code: str, said: str) -> None:
    assert org.refused("POST", "/composite", {"compositeRequest": parts}) == (400, code, said)


@given(st.lists(st.sampled_from(["good", "bad", "child", "lost"]), min_size=1, max_size=8), st.booleans())
def test_all_or_none_is_all_or_none(module_org: Any, kinds: list[str], all_or_none: bool) -> None:
    """A child hangs on the first good part; without one its reference is lost."""
    good = next((place for place, kind in enumerate(kinds) if kind == "good"), None)
    bodies = {
        "good": ("/sobjects/Account", {"Name": "A"}),
        "bad": ("/sobjects/Account", {"Name": "x" * 256}),
        "child": ("/sobjects/Contact", {"LastName": "B", "AccountId": f"@{{p{good}.id}}"}),
        "lost": ("/sobjects/Contact", {"LastName": "B", "AccountId": "@{none.id}"}),
    }
    works = [
        kind == "good" or (kind == "child" and good is not None and good < place)
        for place, kind in enumerate(kinds)
    ]
    before = sum(module_org.live.values())
    answers = _answers(
        module_org,
        *(_part(f"p{place}", "POST", *bodies[kind]) for place, kind in enumerate(kinds)),
        all_or_none=all_or_none,
    )
    added = sum(module_org.live.values()) - before
    assert [answer["referenceId"] for answer in answers] == [f"p{place}" for place in range(len(kinds))]
    if not all_or_none or all(works):
        assert [answer["httpStatusCode"] for answer in answers] == [201 if work else 400 for work in works]
        assert added == works.count(True)
        return
    culprit = works.index(False)
    assert added == 0
    assert all(answer["httpStatusCode"] == 400 for answer in answers)
    assert [answer["body"] == _HALTED for answer in answers] == [
        place != culprit for place in range(len(kinds))
    ]


@pytest.fixture(scope="module")
def module_org(new_org: Any) -> Any:
    return new_org()


# -- graphs ----------------------------------------------------------------------------------------
def _graph(name: Any, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"graphId": name, "compositeRequest": list(parts)}


def _chain(number: int) -> list[dict[str, Any]]:
    """Return companies of which each is the child of the one before."""
    parts = [_part("p0", "POST", "/sobjects/Account", {"Name": "A0"})]
    for place in range(1, number):
        body = {"Name": f"A{place}", "ParentId": f"@{{p{place - 1}.id}}"}
        parts.append(_part(f"p{place}", "POST", "/sobjects/Account", body))
    return parts


_ONE = _part("a", "POST", "/sobjects/Account", {"Name": "A"})


@pytest.mark.parametrize(
    ("graphs", "code", "said"),
    [
        ([], "INVALID_INPUT", "graphs is a list of objects, and holds at least one"),
        (
            [_graph(f"g{n}", _ONE) for n in range(76)],
            "LIMIT_EXCEEDED",
            "The limit of 75 graphs in a payload is exceeded",
        ),
        (
            [_graph("g", *[_ONE] * 501)],
            "LIMIT_EXCEEDED",
            "The limit of 500 nodes in a payload is exceeded",
        ),
        *(
            (
                [_graph(name, _ONE), _graph("same", _ONE)],
                "INVALID_INPUT",
                "Each graph has a graphId of its own: a letter or digit, and at most 40 characters in all",
            )
            for name in ("same", None, "", "_g", "a.b", "x" * 41)
        ),
        (
            [_graph("good", _ONE), _graph("g", _part("q", "GET", "/query?q=x"))],
            "INVALID_INPUT",
            f"Graphs are made of sObject rows, not of {_HOME}/query?q=x",
        ),
        ([_graph("g", _ONE, _ONE)], "INVALID_INPUT", "Duplicate reference ID a"),
        (
            [_graph("g", *_chain(16))],
            "LIMIT_EXCEEDED",
            "The limit of 15 levels in a graph is exceeded",
        ),
        (
            [_graph("g", *(_part(f"p{n}", "POST", f"/sobjects/Thing{n}__c", {}) for n in range(16)))],
            "LIMIT_EXCEEDED",
            "The limit of 15 different nodes in a graph is exceeded",
        ),
    ],
)
def test_graphs_that_are_refused_as_a_whole(org: Any, graphs: Any, code: str, said: str) -> None:
    assert org.refused("POST", "/composite/graph", {"graphs": graphs}) == (400, code, said)
    assert org.live == {}


def test_fifteen_levels_are_not_too_deep(org: Any) -> None:
    (answer,) = org.json("POST", "/composite/graph", {"graphs": [_graph("g", *_chain(15))]})["graphs"]
    assert answer["isSuccessful"] is True
    assert org.column("SELECT Parent.Name FROM Account WHERE Name = 'A14'", "Parent")[0]["Name"] == "A13"


def test_after_fourteen_failed_graphs_the_rest_are_halted(org: Any) -> None:
    bad = _part("a", "POST", "/sobjects/Account", {})
    graphs = [
        *(_graph(f"bad{n}", bad) for n in range(13)),
        _graph("good", _ONE),
        _graph("last", bad),
        _graph("late", _ONE),
    ]
    answers = org.json("POST", "/composite/graph", {"graphs": graphs})["graphs"]
    assert [answer["isSuccessful"] for answer in answers] == [*[False] * 13, True, False, False]
    (late,) = answers[-1]["graphResponse"]["compositeResponse"]
    assert (late["body"], late["httpStatusCode"], late["referenceId"]) == (_HALTED, 400, "a")
    assert org.live == {"Account": 1}


def test_graphs_are_of_version_fifty(org: Any) -> None:
    body = {"graphs": [_graph("g", {**_ONE, "url": "/services/data/v49.0/sobjects/Account"})]}
    assert org.ask("POST", "/services/data/v49.0/composite/graph", body).status == 501


# -- batches ---------------------------------------------------------------------------------------
def test_results_of_a_batch_are_bodies_or_null(org: Any) -> None:
    id = org.make("Account", Name="A")
    requests = [
        {"method": "PATCH", "url": f"v66.0/sobjects/Account/{id}", "richInput": {"Name": "B"}},
        {"method": "GET", "url": "v66.0/query?q=SELECT+Name+FROM+Account"},
        {
            "method": "PATCH",
            "url": f"{_HOME}/sobjects/Account/001000000000001AAA",
            "richInput": {"Name": "x"},
        },
    ]
    changed, read, missing = org.json("POST", "/composite/batch", {"batchRequests": requests})["results"]
    assert changed == {"statusCode": 204, "result": None}
    assert (read["statusCode"], read["result"]["records"][0]["Name"]) == (200, "B")
    error = {
        "message": "invalid cross reference id",
        "errorCode": "INVALID_CROSS_REFERENCE_KEY",
        "fields": [],
    }
    assert missing == {"statusCode": 404, "result": [error]}


def test_what_a_batch_halts_is_told(org: Any) -> None:
    requests = [
        {"method": "GET", "url": "v66.0/sobjects/Nothing/describe"},
        {"method": "GET", "url": "v66.0/limits"},
    ]
    answer = org.json("POST", "/composite/batch", {"batchRequests": requests, "haltOnError": True})
    halted = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted"}]
    assert answer["results"][1] == {"statusCode": 412, "result": halted}
    assert answer["hasErrors"] is True
    many = {"batchRequests": [requests[1]] * 26}
    assert org.refused("POST", "/composite/batch", many) == (
        400,
        "LIMIT_EXCEEDED",
        "The limit of 25 subrequests in a batch is exceeded",
    )


# -- trees -----------------------------------------------------------------------------------------
def _node(type: str, reference: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": type, "referenceId": reference}, **values}


def _nested(depth: int) -> dict[str, Any]:
    node = _node("Account", f"r{depth}", Name=f"A{depth}")
    if depth > 1:
        node["ChildAccounts"] = {"records": [_nested(depth - 1)]}
    return node


_TOO_LARGE = "A tree has at most 200 records of 5 objects, 5 levels deep"


@pytest.mark.parametrize(
    ("records", "code", "said"),
    [
        ([], "INVALID_INPUT", "records is a list, and holds at least one"),
        (["x"], "INVALID_TYPE", "sObject type 'None' is not supported."),
        ([{"Name": "A"}], "INVALID_TYPE", "sObject type 'None' is not supported."),
        (
            [{"attributes": {"type": "Account"}}],
            "INVALID_INPUT",
            "Each record has a referenceId in its attributes",
        ),
        ([_node("Contact", "r")], "INVALID_TYPE", "the roots are of type Account, not Contact"),
        ([_node("Account", f"r{n}", Name="A") for n in range(201)], "LIMIT_EXCEEDED", _TOO_LARGE),
        ([_nested(6)], "LIMIT_EXCEEDED", _TOO_LARGE),
        ([_nested(300)], "LIMIT_EXCEEDED", _TOO_LARGE),
    ],
)
def test_trees_that_are_refused_as_a_whole(org: Any, records: Any, code: str, said: str) -> None:
    assert org.refused("POST", "/composite/tree/Account", {"records": records}) == (400, code, said)
    assert org.live == {}


def test_a_tree_of_five_levels_and_one_of_six_objects(org: Any) -> None:
    answer = org.json("POST", "/composite/tree/account", {"records": [_nested(5)]}, status=201)
    assert [result["referenceId"] for result in answer["results"]] == ["r5", "r4", "r3", "r2", "r1"]
    assert org.column("SELECT Parent.Name FROM Account WHERE Name = 'A1'", "Parent")[0]["Name"] == "A2"
    deal = _node("Opportunity", "d", Name="D", StageName="Prospecting", CloseDate="2026-01-31")
    tree = _node(
        "Account",
        "a",
        Name="A",
        Contacts={"records": [_node("Contact", "c", LastName="C")]},
        Opportunities={"records": [deal]},
        Cases={"records": [_node("Case", "s", Subject="S")]},
        Tasks={"records": [_node("Task", "t", Subject="T")]},
    )
    whole = org.json("POST", "/composite/tree/Account", {"records": [tree]}, status=201)
    assert [result["referenceId"] for result in whole["results"]] == ["a", "c", "d", "s", "t"]
    tree["Events"] = {"records": [_node("Event", "e", Subject="E")]}
    assert org.refused("POST", "/composite/tree/Account", {"records": [tree]}) == (
        400,
        "LIMIT_EXCEEDED",
        _TOO_LARGE,
    )


def test_a_tree_tells_all_culprits_of_a_level_and_makes_nothing(org: Any) -> None:
    records = [
        _node("Account", "good", Name="A"),
        _node("Account", "bad", Nme="A"),
        _node("Account", "worse"),
        _node("Account", "mother", Name="M", Contacts={"records": [_node("Contact", "child")]}),
    ]
    answer = org.json("POST", "/composite/tree/Account", {"records": records}, status=400)
    column = "No such column 'Nme' on sobject of type Account"
    assert answer == {
        "hasErrors": True,
        "results": [
            {
                "referenceId": "bad",
                "errors": [{"statusCode": "INVALID_FIELD", "message": column, "fields": []}],
            },
            {
                "referenceId": "worse",
                "errors": [
                    {
                        "statusCode": "REQUIRED_FIELD_MISSING",
                        "message": "Required fields are missing: [Name]",
                        "fields": ["Name"],
                    }
                ],
            },
        ],
    }
    assert org.live == {}
