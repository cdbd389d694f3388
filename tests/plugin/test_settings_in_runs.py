"""Settings in real runs: which source wins, what the header says, and that data comes again."""

from __future__ import annotations

import re

import pytest

TWO_OF_THREE = """
def test_it(crm_seeder):
    print("MADE", len(crm_seeder(companies=9).companies))
"""


@pytest.fixture
def layered(suite, monkeypatch):
    """Write a count to every source there is; the tests take them away from the top."""
    suite.write(TWO_OF_THREE)
    suite.write("[pytest]\ncrm_count = 5\n", "pytest.ini")
    (suite.path / ".env").write_text("CRMSEED_COUNT=4\n")
    monkeypatch.setenv("CRMSEED_COUNT", "3")
    return suite


def test_an_option_wins_over_the_environment_that_over_the_env_file_that_over_the_ini(layered, monkeypatch):
    result = layered.run("-s", "--crm-count", 2)
    result.says("MADE 2")
    assert "count 2 (--crm-count)" in result.header

    result = layered.run("-s")
    result.says("MADE 3")
    assert "count 3 (CRMSEED_COUNT)" in result.header

    monkeypatch.delenv("CRMSEED_COUNT")
    result = layered.run("-s")
    result.says("MADE 4")
    assert "count 4 (.env: CRMSEED_COUNT)" in result.header

    (layered.path / ".env").unlink()
    result = layered.run("-s")
    result.says("MADE 5")
    assert "count 5 (pytest.ini: crm_count)" in result.header

    layered.write("[pytest]\n", "pytest.ini")
    result = layered.run("-s")
    result.says("MADE 9")
    assert "count" not in result.header


def test_the_env_file_of_the_root_directory_alone_is_read_and_not_exported(suite):
    (suite.path / ".env").write_text("CRMSEED_COUNT=2\nHUBSPOT_ACCESS_TOKEN=pat-na1-x\n")
    suite.write("[pytest]\n", "pytest.ini")
    suite.write(
        TWO_OF_THREE + "    import os\n    assert 'CRMSEED_COUNT' not in os.environ\n", "sub/test_it.py"
    )
    (suite.path / "sub/.env").write_text("CRMSEED_COUNT=7\n")
    result = suite.run("-s", "sub")
    assert result.outcomes == {"passed": 1}
    result.says("MADE 2")
    assert "pat-na1-x" not in result.out


def test_the_header_is_one_line_with_what_it_takes_to_make_the_data_again(suite):
    suite.write("def test_it(): pass\n")
    header = suite.run().header
    assert re.fullmatch(
        r"crmseed: provider hubspot, target local, random seed \d+ \(this run's own\), "
        r"base date \d{4}-\d\d-\d\d \(today\)",
        header,
    )
    header = suite.run("--crm-random-seed", 7, "--crm-base-date", "2026-03-31").header
    assert header == (
        "crmseed: provider hubspot, target local, random seed 7 (--crm-random-seed), "
        "base date 2026-03-31 (--crm-base-date)"
    )


def test_no_header_in_quiet_runs(suite):
    suite.write("def test_it(): pass\n")
    assert "crmseed" not in suite.run("-q").out


# -- the same data again ---------------------------------------------------------------------------
SEEDED = """
@pytest.mark.crm_seed(deals=3, companies=2)
def test_a(crm_records):
    pass

@pytest.mark.crm_seed(deals=3, companies=2)
def test_b(crm_records):
    pass

@pytest.mark.crm_seed(contacts=2, scope="module")
def test_c(crm_records, crm_seeder):
    crm_seeder(contacts=2)
"""
# What tells runs apart on purpose: the key of each record, and addresses.
UNIQUE = {"crmseed_key", "email", "domain", "website"}


def data(outside, unique=False):
    """Return the values sent so far, with or without the unique ones, in no particular order."""
    wanted = [
        (object_type, *sorted((k, v) for k, v in record.items() if (k in UNIQUE) == unique))
        for object_type in ("companies", "contacts", "deals")
        for record in outside.sent(object_type)
    ]
    outside.portal.reset()
    return sorted(wanted)


def test_the_same_seed_and_base_date_make_the_same_data_in_any_order(suite, outside):
    suite.write(SEEDED)
    again = (*outside.at, "--crm-random-seed", 11, "--crm-base-date", "2026-03-31")
    assert suite.run(*again).outcomes == {"passed": 3}
    first = data(outside)
    assert suite.run(*again, "test_it.py::test_c", "test_it.py::test_b", "test_it.py::test_a").ret == 0
    assert data(outside) == first
    assert len(first) > 10

    assert suite.run(*outside.at, "--crm-random-seed", 12, "--crm-base-date", "2026-03-31").ret == 0
    assert data(outside) != first


