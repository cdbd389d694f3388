"""What clients read about the org: versions, resources, describes, limits; and what every answer has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import Behaviour, LocalPortal, PortalRequest
from pytest_crmseed.portal.salesforce.behaviour import SalesforceBehaviour

Org = Any


@pytest.fixture(scope="module")
def shared(new_org: Callable[..., Org]) -> Iterator[Org]:
    """An org that nobody writes to."""
    yield new_org()


def anonymous(org: Org, path: str) -> Any:
    return org.portal.handle(PortalRequest.of("GET", path))


def test_versions_need_no_token(shared: Org) -> None:
    answer = anonymous(shared, "/services/data/")
    found = answer.json()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json;charset=UTF-8")
    assert found[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    labels = {each["version"]: each["label"] for each in found}
    assert [labels[name] for name in ("31.0", "60.0", "61.0", "62.0", "66.0")] == [
        "Summer '14",
        "Spring '24",
        "Summer '24",
        "Winter '25",
        "Spring '26",
    ]


@pytest.mark.parametrize("version", ["v41.0", "v50.0", "V68.0"])
def test_every_version_is_answered_on_every_path(shared: Org, version: str) -> None:
    home = f"/services/data/{version}"
    own = home.lower()
    assert shared.json("GET", f"{home}/")["sobjects"] == f"{own}/sobjects"
    assert (
        shared.json("GET", f"{home}/sobjects/ACCOUNT/Describe/")["urls"]["sobject"]
        == f"{own}/sobjects/Account"
    )
    assert "DailyApiRequests" in shared.json("GET", f"{home}/Limits")


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        (
            "/services/data/v30.0/limits",
            410,
            {"message": "The requested API version has been retired.", "errorCode": "GONE"},
        ),
        (
            "/services/data/v69.0/limits",
            404,
            {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"},
        ),
        (
            "/services/data/v66/limits",
            404,
            {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"},
        ),
        (
            "/services/data/v66.0/search",
            501,
            {
                "message": "The local portal does not emulate GET /services/data/v66.0/search. Nearest:"
                " /services/data/{version}, /services/data/{version}/sobjects,"
                " /services/data/{version}/query.",
                "errorCode": "NOT_EMULATED",
            },
        ),
    ],
)
def test_paths_that_are_not_answered(shared: Org, path: str, status: int, error: dict[str, str]) -> None:
    answer = shared.ask("GET", path)
    assert (answer.status, answer.json()) == (status, [error])
    assert "Sforce-Limit-Info" in answer.headers


def test_what_is_not_below_data_is_not_emulated(shared: Org) -> None:
    answer = shared.ask("GET", "/services/async/59.0/job")
    assert (answer.status, answer.json()[0]["errorCode"]) == (501, "NOT_EMULATED")


def test_a_token_is_needed(shared: Org) -> None:
    for path in ("/services/data/v66.0", "/services/data/v66.0/sobjects", "/services/data/v66.0/nowhere"):
        answer = anonymous(shared, path)
        error = {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
        assert (answer.status, answer.json()) == (401, [error])


def test_answers_are_spread_out_for_who_asks(shared: Org) -> None:
    plain = shared.ask("GET", "/limits/recordCount?sObjects=Account")
    pretty = shared.ask("GET", "/limits/recordCount?sObjects=Account", X_PrettyPrint="1")
    assert plain.body == b'{"sObjects":[]}'
    assert pretty.body == b'{\n  "sObjects" : []\n}'
    assert json.loads(pretty.body) == plain.json()
    refused = shared.ask("GET", "/sobjects/Nope", X_PrettyPrint="1")
    assert refused.body.startswith(b'[\n  {\n    "errorCode" : "NOT_FOUND",')


def test_a_head_has_no_body(shared: Org) -> None:
    answer = shared.ask("HEAD", "/sobjects/Account")
    assert (answer.status, answer.body) == (200, b"")


# -- describes -----------------------------------------------------------------------------------------
def test_the_list_of_objects(shared: Org) -> None:
    body = shared.json("GET", "/sobjects/")
    names = [each["name"] for each in body["sobjects"]]
    assert (body["encoding"], body["maxBatchSize"]) == ("UTF-8", 200)
    assert names == sorted(names) and "Quote" not in names
    assert {"Account", "CampaignMember", "OpportunityStage", "Order", "PricebookEntry", "User"} <= set(names)
    for each in body["sobjects"]:
        assert shared.json("GET", each["urls"]["describe"])["keyPrefix"] == each["keyPrefix"]
    basic = shared.json("GET", "/sobjects/Account")
    assert basic["objectDescribe"] == next(each for each in body["sobjects"] if each["name"] == "Account")


def test_every_object_describes_itself(shared: Org) -> None:
    for name in shared.inner.catalogue.names:
        described = shared.json("GET", f"/sobjects/{name}/describe")
        fields = {field["name"]: field for field in described["fields"]}
        assert {len(field) for field in fields.values()} == {57}
        assert fields["Id"]["type"] == "id"
        for field in fields.values():
            if field["type"] == "boolean":
                assert not field["nillable"] and field["defaultedOnCreate"], (name, field["name"])
            if field["referenceTo"]:
                assert field["type"] == "reference", (name, field["name"])
            defaults = [value["value"] for value in field["picklistValues"] if value["defaultValue"]]
            assert len(defaults) <= 1 and (not defaults or field["defaultedOnCreate"]), (name, field["name"])


def test_what_is_required_is_what_a_describe_says(shared: Org) -> None:
    """The required fields of recorded describes, and of the vendor's pages."""
    required = {}
    for name in (
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "OpportunityContactRole",
        "Case",
        "Event",
        "Campaign",
    ):
        fields = shared.json("GET", f"/sobjects/{name}/describe")["fields"]
        required[name] = [
            field["name"]
            for field in fields
            if field["createable"]
            and not field["nillable"]
            and not field["defaultedOnCreate"]
            and field["type"] != "boolean"
        ]
    assert required == {
        "Account": ["Name"],
        "Contact": ["LastName"],
        "Lead": ["LastName", "Company"],
        "Opportunity": ["Name", "StageName", "CloseDate"],
        "OpportunityContactRole": ["OpportunityId", "ContactId"],
        "Case": [],
        "Event": [],
        "Campaign": ["Name"],
    }


