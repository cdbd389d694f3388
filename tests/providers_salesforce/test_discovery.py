"""An org's schema, read from describes that were recorded from real orgs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, Unauthorized, UsageError
from pytest_crmseed.providers.base import Answer, Outcome, Request
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.providers.salesforce.definitions import object_type_of
from pytest_crmseed.records import Batch, Draft, Refusal
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Kind, ObjectType, Option, Schema
from pytest_crmseed.schema.validate import Validator
from pytest_crmseed.seeder.links import links_for

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded" / "org.json").read_text("utf-8"))
DESCRIBES: Mapping[str, Any] = RECORDED["describes"]
BUNDLED = catalog.bundled("salesforce")

ENTRY: Any = {
    "name": "PricebookEntry",
    "label": "Price Book Entry",
    "fields": [
        {"name": "UnitPrice", "type": "currency", "createable": True, "precision": 18, "scale": 2},
        {"name": "CurrencyIsoCode", "type": "picklist", "createable": True, "restrictedPicklist": True},
    ],
}
BUSINESS: Any = {
    **DESCRIBES["Account"],
    "fields": [f for f in DESCRIBES["Account"]["fields"] if f["name"] in ("Id", "Name")],
}
PRODUCT: Any = {"name": "Product2", "label": "Product", "fields": [{"name": "Name", "type": "string"}]}
ROLES: Any = {
    "name": "OpportunityContactRole",
    "fields": [
        {"name": "Role", "type": "picklist", "picklistValues": [{"value": "Evaluator", "label": "Evaluator"}]}
    ],
}
STAGES = [
    {
        "ApiName": "Prospecting",
        "MasterLabel": "x",
        "IsClosed": False,
        "IsWon": False,
        "DefaultProbability": 10,
    },
    {"ApiName": "Closed Won", "MasterLabel": "x", "IsClosed": True, "IsWon": True, "DefaultProbability": 100},
]
# Those named Person Account, and PersonAccount, among the recorded ones.
PERSON_TYPES = ("0125j000000bo4yAAA", "0125j000000bo53AAA")


class Org:
    """Answers a discovery's requests; ``refuse`` gives errors by the end of a path or statement."""

    def __init__(self, describes: Mapping[str, Any], refuse: Mapping[str, Exception] | None = None) -> None:
        self.describes = describes
        self.refuse = refuse or {}
        self.requests: list[str] = []

    def discover(self, *names: str) -> Schema:
        rounds = Salesforce(BUNDLED).discover(names, portal_id="00D1", taken_at="2026-11-23T10:00:00Z")
        try:
            requests = next(rounds)
            while True:
                requests = rounds.send([self.answer(request) for request in requests])
        except StopIteration as done:
            schema: Schema = done.value
            return schema

    def answer(self, request: Request) -> Any:
        asked = dict(request.query).get("q") or request.path
        self.requests.append(asked)
        for end, error in self.refuse.items():
            if end in asked:
                return error
        body: Any
        if "FROM OpportunityStage" in asked:
            body = {"done": True, "records": STAGES}
        elif "FROM CaseStatus" in asked:
            body = {"done": True, "records": []}
        elif "FROM RecordType" in asked:
            body = {"done": True, "records": [{"Id": id} for id in PERSON_TYPES]}
        elif asked.endswith("/sobjects"):
            body = {"sobjects": [{"name": name, **SEEDABLE} for name in self.describes] + HIDDEN}
        else:
            body = self.describes[asked.split("/")[-2]]
        return Answer(200, {}, json.dumps(body).encode(), request)


SEEDABLE = {"custom": True, "createable": True, "deletable": True, "queryable": True}
HIDDEN = [
    {"name": "Setting__c", **SEEDABLE, "customSetting": True},
    {"name": "Thing__Share", **SEEDABLE},
    {"name": "Fixed__c", **SEEDABLE, "createable": False},
]


@pytest.fixture(scope="module")
def live() -> Schema:
    org = Org({**DESCRIBES, "Product2": PRODUCT, "PricebookEntry": ENTRY, "OpportunityContactRole": ROLES})
    return org.discover("Contact", "Account", "Opportunity", "Product2")


