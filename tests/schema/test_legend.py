"""The legend applied to HubSpot's schema, and to schemas of other shapes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import FieldLegend, Legend, ObjectLegend, Problem, Translator
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Option, Pipeline, Schema, Stage
from pytest_crmseed.schema.stages import STAGES, neutral_stage, stage_of

BUNDLED = catalog.bundled("hubspot")
HUBSPOT = Translator(LEGEND, BUNDLED)

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
MONEY = st.decimals(min_value=-(10**12), max_value=10**12, places=2)
BY_KIND: Mapping[Kind, st.SearchStrategy[Any]] = {
    Kind.STRING: TEXT,
    Kind.TEXT: TEXT,
    Kind.PHONE: TEXT,
    Kind.URL: TEXT,
    Kind.EMAIL: st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example\.com", fullmatch=True),
    Kind.DECIMAL: MONEY,
    Kind.INTEGER: st.integers(-(10**9), 10**9),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates(),
    Kind.DATETIME: st.datetimes(timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
}


def values_of(object_type: str, neutral: str) -> st.SearchStrategy[Any]:
    home = LEGEND.objects[object_type].fields[neutral]
    definition = BUNDLED.object_types[object_type].fields[home.native]
    if home.role == "stage":
        return st.sampled_from(STAGES)
    if home.role == "pipeline":
        return st.just("default")
    if definition.options:
        return st.sampled_from([option.value for option in definition.options])
    return BY_KIND[home.kind or definition.kind]


@pytest.mark.parametrize("object_type", ["companies", "contacts", "deals"])
@given(st.data())
def test_every_neutral_field_comes_back_as_it_went_out(object_type: str, data: st.DataObject) -> None:
    record = data.draw(
        st.fixed_dictionaries(
            {}, optional={name: values_of(object_type, name) for name in HUBSPOT.neutral_fields(object_type)}
        )
    )
    native, problems = HUBSPOT.to_native(object_type, 0, record)
    assert problems == []
    # HubSpot holds texts, whatever the property's type.
    assert all(isinstance(value, str) for value in native.values())
    back = HUBSPOT.to_neutral(object_type, native)
    if "pipeline" in HUBSPOT.neutral_fields(object_type):
        record = {"pipeline": "default", **record}
    assert back == record
    assert {name: type(value) for name, value in back.items()} == {
        name: type(value) for name, value in record.items()
    }


@given(st.datetimes(timezones=st.just(UTC)))
def test_datetimes_are_written_with_milliseconds_in_utc(moment: datetime) -> None:
    text = LEGEND.to_wire[Kind.DATETIME](moment)
    assert len(text) == 24 and text.endswith("Z")
    back = LEGEND.from_wire[Kind.DATETIME](text)
    assert timedelta() <= moment - back < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("neutral", "native"),
    [
        (
            {"amount": Decimal("1E+3"), "stage": "closed_won", "close_date": date(2026, 3, 31), "name": "N"},
            {
                "amount": "1000",
                "dealstage": "closedwon",
                "closedate": "2026-03-31T00:00:00.000Z",
                "dealname": "N",
                "pipeline": "default",
            },
        ),
        ({"amount": 0.1}, {"amount": "0.1", "pipeline": "default"}),
        ({"amount": 1e22}, {"amount": "10000000000000000000000", "pipeline": "default"}),
        ({"name": None, "amount": None}, {"pipeline": "default"}),
        # On a clash the neutral name wins.
        ({"name": "neutral", "dealname": "native"}, {"dealname": "neutral", "pipeline": "default"}),
        (
            {"name": "neutral", "native": {"dealname": "native"}},
            {"dealname": "neutral", "pipeline": "default"},
        ),
        ({"native": {"dealname": "n", "dealtype": None}}, {"dealname": "n", "pipeline": "default"}),
        # Fields that no schema knows go out as their Python type suggests.
        (
            {"tier": True, "score": 5, "rate": 0.5, "day": date(2026, 1, 2), "tags": ["a", "b"], "note": "x"},
            {
                "tier": "true",
                "score": "5",
                "rate": "0.5",
                "day": "2026-01-02",
                "tags": "a;b",
                "note": "x",
                "pipeline": "default",
            },
        ),
        ({"native": {"lasting": timedelta(seconds=2)}}, {"lasting": "2000", "pipeline": "default"}),
    ],
)
def test_values_on_the_wire(neutral: dict[str, Any], native: dict[str, Any]) -> None:
    assert HUBSPOT.to_native("deals", 0, neutral) == (native, [])


class Outcome(str, Enum):  # noqa: UP042 -- a StrEnum's text is its value anyway
    WON = "closed_won"


def test_a_member_of_an_enumeration_is_its_value() -> None:
    native, problems = HUBSPOT.to_native("deals", 0, {"stage": Outcome.WON, "name": Outcome.WON})
    assert (native["dealstage"], native["dealname"], problems) == ("closedwon", "closed_won", [])


@pytest.mark.parametrize(
    ("object_type", "record", "said"),
    [
        ("deals", {"amount": "much"}, "deals[4].amount = 'much': is no number"),
        ("deals", {"amount": float("nan")}, "deals[4].amount = nan: is no finite number"),
        (
            "deals",
            {"close_date": "soon"},
            "deals[4].close_date (closedate) = 'soon': is no date; give a date, or text as 2026-03-31",
        ),
        (
            "companies",
            {"employees": 1.5},
            "companies[4].employees (numberofemployees) = 1.5: is no whole number",
        ),
        ("contacts", {"email": "me"}, "contacts[4].email = 'me': is no e-mail address"),
        (
            "contacts",
            {"lifecycle_stage": "custmer"},
            "contacts[4].lifecycle_stage (lifecyclestage) = 'custmer': is not one of the options; did "
            "you mean "
            "'customer'? Allowed: subscriber, lead, marketingqualifiedlead, salesqualifiedlead, "
            "opportunity, customer, "
            "evangelist, other. If the portal has it all the same, write native={'lifecyclestage': "
            "'custmer'}",
        ),
        (
            "deals",
            {"stage": "closed_wonn"},
            "deals[4].stage (dealstage) = 'closed_wonn': no such stage in pipeline 'Sales Pipeline'; did "
            "you mean "
            "'closed_won'? Neutral stages: new, qualified, proposal, negotiation, closed_won, "
            "closed_lost; the bundled "
            "schema has appointmentscheduled (Appointment Scheduled), ",
        ),
        (
            "deals",
            {"pipeline": "Partners", "stage": "new"},
            "deals[4].pipeline = 'Partners': no such pipeline; the bundled schema has default (Sales "
            "Pipeline). If the "
            "portal has it all the same, give ids: native={'pipeline': …, 'dealstage': …}",
        ),
        (
            "deals",
            {"stage": "new", "native": {"pipeline": "77"}},
            "deals[4].stage (dealstage) = 'new': the stages of pipeline '77' are not in the bundled "
            "schema; give the "
            "id of a stage",
        ),
        (
            "deals",
            {"native": {"createdate": 5}},
            "deals[4].createdate = 5: is read-only; the portal sets it itself",
        ),
        (
            "deals",
            {"crmseed_key": "mine"},
            "deals[4].crmseed_key = 'mine': is the unique key by which records of ours are known; it "
            "cannot be given",
        ),
        ("deals", {"tags": object}, "deals[4].tags = <class 'object'>: takes text, not type"),
    ],
)
def test_problems(object_type: str, record: dict[str, Any], said: str) -> None:
    _, (problem,) = HUBSPOT.to_native(object_type, 4, record)
    assert str(problem).startswith(said)
    assert problem.index == 4 and problem.object_type == object_type


def test_options_and_pipelines_only_the_portal_knows_go_out_as_they_are() -> None:
    record = {"native": {"pipeline": "77", "dealstage": "78", "dealtype": "rental"}}
    assert HUBSPOT.to_native("deals", 0, record) == (record["native"], [])
    complete = Translator(LEGEND, Schema("hubspot", BUNDLED.object_types, complete=True))
    _, problems = complete.to_native("deals", 0, record)
    assert {problem.native for problem in problems} == {"pipeline", "dealtype"}
    assert (
        str(problems[0])
        == "deals[0].pipeline = '77': no such pipeline; this portal has default (Sales Pipeline)"
    )
    # A stage of a pipeline that is known is checked, under whatever name it comes.
    _, (problem,) = complete.to_native("deals", 0, {"native": {"dealstage": "78"}})
    assert str(problem).startswith("deals[0].dealstage = '78': no such stage in pipeline 'Sales Pipeline'. ")
    assert HUBSPOT.to_native("deals", 0, {"native": {"dealstage": "78"}}) == (
        {"pipeline": "default", "dealstage": "78"},
        [],
    )


# -- names -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["deals", "Deals", "deal", "DEAL", "0-3"])
def test_object_types_by_any_name(name: str) -> None:
    assert HUBSPOT.canonical(name) == "deals"
    assert HUBSPOT.object_type(name).type_id == "0-3"


def test_an_unknown_object_type() -> None:
    with pytest.raises(UnknownName) as unknown:
        HUBSPOT.canonical("dael")
    assert str(unknown.value).startswith("unknown object type 'dael'; did you mean 'deals'? Valid: ")
    assert HUBSPOT.aliases().items() >= {"0-1": "contacts", "0-2": "companies", "0-3": "deals"}.items()


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ("amount", "amount"),
        ("name", "name"),
        ("dealname", "name"),
        ("Deal Name", "name"),
        ("dealtype", "dealtype"),
        ("deal type", "dealtype"),
        ("my_custom_field", "my_custom_field"),
    ],
)
def test_field_names_and_labels(given_: str, found: str) -> None:
    assert HUBSPOT.resolve("deals", given_) == found


def test_near_misses_and_homeless_fields_are_refused() -> None:
    with pytest.raises(UnknownName) as near:
        HUBSPOT.resolve("deals", "amout")
    text = str(near.value)
    assert text.startswith("unknown field 'amout' of deals; did you mean 'amount'? Valid: ")
    assert text.endswith("If the portal has it, write native={'amout': …}.")
    with pytest.raises(UsageError) as homeless:
        HUBSPOT.resolve("deals", "probability")
    assert str(homeless.value) == (
        "deals.probability cannot be set: HubSpot computes a deal's probability from its stage; set "
        "stage instead "
        "(each stage of the pipeline has a probability)."
    )
    assert set(HUBSPOT.homeless("deals")) == {"probability"}


def test_a_complete_schema_knows_every_field() -> None:
    complete = Translator(LEGEND, Schema("hubspot", BUNDLED.object_types, complete=True))
    with pytest.raises(UnknownName) as unknown:
        complete.resolve("deals", "my_custom_field")
    assert "native=" not in str(unknown.value)


# -- pipelines of several shapes -------------------------------------------------------------------
def stage(id: str, label: str, order: int, probability: float | None = None) -> Stage:
    return Stage(id, label, order, closed=probability in (0.0, 1.0), probability=probability)


SALES = Pipeline(
    "p1",
    "Sales",
    (
        stage("11", "First", 0, 0.1),
        stage("12", "Second", 1, 0.5),
        stage("13", "Lost", 2, 0.0),
        stage("14", "Won", 3, 1.0),
    ),
)
RENEWALS = Pipeline("p2", "Renewals", (stage("21", "Due", 0, 0.9), stage("22", "closed_won", 1, 0.2)))
LONG = Pipeline("p3", "Long", tuple(stage(str(30 + i), f"Step {i}", i, 0.1) for i in range(6)))


def several(*pipelines: Pipeline, complete: bool = True) -> Translator:
    deals = BUNDLED.object_types["deals"]
    kept = {name: getattr(deals, name) for name in ObjectType.__slots__}
    changed = ObjectType(**{**kept, "pipelines": pipelines})
    return Translator(LEGEND, Schema("hubspot", {"deals": changed}, complete=complete))


@pytest.mark.parametrize(
    ("record", "pipeline", "id"),
    [
        ({"stage": "new"}, "p1", "11"),
        ({"stage": "qualified"}, "p1", "12"),
        # Fewer open stages than neutral names: the last open one.
        ({"stage": "proposal"}, "p1", "12"),
        ({"stage": "negotiation"}, "p1", "12"),
        # By the metadata, whatever the order and the labels.
        ({"stage": "closed_won"}, "p1", "14"),
        ({"stage": "closed_lost"}, "p1", "13"),
        ({"stage": "14"}, "p1", "14"),
        ({"stage": "second"}, "p1", "12"),
        # A stage of another pipeline names that pipeline.
        ({"stage": "21"}, "p2", "21"),
        ({"stage": "Due"}, "p2", "21"),
        ({"stage": 21}, "p2", "21"),
        ({"pipeline": "Renewals", "stage": "new"}, "p2", "21"),
        ({"pipeline": "p3", "stage": "negotiation"}, "p3", "33"),
        ({"native": {"pipeline": "p3"}, "stage": "qualified"}, "p3", "31"),
    ],
)
def test_stages_of_several_pipelines(record: dict[str, Any], pipeline: str, id: str) -> None:
    native, problems = several(SALES, RENEWALS, LONG).to_native("deals", 0, record)
    assert (native, problems) == ({"pipeline": pipeline, "dealstage": id}, [])


def test_a_stage_the_pipeline_lacks() -> None:
    _, (problem,) = several(SALES, RENEWALS).to_native("deals", 0, {"pipeline": "p2", "stage": "closed_lost"})
    assert str(problem) == (
        "deals[0].stage (dealstage) = 'closed_lost': no such stage in pipeline 'Renewals'. "
        "Neutral stages: new, qualified, proposal, negotiation, closed_won, closed_lost; this portal has "
        "21 (Due), 22 "
        "(closed_won)"
    )


def test_no_pipelines_at_all() -> None:
    translator = several()
    assert translator.to_native("deals", 0, {"stage": "77"}) == ({"dealstage": "77"}, [])
    _, (problem,) = translator.to_native("deals", 0, {"stage": "new"})
    assert str(problem) == (
        "deals[0].stage (dealstage) = 'new': the stages of any pipeline are not in this portal; give the "
        "id of a stage"
    )


@given(st.lists(st.sampled_from([0.0, 0.3, 1.0, None]), min_size=1, max_size=8))
def test_neutral_stages_come_back_wherever_the_pipeline_has_them(probabilities: list[float | None]) -> None:
    pipeline = Pipeline("p", "P", tuple(stage(f"s{i}", f"L{i}", i, p) for i, p in enumerate(probabilities)))
    open_ = sum(not each.closed for each in pipeline.stages)
    for number, name in enumerate(STAGES):
        found = stage_of(pipeline, name)
        if name == "closed_won":
            assert (found is not None) == (1.0 in probabilities)
        elif name == "closed_lost":
            assert (found is not None) == (0.0 in probabilities)
        else:
            assert (found is not None) == (open_ > 0)
            if number >= open_:
                continue
        if found is not None:
            assert neutral_stage(pipeline, found) == name
    for each in pipeline.stages:
        assert neutral_stage(pipeline, each) in STAGES


# -- values in -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("native", "neutral"),
    [
        ({"amount": "5.50", "dealname": "N"}, {"amount": Decimal("5.50"), "name": "N"}),
        ({"amount": "", "dealname": None}, {"amount": None, "name": None}),
        ({"amount": "n/a"}, {"amount": "n/a"}),
        ({"closedate": "2026-03-31T23:59:59.999Z"}, {"close_date": date(2026, 3, 31)}),
        ({"closedate": "1774915200000"}, {"close_date": date(2026, 3, 31)}),
        ({"closedate": "some day"}, {"close_date": "some day"}),
        ({"dealstage": "closedwon"}, {"stage": "closed_won"}),
        ({"dealstage": "999"}, {"stage": "999"}),
        ({"hs_object_id": "7"}, {}),
    ],
)
def test_what_the_portal_answers(native: dict[str, Any], neutral: dict[str, Any]) -> None:
    assert HUBSPOT.to_neutral("deals", native) == neutral


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Kind.DATE, "2026-03-31", date(2026, 3, 31)),
        (Kind.DATE, "1774915200000", date(2026, 3, 31)),
        (Kind.DATETIME, "-86400000", datetime(1969, 12, 31, tzinfo=UTC)),
        (Kind.DATETIME, "2026-03-31T09:00:00Z", datetime(2026, 3, 31, 9, tzinfo=UTC)),
        (Kind.INTEGER, "5", 5),
        (Kind.INTEGER, "5.5", Decimal("5.5")),
        (Kind.BOOLEAN, "TRUE", True),
        (Kind.BOOLEAN, False, False),
        (Kind.OPTIONS, ";a;b", ("a", "b")),
    ],
)
def test_wire_values_read(kind: Kind, raw: Any, value: Any) -> None:
    assert LEGEND.from_wire[kind](raw) == value


# -- a provider of another shape -------------------------------------------------------------------
OTHER = Legend(
    objects={
        "tickets": ObjectLegend(
            "tickets", "Case", {"priority": FieldLegend("Prio", options={"urgent": "P1", "low": "P3"})}
        )
    },
    to_wire=dict.fromkeys(Kind, str),
    from_wire=dict.fromkeys(Kind, str),
    key_field="key__c",
    lacking={"notes": "This CRM has no notes."},
)
CASE = ObjectType(
    "Case",
    "Case",
    "Cases",
    {"Prio": Field("Prio", "Priority", Kind.OPTION, (Option("P1", "Top"), Option("P3", "Bottom")))},
)


def test_neutral_options_object_names_and_what_a_provider_lacks() -> None:
    translator = Translator(
        OTHER, Schema("other", {"Case": CASE, "Thing__c": ObjectType("Thing__c", "Thing", "Things", {})})
    )
    assert [translator.canonical(name) for name in ("tickets", "Case", "cases", "Thing")] == [
        "tickets",
        "tickets",
        "tickets",
        "Thing__c",
    ]
    assert translator.aliases() == {"Case": "tickets"}
    assert translator.to_native("tickets", 0, {"priority": "urgent"}) == ({"Prio": "P1"}, [])
    assert translator.to_native("tickets", 0, {"priority": "bottom"}) == ({"Prio": "P3"}, [])
    assert translator.to_neutral("tickets", {"Prio": "P3"}) == {"priority": "low"}
    with pytest.raises(UsageError, match=r"^This CRM has no notes\.$"):
        translator.canonical("notes")


def test_how_a_problem_reads() -> None:
    assert str(Problem("deals", 0, "amount", "x", "is wrong", "amount")) == "deals[0].amount = 'x': is wrong"
    assert (
        str(Problem("deals", 0, "stage", None, "is missing", "dealstage"))
        == "deals[0].stage (dealstage): is missing"
    )