def test_older_versions_tell_less(shared: Org) -> None:
    old = shared.json("GET", "/services/data/v42.0/sobjects/Account/describe")
    new = shared.json("GET", "/services/data/v66.0/sobjects/Account/describe")
    assert sorted(set(new) - set(old)) == [
        "associateEntityType",
        "associateParentEntity",
        "deepCloneable",
        "defaultImplementation",
        "extendedBy",
        "extendsInterfaces",
        "implementedBy",
        "implementsInterfaces",
        "isInterface",
    ]
    assert set(new["fields"][0]) - set(old["fields"][0]) == {
        "aiPredictionField",
        "formulaTreatNullNumberAsZero",
    }
    assert "developerName" not in old["recordTypeInfos"][0]
    assert new["recordTypeInfos"][0]["recordTypeId"] == "012000000000000AAA"


def test_a_describe_that_a_client_has_is_not_sent_again(org: Org) -> None:
    path = "/sobjects/Account/describe"
    since = org.ask("GET", path).headers["Last-Modified"]
    answer = org.ask("GET", path, if_modified_since=since)
    assert (answer.status, answer.body) == (304, b"")
    assert org.ask("GET", path, if_modified_since="never").status == 200
    field = {"FullName": "Account.New__c", "Metadata": {"type": "Text", "label": "New", "length": 9}}
    org.json("POST", "/tooling/sobjects/CustomField", field, status=201)
    assert org.ask("GET", path, if_modified_since=since).status == 200


