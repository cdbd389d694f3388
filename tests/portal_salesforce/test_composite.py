"""Several rows or requests in one call: collections, composite, graphs, batches and trees."""

from __future__ import annotations

from typing import Any

import pytest

ROOT = "/services/data/v66.0"
HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]


def rows(*names: str, of: str = "Account") -> list[dict[str, Any]]:
    return [{"attributes": {"type": of}, "Name": name} for name in names]


def part(name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    return {"referenceId": name, "method": method, "url": ROOT + path, **({"body": body} if body else {})}


# -- collections -----------------------------------------------------------------------------------
def test_rows_are_made_and_those_that_fail_have_no_id(org: Any) -> None:
    sent = [*rows("A"), {"attributes": {"type": "Contact"}, "FirstName": "No last name"}, *rows("B")]
    good, bad, other = org.json("POST", "/composite/sobjects", {"allOrNone": False, "records": sent})
    assert (good["success"], good["errors"], other["success"]) == (True, [], True)
    assert good["id"].startswith("001") and len(good["id"]) == 18
    assert set(bad) == {"success", "errors"} and bad["success"] is False
    (error,) = bad["errors"]
    assert (error["statusCode"], error["fields"]) == ("REQUIRED_FIELD_MISSING", ["LastName"])
    assert org.live == {"Account": 2}


def test_all_or_none_leaves_nothing(org: Any) -> None:
    sent = [*rows("A"), {"attributes": {"type": "Contact"}}]
    first, second = org.json("POST", "/composite/sobjects", {"allOrNone": True, "records": sent})
    assert first == {
        "success": False,
        "errors": [
            {
                "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "message": (
                    "Record rolled back because not all records were valid and the request was using "
                    "AllOrNone header"
                ),
                "fields": [],
            }
        ],
    }
    assert second["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert org.live == {}


def test_two_hundred_rows_and_no_more(org: Any) -> None:
    made = org.json("POST", "/composite/sobjects", {"records": rows(*map(str, range(200)))})
    assert all(result["success"] for result in made) and org.live == {"Account": 200}
    assert org.refused("POST", "/composite/sobjects", {"records": rows(*map(str, range(201)))}) == (
        400,
        "EXCEEDED_ID_LIMIT",
        "record limit reached. cannot submit more than 200 records into this call",
    )


def test_ten_runs_of_one_type_and_no_more(org: Any) -> None:
    mixed = [row for n in range(6) for row in (*rows(f"A{n}"), *rows(f"C{n}", of="Campaign"))]
    assert org.refused("POST", "/composite/sobjects", {"records": mixed})[1] == "LIMIT_EXCEEDED"
    assert len(org.json("POST", "/composite/sobjects", {"records": mixed[:10]})) == 10
    sorted_by_type = sorted(mixed, key=lambda row: row["attributes"]["type"])
    assert len(org.json("POST", "/composite/sobjects", {"records": sorted_by_type})) == 12


def test_update_upsert_read_and_delete(org: Any) -> None:
    made = org.json("POST", "/composite/sobjects", {"records": rows("A", "B")})
    a, b = (result["id"] for result in made)
    changed = [{"attributes": {"type": "Account"}, "id": a, "Name": "A2"}, *rows("no id")]
    first, second = org.json("PATCH", "/composite/sobjects", {"records": changed})
    assert (first["success"], second["success"]) == (True, False)
    assert second["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
    keyed = [{**row, "crmseed_key__c": f"k{n}"} for n, row in enumerate(rows("K0", "K1"))]
    put = org.json("PATCH", "/composite/sobjects/Account/crmseed_key__c", {"records": keyed})
    assert [result["created"] for result in put] == [True, True]
    again = org.json("PATCH", "/composite/sobjects/Account/crmseed_key__c", {"records": keyed[:1]})
    assert again == [{"id": put[0]["id"], "success": True, "errors": [], "created": False}]
    absent = put[0]["id"][:9] + "zzzzzz"
    found = org.json("GET", f"/composite/sobjects/Account?ids={a},{absent},{b[:15]}&fields=Name")
    assert [row and row["Name"] for row in found] == ["A2", None, "B"]
    posted = org.json("POST", "/composite/sobjects/Account", {"ids": [a], "fields": ["Id", "Name"]})
    assert posted[0]["Id"] == a
    gone = org.json("DELETE", f"/composite/sobjects?ids={a},{b},{a}&allOrNone=false")
    assert [result["success"] for result in gone] == [True, True, False]
    assert gone[2]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert org.live == {"Account": 2}


def test_a_delete_of_all_or_none(org: Any) -> None:
    (a,) = (result["id"] for result in org.json("POST", "/composite/sobjects", {"records": rows("A")}))
    results = org.json("DELETE", f"/composite/sobjects?ids={a},{a}&allOrNone=true")
    assert [result["success"] for result in results] == [False, False]
    assert org.live == {"Account": 1}


def test_a_cascade_makes_a_later_id_fail_in_its_row(org: Any) -> None:
    (a,) = (result["id"] for result in org.json("POST", "/composite/sobjects", {"records": rows("A")}))
    person = {"attributes": {"type": "Contact"}, "LastName": "Byron", "AccountId": a}
    (c,) = (result["id"] for result in org.json("POST", "/composite/sobjects", {"records": [person]}))
    results = org.json("DELETE", f"/composite/sobjects?ids={a},{c}")
    assert [result["success"] for result in results] == [True, False]
    assert results[1]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert org.live == {}


# -- composite -------------------------------------------------------------------------------------
def test_later_parts_refer_to_earlier_ones(org: Any) -> None:
    body = {
        "compositeRequest": [
            part("account", "POST", "/sobjects/Account", {"Name": "A"}),
            part("person", "POST", "/sobjects/Contact", {"LastName": "B", "AccountId": "@{account.id}"}),
            part("asked", "GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+AccountId='@{account.id}'"),
            part("read", "GET", "/sobjects/Contact/@{asked.records[0].Id}"),
            part("changed", "PATCH", "/sobjects/Account/@{account.id}", {"Phone": "555"}),
        ]
    }
    answers = {
        each["referenceId"]: each for each in org.json("POST", "/composite", body)["compositeResponse"]
    }
    assert [each["httpStatusCode"] for each in answers.values()] == [201, 201, 200, 200, 204]
    account = answers["account"]
    assert account["httpHeaders"] == {"Location": f"{ROOT}/sobjects/Account/{account['body']['id']}"}
    assert answers["read"]["body"]["AccountId"] == account["body"]["id"]
    assert (answers["changed"]["body"], answers["changed"]["httpHeaders"]) == (None, {})


@pytest.mark.parametrize("all_or_none", [False, True])
def test_one_part_fails(org: Any, all_or_none: bool) -> None:
    body = {
        "allOrNone": all_or_none,
        "compositeRequest": [
            part("a", "POST", "/sobjects/Account", {"Name": "A"}),
            part("b", "POST", "/sobjects/Contact", {"FirstName": "No last name"}),
            part("c", "POST", "/sobjects/Account", {"Name": "C"}),
            part("d", "GET", "/sobjects/Contact/@{b.id}"),
        ],
    }
    a, b, c, d = org.json("POST", "/composite", body)["compositeResponse"]
    assert (b["httpStatusCode"], b["body"][0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")
    if all_or_none:
        assert [each["body"] for each in (a, c, d)] == [HALTED] * 3
        assert [each["httpStatusCode"] for each in (a, c, d)] == [400] * 3
        assert org.live == {}
        return
    assert (a["httpStatusCode"], c["httpStatusCode"]) == (201, 201)
    assert (d["httpStatusCode"], d["body"]) == (
        400,
        [
            {
                "errorCode": "PROCESSING_HALTED",
                "message": "Invalid reference specified. No value for b.id found in b",
            }
        ],
    )
    assert org.live == {"Account": 2}


def test_the_outer_all_or_none_overrides_that_of_a_collection(org: Any) -> None:
    records = [*rows("A"), {"attributes": {"type": "Contact"}}]
    inner = part("rows", "POST", "/composite/sobjects", {"allOrNone": False, "records": records})
    org.json("POST", "/composite", {"allOrNone": True, "compositeRequest": [inner]})
    assert org.live == {}
    org.json("POST", "/composite", {"allOrNone": False, "compositeRequest": [inner]})
    assert org.live == {"Account": 1}


def test_limits_of_a_composite_request(org: Any) -> None:
    parts = [part(f"p{n}", "GET", "/limits") for n in range(26)]
    assert org.refused("POST", "/composite", {"compositeRequest": parts})[1] == "LIMIT_EXCEEDED"
    queries = [part(f"q{n}", "GET", "/query?q=SELECT+Id+FROM+Account") for n in range(6)]
    assert org.refused("POST", "/composite", {"compositeRequest": queries})[1] == "LIMIT_EXCEEDED"
    assert len(org.json("POST", "/composite", {"compositeRequest": queries[:5]})["compositeResponse"]) == 5
    twice = [parts[0], parts[0]]
    assert org.refused("POST", "/composite", {"compositeRequest": twice})[2] == "Duplicate reference ID p0"
    assert org.refused("POST", "/composite", {"compositeRequest": []})[1] == "INVALID_INPUT"


# -- graphs, batches, trees ----------------------------------------------------------------------------
def test_each_graph_is_all_or_nothing_by_itself(org: Any) -> None:
    def graph(name: str, **person: str) -> dict[str, Any]:
        parts = [
            part("a", "POST", "/sobjects/Account", {"Name": name}),
            part("c", "POST", "/sobjects/Contact", {"AccountId": "@{a.id}", **person}),
        ]
        return {"graphId": name, "compositeRequest": parts}

    body = {"graphs": [graph("good", LastName="Byron"), graph("bad", FirstName="Ada")]}
    good, bad = org.json("POST", "/composite/graph", body)["graphs"]
    assert (good["graphId"], good["isSuccessful"], bad["isSuccessful"]) == ("good", True, False)
    assert [each["httpStatusCode"] for each in good["graphResponse"]["compositeResponse"]] == [201, 201]
    assert bad["graphResponse"]["compositeResponse"][0]["body"] == HALTED
    assert org.live == {"Account": 1, "Contact": 1}
    query = {"graphs": [{"graphId": "g", "compositeRequest": [part("q", "GET", "/query?q=x")]}]}
    assert org.refused("POST", "/composite/graph", query)[1] == "INVALID_INPUT"


def test_a_batch_goes_on_or_halts(org: Any) -> None:
    requests = [
        {"method": "POST", "url": "v66.0/sobjects/Account", "richInput": {"Name": "A"}},
        {"method": "PATCH", "url": "v66.0/sobjects/Account/001000000000001AAA", "richInput": {"Name": "x"}},
        {"method": "POST", "url": "v66.0/sobjects/Account", "richInput": {"Name": "B"}},
    ]
    answer = org.json("POST", "/composite/batch", {"batchRequests": requests})
    assert answer["hasErrors"] is True
    assert [each["statusCode"] for each in answer["results"]] == [201, 404, 201]
    halted = org.json("POST", "/composite/batch", {"batchRequests": requests, "haltOnError": True})
    assert [each["statusCode"] for each in halted["results"]] == [201, 404, 412]
    assert org.live == {"Account": 3}


def test_each_part_of_a_batch_counts_as_a_request(org: Any) -> None:
    org.portal.behaviour.salesforce.usage_steps_back = False

    def used() -> int:
        header = org.ask("GET", "/limits").headers["Sforce-Limit-Info"]
        return int(header.removeprefix("api-usage=").partition("/")[0])

    before = used()
    requests = [{"method": "GET", "url": "v66.0/limits"}] * 3
    org.json("POST", "/composite/batch", {"batchRequests": requests})
    after_batch = used()
    parts = [part(f"p{n}", "GET", "/limits") for n in range(3)]
    org.json("POST", "/composite", {"compositeRequest": parts})
    assert (after_batch - before, used() - after_batch) == (5, 2)


def test_trees(org: Any) -> None:
    person = {"attributes": {"type": "Contact", "referenceId": "ref2"}, "LastName": "Byron"}
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "ref1"},
                "Name": "A",
                "Contacts": {"records": [person]},
            },
            {"attributes": {"type": "Account", "referenceId": "ref3"}, "Name": "B"},
        ]
    }
    answer = org.json("POST", "/composite/tree/Account", tree, status=201)
    assert answer["hasErrors"] is False
    assert [each["referenceId"] for each in answer["results"]] == ["ref1", "ref3", "ref2"]
    ids = {each["referenceId"]: each["id"] for each in answer["results"]}
    assert org.json("GET", f"/sobjects/Contact/{ids['ref2']}")["AccountId"] == ids["ref1"]
    del person["LastName"]
    failed = org.json("POST", "/composite/tree/Account", tree, status=400)
    assert (failed["hasErrors"], [each["referenceId"] for each in failed["results"]]) == (True, ["ref2"])
    assert failed["results"][0]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert org.live == {"Account": 2, "Contact": 1}
    person["attributes"]["referenceId"] = "ref1"
    twice = {
        "statusCode": "INVALID_INPUT",
        "message": "Duplicate ReferenceId provided in the request.",
        "fields": [],
    }
    assert org.json("POST", "/composite/tree/Account", tree, status=400) == {
        "hasErrors": True,
        "results": [{"referenceId": "ref1", "errors": [twice]}],
    }
