"""Exchanges side by side, and the two directions of association types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import ApiRefused, CrmseedError
from pytest_crmseed.providers.base import Answer, Effect, Exchange, Request, Rounds, together
from pytest_crmseed.providers.hubspot.definitions import paired
from pytest_crmseed.schema.model import Association


def ask(name: str, times: int, closed: list[str] | None = None) -> Exchange[str]:
    """Ask a number of times, and return the name with the answers; a refusal is an answer, too."""
    said = ""
    try:
        for number in range(times):
            try:
                answer = yield Request("GET", f"/{name}{number}", "", Effect.READ)
                said += answer.body.decode()
            except ApiRefused:
                said += "!"
    finally:
        if closed is not None:
            closed.append(name)
    return name + said


def drive(rounds: Rounds[list[str]], errors: dict[str, CrmseedError]) -> tuple[list[str], list[list[str]]]:
    asked: list[list[str]] = []
    try:
        requests = next(rounds)
        while True:
            asked.append([request.path for request in requests])
            requests = rounds.send(
                [errors.get(r.path) or Answer(200, {}, r.path[-1].encode(), r) for r in requests]
            )
    except StopIteration as done:
        return done.value, asked


@given(st.lists(st.integers(0, 4), max_size=5))
def test_each_gets_its_own_answers_and_nobody_waits_for_the_others(times: list[int]) -> None:
    names = "abcde"
    found, asked = drive(together([ask(name, n) for name, n in zip(names, times, strict=False)]), {})
    assert found == [name + "01234"[:n] for name, n in zip(names, times, strict=False)]
    assert len(asked) == max(times, default=0)
    for number, round in enumerate(asked):
        assert round == [f"/{name}{number}" for name, n in zip(names, times, strict=False) if n > number]


def test_an_error_goes_to_the_one_that_asked() -> None:
    found, _ = drive(together([ask("a", 2), ask("b", 2)]), {"/a0": ApiRefused("no", status=403)})
    assert found == ["a!1", "b01"]


def test_an_error_that_nobody_takes_ends_them_all() -> None:
    closed: list[str] = []
    rounds = together([ask("a", 2, closed), ask("b", 2, closed)])
    with pytest.raises(CrmseedError, match="down"):
        drive(rounds, {"/a0": CrmseedError("down")})
    assert sorted(closed) == ["a", "b"]


labels = st.sampled_from([None, "A", "B", "C"])


@given(st.lists(labels, max_size=4, unique=True), st.lists(labels, max_size=4, unique=True))
def test_no_two_association_types_have_the_same_inverse(
    there: list[str | None], back: list[str | None]
) -> None:
    ones = [Association("b", 100 + 2 * n, "USER_DEFINED", label) for n, label in enumerate(there)]
    others = [Association("a", 101 + 2 * n, "USER_DEFINED", label) for n, label in enumerate(back)]
    found = paired(ones, others)
    assert [(a.type_id, a.label) for a in found] == [(a.type_id, a.label) for a in ones]
    inverses = [a.inverse for a in found if a.inverse is not None]
    assert len(inverses) == len(set(inverses))
    by_id = {a.type_id: a for a in others}
    for association in found:
        if association.label in back:
            assert association.inverse is not None
            assert by_id[association.inverse].label == association.label
