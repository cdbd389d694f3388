"""Custom fields of every type: what is given, sent, kept by a company, and read back is one value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import ValidationFailed
from pytest_crmseed.planning import count
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive.fields import CREATABLE
from pytest_crmseed.providers.base import Effect, Request
from pytest_crmseed.providers.pipedrive.definitions import ENTITIES
from pytest_crmseed.records import Batch, Draft, Link
from pytest_crmseed.schema.validate import Validator
from pytest_crmseed.seeder.verify import same

# Neutral object types that have custom fields, and what makes a record of each beside them.
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "companies": {"name": "Ours"},
    "contacts": {"last_name": "Ours"},
    "deals": {"name": "Ours"},
    "leads": {"title": "Ours"},
    "products": {"name": "Ours"},
}
# Labels that could be taken for something else: several in one text, an option's number, another's case.
LABELS = ("Low", "High", "low;high", "Red, Blue", "2", "ÄÖ", "#1 'x'")


@pytest.fixture(scope="module")
def company(bench_type: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    bench = bench_type(tmp_path_factory.mktemp("company"), Behaviour())
    try:
        yield Company(bench)
    finally:
        bench.close()


class Company:
    """A company with a custom field of each type on all that has such; ``codes`` by entity and type."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.codes = {
            (entity, kind): self._define(entity, kind)
            for entity in ("deal", "person", "organization", "product")
            for kind in CREATABLE
        }
        bench.use_live_schema()
        self.translator = bench.target.translator
        parents = bench.seed({"companies": 1}).records
        self.org = parents.companies[0].id

    def _define(self, entity: str, kind: str) -> str:
        body: dict[str, Any] = {"field_name": f"Custom {kind}", "field_type": kind}
        if kind in ("enum", "set"):
            body["options"] = [{"label": label} for label in LABELS]
        request = Request("POST", f"/api/v2/{entity}Fields", "make a field", Effect.CREATE, body=body)
        code: str = self.bench.target.connection.send(request).json()["data"]["field_code"]
        return code

    def values(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a record's values are to Pipedrive, valid as far as its definitions say."""
        spelt = {self.translator.resolve(name, field): value for field, value in given.items()}
        values, problems = self.translator.to_native(name, 0, {**NEEDED[name], **spelt})
        assert problems == []
        object_type = self.translator.object_type(name)
        found = Validator(self.translator.schema).record(name, 0, object_type, values)
        # The person or the organization of a lead is a link.
        assert [x for x in found if "person_id" not in x.reason] == []
        return dict(values)

    def entity_of(self, name: str) -> str:
        return ENTITIES[self.translator.object_type(name).name]


# -- what users give, and the value that stands for ------------------------------------------------------
Pair = tuple[Any, Any]

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(str.strip)
NUMBERS = st.one_of(
    st.integers(-(10**15), 10**15),
    st.decimals(-(10**9), 10**9, places=4, allow_nan=False),
    st.floats(-1e15, 1e15, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-9),
)
IDS = st.integers(1, 2**53)
DATES = st.dates()
CLOCKS = st.times().map(lambda at: at.replace(microsecond=0))


def _number(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


@st.composite
def dates(draw: st.DrawFn) -> Pair:
    day = draw(DATES)
    return draw(st.sampled_from([day, day.isoformat()])), day


@st.composite
def clocks(draw: st.DrawFn) -> Pair:
    """A time of day in whole seconds, as such or as text, with its seconds or without."""
    at = draw(CLOCKS)
    spelt = [at, at.isoformat(), *([at.isoformat("minutes")] if not at.second else [])]
    return draw(st.sampled_from(spelt)), at


@st.composite
def options(draw: st.DrawFn, several: bool, values: Mapping[str, str]) -> Pair:
    """One option or several, by label, by its number, or by the text of that."""
    labels = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=4, unique=True))
    spelt = [draw(st.sampled_from([label, values[label], int(values[label])])) for label in labels]
    if not several:
        return spelt[0], values[labels[0]]
    form = draw(st.sampled_from([list, tuple]))
    return form(spelt), tuple(values[label] for label in labels)


def pairs(kind: str, values: Mapping[str, str]) -> st.SearchStrategy[Pair]:
    """Values for a field of a type, as they are given and as they are meant."""
    match kind:
        case "enum" | "set":
            return options(kind == "set", values)
        case "double" | "monetary":
            return NUMBERS.map(lambda value: (value, _number(value)))
        case "user" | "org" | "people":
            return IDS.map(lambda id: (id, id)) | IDS.map(lambda id: (str(id), id))
        case "date" | "daterange":
            return dates()
        case "time" | "timerange":
            return clocks()
    return TEXTS.map(lambda text: (text, text))


@st.composite
def records(draw: st.DrawFn, company: Company, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values by the names they are given by, and what they mean by code."""
    entity = company.entity_of(name)
    fields = company.translator.object_type(name).fields
    given: dict[str, Any] = {}
    meant: dict[str, Any] = {}
    for kind in draw(st.lists(st.sampled_from(CREATABLE), min_size=1, max_size=5, unique=True)):
        code = company.codes[entity, kind]
        values = {option.label: option.value for option in fields[code].options}
        spelling = draw(st.sampled_from([code, f"Custom {kind}"]))
        given[spelling], meant[code] = draw(pairs(kind, values))
        if kind == "monetary":
            currency = draw(st.none() | st.sampled_from(["EUR", "JPY", "USD"]))
            meant[f"{code}_currency"] = currency or "USD"
            if currency:
                given[f"{code}_currency"] = currency
        if kind in ("daterange", "timerange"):
            until = draw(st.none() | pairs(kind, {}))
            meant[f"{code}_until"] = until[1] if until else meant[code]
            if until:
                given[f"{code}_until"] = until[0]
    return given, meant


# -- the round trip --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", list(NEEDED))
@given(data=st.data())
def test_a_value_comes_back_as_it_was_given(company: Company, name: str, data: st.DataObject) -> None:
    given, meant = data.draw(records(company, name))
    values = company.values(name, given)
    provider, connection = company.bench.target.provider, company.bench.target.connection
    links = (Link("company", "companies", id=company.org),) if name == "leads" else ()
    batch = Batch(name, 1, 1, [Draft(name, 0, "crmseed-1-x", values, links)])
    (result,) = provider.results(batch, connection.send(provider.create(batch, {})))
    assert result.id is not None
    (read,) = provider.found(connection.send(provider.read(name, [result.id], ())))
    several = () if name == "leads" else (result.id, "999999")
    listed = provider.found(connection.send(provider.read(name, several, ()))) if several else [read]
    fields, legend = company.translator.object_type(name).fields, provider.legend
    for held in (result.native, read.native, listed[0].native):
        assert {code: legend.from_wire[fields[code].kind](held[code]) for code in meant} == meant
        assert all(
            same(legend, fields.get(code), values[code], held[code]) for code in values if code in meant
        )


@pytest.mark.parametrize("kind", ["time", "timerange"])
def test_a_time_of_day_may_leave_out_its_seconds(company: Company, kind: str) -> None:
    code = company.codes["deal", kind]
    (deal,) = company.bench.seed({"deals": count(1, **{f"Custom {kind}": "09:00"})}).records.deals
    assert deal.reload()[code] == "09:00:00"


def test_a_time_is_no_finer_than_pipedrive_keeps_it(company: Company) -> None:
    with pytest.raises(ValidationFailed, match="is finer than the seconds that Pipedrive keeps of a time"):
        company.bench.seed({"deals": count(1, **{"Custom time": time(9, 0, 0, 1)})})
