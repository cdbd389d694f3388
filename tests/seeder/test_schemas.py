"""Which schema a portal is seeded by: a file's, the cached one, the portal's own, the bundled one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal, Seeder, count
from pytest_crmseed.errors import RecordsRefused, Unauthorized, UnknownName, UsageError, ValidationFailed
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.records import Draft, RecordResult, Refusal
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.cache import SchemaCache, stamp
from pytest_crmseed.schema.legend import Problem
from pytest_crmseed.schema.model import Field, Kind, Schema
from pytest_crmseed.seeder import schemas
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.seeder.target import Target
from pytest_crmseed.settings import Settings

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
BUNDLED = catalog.bundled("hubspot")


@pytest.fixture
def target(one_portal: LocalPortal, opened: Callable[[LocalPortal], Target]) -> Target:
    return opened(one_portal)


@pytest.fixture
def cache(tmp_path: Path) -> SchemaCache:
    return SchemaCache(tmp_path / "schemas")


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    def load(**options: object) -> Settings:
        return Settings.load({"ledger": str(tmp_path / "ledger.sqlite"), **options}, {})

    return load


def choose(target: Target, cache: SchemaCache, *, at: datetime = NOW, **more: Any) -> Chosen:
    kind = {"is_local": False, **more}
    return schemas.of_portal(target.connection, target.account, cache, now=lambda: at, **kind)


def sent(target: Target) -> int:
    requests: list[Request] = target.connection.transport.sent  # type: ignore[attr-defined]
    return len(requests)


def fail(target: Target, status: int) -> None:
    def answer(request: Request, real: object) -> Answer:
        body = {"status": "error", "message": "closed", "category": "X"}
        return Answer(status, {}, json.dumps(body).encode(), request)

    target.connection.transport.fault = answer  # type: ignore[attr-defined]


# -- the portal's own -----------------------------------------------------------------------------
def test_it_is_read_once_a_day(target: Target, cache: SchemaCache) -> None:
    first = choose(target, cache)
    assert first.told(lambda: NOW) == "live, read just now"
    assert first.schema.portal_id == target.account.portal_id
    cost = sent(target)
    # Two for owners and custom objects; properties, groups and rules of each object type; pipelines; pairs.
    assert cost <= 2 + 5 * len(BUNDLED.object_types) + 30
    again = choose(target, cache, at=NOW + timedelta(hours=23))
    assert again.told(lambda: NOW + timedelta(hours=23)) == "cached, read 23 h ago"
    assert again.schema == replace(first.schema, source="cache")
    assert sent(target) == cost
    assert choose(target, cache, at=NOW + timedelta(hours=24)).schema.source == "live"
    assert sent(target) == 2 * cost


def test_refreshing_does_not_look_at_the_cache(target: Target, cache: SchemaCache) -> None:
    choose(target, cache)
    assert choose(target, cache, refresh=True).schema.source == "live"


def test_processes_that_ask_together_read_it_once(
    one_portal: LocalPortal, opened: Callable[[LocalPortal], Target], cache: SchemaCache
) -> None:
    targets = [opened(one_portal) for _ in range(3)]
    found: list[Chosen] = []
    threads = [
        threading.Thread(target=lambda each=each: found.append(choose(each, cache))) for each in targets
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(chosen.schema.source for chosen in found) == ["cache", "cache", "live"]
    assert sorted(sent(each) > 0 for each in targets) == [False, False, True]


def test_a_cached_schema_that_cannot_be_used_is_read_anew(target: Target, cache: SchemaCache) -> None:
    path = cache.path("hubspot", target.account.portal_id)
    path.parent.mkdir()
    path.write_text('{"format": 0}')
    chosen = choose(target, cache)
    assert chosen.schema.source == "live"
    assert chosen.notes[0] == (
        f"The cached schema cannot be used: {path}: this schema is of format 0, and this version of "
        "pytest-crmseed reads 1."
    )
    assert choose(target, cache).schema.source == "cache"


def test_a_portal_that_fails_leaves_the_old_one_or_the_bundled(target: Target, cache: SchemaCache) -> None:
    choose(target, cache)
    fail(target, 500)
    later = NOW + timedelta(days=3)
    old = choose(target, cache, at=later)
    assert old.schema.source == "cache"
    assert old.notes[0].startswith(
        "The portal's schema could not be read; the cached one is used, read 3 d ago. HubSpot failed with 500"
    )
    cache.forget()
    before = sent(target)
    bundled = choose(target, cache, at=later)
    # Each of the requests in flight was tried again, and no further one was sent.
    assert sent(target) - before <= 4 * target.provider.capabilities.in_flight
    assert bundled.schema == BUNDLED
    assert bundled.notes[0].startswith(
        "The portal's schema could not be read; the bundled one is used, and names that it does not have "
        "are not checked before they are sent. HubSpot failed with 500"
    )
    assert cache.latest("hubspot") is None


def test_a_token_that_is_not_accepted_is_an_error(target: Target, cache: SchemaCache) -> None:
    fail(target, 401)
    with pytest.raises(Unauthorized):
        choose(target, cache)


def test_a_cache_that_cannot_be_written_costs_only_time(target: Target, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    chosen = choose(target, SchemaCache(tmp_path / "file" / "schemas"))
    assert chosen.schema.source == "live"
    assert chosen.notes[0].startswith("The portal's schema is read anew in each run: the schema cannot be")


def test_that_of_a_local_portal_is_never_kept(target: Target, cache: SchemaCache) -> None:
    assert choose(target, cache, is_local=True).schema.source == "live"
    assert not cache.folder.exists()
    before = sent(target)
    assert choose(target, cache, is_local=True, stock=True).schema == BUNDLED
    assert sent(target) == before


# -- without a portal -----------------------------------------------------------------------------
def kept(cache: SchemaCache, portal_id: str, ago: timedelta = timedelta(0)) -> Schema:
    schema = replace(BUNDLED, source="live", portal_id=portal_id, taken_at=stamp(NOW - ago), gaps=("A gap.",))
    cache.write(schema)
    return replace(schema, source="cache")


def test_offline_it_is_the_pinned_portals_else_the_latest_else_the_bundled(
    settings: Callable[..., Settings],
) -> None:
    assert schemas.offline(HubSpot, settings()) == Chosen(BUNDLED)
    cache = schemas.cache_of(settings())
    old, new = kept(cache, "1", timedelta(days=9)), kept(cache, "2")
    assert schemas.offline(HubSpot, settings()) == Chosen(new, ("A gap.",))
    assert schemas.offline(HubSpot, settings(portal="1")) == Chosen(old, ("A gap.",))
    assert schemas.offline(HubSpot, settings(portal="3")) == Chosen(BUNDLED)
    cache.path("hubspot", "3").write_text("{}")
    chosen = schemas.offline(HubSpot, settings(portal="3"))
    assert chosen.schema == BUNDLED
    assert chosen.notes[0].startswith("The cached schema cannot be used: ")


# -- a file ---------------------------------------------------------------------------------------
def test_a_file_of_another_portal_or_older_than_the_snapshot_is_told(
    target: Target, tmp_path: Path, settings: Callable[..., Settings]
) -> None:
    path = tmp_path / "crm.json"
    documents.write(replace(BUNDLED, portal_id="1", taken_at="2020-01-01T00:00:00Z"), path)
    chosen = schemas.offline(HubSpot, settings(schema=str(path)))
    assert chosen.file == path
    old = (
        "crm.json was read on 2020-01-01, before the bundled schema of "
        f"{BUNDLED.taken_at} was made; pull it anew with `crmseed schema pull`."
    )
    assert chosen.notes == (old,)
    assert schemas.for_account(chosen, target.account, is_local=True) == chosen
    other = f"crm.json is the schema of portal 1, and portal {target.account.portal_id} is seeded."
    assert schemas.for_account(chosen, target.account, is_local=False).notes == (old, other)
    same = replace(target.account, portal_id="1")
    assert schemas.for_account(chosen, same, is_local=False) == chosen


# -- when it is out of date -----------------------------------------------------------------------
CACHED = Chosen(replace(BUNDLED, source="cache", taken_at=stamp(NOW - timedelta(hours=3))))
HINT = (
    "The portal's schema was read 3 h ago; if the portal has changed since, --crm-refresh-schema reads it "
    "anew."
)
UNKNOWN = Problem("deals", 0, "tier", "x", "the portal has no such field", "tier")
OPTION = Problem("deals", 0, "stage", "x", "no such stage", "dealstage", allowed=("a",))
TWICE = Problem("contacts", 1, "email", "x", "must be unique", "email")


def refused(field: str | None) -> RecordsRefused:
    draft = Draft("deals", 0, "k", {})
    return RecordsRefused("refused", [RecordResult(draft, refusals=(Refusal("no", field=field),))])


@pytest.mark.parametrize(
    ("error", "hinted"),
    [
        (UnknownName("field", "tier", ["a"]), True),
        (UnknownName("object type", "cars", ["a"]), True),
        (UnknownName("setting", "x", ["a"]), False),
        (UsageError("wrong"), False),
        (ValidationFailed("A value", [UNKNOWN]), True),
        (ValidationFailed("A value", [TWICE, OPTION]), True),
        (ValidationFailed("A value", [TWICE]), False),
        (refused("tier"), True),
        (refused(None), False),
    ],
)
def test_a_refusal_that_a_newer_schema_may_cure_says_how_old_this_one_is(
    error: Exception, hinted: bool
) -> None:
    told = schemas.dated(CACHED, now=lambda: NOW)
    # Twice, as when a seed's plan fails.
    with pytest.raises(type(error)) as caught, told, schemas.dated(CACHED, now=lambda: NOW):
        raise error
    assert caught.value is error
    assert str(error).count(HINT) == hinted


def test_a_file_is_pulled_anew_and_the_others_cannot_be(tmp_path: Path) -> None:
    file = Chosen(replace(CACHED.schema, source="file"), file=tmp_path / "crm.json")
    with pytest.raises(UnknownName) as caught, schemas.dated(file, now=lambda: NOW):
        raise UnknownName("field", "tier", ["a"])
    assert str(caught.value).endswith(
        "crm.json was read 3 h ago; if the portal has changed since, pull it anew with `crmseed schema pull`."
    )
    for chosen in (Chosen(BUNDLED), Chosen(replace(BUNDLED, source="live"))):
        with pytest.raises(UnknownName) as caught, schemas.dated(chosen, now=lambda: NOW):
            raise UnknownName("field", "tier", ["a"])
        assert caught.value.remedy == ""


# -- a local portal of this process ---------------------------------------------------------------
def test_a_local_portal_with_definitions_of_its_own_is_seeded_by_them(tmp_path: Path) -> None:
    deals = BUNDLED.object_types["deals"]
    native = {"type": "string", "fieldType": "text", "groupName": "dealinformation"}
    region = Field("region", "Sales Region", Kind.STRING, custom=True, native=native)
    changed = replace(deals, fields={**deals.fields, "region": region})
    own = replace(BUNDLED, object_types={**BUNDLED.object_types, "deals": changed})
    ledger = str(tmp_path / "ledger.sqlite")
    with LocalPortal(schema=own) as portal, Seeder(portal, ledger=ledger) as seeder:
        assert not portal.stock("hubspot")
        deal = seeder.seed(deals=count(1, **{"Sales Region": "North"})).deals[0]
        assert deal.native["region"] == "North"
    with LocalPortal() as portal:
        assert portal.stock("hubspot")