# -- fields ----------------------------------------------------------------------------------------
def test_what_is_required_is_createable_not_nillable_and_not_defaulted(live: Schema) -> None:
    fields = live.object_types["Contact"].fields
    assert [field.name for field in fields.values() if field.required] == ["LastName"]
    # A boolean is never nillable, and has a default.
    assert not fields["checkbox_field__c"].required
    assert [f.name for f in live.object_types["Opportunity"].fields.values() if f.required] == [
        "Name",
        "StageName",
        "CloseDate",
    ]


def test_fields_have_kinds_lengths_bounds_and_targets(live: Schema) -> None:
    fields = live.object_types["Contact"].fields
    assert {name: field.kind for name, field in fields.items()} == {
        "Id": Kind.REFERENCE,
        "LastName": Kind.STRING,
        "FirstName": Kind.STRING,
        "Name": Kind.STRING,
        "Email": Kind.EMAIL,
        "AccountId": Kind.REFERENCE,
        "Salutation": Kind.OPTION,
        "OwnerId": Kind.REFERENCE,
        "MailingAddress": Kind.OTHER,
        "MailingCity": Kind.STRING,
        "picklist_field__c": Kind.OPTION,
        "Custom_External_ID__c": Kind.STRING,
        "checkbox_field__c": Kind.BOOLEAN,
        "currency_field__c": Kind.DECIMAL,
        "datetime_field__c": Kind.DATETIME,
    }
    assert (fields["LastName"].max_length, fields["datetime_field__c"].max_length) == (80, None)
    assert fields["AccountId"].references == ("Account",)
    assert fields["currency_field__c"].maximum == "9999999999999999.99"
    assert live.object_types["Account"].fields["NumberOfEmployees"].maximum == "99999999"
    external = fields["Custom_External_ID__c"]
    assert (external.unique, external.custom, external.native["externalId"]) == (True, True, "true")
    # Parts of a compound field are written, the whole is not.
    assert (fields["MailingAddress"].read_only, fields["MailingCity"].read_only) == (True, False)
    assert fields["MailingCity"].native["compoundFieldName"] == "MailingAddress"
    assert live.object_types["Contact"].display_field == "Name"


def test_most_picklists_take_any_text_and_some_do_not(live: Schema) -> None:
    fields = live.object_types["Contact"].fields
    assert (fields["Salutation"].unrestricted, fields["picklist_field__c"].unrestricted) == (True, False)
    assert fields["picklist_field__c"].options == tuple(Option(c, c) for c in ("Red", "Blue", "Green"))


def describe(*fields: Mapping[str, Any], name: str = "Thing__c", **more: Any) -> dict[str, Any]:
    stock = {"createable": True, "nillable": True, "custom": True, "restrictedPicklist": True}
    return {
        "name": name,
        "label": "Thing",
        "custom": True,
        "fields": [{**stock, **f} for f in fields],
        **more,
    }