def test_the_unique_key_is_there_from_the_start(shared: Org, new_org: Callable[..., Org]) -> None:
    seedable = [name for name in shared.inner.catalogue.names if shared.inner.catalogue.seedable(name)]
    assert {"Account", "Task", "OrderItem", "Pricebook2"} <= set(seedable) and "User" not in seedable
    for name in seedable:
        fields = shared.json("GET", f"/sobjects/{name}/describe")["fields"]
        [key] = [field for field in fields if field["name"] == "crmseed_key__c"]
        told = {
            each: key[each] for each in ("type", "length", "unique", "externalId", "createable", "custom")
        }
        assert told == {
            "type": "string",
            "length": 100,
            "unique": True,
            "externalId": True,
            "createable": True,
            "custom": True,
        }
    bare = new_org(Behaviour(set_up=False))
    names = {field["name"] for field in bare.json("GET", "/sobjects/Account/describe")["fields"]}
    assert not {name for name in names if name.endswith("__c")}


# -- limits --------------------------------------------------------------------------------------------
def test_usage_is_told_and_steps_back(org: Org) -> None:
    org.behaviour.salesforce.daily_requests = 15_000
    told = [org.ask("GET", "/limits/recordCount").headers["Sforce-Limit-Info"] for _ in range(40)]
    used = [int(each.removeprefix("api-usage=").removesuffix("/15000")) for each in told]
    assert any(later < earlier for earlier, later in pairwise(used))
    org.behaviour.salesforce.usage_steps_back = False
    assert org.ask("GET", "/limits/").headers["Sforce-Limit-Info"] == "api-usage=41/15000"
    limits = org.json("GET", "/limits")
    assert limits["DailyApiRequests"] == {"Max": 15_000, "Remaining": 14_958}
    # Hours are counted whole: a day after the last one ended they are forgotten.
    org.clock.advance(86_400)
    assert org.ask("GET", "/limits").headers["Sforce-Limit-Info"] == "api-usage=43/15000"
    org.clock.advance(3_600)
    assert org.ask("GET", "/limits").headers["Sforce-Limit-Info"] == "api-usage=2/15000"


