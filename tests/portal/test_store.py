"""The store: transactions, ids, files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.portal.store import Store, StoredLink, StoredRecord


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def record(id: int, **properties: str) -> StoredRecord:
    return StoredRecord(id, properties, created=1.0, updated=1.0)


def test_what_a_failed_transaction_did_is_undone(store: Store) -> None:
    with pytest.raises(KeyError), store.transaction():
        store.save("hubspot", "contacts", record(1))
        with store.transaction():
            store.save("hubspot", "contacts", record(2))
        raise KeyError
    assert store.get("hubspot", "contacts", [1, 2]) == {}
    with store.transaction():
        store.save("hubspot", "contacts", record(1))
    assert set(store.get("hubspot", "contacts", [1, 2])) == {1}


def test_records_of_providers_and_types_are_apart(store: Store) -> None:
    store.save("hubspot", "contacts", record(1))
    assert store.get("hubspot", "deals", [1]) == store.get("other", "contacts", [1]) == {}
    assert store.live_counts("hubspot") == {"contacts": 1}
    assert store.live_counts("other") == {}


def test_more_ids_than_a_statement_takes(store: Store) -> None:
    with store.transaction():
        for id in range(2500):
            store.save("hubspot", "contacts", record(id))
        store.link("hubspot", [StoredLink("contacts", id, "deals", 1, "C", 4) for id in range(2500)])
    assert len(store.get("hubspot", "contacts", range(2500))) == 2500
    assert len(store.links("hubspot", "contacts", range(2500), "deals")) == 2500


@given(st.integers(min_value=1, max_value=200))
def test_ids_grow_with_gaps_and_never_come_again(count: int) -> None:
    store = Store()
    try:
        ids = [store.new_id("hubspot", "contacts", 20_000_000_000) for _ in range(count)]
        with pytest.raises(KeyError), store.transaction():
            lost = store.new_id("hubspot", "contacts", 20_000_000_000)
            raise KeyError
        store.clear()
        ids += [lost, store.new_id("hubspot", "contacts", 20_000_000_000)]
    finally:
        store.close()
    gaps = [after - before for before, after in pairwise(ids)]
    assert all(1 <= gap <= 97 for gap in gaps)
    assert count < 20 or len(set(gaps)) > 5
    assert all(len(str(id)) == 11 for id in ids)


def test_clear_leaves_tokens(store: Store) -> None:
    store.issue("hubspot", "application", "t", {"scopes": []})
    store.save("hubspot", "contacts", record(1, city="Bled"))
    store.hold("hubspot", "contacts", "email", "a", 1)
    store.link("hubspot", [StoredLink("contacts", 1, "deals", 2, "C", 4)])
    store.define("hubspot", "property", "contacts", "tier", {"name": "tier"})
    store.clear()
    assert store.live_counts("hubspot") == {}
    assert store.holder("hubspot", "contacts", "email", "a") is None
    assert store.links("hubspot", "contacts", [1]) == {}
    assert store.definitions("hubspot", "property") == []
    assert not store.any_definitions("hubspot")
    assert store.tokens("hubspot") == [("application", "t", {"scopes": []})]


def test_a_property_made_unique_keeps_the_oldest_holder(store: Store) -> None:
    for id, value in [(3, "a"), (1, "a"), (2, "b")]:
        store.save("hubspot", "contacts", record(id, code=value))
    store.index_unique("hubspot", "contacts", "code", unique=True)
    assert [store.holder("hubspot", "contacts", "code", value) for value in "abc"] == [1, 2, None]
    store.index_unique("hubspot", "contacts", "code", unique=False)
    assert store.holder("hubspot", "contacts", "code", "a") is None


# -- files --------------------------------------------------------------------------------------------


def test_a_file_keeps_records_definitions_tokens_and_the_count_of_ids(tmp_path: Path) -> None:
    file = tmp_path / "portal.sqlite"
    definition = {
        "name": "tier",
        "label": "Tier",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        "hasUniqueValue": True,
    }
    with LocalPortal(db=file) as first:
        headers = {"Authorization": f"Bearer {first.token}"}
        tokens = first.token, first.seed_token
        url = f"{first.base_url}/crm/v3"
        narrow = requests.post(f"{first.base_url}/_portal/tokens", json={"scopes": []}, timeout=30).json()
        requests.post(f"{url}/properties/contacts", json=definition, headers=headers, timeout=30)
        body = {"properties": {"email": "a@example.com", "tier": "gold"}}
        id = requests.post(f"{url}/objects/contacts", json=body, headers=headers, timeout=30).json()["id"]
    with LocalPortal(db=str(file)) as second:
        assert (second.token, second.seed_token) == tokens
        url = f"{second.base_url}/crm/v3"
        answer = requests.get(
            f"{url}/objects/contacts/gold?idProperty=tier&properties=email", headers=headers, timeout=30
        )
        assert (answer.json()["id"], answer.json()["properties"]["email"]) == (id, "a@example.com")
        taken = requests.post(f"{url}/objects/contacts", json=body, headers=headers, timeout=30)
        assert taken.status_code == 409
        body = {"properties": {"email": "b@example.com"}}
        other = requests.post(f"{url}/objects/contacts", json=body, headers=headers, timeout=30)
        assert int(other.json()["id"]) > int(id)
        limited = requests.get(
            f"{url}/objects/contacts", headers={"Authorization": f"Bearer {narrow['token']}"}, timeout=30
        )
        assert limited.status_code == 403


def test_a_file_that_another_portal_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "portal.sqlite"
    monkeypatch.setattr("pytest_crmseed.portal.database.BUSY_SECONDS", 0.05)
    with LocalPortal(db=file):
        with pytest.raises(UsageError) as refused:
            LocalPortal(db=file)
        assert str(refused.value) == (
            f"the portal database {file} cannot be opened: database is locked."
            " Stop the local portal that uses it, or name another file."
        )
    LocalPortal(db=file).close()


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database")
    with pytest.raises(UsageError, match="cannot be opened: file is not a database"):
        Store(file)
    assert file.read_text() == "not a database"