def picklist(name: str, values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    entries = [
        {"value": v, "label": v.title(), "active": True, "validFor": bits} for v, bits in values.items()
    ]
    return {"name": name, "label": name, "type": "picklist", "picklistValues": entries, **more}


def bits(*octets: int) -> str:
    return base64.b64encode(bytes(octets)).decode()


DEPENDENT = describe(
    picklist("Country__c", {"de": None, "at": None, **{f"c{n}": None for n in range(8)}}),
    picklist(
        "City__c",
        # The highest bit of the first octet is the first country, the second bit of the next one the tenth.
        {
            "berlin": bits(0x80),
            "wien": bits(0x40),
            "both": bits(0xC0),
            "late": bits(0, 0x40),
            "none": bits(0),
        },
        dependentPicklist=True,
        controllerName="Country__c",
    ),
    {"name": "Box__c", "label": "Box", "type": "boolean"},
    picklist("Size__c", {"s": bits(0x40), "l": bits(0x80)}, dependentPicklist=True, controllerName="Box__c"),
)


def test_a_dependent_picklist_says_under_which_values_an_option_is_allowed() -> None:
    fields = object_type_of(DEPENDENT).fields
    assert fields["City__c"].controller == "Country__c"
    assert {option.value: option.valid_for for option in fields["City__c"].options} == {
        "berlin": ("de",),
        "wien": ("at",),
        "both": ("de", "at"),
        "late": ("c7",),
        "none": (),
    }
    assert {option.value: option.valid_for for option in fields["Size__c"].options} == {
        "s": ("true",),
        "l": ("false",),
    }
    assert fields["Country__c"].controller == ""


@pytest.mark.parametrize(
    ("record", "reasons"),
    [
        ({"Country__c": "de", "City__c": "berlin"}, []),
        (
            {"Country__c": "at", "City__c": "berlin"},
            ["'berlin' is not allowed with Country__c = 'at'; it goes with 'de'"],
        ),
        (
            {"City__c": "both"},
            ["'both' is not allowed without a value for Country__c; it goes with 'de' or 'at'"],
        ),
        (
            {"Country__c": "de", "City__c": "none"},
            ["'none' is not allowed with Country__c = 'de'; it goes with no value of it"],
        ),
        ({"Box__c": True, "Size__c": "s"}, []),
        ({"Size__c": "l"}, []),
        ({"Box__c": True, "Size__c": "l"}, ["'l' is not allowed with Box__c = True; it goes with 'false'"]),
        ({"Country__c": "de"}, []),
    ],
)
def test_a_dependent_value_under_the_wrong_controller_is_refused(
    record: dict[str, Any], reasons: Sequence[str]
) -> None:
    object_type = object_type_of(DEPENDENT)
    schema = Schema("salesforce", {"Thing__c": object_type}, complete=True)
    problems = list(Validator(schema).record("Thing__c", 0, object_type, record))
    assert [problem.reason for problem in problems] == list(reasons)
    if reasons and "Country__c" in record:
        assert "berlin" in problems[0].allowed or record["Country__c"] == "at"


def test_dependent_options_survive_a_file() -> None:
    schema = Schema("salesforce", {"Thing__c": object_type_of(DEPENDENT)}, complete=True)
    again = catalog.parse(json.loads(json.dumps(documents.document(schema))), source="bundled")
    assert again == schema


def test_auto_numbers_and_formulas_are_the_portal_s_own() -> None:
    fields = object_type_of(
        describe(
            {"name": "Number__c", "type": "string", "createable": False, "autoNumber": True},
            {"name": "Sum__c", "type": "double", "createable": False, "calculated": True},
        )
    ).fields
    assert all(field.calculated and field.read_only for field in fields.values())


def test_inactive_options_are_hidden_and_orders_begin_as_drafts() -> None:
    values = {"Draft": None, "Activated": None}
    status = picklist("Status", values, nillable=False)
    status["picklistValues"].append({"value": "Old", "label": "Old", "active": False})
    (field,) = object_type_of(describe(status, name="Order")).fields.values()
    assert [option.value for option in field.options if not option.hidden] == ["Draft"]
    assert field.required


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("0014S000007NxmlQAC", False),
        ("0014S000007Nxml", False),
        ("0034S000005YJVlQAO", True),
        ("0014S000007NxmlQA", True),
        ("Acme", True),
    ],
)
def test_a_lookup_takes_ids_of_its_own_target_only(value: str, wrong: bool) -> None:
    contact = BUNDLED.object_types["Contact"]
    record = {"LastName": "Lee", "AccountId": value}
    problems = list(Validator(BUNDLED).record("contacts", 0, contact, record))
    said = "does not match the pattern (001)[0-9A-Za-z]{12}([0-9A-Za-z]{3})?"
    assert [problem.reason for problem in problems] == ([said] if wrong else [])


def test_a_lookup_to_objects_nobody_knows_takes_any_id(live: Schema) -> None:
    assert BUNDLED.object_types["Task"].fields["WhatId"].pattern == ""
    assert live.object_types["Contact"].fields["AccountId"].pattern.startswith("(001)")
    # Users and queues own leads; the letters of queues are not known here.
    assert BUNDLED.object_types["Lead"].fields["OwnerId"].pattern == ""
    assert BUNDLED.object_types["Contact"].fields["OwnerId"].pattern.startswith("(005)")