def test_the_days_requests_are_used_up(org: Org) -> None:
    org.behaviour.salesforce.daily_requests = 2
    assert [org.ask("GET", "/limits").status for _ in range(3)] == [200, 200, 403]
    answer = org.ask("GET", "/limits")
    error = {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    assert (answer.status, answer.json()) == (403, [error])
    assert "Retry-After" not in answer.headers
    org.portal.reset()
    assert org.ask("GET", "/limits").status == 200


def test_a_token_with_few_requests_at_once(org: Org) -> None:
    token = org.api.issue(name="slow", scopes=[], burst=1)
    requests = [PortalRequest.of("GET", "/services/data/v66.0/limits", token=token) for _ in range(2)]
    assert org.portal.handle(requests[0]).status == 200
    answer = org.portal.handle(requests[1])
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    assert (answer.status, answer.json()) == (
        403,
        [{"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )
    org.clock.advance(10)
    assert org.portal.handle(requests[1]).status == 200


def test_storage(new_org: Callable[..., Org]) -> None:
    org = new_org(Behaviour(salesforce=SalesforceBehaviour(storage_mb=1)))
    rows = [{"attributes": {"type": "Account"}, "Name": "A"}] * 200
    for _ in range(2):
        org.json("POST", "/composite/sobjects", {"records": rows})
    # 400 accounts take 800 KB, 28 campaigns 224 KB; products take nothing.
    for number in range(28):
        org.make("Campaign", Name=str(number))
    full = (400, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")
    assert org.refused("POST", "/sobjects/Account", {"Name": "A"}) == full
    org.make("Product2", Name="P")
    assert org.json("GET", "/limits")["DataStorageMB"] == {"Max": 1, "Remaining": 0}
    org.delete("Account", org.query("SELECT Id FROM Account LIMIT 1")["records"][0]["Id"])
    org.make("Account", Name="A")


def test_rows_are_counted(org: Org) -> None:
    org.make("Account", Name="A")
    counted = org.json("GET", "/limits/recordCount?sObjects=account,Contact,Nope")
    assert counted == {"sObjects": [{"count": 1, "name": "Account"}]}


# -- the org itself ------------------------------------------------------------------------------------
def test_the_rows_that_every_org_has(shared: Org) -> None:
    [organization] = shared.query("SELECT Id, Name, IsSandbox, OrganizationType FROM Organization")["records"]
    del organization["attributes"]
    assert organization == {
        "Id": "00D7e0000000001EAA",
        "Name": "Local portal",
        "IsSandbox": True,
        "OrganizationType": "Developer Edition",
    }
    [book] = shared.query("SELECT Name, IsActive FROM Pricebook2 WHERE IsStandard = true")["records"]
    assert (book["Name"], book["IsActive"]) == ("Standard Price Book", True)
    stages = "SELECT ApiName, IsClosed, IsWon, DefaultProbability FROM OpportunityStage ORDER BY SortOrder"
    found = [tuple(row.values())[1:] for row in shared.query(stages)["records"]]
    assert found[0] == ("Prospecting", False, False, 10.0)
    assert found[-2:] == [("Closed Won", True, True, 100.0), ("Closed Lost", True, False, 0.0)]
    closed = "SELECT ApiName FROM {} WHERE IsClosed = true"
    assert shared.column(closed.format("CaseStatus"), "ApiName") == ["Closed"]
    assert shared.column(closed.format("TaskStatus"), "ApiName") == ["Completed"]
    converted = "SELECT ApiName FROM LeadStatus WHERE IsConverted = true"
    assert shared.column(converted, "ApiName") == ["Closed - Converted"]
    owned = "SELECT Profile.Name FROM PermissionSet WHERE IsOwnedByProfile = true"
    assert shared.query(owned)["records"][0]["Profile"]["Name"] == "System Administrator"
    assert shared.live == {}


def test_a_reset_and_a_snapshot_leave_them(org: Org) -> None:
    org.make("Account", Name="A")
    before = org.portal.snapshot()
    org.portal.reset()
    assert org.live == {} and len(org.query("SELECT Id FROM User")["records"]) == 3
    org.portal.restore(before)
    assert org.live == {"Account": 1} and len(org.query("SELECT Id FROM User")["records"]) == 3
    first = org.column("SELECT Id FROM Account", "Id")
    assert org.make("Account", Name="B") > first[0]


def test_a_portal_on_a_file_knows_its_org_again(tmp_path: Any) -> None:
    def ask(portal: LocalPortal, method: str, path: str, body: Any = None) -> Any:
        token = portal.tokens("salesforce")["application"]
        return portal.portal.handle(
            PortalRequest.of(method, "/services/data/v66.0" + path, body, token=token)
        )

    field = {"FullName": "Account.New__c", "Metadata": {"type": "Text", "label": "New", "length": 9}}
    file = tmp_path / "portal.sqlite"
    first = LocalPortal(db=file)
    id = ask(first, "POST", "/sobjects/Account", {"Name": "A"}).json()["id"]
    assert ask(first, "POST", "/tooling/sobjects/CustomField", field).status == 201
    tokens = first.tokens("salesforce")
    first.close()
    second = LocalPortal(db=file)
    assert second.tokens("salesforce") == tokens
    assert ask(second, "GET", f"/sobjects/Account/{id}").json()["Name"] == "A"
    assert (
        ask(second, "POST", "/tooling/sobjects/CustomField", field).json()[0]["errorCode"]
        == "DUPLICATE_DEVELOPER_NAME"
    )
    assert "salesforce" not in [name for name, api in second.portal.apis.items() if api.stock]
    second.close()


def test_what_applications_are_told(shared: Org) -> None:
    assert shared.api.environ("http://127.0.0.1:1") == {
        "SALESFORCE_INSTANCE_URL": "http://127.0.0.1:1",
        "SALESFORCE_ACCESS_TOKEN": shared.api.tokens()["application"],
    }
    assert shared.api.stock
    assert shared.api.object_type("oPPORTUNITY") == "Opportunity" and shared.api.object_type("Nope") is None
    routes = shared.api.coverage()
    assert ("POST", "/services/data/{version}/sobjects/{object}") in routes
    assert len(routes) == len(set(routes))


def test_faults_know_its_routes_and_objects(shared: Org) -> None:
    faults = shared.portal.faults
    faults.fail(500, object_type="OpportunityContactRole", route="*/sobjects/{object}")
    faults.clear()
    with pytest.raises(UsageError, match="the local portal has no such object type"):
        faults.fail(500, object_type="Nope__c")
