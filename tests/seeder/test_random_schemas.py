"""Over random schemas: what the factories make passes validation, and the local portal accepts it.

The fields of random schemas stand beside those of the stock object types, and alone in a custom one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from crm_strategies import NAME, object_types, schema_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pytest_crmseed.factories import Generation, default_factories
from pytest_crmseed.planning import Count, LinkRule, make_plan
from pytest_crmseed.portal import Portal, PortalRequest
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.records import Batch, Draft
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import ObjectType, Schema
from pytest_crmseed.seeder.links import links_for
from pytest_crmseed.seeder.prepare import prepare

BUNDLED = catalog.bundled("hubspot")
# A whole seed each: shrinking one takes minutes, and what is wrong shows without it.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
FEW = settings(max_examples=25, deadline=None, phases=UNSHRUNK)
GENERATIONS = st.builds(
    Generation,
    random_seed=st.integers(0, 2**32),
    base_date=st.dates(date(2000, 1, 1), date(2090, 1, 1)),
    node=st.just("test"),
    unique_tag=st.just("tag"),
    locale=st.sampled_from(["en_US", "de_DE", "ja_JP"]),
    email_domain=st.just("example.com"),
)


def made(schema: Schema, counts: Mapping[str, int], generation: Generation) -> dict[str, list[Draft]]:
    """Return the drafts of a seed; whatever a factory makes amiss is refused here."""
    links: Mapping[str, Mapping[str, LinkRule]] = links_for(HubSpot, schema)
    return prepare(
        make_plan({name: Count(number, {}) for name, number in counts.items()}, links),
        Translator(LEGEND, schema),
        default_factories(),
        generation,
        lambda object_type, index: f"{object_type}-{index}",
        links=links,
        admin_rules=True,
    )


def accepted(schema: Schema, drafts: Mapping[str, list[Draft]]) -> int:
    """Send drafts to a portal of that schema, and return how many it made."""
    provider = HubSpot(schema)
    ids: dict[tuple[str, int], str] = {}
    with closing(Portal(schema=schema)) as portal:
        scopes = [f"crm.objects.{name}.write" for name in (*schema.object_types, "custom")]
        scopes += sorted(
            scope for sets in provider.scopes(list(drafts)).values() for s in sets for scope in s
        )
        token = portal.hubspot.issue(name="a client", scopes=scopes, unlimited=True)
        for name, records in drafts.items():
            request = provider.create(Batch(name, 1, 1, records), ids)
            asked = PortalRequest.of(request.method, request.path, request.body, token=token)
            answer = portal.handle(asked)
            assert answer.status == 201, json.dumps(answer.json(), indent=1)[:4000]
            by_trace: dict[str, Any] = {}
            for result in answer.json()["results"]:
                by_trace[result["properties"]["crmseed_key"]] = result["id"]
            ids |= {(name, draft.index): by_trace[draft.key] for draft in records}
    return len(ids)


def beside(stock: ObjectType, random: ObjectType) -> ObjectType:
    """Return a stock object type with the fields and requirements of a random one beside its own."""
    fields = {f"c_{name}": replace(field, name=f"c_{name}") for name, field in random.fields.items()}
    required = tuple(tuple(f"c_{name}" for name in group) for group in random.required_any)
    return replace(stock, fields={**stock.fields, **fields}, required_any=(*stock.required_any, *required))


@FEW
@given(object_types(), GENERATIONS)
def test_a_custom_object_by_its_schema_alone(object_type: ObjectType, generation: Generation) -> None:
    schema = schema_of(object_type)
    drafts = made(schema, {NAME: 3}, generation)
    assert accepted(schema, drafts) == 3
    for draft in drafts[NAME]:
        for group in object_type.required_any:
            assert any(draft.values.get(name) for name in group)


@pytest.mark.parametrize("name", sorted(default_factories()))
def test_every_factory_beside_random_fields(name: str) -> None:
    if name not in LEGEND.objects:
        pytest.skip(f"HubSpot has no {name}")

    @settings(max_examples=6, deadline=None, phases=UNSHRUNK)
    @given(object_types(), GENERATIONS)
    def check(random: ObjectType, generation: Generation) -> None:
        native = Translator(LEGEND, BUNDLED).object_type(name).name
        types = {**BUNDLED.object_types, native: beside(BUNDLED.object_types[native], random)}
        schema = replace(BUNDLED, object_types=types, source="live", complete=True)
        drafts = made(schema, {name: 2}, generation)
        assert accepted(schema, drafts) == sum(len(records) for records in drafts.values())

    check()