# -- record types, person accounts -------------------------------------------------------------------
def test_record_types_are_options_that_go_by_their_names() -> None:
    infos = [
        {"recordTypeId": "0121", "name": "New Business", "available": True, "active": True, "master": False},
        {"recordTypeId": "0122", "name": "Closed Shop", "available": False, "active": True, "master": False},
        {"recordTypeId": "012000000000000AAA", "name": "Master", "available": True, "master": True},
    ]
    deals = object_type_of(
        describe(
            {
                "name": "RecordTypeId",
                "label": "Record Type ID",
                "type": "reference",
                "referenceTo": ["RecordType"],
            },
            name="Opportunity",
            recordTypeInfos=infos,
        )
    )
    assert deals.fields["RecordTypeId"].options == (Option("0121", "New Business"),)
    translator = Translator(Salesforce.legend, Schema("salesforce", {"Opportunity": deals}, complete=True))
    assert translator.to_native("deals", 0, {"pipeline": "new business"}) == ({"RecordTypeId": "0121"}, [])
    _, (problem,) = translator.to_native("deals", 0, {"pipeline": "Closed Shop"})
    assert problem.allowed == ("0121",)


# -- person accounts -----------------------------------------------------------------------------------
def test_with_person_accounts_there_are_two_kinds_of_accounts(live: Schema) -> None:
    """By the recorded describe, which requires neither name."""
    company, person = live.object_types["Account"], live.object_types["Account:Person"]
    assert [f.name for f in company.fields.values() if f.required] == ["Name"]
    assert [f.name for f in person.fields.values() if f.required] == ["LastName"]
    assert person.fields["Name"].read_only and not company.fields["Name"].read_only
    assert set(person.fields) - set(company.fields) == {"LastName", "PersonEmail"}
    assert set(company.fields) <= set(person.fields)
    # The org's default among them comes first.
    assert [o.label for o in company.fields["RecordTypeId"].options] == ["Organization", "Household Account"]
    assert [o.value for o in person.fields["RecordTypeId"].options] == list(PERSON_TYPES)
    assert (company.required_any, person.required_any) == ((), ())
    assert (company.type_id, person.type_id) == ("001", "")


def test_without_person_accounts_there_is_one_kind() -> None:
    org = Org({"Account": BUSINESS})
    assert set(org.discover("Account").object_types) == {"Account"}
    assert not any("RecordType" in asked for asked in org.requests)


def test_which_record_types_are_of_people_may_be_hidden() -> None:
    refused = ApiRefused("No.", status=400, refusals=(Refusal("No.", code="INVALID_FIELD"),))
    schema = Org({"Account": DESCRIBES["Account"]}, {"IsPersonType = true": refused}).discover("Account")
    of_people = schema.object_types["Account:Person"].fields["RecordTypeId"].options
    assert [option.label for option in of_people] == ["Person Account", "PersonAccount"]
    assert schema.gaps == (
        "The record types of Account could not be read (Salesforce answers 400, INVALID_FIELD): of those of "
        "people only the one named Person Account is known.",
    )


def test_an_account_goes_out_with_a_record_type_of_its_kind(live: Schema) -> None:
    def sent(name: str, **values: Any) -> Any:
        provider = Salesforce(live)
        request = provider.create(Batch(name, 1, 1, [Draft(name, 0, "k", values)]), {})
        (row,) = request.body["records"]
        return {field: row.get(field) for field in ("attributes", "RecordTypeId", *values)}

    account = {"type": "Account"}
    business, household = "0125j000000RqVlAAK", "0125j000000RqVkAAK"
    assert sent("companies", Name="Acme") == {
        "attributes": account,
        "RecordTypeId": business,
        "Name": "Acme",
    }
    assert sent("companies", RecordTypeId=household)["RecordTypeId"] == household
    assert sent("Account:Person", LastName="Doe")["RecordTypeId"] == PERSON_TYPES[0]
    assert sent("Account:Person", LastName="Doe")["attributes"] == account


def test_an_account_is_a_company_or_a_person(live: Schema) -> None:
    translator = Translator(Salesforce.legend, live)

    with pytest.raises(UsageError) as caught:
        translator.resolve("companies", "LastName")
    assert str(caught.value) == (
        "companies.LastName cannot be set: companies have a name; where the org has person accounts, people "
        "are of the object type Account:Person."
    )
    _, problems = translator.to_native("Account:Person", 0, {"LastName": "Doe", "Name": "Doe Ltd"})
    assert [(problem.field, problem.reason) for problem in problems] == [
        ("Name", "is read-only; the portal sets it itself")
    ]
    _, problems = translator.to_native(
        "Account:Person", 0, {"LastName": "Doe", "RecordTypeId": "Organization"}
    )
    assert [problem.field for problem in problems] == ["RecordTypeId"]


