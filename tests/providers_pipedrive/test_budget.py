"""What a plan says that it takes of the day's tokens, and what the company charges for it."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

COUNTS = st.dictionaries(
    st.sampled_from(["companies", "contacts", "deals", "leads", "products", "line_items", "notes", "tasks"]),
    st.integers(1, 6),
    min_size=1,
    max_size=4,
)


def charged(bench: Any) -> int:
    return int(bench.portal.portal.apis["pipedrive"]._service.company.limits.used_today)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=COUNTS)
@example(counts={"products": 2})
def test_a_plan_takes_the_tokens_it_says(bench: Any, counts: dict[str, int]) -> None:
    plan = bench.engine.plan(counts)
    planned = bench.engine.demand([plan]).cost.tokens
    # As before a session's first test: where the keys stand is asked once.
    bench.engine.check([plan])
    before = charged(bench)
    bench.seed(counts)
    assert bench.engine.clean().complete
    assert bench.counts == {}
    # It is told as the least: where a record is the only one of its type, reading may cost a list each time.
    alone = sum(number == 1 for number in plan.counts.values())
    assert planned <= charged(bench) - before <= planned + 20 * alone
