"""Plan files: the marker's grammar in TOML, and what is wrong with one, by line or key."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.cli.counts import counts_of
from pytest_crmseed.cli.planfile import read_plan
from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import Count
from pytest_crmseed.records import Ref


def written(folder: Path, text: str) -> Path:
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_overrides_links_and_odd_names(tmp_path: Path) -> None:
    plan = read_plan(
        written(
            tmp_path,
            """
            companies = 3
            "2-1234567" = 4

            [deals]
            count = 9
            amount = 0.10
            stage = "closed_won"
            close_date = 2026-02-03
            company = { ref = "companies" }
            contacts = [{ ref = "contacts", index = 2, label = "decision_maker" }, { ref = "contacts" }]
            native = { Tier__c = "Gold", nested = { a = 1 } }

            [meetings]
            count = 1
            duration = { hours = 1, minutes = 30 }
            without = ["company"]
            """,
        )
    )
    assert plan == {
        "companies": Count(3),
        "2-1234567": Count(4),
        "deals": Count(
            9,
            {
                "amount": Decimal("0.10"),
                "stage": "closed_won",
                "close_date": date(2026, 2, 3),
                "company": Ref("companies", 0),
                "contacts": [Ref("contacts", 2, "decision_maker"), Ref("contacts", 0)],
                "native": {"Tier__c": "Gold", "nested": {"a": 1}},
            },
        ),
        "meetings": Count(1, {"duration": timedelta(minutes=90), "company": None}),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("companies = \n", "is no TOML: Invalid value (at line 1, column 13)."),
        ("[deals]\ncount = 3\ncount = 4\n", "is no TOML: Cannot overwrite a value (at line 3, column 10)."),
        ("companies = 'x'", "companies takes a whole number of records from 0 on, not 'x'."),
        ("companies = true", "companies takes a whole number of records from 0 on, not True."),
        ("companies = 1.5", "companies takes a whole number of records from 0 on, not 1.5."),
        ("companies = -1", "companies takes a whole number of records from 0 on, not -1."),
        ("[deals]\nstage = 'won'", "[deals] does not say how many. Add a line count = 10 to it."),
        ("[deals]\ncount = '3'", "deals.count takes a whole number of records from 0 on, not '3'."),
        ("[deals]\ncount=1\nwithout='company'", "deals.without takes a list of link fields, such as "),
        (
            "[deals]\ncount=1\ncompany={ref='companies'}\nwithout=['company']",
            "deals.company is given, and deals.without leaves it out.",
        ),
        (
            "[deals]\ncount=1\ncompany={name='x'}",
            "deals.company is a table that is neither a link nor a time span.",
        ),
        ("[deals]\ncount=1\ncompany={}", "deals.company is a table that is neither a link nor a time span."),
        (
            "[deals]\ncount=1\ncompany={ref='companies', i=1}",
            "deals.company: a link has ref, index and label, and no 'i'.",
        ),
        ("[deals]\ncount=1\ncompany={ref='companies', label=3}", "deals.company: label takes a text, not 3."),
        (
            "[deals]\ncount=1\ncompany={ref='companies', index=-1}",
            "deals.company: ref('companies', -1): the index is a whole number from 0 on.",
        ),
        (
            "[deals]\ncount=1\ncompany={ref=3}",
            "deals.company: ref() takes an object type's name first, not 3.",
        ),
    ],
)
def test_what_is_wrong_is_named_by_line_or_key(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as raised:
        read_plan(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_objects_as_in_the_marker(tmp_path: Path) -> None:
    text = "deals = 1\n[objects]\ntickets = 3\n[objects.Invoice__c]\ncount = 2\nState__c = 'paid'\n"
    assert read_plan(written(tmp_path, text)) == {
        "deals": Count(1),
        "tickets": Count(3),
        "Invoice__c": Count(2, {"State__c": "paid"}),
    }
    path = written(tmp_path, "tickets = 1\n[objects]\ntickets = 3\n")
    with pytest.raises(UsageError) as twice:
        read_plan(path)
    assert str(twice.value) == f"{path}: tickets stands in objects and beside it. Keep one of them."
    path = written(tmp_path, "objects = 3\n")
    with pytest.raises(UsageError) as number:
        read_plan(path)
    assert str(number.value) == f'{path}: objects takes a table, such as {{ "2-123" = 4 }}, not 3.'


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no plan file .*no\.toml\. Correct the path\."):
        read_plan(tmp_path / "no.toml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_plan(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"caf\xe9 = 1")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        read_plan(tmp_path / "latin.toml")
    with pytest.raises(UsageError, match=r"asks for nothing\. Say what"):
        counts_of([], written(tmp_path, "# nothing"))


def test_the_command_line_wins_over_numbers_and_leaves_values(tmp_path: Path) -> None:
    path = written(tmp_path, "companies = 3\n[deals]\ncount = 9\nstage = 'won'\n")
    assert counts_of(["deals=2", "contacts=1"], path) == {
        "companies": Count(3),
        "deals": Count(2, {"stage": "won"}),
        "contacts": Count(1),
    }


@given(st.text(max_size=60))
def test_any_text_is_a_plan_or_a_usage_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        counts = counts_of([], path)
    except UsageError as error:
        assert str(error)
    else:
        assert all(isinstance(count, Count) for count in counts.values())
