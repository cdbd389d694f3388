"""Runs with pytest-xdist: own local portals, one portal for all workers, a worker that dies."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("xdist")


def test_each_worker_has_a_local_portal_of_its_own(suite):
    suite.write(
        """
        @pytest.mark.parametrize("turn", range(4))
        @pytest.mark.crm_seed(companies=2)
        def test_it(crm_records, crm_client, crm_portal, worker_id, turn):
            assert crm_portal.is_local
            listed = crm_client.get("/crm/v3/objects/companies").json()["results"]
            assert {r["id"] for r in listed} == {c.id for c in crm_records.companies}
        """
    )
    result = suite.spawn("-n", 2, "-v")
    assert result.outcomes == {"passed": 4}
    assert result.summary[0].startswith("8 records in 4 seeds (companies=8): 8 requests in ")
    assert result.summary[0].endswith("; 8 removed.")
    # A line per seeded test comes through from the workers, the header is told once.
    assert result.out.count("crmseed: companies=2 in hubspot/47010001, 2 requests, ") == 4
    assert result.out.count("crmseed: provider hubspot, target local") == 1


def test_one_portal_for_all_workers_session_seeds_once_narrower_ones_once_per_worker(suite, outside):
    suite.write(
        """
        pytestmark = pytest.mark.crm_seed(contacts=2, scope="module")

        @pytest.mark.crm_seed(companies=3, scope="session")
        class TestWide:
            @pytest.mark.parametrize("turn", range(6))
            def test_it(self, crm_records, turn):
                print("SESSION", sorted(c.id for c in crm_records.companies))
                assert len(crm_records.companies) == 3 and len(crm_records.contacts) == 2
                for record in crm_records:
                    assert record.reload()
                assert crm_records.companies[2]["name"] and crm_records.companies[2].index == 2

        @pytest.mark.parametrize("turn", range(4))
        @pytest.mark.crm_seed(deals=2)
        def test_function(crm_records, turn):
            for deal in crm_records.deals:
                assert {link.field for link in deal.links} == {"company", "contacts"}
        """
    )
    again = (*outside.at, "--crm-random-seed", 5, "--crm-base-date", "2026-03-31")
    result = suite.spawn(*again, "-n", 2, "-rP")
    assert result.outcomes == {"passed": 10}
    assert len({line for line in result.out.splitlines() if line.startswith("SESSION")}) == 1
    assert sizes(outside, "companies").count(3) == 1
    assert 1 <= sizes(outside, "contacts").count(2) <= 2
    assert outside.live == 0
    assert list((suite.path / ".crmseed").glob("*.lock")) == []

    # Seeds that a worker only joined are not counted again.
    told = re.fullmatch(r"(\d+) records in .*; (\d+) removed\.", result.summary[0])
    assert told is not None
    everything = sum(sum(sizes(outside, name)) for name in ("companies", "contacts", "deals"))
    assert int(told[1]) == int(told[2]) == everything

    # Unique values never clash, and the rest is as without workers.
    addresses = [record["email"] for record in outside.sent("contacts")]
    assert len(set(addresses)) == len(addresses)
    parallel = made(outside)
    outside.portal.reset()
    assert suite.run(*again).outcomes == {"passed": 10}
    assert made(outside) == parallel


def sizes(outside, object_type):
    """Return how many records each request created."""
    path = f"/{object_type}/batch/create"
    return [len(request.body["inputs"]) for request in outside.portal.requests if request.path.endswith(path)]


def made(outside):
    """Return what was sent, without the unique values."""
    companies = {(r["name"], r["city"]) for r in outside.sent("companies")}
    contacts = {(r["firstname"], r["lastname"]) for r in outside.sent("contacts")}
    return companies, contacts, {(r["amount"], r["closedate"]) for r in outside.sent("deals")}


def test_what_a_dead_worker_left_is_removed_by_the_controller_but_for_kept_seeds(suite, outside):
    suite.write(
        """
        import os

        @pytest.mark.crm_seed(deals=2)
        def test_dies(crm_records, crm_seeder):
            crm_seeder(companies=1)
            os._exit(9)

        @pytest.mark.parametrize("turn", range(3))
        @pytest.mark.crm_seed(companies=3, scope="session", keep=True)
        @pytest.mark.crm_seed(contacts=1)
        def test_lives(crm_records, turn):
            assert len(crm_records.companies) == 3
            assert crm_records.contacts[0].reload()
        """
    )
    result = suite.spawn(*outside.at, "-n", 2)
    assert result.outcomes["passed"] == 3
    assert result.outcomes["failed"] == 1
    result.says("crashed while running 'test_it.py::test_dies'")
    assert sizes(outside, "deals") == [2]
    assert outside.live == 3
    assert outside.portal.stats()["records"]["hubspot"]["companies"] == 3
    assert not any("left" in line for line in result.summary)
    assert list((suite.path / ".crmseed").glob("*.lock")) == []
    (kept,) = [line for line in result.summary if "kept" in line]
    assert kept.startswith("3 records are kept; remove them with: crmseed cleanup --run ")
