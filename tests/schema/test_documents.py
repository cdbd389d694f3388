"""Schemas as files: written and read back the same, refused with a sentence, compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.model import (
    Association,
    Field,
    Group,
    Kind,
    ObjectType,
    Option,
    Pipeline,
    Schema,
    Stage,
)

texts = st.text(min_size=1, max_size=8)
options = st.builds(Option, value=texts, label=texts, hidden=st.booleans())
stages = st.builds(
    Stage,
    id=texts,
    label=texts,
    order=st.integers(0, 9),
    closed=st.booleans(),
    probability=st.none() | st.floats(0, 1),
)


def ordered(listed: list[Stage]) -> tuple[Stage, ...]:
    return tuple(sorted(listed, key=lambda stage: stage.order))


pipelines = st.builds(Pipeline, id=texts, label=texts, stages=st.lists(stages, max_size=3).map(ordered))
fields = st.builds(
    Field,
    name=texts,
    label=texts,
    kind=st.sampled_from(Kind),
    options=st.lists(options, max_size=3).map(tuple),
    external=st.none() | texts,
    required=st.booleans(),
    read_only=st.booleans(),
    unique=st.booleans(),
    hidden=st.booleans(),
    archived=st.booleans(),
    custom=st.booleans(),
    max_length=st.none() | st.integers(1, 99),
    min_length=st.none() | st.integers(1, 99),
    minimum=st.none() | texts,
    maximum=st.none() | texts,
    pattern=st.text(max_size=4),
    group=st.text(max_size=4),
    calculated=st.booleans(),
    admin_required=st.booleans(),
    references=st.lists(texts, max_size=2).map(tuple),
    description=st.text(max_size=4),
    native=st.dictionaries(texts, texts, max_size=2),
)
associations = st.builds(
    Association,
    to=texts,
    type_id=st.integers(1, 999),
    category=texts,
    label=st.none() | texts,
    inverse=st.none() | st.integers(1, 999),
    primary=st.booleans(),
)
object_types = st.builds(
    ObjectType,
    name=texts,
    label=texts,
    plural=texts,
    fields=st.lists(fields, max_size=3).map(lambda listed: {field.name: field for field in listed}),
    type_id=st.text(max_size=4),
    singular=st.text(max_size=4),
    pipelines=st.lists(pipelines, max_size=2).map(tuple),
    associations=st.lists(associations, max_size=2).map(tuple),
    required_any=st.lists(st.lists(texts, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
    custom=st.booleans(),
    groups=st.lists(st.builds(Group, name=texts, label=texts, order=st.integers(0, 9)), max_size=2).map(
        tuple
    ),
    display_field=st.text(max_size=4),
    searchable=st.lists(texts, max_size=2).map(tuple),
)
schemas = st.builds(
    Schema,
    provider=texts,
    object_types=st.lists(object_types, max_size=2).map(lambda listed: {o.name: o for o in listed}),
    source=st.just("file"),
    taken_at=st.text(max_size=5),
    portal_id=st.text(max_size=5),
    complete=st.booleans(),
    gaps=st.lists(texts, max_size=2).map(tuple),
)


@given(schemas)
def test_a_document_gives_the_schema_again(schema: Schema) -> None:
    document = json.loads(json.dumps(documents.document(schema)))
    again = catalog.parse(document, source="file")
    assert again == schema
    assert list(documents.differences(schema, again)) == []


def test_a_file_is_written_whole_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "crm-schema.json"
    schema = catalog.bundled("hubspot")
    documents.write(schema, path)
    assert documents.read(path, provider="hubspot") == replace(schema, source="file")
    assert [file.name for file in path.parent.iterdir()] == ["crm-schema.json"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as refused:
        documents.write(catalog.bundled("hubspot"), tmp_path / "file" / "x.json")
    assert "the schema cannot be written to" in str(refused.value)
    assert "Name a file in a folder that can be written to." in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file or directory."),
        ("{", "is no schema file: Expecting property name"),
        ("[]", "is no schema file: it holds no object."),
        ("{}", "this is not a schema document: KeyError: 'format'."),
        (
            '{"format": 99, "object_types": {}}',
            "is of format 99, and this version of pytest-crmseed reads 1: a newer one wrote it.",
        ),
        (
            '{"format": "0", "object_types": {}}',
            "is of format '0', and this version of pytest-crmseed reads 1.",
        ),
        (
            '{"format": 1, "provider": "odoo", "object_types": {}}',
            "is a schema of odoo, and hubspot is to be",
        ),
        (
            '{"format": 1, "provider": "hubspot", "object_types": {"deals": {}}}',
            "this is not a schema document: KeyError: 'label'.",
        ),
    ],
)
def test_what_is_no_schema_file_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "crm-schema.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError) as refused:
        documents.read(path, provider="hubspot")
    assert said in str(refused.value)
    assert str(refused.value).endswith("Pull one with `crmseed schema pull`.")


def test_differences_name_what_changed() -> None:
    old = catalog.bundled("hubspot")
    deals = old.object_types["deals"]
    changed = replace(
        deals,
        fields={
            **{name: field for name, field in deals.fields.items() if name != "description"},
            "tier": Field("tier", "Tier", Kind.STRING, custom=True),
            "dealtype": replace(
                deals.fields["dealtype"],
                label="Type",
                options=(Option("newbusiness", "Fresh"), Option("x", "X")),
            ),
        },
        pipelines=(),
        associations=deals.associations[1:],
        required_any=deals.required_any[:1],
    )
    changed = replace(changed, groups=(*deals.groups, Group("more", "More")), display_field="amount")
    old = replace(old, object_types={"deals": deals, "companies": old.object_types["companies"]})
    new = replace(old, object_types={"deals": changed, "renewals": deals})
    lines = list(documents.differences(old, new))
    label = deals.fields["dealtype"].label
    assert set(lines) == {
        "- companies",
        "+ renewals",
        f"~ deals: display_field {deals.display_field!r} → 'amount'",
        "+ deals groups: more (More)",
        "- deals.description",
        "+ deals.tier",
        f"~ deals.dealtype: label {label!r} → 'Type'",
        "- deals.dealtype option 'existingbusiness'",
        "+ deals.dealtype option 'x'",
        "~ deals.dealtype option 'newbusiness': 'New Business' → 'Fresh'",
        "- deals pipelines: default (Sales Pipeline)",
        f"- deals associations: to {deals.associations[0].to}, type {deals.associations[0].type_id}",
        "- deals required_any: dealstage",
        "- deals required_any: pipeline",
    }