# -- object types ------------------------------------------------------------------------------------
def test_custom_objects_are_found_and_may_be_seeded(live: Schema) -> None:
    custom = live.object_types["Custom__c"]
    assert (custom.label, custom.custom, custom.type_id) == ("My Custom Object", True, "aB5")
    assert set(live.object_types) == {
        "Contact",
        "Account",
        "Account:Person",
        "Opportunity",
        "OpportunityContactRole",
        "Product2",
        "PricebookEntry",
        "Custom__c",
    }
    assert (live.source, live.complete, live.portal_id, live.gaps) == ("live", True, "00D1", ())
    assert links_for(Salesforce, live)["Custom__c"] == {}


def test_stages_are_those_of_the_org(live: Schema) -> None:
    (pipeline,) = live.object_types["Opportunity"].pipelines
    by_id = {stage.id: stage for stage in pipeline.stages}
    assert (by_id["Prospecting"].probability, by_id["Prospecting"].closed) == (0.1, False)
    assert (by_id["Closed Won"].probability, by_id["Closed Won"].closed) == (1.0, True)
    translator = Translator(Salesforce.legend, live)
    assert translator.to_native("deals", 0, {"stage": "closed_won"}) == ({"StageName": "Closed Won"}, [])


def test_prices_belong_to_products_and_roles_to_deals(live: Schema) -> None:
    fields = live.object_types["Product2"].fields
    assert fields["PricebookEntry.UnitPrice"].kind is Kind.DECIMAL
    # An org of several currencies has a price's currency, too.
    assert "currency" in Translator(Salesforce.legend, live).neutral_fields("products")
    labels = [association.label for association in live.object_types["Opportunity"].associations]
    assert labels == [None, "Evaluator"]


def test_variants_of_tasks_are_described_once() -> None:
    task = describe({"name": "Subject", "type": "combobox", "length": 255}, name="Task")
    org = Org({"Task": task})
    schema = org.discover("Task:Note", "Task:Call", "Task")
    assert set(schema.object_types) == {"Task", "Task:Call", "Task:Note"}
    assert [path for path in org.requests if path.endswith("/describe")] == [
        "/services/data/v66.0/sobjects/Task/describe"
    ]


def test_a_schema_without_a_currency_says_so() -> None:
    translator = Translator(
        Salesforce.legend,
        Schema("salesforce", {"Opportunity": ObjectType("Opportunity", "O", "O", {})}, complete=True),
    )
    assert "currency" not in translator.neutral_fields("deals")


# -- what may be missing -----------------------------------------------------------------------------
def test_what_cannot_be_read_is_left_out_and_noted() -> None:
    missing = ApiRefused("gone", status=404, refusals=[Refusal("gone", "NOT_FOUND")])
    unknown = ApiRefused("no", status=400, refusals=[Refusal("no", "INVALID_TYPE")])
    org = Org(
        {"Opportunity": DESCRIBES["Opportunity"], "OpportunityContactRole": ROLES},
        {"/Order/describe": missing, "FROM OpportunityStage": unknown, "FROM CaseStatus": unknown},
    )
    schema = org.discover("Opportunity", "Order")
    assert set(schema.object_types) == {"Opportunity", "OpportunityContactRole"}
    assert schema.gaps == (
        "The fields of Order could not be read (Salesforce answers 404, NOT_FOUND): these object types "
        "cannot be "
        "seeded.",
        "The stages of Opportunity could not be read (Salesforce answers 400, INVALID_TYPE): those that "
        "Salesforce has from the start are known, others count as open.",
    )
    closed = [stage.id for stage in schema.object_types["Opportunity"].pipelines[0].stages if stage.closed]
    assert closed == ["Closed Won", "Closed Lost"]


