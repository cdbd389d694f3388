"""Over random schemas: records that fit pass, and each that is wrong for one reason is refused for it.

The local portal, which reads the vendor's documentation by itself, is asked the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from crm_strategies import NAME, Broken, broken, object_types, records, schema_of, values
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pytest_crmseed.portal import Behaviour, Portal, PortalRequest, PortalResponse
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.schema.legend import Problem, Translator
from pytest_crmseed.schema.model import Field, Kind, ObjectType
from pytest_crmseed.schema.validate import Validator

SLOW = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Room:
    """Validation as it stands before the portal, for one object type."""

    def __init__(self, object_type: ObjectType, *, admin_rules: bool = False) -> None:
        schema = schema_of(object_type)
        self.object_type = object_type
        self.translator = Translator(LEGEND, schema)
        self.validator = Validator(schema, admin_rules=admin_rules)
        self.seen = 0

    def check(self, record: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Return the wire values of a record and all that is wrong with it, as a seed would find it."""
        index = self.seen
        self.seen += 1
        native, problems = self.translator.to_native(NAME, index, {"native": record})
        untranslated = {problem.native for problem in problems}
        found = self.validator.record(NAME, index, self.object_type, native, untranslated=untranslated)
        return native, [*problems, *found]


@contextmanager
def portal_of(object_type: ObjectType) -> Iterator[Portal]:
    portal = Portal(schema=schema_of(object_type), behaviour=Behaviour(set_up=False))
    try:
        yield portal
    finally:
        portal.close()


def create(portal: Portal, properties: Mapping[str, Any]) -> PortalResponse:
    scopes = [f"crm.objects.{NAME}.write", "crm.objects.custom.write"]
    token = portal.hubspot.issue(name="a client", scopes=scopes, unlimited=True)
    body = {"properties": dict(properties)}
    return portal.handle(PortalRequest.of("POST", f"/crm/v3/objects/{NAME}", body, token=token))


@SLOW
@given(st.data())
def test_every_record_that_fits_passes_and_comes_back_from_the_portal(data: st.DataObject) -> None:
    object_type = data.draw(object_types())
    record = data.draw(records(object_type))
    native, problems = Room(object_type).check(record)
    assert problems == []
    with portal_of(object_type) as portal:
        answer = create(portal, native)
        assert answer.status == 201, answer.body
        held = answer.json()["properties"]
    assert native.keys() == record.keys()
    for name, value in record.items():
        kind = object_type.fields[name].kind
        assert LEGEND.from_wire[kind](held[name]) == value, name


@SLOW
@given(st.data())
def test_every_record_broken_in_one_way_is_refused_and_the_field_is_named(data: st.DataObject) -> None:
    object_type = data.draw(object_types())
    record = data.draw(records(object_type))
    wire, problems = Room(object_type).check(record)
    assert problems == []
    wrong: Broken = data.draw(broken(object_type, record, wire))
    _, problems = Room(object_type).check(wrong.record)
    assert problems, wrong
    assert {problem.native for problem in problems} == {wrong.field}
    assert all(str(problem).startswith(f"{NAME}[0].{wrong.field}") for problem in problems)
    with portal_of(object_type) as portal:
        answer = create(portal, wrong.wire)
        if wrong.refused:
            assert answer.status == 400, (wrong, answer.body)
            if not isinstance(wrong.wire.get(wrong.field), dict | list):
                # JSON of the wrong shape is refused before anyone looks at names.
                assert wrong.field.encode() in answer.body
        else:
            assert answer.status == 201, (wrong, answer.body)


def unique_fields(object_type: ObjectType) -> list[Field]:
    return [field for field in object_type.fields.values() if field.unique]


@SLOW
@given(st.data())
def test_a_value_that_must_be_unique_is_refused_the_second_time(data: st.DataObject) -> None:
    object_type = data.draw(object_types())
    assume(unique_fields(object_type))
    field = data.draw(st.sampled_from(unique_fields(object_type)))
    taken = data.draw(values(field))
    first = {**data.draw(records(object_type)), field.name: taken}
    others = {other.name for other in unique_fields(object_type)} - {field.name}
    assume(not others & first.keys())
    second = {**first, field.name: taken}
    room = Room(object_type)
    wire, problems = room.check(first)
    assert problems == []
    again, (problem,) = room.check(second)
    assert str(problem).endswith(f": must be unique, and {NAME}[0] has the same value")
    assert problem.native == field.name
    with portal_of(object_type) as portal:
        assert create(portal, wire).status == 201
        answer = create(portal, again)
        assert answer.status == 400 and f"propertyName={field.name}".encode() in answer.body


@SLOW
@given(st.data())
def test_any_python_value_is_taken_or_refused_with_a_reason(data: st.DataObject) -> None:
    anything = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.decimals(),
        st.text(),
        st.binary(),
        st.dates(),
        st.datetimes(),
        st.times(),
        st.timedeltas(),
        st.complex_numbers(),
        st.lists(st.one_of(st.text(), st.integers(), st.none())),
        st.sets(st.one_of(st.text(), st.integers())),
        st.dictionaries(st.text(), st.integers()),
        st.functions(),
        st.just(object()),
    )
    object_type = data.draw(object_types())
    record = {name: data.draw(anything) for name in object_type.fields}
    native, problems = Room(object_type).check(record)
    assert all(str(problem) for problem in problems)
    named = {problem.native for problem in problems}
    if not problems:
        with portal_of(object_type) as portal:
            answer = create(portal, native)
            # The one thing that this side takes on trust is a text; what it lets pass is accepted.
            assert answer.status == 201, answer.body
    for name, value in native.items():
        assert isinstance(value, str), name
        if object_type.fields[name].kind is Kind.BOOLEAN and name not in named:
            assert value in ("true", "false")
