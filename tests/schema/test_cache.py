"""Schemas kept in files: one for each portal, fresh for a day, told with their age."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.cache import SchemaCache, age, fresh, older_than, read_at, stamp, told
from pytest_crmseed.schema.model import Schema

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def live(portal_id: str = "7", *, ago: timedelta = timedelta(0)) -> Schema:
    deals = {"deals": catalog.bundled("hubspot").object_types["deals"]}
    return Schema("hubspot", deals, "live", stamp(NOW - ago), portal_id, complete=True)


@pytest.fixture
def cache(tmp_path: Path) -> SchemaCache:
    return SchemaCache(tmp_path / ".crmseed" / "schemas")


def test_a_schema_is_kept_for_its_portal_alone(cache: SchemaCache) -> None:
    assert cache.read("hubspot", "7") is None
    cache.write(live())
    assert cache.read("hubspot", "7") == replace(live(), source="cache")
    assert cache.read("hubspot", "8") is None
    assert cache.read("salesforce", "7") is None
    assert [path.name for path in cache.folder.iterdir()] == ["hubspot-7.json"]


@given(portal_id=st.text(min_size=1, max_size=20))
def test_whatever_a_portal_is_called_its_file_is_in_the_folder(portal_id: str) -> None:
    path = SchemaCache(Path("/folder")).path("odoo", portal_id)
    assert path.parent == Path("/folder")
    assert path.name.startswith("odoo-")


def test_two_portals_whose_names_make_one_file_name_are_told_apart(cache: SchemaCache) -> None:
    cache.write(live("a/b"))
    with pytest.raises(UsageError, match="does not say that it is the schema of portal a:b, and when"):
        cache.read("hubspot", "a:b")


def test_the_latest_is_that_of_the_portal_read_last(cache: SchemaCache) -> None:
    assert cache.latest("hubspot") is None
    cache.write(live("7", ago=timedelta(hours=3)))
    cache.write(live("8", ago=timedelta(hours=1)))
    (cache.folder / "hubspot-9.json").write_text("{")
    latest = cache.latest("hubspot")
    assert latest is not None and latest.portal_id == "8"
    assert cache.latest("odoo") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no schema file: Expecting property name"),
        ('{"format": 0}', "this schema is of format 0, and this version of pytest-crmseed reads 1."),
        ('{"format": 1, "provider": "odoo", "object_types": {}}', "is a schema of odoo"),
        ('{"format": 1, "provider": "hubspot", "object_types": {}}', "does not say that it is the schema of"),
        (
            '{"format": 1, "provider": "hubspot", "object_types": {}, "portal_id": "7", "taken_at": "once"}',
            "does not say that it is the schema of portal 7, and when.",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(cache: SchemaCache, text: str, said: str) -> None:
    cache.folder.mkdir(parents=True)
    cache.path("hubspot", "7").write_text(text)
    with pytest.raises(UsageError) as refused:
        cache.read("hubspot", "7")
    assert said in str(refused.value)


def test_forgetting_leaves_nothing(cache: SchemaCache) -> None:
    cache.forget()
    cache.write(live())
    cache.write(live("8"))
    cache.forget()
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("ago", "words", "is_fresh"),
    [
        (timedelta(0), "just now", True),
        (timedelta(seconds=59), "just now", True),
        (timedelta(minutes=1), "1 min ago", True),
        (timedelta(minutes=59, seconds=59), "59 min ago", True),
        (timedelta(hours=3, minutes=59), "3 h ago", True),
        (timedelta(hours=23, minutes=59), "23 h ago", True),
        (timedelta(hours=24), "1 d ago", False),
        (timedelta(days=40), "40 d ago", False),
        # A clock that was put right since: nobody knows.
        (timedelta(hours=-1), "just now", False),
    ],
)
def test_age(ago: timedelta, words: str, is_fresh: bool) -> None:
    schema = live(ago=ago)
    assert age(schema, NOW) == words
    assert fresh(schema, NOW) is is_fresh


def test_a_schema_says_where_it_comes_from() -> None:
    schema = live(ago=timedelta(hours=3))
    assert told(schema, NOW) == "live, read 3 h ago"
    assert told(replace(schema, source="cache"), NOW) == "cached, read 3 h ago"
    file = replace(schema, source="file")
    assert told(file, NOW, name="crm.json") == "crm.json, read 3 h ago from portal 7"
    nameless = replace(file, portal_id="", taken_at="")
    assert told(nameless, NOW) == "a file, read at a time that it does not tell from portal unknown"
    bundled = catalog.bundled("hubspot")
    assert told(bundled, NOW) == f"bundled, of {bundled.taken_at}"


def test_which_of_two_is_older() -> None:
    snapshot = replace(live(), taken_at="2026-03-31")
    assert older_than(live(ago=timedelta(days=1)), snapshot)
    assert not older_than(live(), snapshot)
    assert not older_than(replace(live(), taken_at=""), snapshot)
    assert read_at(snapshot) == datetime(2026, 3, 31, tzinfo=UTC)
