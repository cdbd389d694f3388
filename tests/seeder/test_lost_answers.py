"""A seed whose requests were carried out, and whose answers say something else."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_crmseed.errors import OutcomeUnknown


@pytest.mark.parametrize("status", [None, 403, 404, 502])
def test_a_page_in_the_place_of_an_answer_leaves_nothing_behind(one_bench: Any, status: int | None) -> None:
    # A proxy that does not like what the API answers: its page says nothing of what was done.
    one_bench.portal.faults.html_body(status, route="*/batch/create", seeder=True, times=2)
    seed = one_bench.seed({"contacts": 3})
    assert one_bench.records == {"contacts": 3}
    assert sorted(contact.id for contact in seed.records.contacts) == sorted(
        one_bench.everything()["contacts"]
    )
    assert one_bench.engine.clean().complete
    assert one_bench.records == {}


def test_nor_does_a_page_that_comes_each_time(one_bench: Any) -> None:
    one_bench.portal.faults.html_body(403, route="*/batch/create", seeder=True, times=None)
    one_bench.portal.faults.html_body(403, route="*/batch/read", seeder=True, times=1)
    with pytest.raises(OutcomeUnknown) as failed:
        one_bench.seed({"contacts": 3})
    assert str(failed.value).startswith("create ")
    assert "The seed was undone: " in str(failed.value)
    assert one_bench.records == {}
