"""Seeding and cleaning, as a user's tests do it, counted in PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]

# While the records are there, the test counts them in the database, by another connection.
BIG = """
import os, subprocess
import pytest

def rows(sql):
    command = [os.environ["TEST_ODOO_PSQL"], "-XqAt", os.environ["TEST_ODOO_DSN"], "-c", sql]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

@pytest.mark.crm_seed(companies=1, contacts=20, deals=200)
def test_seeded(crm_records):
    ours = "select count(*) from ir_model_data where module = 'crmseed' and model = "
    assert rows(ours + "'res.partner'") == ["21"]
    assert rows(ours + "'crm.lead'") == ["200"]
    company = crm_records.companies[0]
    assert rows(f"select count(*) from res_partner where parent_id = {company.id}") == ["20"]
    contacts = ", ".join(contact.id for contact in crm_records.contacts)
    assert rows(f"select count(*) from crm_lead where partner_id in ({contacts})") == ["200"]
    amount = crm_records.deals[7]["amount"]
    held = rows(f"select expected_revenue from crm_lead where id = {crm_records.deals[7].id}")
    assert [float(each) for each in held] == [float(amount)]
    lost = [deal.id for deal in crm_records.deals if deal["stage"] == "closed_lost"]
    assert sorted(rows("select id from crm_lead where not active")) == sorted(lost)
"""

EVERYTHING = """
import pytest

@pytest.mark.crm_seed(
    companies=2, contacts=3, leads=4, deals=5, products=3, tasks=3, calls=2, meetings=2, notes=3,
    objects={"crm.tag": 2, "calendar.event": 1, "res.partner.category": 2, "crm.team": 1},
)
def test_seeded(crm_records):
    names = {name: len(crm_records[name]) for name in crm_records.object_types}
    assert names == {
        "companies": 2, "contacts": 3, "leads": 4, "deals": 5, "products": 3, "tasks": 3, "calls": 2,
        "meetings": 2, "notes": 3, "crm.tag": 2, "calendar.event": 1, "res.partner.category": 2,
        "crm.team": 1,
    }
    for record in crm_records:
        assert record.reload().id == record.id

@pytest.mark.crm_seed(contacts=2, tasks=2, notes=1)
def test_that_fails(crm_records):
    raise AssertionError("as a user's test may")
"""


@pytest.mark.parametrize("protocol", ["json-2", "json-rpc"])
def test_what_was_asked_for_is_made_and_every_table_has_its_rows_back(
    run_pytest: Run, unchanged: None, protocol: str
) -> None:
    result = run_pytest(BIG, "--crm-api-version", protocol)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["221 records in 1 seed (companies=1, contacts=20, deals=200):*221 removed."])


@pytest.mark.parametrize("protocol", ["json-2", "json-rpc"])
def test_every_object_type_leaves_nothing_behind(run_pytest: Run, unchanged: None, protocol: str) -> None:
    result = run_pytest(EVERYTHING, "--crm-api-version", protocol)
    result.assert_outcomes(passed=1, failed=1)


def test_the_protocol_follows_from_the_version(run_pytest: Run, odoo: Any, unchanged: None) -> None:
    result = run_pytest(
        """
        import pytest

        @pytest.mark.crm_seed(companies=1)
        def test_seeded(crm_records):
            assert crm_records.companies[0].url.endswith(f"/odoo/res.partner/{crm_records.companies[0].id}")
        """
    )
    result.assert_outcomes(passed=1)


def test_a_database_has_to_be_pinned(run_pytest: Run, odoo: Any, unchanged: None) -> None:
    source = """
        import pytest

        @pytest.mark.crm_seed(companies=1)
        def test_seeded(crm_records):
            pass
    """
    result = run_pytest(source, pin="another")
    assert result.ret != 0
    result.stderr.fnmatch_lines(
        [f"*The credentials lead to Odoo portal {odoo.database}, and --crm-portal pins another.*"]
    )


def test_a_wrong_key_is_told_by_its_variable(
    run_pytest: Run, odoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(odoo, "api_key", odoo.api_key[::-1])
    try:
        result = run_pytest(
            """
            import pytest

            @pytest.mark.crm_seed(companies=1)
            def test_seeded(crm_records):
                pass
            """
        )
    finally:
        object.__setattr__(odoo, "api_key", odoo.api_key[::-1])
    assert result.ret != 0
    result.stderr.fnmatch_lines(["*Odoo does not accept the API key: Invalid apikey*ODOO_API_KEY*"])


def test_a_refusal_names_record_field_and_options_and_nothing_stays(run_pytest: Run, unchanged: None) -> None:
    result = run_pytest(
        """
        import pytest
        from pytest_crmseed import count

        @pytest.mark.crm_seed(deals=count(7, native={"lost_reason_id": "99999"}))
        def test_seeded(crm_records):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*deals[[]0[]].lost_reason_id = '99999' (and 2 more): No matching record found for*'99999'*",
        ]
    )


def test_what_would_have_no_document_is_not_sent(run_pytest: Run, unchanged: None) -> None:
    # An unassigned activity is refused without one, and a note could never be deleted again.
    result = run_pytest(
        """
        import pytest
        from pytest_crmseed import count

        @pytest.mark.crm_seed(notes=count(1, contacts=None), tasks=count(1, contacts=None))
        def test_seeded(crm_records):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "*  notes[[]0].res_id: a value for res_id is required on create; a link (*, deal) gives it",
            "*  tasks[[]0].res_id: a value for res_id is required on create; a link (*, deal) gives it",
        ]
    )


def test_local_portals_do_not_emulate_it(run_pytest: Run) -> None:
    result = run_pytest(
        """
        import pytest

        @pytest.mark.crm_seed(deals=1)
        def test_seeded(crm_records):
            pass
        """,
        "--crm-target",
        "local",
    )
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*The local portal does not emulate odoo.*--crm-target sandbox*"])