def test_a_test_alone_gets_what_it_got_among_others(suite, outside):
    suite.write(SEEDED)
    again = (*outside.at, "--crm-random-seed", 11, "--crm-base-date", "2026-03-31")
    suite.run(*again)
    together = data(outside)
    suite.run(*again, "-k", "test_b")
    assert set(data(outside)) < set(together)


def test_unique_values_differ_between_runs_of_one_seed(suite, outside):
    suite.write(SEEDED)
    again = (*outside.at, "--crm-random-seed", 11, "--crm-base-date", "2026-03-31")
    suite.run(*again)
    first = data(outside, unique=True)
    suite.run(*again)
    second = data(outside, unique=True)
    assert len(first) == len(second)
    assert set(first).isdisjoint(second)


def test_dates_count_from_the_base_date(suite, outside):
    suite.write(SEEDED)
    suite.run(*outside.at, "--crm-random-seed", 1, "--crm-base-date", "2001-06-15")
    closes = [record["closedate"] for record in outside.sent("deals")]
    assert closes
    assert all(value[:4] in {"2000", "2001", "2002"} for value in closes)


def test_users_own_random_numbers_stay_as_they_are(suite, outside):
    suite.write(
        """
        import random
        import factory.random
        from faker import Faker

        def test_it(crm_seeder):
            random.seed(5)
            factory.random.reseed_random(5)
            Faker.seed(5)
            expected = random.random(), factory.random.randgen.random(), Faker().name()
            random.seed(5)
            factory.random.reseed_random(5)
            Faker.seed(5)
            crm_seeder(deals=5)
            assert (random.random(), factory.random.randgen.random(), Faker().name()) == expected
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}


def test_the_tracer_bullet_seeds_one_of_each(suite, outside):
    suite.write(SEEDED)
    assert suite.run(*outside.at, "--crm-count", 1, "-k", "test_a").outcomes == {"passed": 1}
    assert {name: len(outside.sent(name)) for name in ("companies", "contacts", "deals")} == {
        "companies": 1,
        "contacts": 1,
        "deals": 1,
    }
    assert outside.live == 0


def test_the_batch_size_is_obeyed(suite, outside):
    suite.write(SEEDED)
    assert suite.run(*outside.at, "--crm-batch-size", 2, "-k", "test_a").outcomes == {"passed": 1}
    assert (outside.created("companies"), outside.created("deals"), outside.live) == (1, 2, 0)


@pytest.mark.parametrize("version", ["v3", "2026-03"])
def test_the_api_version_is_obeyed(suite, outside, version):
    suite.write(SEEDED)
    assert suite.run(*outside.at, "--crm-api-version", version, "-k", "test_a").outcomes == {"passed": 1}
    paths = {request.path for request in outside.portal.requests if request.path.startswith("/crm")}
    assert paths
    # Associations without a date are v4.
    allowed = (f"/{version}/", "/v4/associations/") if version == "v3" else (f"/{version}/",)
    assert all(any(part in path for part in allowed) for path in paths)
    assert outside.live == 0


def test_an_unknown_api_version_lists_the_known_ones(suite, outside):
    suite.write(SEEDED)
    result = suite.run(*outside.at, "--crm-api-version", "v9")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.says("--crm-api-version 'v9' is none that HubSpot is written for. Valid: 2026-03, 2026-09, v3.")


def test_addresses_are_of_the_domain_that_is_asked_for(suite, outside):
    suite.write(SEEDED)
    suite.run(*outside.at, "-k", "test_c")
    addresses = [record["email"] for record in outside.sent("contacts")]
    assert addresses
    assert all(address.endswith(".example.com") for address in addresses)
    outside.portal.reset()
    suite.run(*outside.at, "-k", "test_c", "--crm-email-domain", "seed.example.org")
    assert all(record["email"].endswith("seed.example.org") for record in outside.sent("contacts"))


def test_kept_records_stay_and_the_summary_says_how_to_remove_them(suite, outside):
    suite.write(SEEDED)
    result = suite.run(*outside.at, "--crm-keep", "-k", "test_a")
    assert result.outcomes == {"passed": 1}
    assert outside.live == len(outside.sent("companies") + outside.sent("contacts") + outside.sent("deals"))
    assert "keep (--crm-keep)" in result.header
    (kept,) = [line for line in result.summary if "kept" in line]
    assert re.fullmatch(
        rf"{outside.live} records are kept; remove them with: crmseed cleanup --run \w+", kept
    )


def test_keeping_in_a_portal_that_ends_with_the_run_says_what_to_do(suite):
    suite.write(SEEDED)
    result = suite.run("--crm-keep-for", "2h", "-k", "test_a")
    assert result.ret == 0
    (kept,) = [line for line in result.summary if "kept" in line]
    assert kept.endswith(
        "records were kept in a local portal that ended with this run; to look at them, start one with "
        "`crmseed portal` and give its address with --crm-base-url."
    )
