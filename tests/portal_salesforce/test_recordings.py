"""Describes and exchanges that were recorded from real orgs, against the portal's own.

What differs is told, with its reason, in ``recorded_differences.txt``: a pattern for differences, two
spaces, the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pytest_crmseed.portal import Behaviour, PortalRequest
from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.behaviour import CustomField, SalesforceBehaviour

Org = Any
NewOrg = Callable[..., Org]

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "describe" / "salesforce"
REASONS = Path(__file__).with_name("recorded_differences.txt")

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER}")

# Each with the version it was asked of; some recordings leave theirs out.
DESCRIBES = {
    "Account.describe.v42.grouparoo": 42,
    "Account.describe.v48.cumulusci": 48,
    "Campaign.describe.v42.grouparoo": 42,
    "Case.describe.v48.cumulusci": 48,
    "Contact.describe.cumulusci": 59,
    "Contact.describe.v42.grouparoo": 42,
    "Event.describe.cumulusci": 59,
    "Lead.describe.v42.grouparoo": 42,
    "Lead.describe.v59.cumulusci": 59,
    "Opportunity.describe.cumulusci": 59,
    "OpportunityContactRole.describe.v48.cumulusci": 48,
}
_LISTS: Mapping[str, Callable[[Any], str]] = {
    "childRelationships": lambda each: f"{each['childSObject']}.{each['field']}",
    "fields": lambda each: str(each["name"]),
    "recordTypeInfos": lambda each: str(each["name"]),
    "supportedScopes": lambda each: str(each["name"]),
    "picklistValues": lambda each: str(each["value"]),
}


def recorded(name: str, version: int) -> Any:
    text = (FOLDER / f"{name}.json").read_text("utf-8").replace("vxx.0", f"v{version}.0")
    return json.loads(re.sub(r"https://[\w.-]+\.salesforce\.com", "http://127.0.0.1", text))


def differences(theirs: Any, ours: Any, path: str) -> Iterator[str]:
    """Yield how two describes differ: where, and in which way."""
    name = path.rpartition("/")[2]
    if isinstance(theirs, list) and isinstance(ours, list) and name in _LISTS:
        theirs, ours = ({_LISTS[name](each): each for each in some} for some in (theirs, ours))
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted({*theirs, *ours}):
            if key not in ours:
                yield f"{path}/{key} missing"
            elif key not in theirs:
                yield f"{path}/{key} added"
            else:
                yield from differences(theirs[key], ours[key], f"{path}/{key}")
    elif theirs != ours:
        yield f"{path} differs"


@cache
def reasons() -> list[str]:
    """The patterns of differences that have a reason."""
    lines = [line for line in REASONS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"\S+ (missing|added|differs)  \S.*", line), line
    return [line.partition("  ")[0] for line in lines]


@pytest.fixture(scope="module")
def bare(new_org: NewOrg) -> Org:
    """An org without fields of its own."""
    return new_org(Behaviour(set_up=False))


def all_differences(org: Org) -> dict[str, list[str]]:
    found = {}
    for file, version in DESCRIBES.items():
        theirs = recorded(file, version)
        path = f"/services/data/v{version}.0/sobjects/{theirs['name']}/describe"
        found[file] = list(differences(theirs, org.json("GET", path), file))
    return found


def test_describes_are_the_recorded_ones(bare: Org) -> None:
    found = [each for some in all_differences(bare).values() for each in some]
    unexplained = [each for each in found if not any(fnmatchcase(each, pattern) for pattern in reasons())]
    assert unexplained == []


def test_no_reason_is_without_a_difference(bare: Org) -> None:
    found = [each for some in all_differences(bare).values() for each in some]
    idle = [pattern for pattern in reasons() if not any(fnmatchcase(each, pattern) for each in found)]
    assert idle == []


def test_the_list_of_objects_is_the_recorded_one(bare: Org) -> None:
    theirs = recorded("global.describe.partial.v52.cumulusci", 52)
    ours = bare.json("GET", "/services/data/v52.0/sobjects/")
    assert {**theirs, "sobjects": None} == {**ours, "sobjects": None}
    known = {each["name"]: each for each in ours["sobjects"]}
    # Entries without a prefix were put in by hand, and are as another object's.
    both = [each for each in theirs["sobjects"] if each["name"] in known and each["keyPrefix"] is not None]
    assert {"Account", "CampaignMember", "Case", "Organization", "User"} <= {each["name"] for each in both}
    found = [
        line for each in both for line in differences(each, known[each["name"]], f"global/{each['name']}")
    ]
    assert found == []


def test_limits_have_the_recorded_names(bare: Org) -> None:
    theirs = json.loads((FOLDER / "limits.camel.json").read_text("utf-8"))
    ours = bare.json("GET", "/limits")
    assert all(set(each) == {"Max", "Remaining"} for each in ours.values())
    named = {"DailyApiRequests", "DataStorageMB", "FileStorageMB", "DailyAsyncApexExecutions", "SingleEmail"}
    assert named <= set(theirs) & set(ours)


def test_the_organization_has_the_recorded_fields(bare: Org) -> None:
    theirs = json.loads((FOLDER / "Organization.record.cumulusci.json").read_text("utf-8"))
    id = bare.query("SELECT Id FROM Organization")["records"][0]["Id"]
    ours = bare.json("GET", f"/sobjects/Organization/{id}")
    assert set(theirs) - set(ours) == set()
    for name, value in theirs.items():
        assert value is None or ours[name] is None or type(value) is type(ours[name]), name


# -- exchanges -------------------------------------------------------------------------------------------
_TYPES = {
    "checkbox_field__c": "boolean",
    "date_field__c": "date",
    "datetime_field__c": "datetime",
    "email_field__c": "email",
    "float_field__c": "double",
    "number_field__c": "double",
    "currency_field__c": "currency",
    "percent_field__c": "percent",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")
_ID = re.compile(r"\b[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\b")


def exchanges() -> list[Any]:
    found: list[Any] = json.loads((FOLDER / "recorded-exchanges.v42.grouparoo.json").read_text("utf-8"))
    # Topics are not emulated.
    return [each for each in found if "Topic" not in json.dumps(each["request"])]


class Replay:
    """Sends recorded requests to an org; ids of theirs lead to ids of ours."""

    def __init__(self, new_org: NewOrg) -> None:
        fields = {
            name: tuple(
                CustomField(field, field.removesuffix("__c"), _TYPES.get(field, "string")) for field in own
            )
            for name, own in self._own_fields().items()
        }
        self.org = new_org(Behaviour(set_up=False, salesforce=SalesforceBehaviour(custom_fields=fields)))
        user = self.org.query("SELECT Id FROM User WHERE FirstName = 'User'")["records"][0]["Id"]
        self.ours = {"0054S000000JFmhQAG": user}

    @staticmethod
    def _own_fields() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for each in exchanges():
            body = each["response"]["body"]
            if isinstance(body, dict) and "attributes" in body:
                own = [name for name in body if name.endswith("__c")]
                found[body["attributes"]["type"]] = own
        found["Account"].append("Custom_External_ID__c")
        return found

    def stand_in(self, theirs: str, name: str, values: Mapping[str, Any]) -> None:
        """Make the row that a recorded id stands for, unless it is there."""
        if theirs not in self.ours:
            self.ours[theirs] = self.org.make(name, **values)

    def text(self, text: str) -> str:
        """Return a text with their ids replaced by ours; unknown ones stay, and lead nowhere."""
        return _ID.sub(lambda found: self.ours.get(found[0], found[0]), text)

    def send(self, exchange: Any) -> Any:
        """Send a request as it was recorded."""
        request = exchange["request"]
        query = urlencode({name: self.text(value) for name, value in request["query"].items()})
        body = None if request["body"] is None else json.loads(self.text(json.dumps(request["body"])))
        url = self.text(request["path"]) + (f"?{query}" if query else "")
        token = self.org.api.tokens()["application"]
        return self.org.portal.handle(PortalRequest.of(request["method"], url, body, token=token))


def shape(value: Any) -> Any:
    """Return an answer's body with what is each time another: moments, and ids that were just given."""
    text = _MOMENT.sub("MOMENT", json.dumps(value))
    return json.loads(_ID.sub(lambda found: found[0][:3] + "ID" if ids.parse(found[0]) else found[0], text))


