"""Runs against a portal that has no field for our key: told before the first test and in the summary."""

from __future__ import annotations

import pytest

TOLD = (
    "HubSpot local portal 47010001 has no unique field crmseed_key for some object types. Their records are "
    "found again: companies, deals by a mark at the end of description; contacts by email, and not from "
    "another machine. `crmseed setup` makes what can be made."
)

DEALS = """
    import pytest

    @pytest.mark.crm_seed(deals=2)
    def test_deals(crm_records):
        assert len(crm_records.deals) == 2
"""


@pytest.fixture
def bare(start_portal):
    return start_portal(set_up=False)


def test_degraded_object_types_are_named_first_and_last(suite, bare):
    suite.write(DEALS)
    result = suite.run(*bare.at)
    assert (result.ret, result.outcomes) == (0, {"passed": 1})
    lines = result.out.splitlines()
    told = [number for number, line in enumerate(lines) if TOLD in line]
    test = next(number for number, line in enumerate(lines) if line.startswith("test_it.py"))
    assert len(told) == 2
    assert told[0] < test < told[1]
    assert lines[told[0]] == f"crmseed: {TOLD}"
    assert TOLD in result.summary
    assert bare.live == 0


def test_workers_tell_in_the_summary(suite, bare):
    pytest.importorskip("xdist")
    suite.write(DEALS)
    result = suite.run(*bare.at, "-n", "2")
    assert (result.ret, result.outcomes) == (0, {"passed": 1})
    assert [line for line in result.out.splitlines() if TOLD in line] == [TOLD]
    assert bare.live == 0
