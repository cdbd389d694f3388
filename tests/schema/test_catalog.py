"""The bundled snapshot, and the file format."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import UsageError
from pytest_crmseed.providers.hubspot.legend import LEGEND
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.catalog import bundled, parse
from pytest_crmseed.schema.model import Association, Kind, Option

MINIMAL: dict[str, Any] = {
    "format": 1,
    "provider": "x",
    "object_types": {
        "things": {
            "label": "Thing",
            "fields": {
                "size": {"label": "Size", "kind": "option", "options": [{"value": "S", "label": "Small"}]}
            },
            "pipelines": [
                {
                    "id": "p",
                    "label": "P",
                    "stages": [{"id": "b", "label": "B", "order": 2}, {"id": "a", "label": "A", "order": 1}],
                }
            ],
            "associations": [{"to": "others", "type_id": 7, "category": "C", "primary": True}],
            "required_any": [["size"]],
        }
    },
}


def test_what_is_left_out_has_its_default() -> None:
    schema = parse(MINIMAL, source="file")
    assert (schema.provider, schema.source, schema.taken_at, schema.complete) == ("x", "file", "", False)
    things = schema.object_types["things"]
    assert (things.plural, things.type_id, things.required_any) == ("Thing", "", (("size",),))
    assert things.fields["size"].kind is Kind.OPTION
    assert things.fields["size"].options == (Option("S", "Small"),)
    assert [stage.id for stage in things.pipelines[0].stages] == ["a", "b"]
    primary = Association("others", 7, "C", primary=True)
    assert things.association("others", primary=True) == primary
    assert things.association("others") is None
    assert things.association("nothing") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"format": 2},
            "this schema is of format 2, and this version of pytest-crmseed reads 1: a newer one wrote it.",
        ),
        ({"object_types": {"things": {}}}, "this is not a schema document: KeyError: 'label'."),
        (
            {"object_types": {"things": {"label": "T", "fields": {"a": {"label": "A", "kind": "nope"}}}}},
            "this is not a schema document: ValueError: 'nope' is not a valid Kind.",
        ),
        (
            {"object_types": []},
            "this is not a schema document: AttributeError: 'list' object has no attribute 'items'.",
        ),
    ],
)
def test_documents_that_are_none(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        parse({**MINIMAL, **change}, source="file")
    assert str(wrong.value) == said
    with pytest.raises(UsageError, match="this is not a schema document: KeyError: 'format'"):
        parse({}, source="file")


def test_a_provider_without_a_snapshot() -> None:
    with pytest.raises(UsageError, match=r"^provider 'nobody' has no bundled schema\.$"):
        bundled("nobody")


@pytest.mark.parametrize("module", ["acme_seed", "acme_seed.provider"])
def test_the_snapshot_of_another_distribution_stands_beside_its_class(
    installed: Callable[[str, str], Path], module: str
) -> None:
    folder = installed("acme", module)
    (folder / "schema.json").write_text(json.dumps({**MINIMAL, "provider": "acme"}), "utf-8")
    found = bundled("acme")
    assert (found.provider, found.source, list(found.object_types)) == ("acme", "bundled", ["things"])


@pytest.mark.parametrize("module", ["acme_seed", "acme_seed.provider", "acme_single"])
def test_another_distribution_may_come_without_a_snapshot(
    installed: Callable[[str, str], Path], module: str
) -> None:
    installed("acme", module)
    found = bundled("acme")
    assert (found.provider, dict(found.object_types), found.complete) == ("acme", {}, False)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Path]]:
    """Return a function that installs a provider's distribution; it returns the package's folder."""
    package = tmp_path / "acme_seed"
    package.mkdir()
    for path in (package / "__init__.py", package / "provider.py", tmp_path / "acme_single.py"):
        path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def install(provider: str, module: str) -> Path:
        entry = metadata.EntryPoint(provider, f"{module}:Acme", catalog.GROUP)
        monkeypatch.setattr(metadata, "entry_points", lambda **group: [entry])
        bundled.cache_clear()
        return package

    yield install
    bundled.cache_clear()
    for name in ("acme_seed", "acme_seed.provider", "acme_single"):
        sys.modules.pop(name, None)


def test_every_home_of_the_legend_is_a_writable_field_of_the_snapshot() -> None:
    schema = bundled("hubspot")
    assert (schema.source, schema.complete) == ("bundled", False)
    for name, entry in LEGEND.objects.items():
        object_type = schema.object_types[entry.native]
        for neutral, home in entry.fields.items():
            definition = object_type.fields[home.native]
            assert not definition.read_only and not definition.archived, (name, neutral)
        assert LEGEND.key_field not in object_type.fields


@pytest.mark.parametrize(
    ("object_type", "to", "unlabelled", "primary"),
    [("contacts", "companies", 279, 1), ("deals", "companies", 341, 5), ("deals", "contacts", 3, None)],
)
def test_association_types_of_the_snapshot(
    object_type: str, to: str, unlabelled: int, primary: int | None
) -> None:
    definition = bundled("hubspot").object_types[object_type]
    found, main = definition.association(to), definition.association(to, primary=True)
    assert found is not None and found.type_id == unlabelled
    assert (main.type_id if main else None) == primary