def test_recorded_exchanges_are_answered_alike(new_org: NewOrg) -> None:
    """In the recorded order; rows that were there before are made first, as the answers tell of them."""
    replay = Replay(new_org)
    seen = 0
    for exchange in exchanges():
        request, response = exchange["request"], exchange["response"]
        prepare(replay, exchange)
        answer = replay.send(exchange)
        where = f"{request['method']} {request['path']} {request['query']}"
        assert answer.status == response["status"], where
        assert answer.headers["content-type"] == response["headers"]["Content-Type"], where
        assert re.fullmatch(r"api-usage=\d+/\d+", answer.headers["Sforce-Limit-Info"]), where
        for name in ("Location", "Last-Modified"):
            assert (name in answer.headers) == (name in response["headers"]), (where, name)
        ours, theirs = shape(answer.json()), shape(response["body"])
        if isinstance(theirs, dict) and "attributes" in theirs:
            # Fields that came with later releases, see the differences of describes.
            ours = {name: value for name, value in ours.items() if name in theirs}
            assert list(ours) == [name for name in theirs if name in ours], where
        assert ours == theirs, where
        if isinstance(response["body"], list):
            for given, made in zip(response["body"], answer.json(), strict=True):
                if "id" in given:
                    replay.ours[given["id"]] = made["id"]
        seen += 1
    assert seen == 18


def prepare(replay: Replay, exchange: Any) -> None:
    """Have the rows that a recorded request counts on."""
    request, body = exchange["request"], exchange["response"]["body"]
    if request["method"] == "GET" and isinstance(body, dict) and "attributes" in body:
        name, id = body["attributes"]["type"], body["Id"]
        fields = replay.org.inner.catalogue.find(name).fields
        values = {
            field.name: body[field.name]
            for field in fields
            if field.createable and body.get(field.name) is not None and not field.references
        }
        if name == "Contact":
            values["AccountId"] = replay.org.make("Account", Name="A")
        replay.stand_in(id, name, values)
    elif "Custom_External_ID__c" in json.dumps(request["query"]):
        for record in body["records"]:
            values = {"Name": "A", "Custom_External_ID__c": record["Custom_External_ID__c"]}
            replay.stand_in(record["Id"], "Account", values)
    elif request["method"] in ("PATCH", "DELETE"):
        named = json.dumps([request["body"], request["query"]])
        for id in _ID.findall(named):
            parsed = ids.parse(id)
            if parsed is None or parsed.prefix not in ("001", "00Q") or id in replay.ours:
                continue
            if parsed.prefix == "001":
                replay.stand_in(id, "Account", {"Name": "A"})
        if "NoEdit" in named:
            converted = {"LastName": "B", "Company": "C", "IsConverted": True, "Status": "Closed - Converted"}
            replay.ours["00Q4S000002sSacUAE"] = replay.org.make("Lead", **converted)
