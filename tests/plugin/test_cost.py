"""What the plugin costs: nothing where it is not used, and few requests where it is."""

from __future__ import annotations

import pytest

HEAVY = [
    "requests",
    "responses",
    "faker",
    "factory",
    "tenacity",
    "werkzeug",
    "click",
    "dotenv",
    "sqlite3",
    "filelock",
    "urllib3",
    "pytest_crmseed.ingest",
    "pytest_crmseed.factories",
    "pytest_crmseed.seeder",
]

PROBE = f"""
import sys

def pytest_unconfigure(config):
    assert "pytest_crmseed.plugin" in sys.modules
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    print("LOADED", loaded)
"""


@pytest.mark.parametrize("options", [["--collect-only"], []])
def test_a_suite_without_the_marker_loads_nothing_heavy(suite, monkeypatch, options):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (suite.path / "test_it.py").write_text("def test_plain():\n    pass\n")
    (suite.path / "conftest.py").write_text(PROBE)
    result = suite.pytester.runpytest_subprocess("-p", "pytest_crmseed.plugin", "-s", *options, timeout=60)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["LOADED []"])


def test_the_probe_does_see_what_a_seed_loads(suite, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_it():
            pass
        """
    )
    (suite.path / "conftest.py").write_text(PROBE)
    result = suite.pytester.runpytest_subprocess("-p", "pytest_crmseed.plugin", "-s", timeout=60)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["LOADED *requests*faker*factory*tenacity*werkzeug*sqlite3*"])
    assert "click" not in result.stdout.str().split("LOADED")[1]


def test_ten_deals_take_three_writes(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=10)
        def test_it(crm_records):
            assert len(crm_records) == 12
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    stats = outside.portal.stats()
    assert stats["requests"]["writes"] == 3
    assert stats["throttled"] == 0
    assert outside.live == 0


def test_a_large_seed_takes_as_many_batches_as_it_must(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(contacts=1000, companies=500, deals=2000)
        def test_it(crm_records):
            assert len(crm_records) == 3500
            assert len({record.id for record in crm_records.deals}) == 2000
        """
    )
    result = suite.run(*outside.at, "-vv")
    assert result.outcomes == {"passed": 1}
    stats = outside.portal.stats()
    by_route = stats["requests"]["by_route"]
    assert stats["requests"]["writes"] == 35
    assert sum(n for route, n in by_route.items() if route.endswith("batch/create")) == 35
    assert sum(n for route, n in by_route.items() if route.endswith("batch/archive")) == 35
    assert stats["throttled"] == 0
    assert stats["records"]["hubspot"] == dict.fromkeys(stats["records"]["hubspot"], 0)
    for name, batches in (("companies", 5), ("contacts", 10), ("deals", 20)):
        told = [line.strip() for line in result.out.splitlines() if line.strip().startswith(f"{name}: batch")]
        assert sorted(told) == sorted(f"{name}: batch {i}/{batches}" for i in range(1, batches + 1))


def test_by_control_endpoint_too(suite, outside):
    suite.write(
        """
        import json, urllib.request

        @pytest.mark.crm_seed(companies=150)
        def test_it(crm_portal):
            with urllib.request.urlopen(crm_portal.base_url + "/_portal/stats") as answer:
                stats = json.load(answer)
            assert stats["requests"]["writes"] == 2
            assert stats["records"]["hubspot"]["companies"] == 150
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert outside.live == 0