def test_an_org_that_lets_nothing_be_read_fails() -> None:
    refused = Unauthorized("no rights", status=403)
    with pytest.raises(Unauthorized, match=r"^no rights$"):
        Org({}, {"": refused}).discover("Contact")
    with pytest.raises(Unauthorized, match=r"^over$"):
        org = Org(DESCRIBES, {"/sobjects/Contact": Unauthorized("over", status=401)})
        org.discover("Contact", "Account")


# -- recorded exchanges --------------------------------------------------------------------------------
@pytest.mark.parametrize("number", range(len(RECORDED["exchanges"])))
def test_recorded_answers_are_understood(number: int) -> None:
    exchange = RECORDED["exchanges"][number]
    sent, got = exchange["request"], exchange["response"]
    provider = Salesforce(BUNDLED, api_version="42.0")
    if got["status"] == 404:
        request = provider.read("contacts", ["0034S000005YJX9QAO"], [])
        answer = Answer(404, {}, json.dumps(got["body"]).encode(), request)
        verdict = provider.judge(request, answer)
        assert verdict.outcome is Outcome.REFUSED
        assert "The requested resource does not exist [NOT_FOUND]" in str(verdict.error)
        return
    if sent["method"] == "DELETE":
        request = provider.delete("companies", sent["query"]["ids"].split(","))
        assert (request.method, request.path) == (sent["method"], sent["path"])
        assert dict(request.query)["ids"] == sent["query"]["ids"]
        verdict = provider.judge(request, Answer(200, {}, json.dumps(got["body"]).encode(), request))
        assert verdict.outcome is Outcome.DONE
        return
    # What was sent there stands for a batch of ours; a row of its answer says the same of either.
    drafts = []
    for index, row in enumerate(sent["body"]["records"]):
        values = {name: value for name, value in row.items() if name not in ("attributes", "id")}
        drafts.append(Draft(row["attributes"]["type"], index, f"K{index}", values))
    batch = Batch(drafts[0].object_type, 1, 1, drafts)
    request = provider.create(batch, {})
    assert request.path == sent["path"]
    assert request.body["allOrNone"] is sent["body"]["allOrNone"] is False
    results = provider.results(batch, Answer(200, {}, json.dumps(got["body"]).encode(), request))
    for result, row in zip(results, got["body"], strict=True):
        assert result.id == row.get("id")
        assert result.ok is row["success"]
        said = [(e["statusCode"], e["message"]) for e in row["errors"]]
        assert [(refusal.code, refusal.message) for refusal in result.refusals] == said


# -- the bundled schema --------------------------------------------------------------------------------
def test_the_bundled_schema_has_every_object_type_of_the_legend_and_links() -> None:
    for entry in Salesforce.legend.objects.values():
        assert entry.native in BUNDLED.object_types
    assert {"OrderItem", "CampaignMember", "PricebookEntry", "OpportunityContactRole"} <= set(
        BUNDLED.object_types
    )
    assert not BUNDLED.complete and BUNDLED.provider == "salesforce"
    assert catalog.parse(documents.document(BUNDLED), source="bundled") == BUNDLED
    # No org's own fields are in it.
    assert not any(field.custom for o in BUNDLED.object_types.values() for field in o.fields.values())


@pytest.mark.parametrize(
    ("name", "required", "groups"),
    [
        # As recorded from real orgs, and where describe does not tell it, as the server demands.
        ("Account", ["Name"], ()),
        ("Contact", ["LastName"], ()),
        ("Lead", ["LastName", "Company"], ()),
        ("Opportunity", ["Name", "StageName", "CloseDate"], ()),
        ("OpportunityContactRole", ["OpportunityId", "ContactId"], ()),
        ("Case", [], ()),
        ("Campaign", ["Name"], ()),
        ("Event", [], (("StartDateTime", "ActivityDateTime", "ActivityDate"),)),
        ("Order", ["AccountId", "EffectiveDate", "Status"], ()),
        ("CampaignMember", ["CampaignId"], (("ContactId", "LeadId"),)),
    ],
)
def test_what_the_bundled_schema_requires(name: str, required: list[str], groups: Any) -> None:
    object_type = BUNDLED.object_types[name]
    assert sorted(f.name for f in object_type.fields.values() if f.required) == sorted(required)
    assert object_type.required_any == groups
