"""Answers that are lost after the server has done its work: no record twice, none left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.providers.odoo import Odoo
from pytest_crmseed.testing.bench import Bench, Wire

ASKED = {"companies": 1, "contacts": 20, "deals": 200}
WRITES = ("/load", "/unlink")


class Impatient(Wire):
    """A wire on which an answer has to come within seconds."""

    def transport(self, *args: Any, **kwargs: Any) -> Transport:
        return super().transport(*args, **{**kwargs, "read_timeout": 3.0})


@pytest.fixture
def seed_and_clean(odoo: Any, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that seeds through a proxy, counts in the database, and cleans up."""

    def run(url: str) -> None:
        bench = Bench(Odoo, odoo.under_test(url), url, tmp_path, wire=Impatient())
        try:
            seed = bench.seed(ASKED)
            assert {name: len(seed.records[name]) for name in ASKED} == ASKED
            assert {name: odoo.count(name) for name in ASKED} == ASKED
            assert odoo.query("select count(*) from ir_model_data where module = 'crmseed'") == ["221"]
        finally:
            bench.close()

    return run


@pytest.mark.parametrize("fault", ["reset", "502", "stall"])
def test_the_first_answer_to_each_write_is_lost_after_commit(
    lossy: Any, seed_and_clean: Callable[[str], None], unchanged: None, fault: str
) -> None:
    seen: set[str] = set()

    def rule(path: str, number: int) -> str | None:
        if path in seen or not path.endswith(WRITES):
            return None
        seen.add(path)
        return fault

    proxy = lossy(rule)
    seed_and_clean(proxy.url)
    models = ("res.partner", "crm.lead")
    assert sorted(proxy.lost) == sorted(f"{fault} /json/2/{m}{write}" for m in models for write in WRITES)


@pytest.mark.parametrize("start", range(3))
def test_one_answer_in_ten_is_lost_after_commit(
    lossy: Any, seed_and_clean: Callable[[str], None], unchanged: None, start: int
) -> None:
    proxy = lossy(lambda path, number: "reset" if path != "/web/version" and number % 10 == start else None)
    seed_and_clean(proxy.url)
    assert proxy.lost


def test_one_answer_in_ten_is_lost_under_a_users_own_tests(
    run_pytest: Any, lossy: Any, unchanged: None
) -> None:
    proxy = lossy(lambda path, number: "reset" if path != "/web/version" and number % 10 == 9 else None)
    result = run_pytest(
        """
        import pytest

        @pytest.mark.crm_seed(companies=1, contacts=20, deals=200)
        def test_seeded(crm_records):
            assert len({record.id for record in crm_records.deals}) == 200
        """,
        "--crm-batch-size",
        "20",
        url=proxy.url,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["221 records in 1 seed*221 removed."])
    assert proxy.lost
