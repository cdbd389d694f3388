"""The rules of SOQL: what compares with what, in which order rows come, and what may stand where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce.behaviour import CustomField, SalesforceBehaviour
from pytest_crmseed.portal.salesforce.errors import Refusal
from pytest_crmseed.portal.salesforce.soql import comparing
from pytest_crmseed.portal.salesforce.soql.comparing import span
from pytest_crmseed.portal.salesforce.soql.parsing import parse
from pytest_crmseed.portal.salesforce.soql.tree import (
    Aggregate,
    Column,
    Comparison,
    Condition,
    Either,
    Every,
    Fields,
    Includes,
    Membership,
    Not,
    Number,
    Order,
    Path,
    Query,
    Span,
    Value,
)

_FIELDS = (
    CustomField("Tags__c", "Tags", "multipicklist", values=("Red", "Green", "Blue")),
    CustomField("Sure__c", "Sure", "boolean"),
    CustomField("Exact__c", "Exact", unique=True, case_sensitive=True),
    CustomField("Size__c", "Size", "picklist", values=("Small", "Medium", "Large")),
)


@pytest.fixture(scope="module")
def stocked(new_org: Callable[..., Any]) -> Any:
    """An org with three companies that differ in fields of every kind, people and tasks."""
    org = new_org(Behaviour(salesforce=SalesforceBehaviour(custom_fields={"Account": _FIELDS})))
    acorn = org.make(
        "Account", Name="Acorn", Tags__c="Red;Blue", Sure__c=True, Exact__c="Key", Size__c="Large"
    )
    birch = org.make("Account", Name="birch", Tags__c="Green", Exact__c="KEY", Size__c="Small")
    org.make("Account", Name="_Cedar", Phone="", Size__c="Medium", ParentId=acorn)
    ada = org.make("Contact", LastName="Byron", Email="ada@x.org", AccountId=acorn)
    lead = org.make("Lead", LastName="Hopper", Company="Navy")
    org.make("Task", Subject="Call Ada", WhoId=ada, WhatId=acorn)
    org.make("Task", Subject="Call Grace", WhoId=lead)
    org.make("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-01-31", AccountId=birch)
    org.ids = {"acorn": acorn, "birch": birch, "ada": ada, "lead": lead}
    return org


# -- what compares -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Tags__c INCLUDES ('red')", ["Acorn"]),
        ("Tags__c INCLUDES ('Red;Green', 'Blue')", ["Acorn"]),
        ("Tags__c INCLUDES ('Red;Green')", []),
        ("Tags__c EXCLUDES ('RED')", ["birch", "_Cedar"]),
        ("Tags__c = 'Red;Blue'", ["Acorn"]),
        ("Tags__c = null", ["_Cedar"]),
        # Null is what an empty box is, and an empty text is null.
        ("Sure__c = null", ["birch", "_Cedar"]),
        ("Sure__c != null", ["Acorn"]),
        ("Phone = ''", ["Acorn", "birch", "_Cedar"]),
        ("Size__c != ''", ["Acorn", "birch", "_Cedar"]),
        # Unique fields that tell capitals apart compare so.
        ("Exact__c = 'key'", []),
        ("Exact__c = 'KEY'", ["birch"]),
        ("Exact__c IN ('Key', 'KEY', 'kEY')", ["Acorn", "birch"]),
        ("Name > 'b'", ["birch"]),
        ("Parent.Name = 'acorn'", ["_Cedar"]),
        ("Parent.Name = null", ["Acorn", "birch"]),
        ("Parent.Parent.Parent.Parent.Parent.Name = null", ["Acorn", "birch", "_Cedar"]),
        ("Name LIKE '\\_%'", ["_Cedar"]),
        ("Name <> 'Acorn'", ["birch", "_Cedar"]),
        ("NOT NOT Name = 'Acorn'", ["Acorn"]),
        ("CreatedDate = N_WEEKS_AGO:1", []),
        ("CreatedDate > N_YEARS_AGO:1 AND CreatedDate <= NEXT_N_MONTHS:1", ["Acorn", "birch", "_Cedar"]),
        ("CreatedDate != TODAY", []),
        # Null is less and more than nothing, and other than anything.
        ("LastActivityDate != TODAY", ["Acorn", "birch", "_Cedar"]),
        ("LastActivityDate < TODAY OR LastActivityDate >= TODAY OR LastActivityDate = TODAY", []),
        ("NumberOfEmployees < 1 OR NumberOfEmployees >= 1", []),
        ("Phone LIKE '%'", []),
        ("Phone NOT IN ('1')", ["Acorn", "birch", "_Cedar"]),
        ("Phone IN (null, '1')", ["Acorn", "birch", "_Cedar"]),
    ],
)
def test_conditions(stocked: Any, where: str, names: list[str]) -> None:
    assert stocked.column(f"SELECT Name FROM Account WHERE {where}") == names


@pytest.mark.parametrize(
    ("where", "subjects"),
    [
        ("Who.Type = 'Lead'", ["Call Grace"]),
        ("Who.Type IN ('Contact', 'User')", ["Call Ada"]),
        ("Who.Name = 'byron'", ["Call Ada"]),
        ("Who.LastName LIKE 'H%'", ["Call Grace"]),
        ("What.Type = 'Account'", ["Call Ada"]),
        ("What.Name = null", ["Call Grace"]),
        ("Who.Id = '{ada:.15}'", ["Call Ada"]),
        ("WhoId IN ('{ada:.15}', '{lead}')", ["Call Ada", "Call Grace"]),
    ],
)
def test_lookups_to_one_of_several_objects(stocked: Any, where: str, subjects: list[str]) -> None:
    text = f"SELECT Subject FROM Task WHERE {where.format(**stocked.ids)}"
    assert stocked.column(text, "Subject") == subjects


def test_what_a_lookup_to_one_of_several_objects_shows(stocked: Any) -> None:
    records = stocked.query("SELECT Who.Name, Who.Type, What.Id FROM Task")["records"]
    ada, acorn = stocked.ids["ada"], stocked.ids["acorn"]
    of_ada = {"attributes": {"type": "Contact", "url": f"{stocked.root}/sobjects/Contact/{ada}"}}
    of_acorn = {"attributes": {"type": "Account", "url": f"{stocked.root}/sobjects/Account/{acorn}"}}
    assert records[0]["Who"] == {**of_ada, "Name": "Byron", "Type": "Contact"}
    assert records[0]["What"] == {**of_acorn, "Id": acorn}
    assert records[1]["What"] is None


@pytest.mark.parametrize(
    ("order", "names"),
    [
        # By capitals: an underscore stands behind all letters.
        ("Name", ["Acorn", "birch", "_Cedar"]),
        ("Name DESC", ["_Cedar", "birch", "Acorn"]),
        # Picklists have the order of their values.
        ("Size__c", ["birch", "_Cedar", "Acorn"]),
        ("Size__c DESC", ["Acorn", "_Cedar", "birch"]),
        ("Parent.Name NULLS LAST, Name", ["_Cedar", "Acorn", "birch"]),
        ("CreatedDate, Id DESC", ["_Cedar", "birch", "Acorn"]),
    ],
)
def test_order(stocked: Any, order: str, names: list[str]) -> None:
    assert stocked.column(f"SELECT Name FROM Account ORDER BY {order}") == names


# -- groups ----------------------------------------------------------------------------------------
def test_groups_have_aliases_and_numbered_names(stocked: Any) -> None:
    (record,) = stocked.query("SELECT MAX(Name), MIN(Name) least, COUNT(Id) FROM Account")["records"]
    assert record == {
        "attributes": {"type": "AggregateResult"},
        "expr0": "birch",
        "least": "_Cedar",
        "expr1": 3,
    }
    groups = stocked.query("SELECT Size__c size, COUNT(Id) FROM Account GROUP BY Size__c")
    assert {group["size"]: group["expr0"] for group in groups["records"]} == {
        "Large": 1,
        "Small": 1,
        "Medium": 1,
    }
    assert groups["totalSize"] == 3
    parents = stocked.query("SELECT Parent.Name, COUNT(Id) n FROM Account GROUP BY Parent.Name")["records"]
    assert [(each["Name"], each["n"]) for each in parents] == [(None, 2), ("Acorn", 1)]
    distinct = stocked.query("SELECT Size__c FROM Account GROUP BY Size__c LIMIT 2")
    assert (distinct["totalSize"], len(distinct["records"])) == (2, 2)
    assert stocked.query("SELECT COUNT(Id) FROM Account WHERE Name = 'x'")["records"][0]["expr0"] == 0


# -- refusals --------------------------------------------------------------------------------------
_MALFORMED = "MALFORMED_QUERY"
_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("SELECT Id, Name, id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Name n FROM Account", _MALFORMED, "only aggregate expressions use field aliasing"),
        ("SELECT Id Name FROM Account", _MALFORMED, "only aggregate expressions use field aliasing"),
        ("SELECT Id FROM Account WHERE Id = 'x'", _OPERATOR, "invalid ID field: x"),
        ("SELECT Id FROM Account WHERE ParentId IN ('', 'x')", _OPERATOR, "invalid ID field: x"),
        ("SELECT Id FROM Account WHERE Id LIKE '001%'", _OPERATOR, "invalid operator on id field"),
        ("SELECT Id FROM Account WHERE ParentId LIKE '0%'", _OPERATOR, "invalid operator on reference field"),
        (
            "SELECT Id FROM Account WHERE CreatedDate LIKE '2%'",
            _OPERATOR,
            "invalid operator on datetime field",
        ),
        ("SELECT Id FROM Account WHERE IsDeleted > false", _OPERATOR, "invalid operator on boolean field"),
        (
            "SELECT Id FROM Account WHERE Name INCLUDES ('x')",
            _OPERATOR,
            "Name: INCLUDES and EXCLUDES take multi-select picklists alone",
        ),
        (
            "SELECT Id FROM Account WHERE Name = TODAY",
            "INVALID_FIELD",
            "value of filter criterion for field 'Name' must be of type string and should be enclosed in "
            "quotes",
        ),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate = '2026-01-01'",
            "INVALID_FIELD",
            "value of filter criterion for field 'CloseDate' must be of type date and should not be enclosed "
            "in quotes",
        ),
        (
            "SELECT Id FROM Account ORDER BY Description",
            _MALFORMED,
            "field 'Description' can not be sorted in a query call",
        ),
        (
            "SELECT Description, COUNT(Id) FROM Account GROUP BY Description",
            _MALFORMED,
            "field 'Description' can not be grouped in a query call",
        ),
        ("SELECT COUNT() FROM Account GROUP BY Name", _MALFORMED, "Grouped query cannot use COUNT()"),
        ("SELECT Name, COUNT() FROM Account GROUP BY Name", _MALFORMED, "Grouped query cannot use COUNT()"),
        ("SELECT SUM() FROM Account", _MALFORMED, "SUM() takes a field"),
        (
            "SELECT SUM(Name) FROM Account",
            _MALFORMED,
            "field Name does not support aggregate operator SUM",
        ),
        (
            "SELECT FIELDS(STANDARD), COUNT(Id) FROM Account GROUP BY Name",
            _MALFORMED,
            "Field must be grouped or aggregated: FIELDS()",
        ),
        (
            "SELECT COUNT(Id), (SELECT Id FROM Contacts) FROM Account",
            _MALFORMED,
            "Grouped query cannot use child relationships",
        ),
        (
            "SELECT MAX(CreatedDate) FROM Account LIMIT 1",
            _MALFORMED,
            "Non-grouped query that uses overall aggregate functions cannot also use LIMIT",
        ),
        (
            "SELECT Id, (SELECT COUNT() FROM Contacts) FROM Account",
            _MALFORMED,
            "only root queries support aggregate expressions",
        ),
        (
            "SELECT FIELDS(ALL) FROM Account",
            _MALFORMED,
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        (
            "SELECT FIELDS(CUSTOM) FROM Account LIMIT 201",
            _MALFORMED,
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        ("SELECT Id, FIELDS(ALL) FROM Account LIMIT 5", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT FIELDS(CUSTOM) FROM Organization LIMIT 5",
            _MALFORMED,
            "'FIELDS(...)' expansion function must result in at least one field being selected.",
        ),
        ("SELECT FIELDS(SOME) FROM Account", _MALFORMED, "FIELDS(SOME) is none of ALL, STANDARD and CUSTOM"),
        ("SELECT Id FROM Account LIMIT -1", _MALFORMED, "unexpected token: '-1'"),
        ("SELECT Id FROM Account WHERE Name = :name", _MALFORMED, "unexpected token: ':'"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-02-30T00:00:00Z",
            _MALFORMED,
            "2026-02-30T00:00:00Z is not a valid datetime",
        ),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate > 2026-02-30",
            _MALFORMED,
            "2026-02-30 is not a valid date",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = N_YEARS_AGO:9999",
            "INVALID_FIELD",
            "value of filter criterion for field 'CreatedDate' is too far away to be a date",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > LAST_N_DAYS:999999999",
            "INVALID_FIELD",
            "value of filter criterion for field 'CreatedDate' is too far away to be a date",
        ),
        (
            f"SELECT Id FROM Account WHERE {'NOT ' * 2_500}Name = 'x'",
            "QUERY_TOO_COMPLICATED",
            "Query is either selecting too many fields or the filter conditions are too complicated.",
        ),
        (f"SELECT Id FROM Account LIMIT {2**31}", _MALFORMED, f"numeric value out of range: {2**31}"),
        (
            f"SELECT Id FROM Account OFFSET {'9' * 5_000}",
            _MALFORMED,
            f"numeric value out of range: {'9' * 5_000}",
        ),
        (
            "SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account",
            "INVALID_FIELD",
            "Parent.Parent.Parent.Parent.Parent.Parent.Name goes through more than 5 relationships",
        ),
    ],
)
def test_refusals(stocked: Any, text: str, code: str, said: str) -> None:
    assert stocked.unasked(text) == (400, code, said)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "Name IN (SELECT LastName FROM Contact)",
            "Semi join sub-selects can only query id fields, cannot use: 'Name'",
        ),
        (
            "Id IN (SELECT LastName FROM Contact)",
            "Semi join sub-selects can only query id fields, cannot use: 'LastName'",
        ),
        (
            "Parent.Id IN (SELECT AccountId FROM Contact)",
            "Semi join sub-selects can only query id fields, cannot use: 'Parent.Id'",
        ),
        (
            "Id IN (SELECT Account.Id FROM Contact)",
            "Semi join sub-selects can only query id fields, cannot use: 'Account.Id'",
        ),
        (
            "Id IN (SELECT Id, AccountId FROM Contact)",
            "The inner select of a semi join selects exactly one field",
        ),
        (
            "Id IN (SELECT ParentId FROM Account)",
            "The inner and outer selects should not be on the same object type",
        ),
        (
            "Name = 'x' OR Id IN (SELECT AccountId FROM Contact)",
            "Semi join sub-selects are not allowed with the 'OR' operator",
        ),
        (
            "Name = 'x' AND (NOT Id IN (SELECT AccountId FROM Contact))",
            "Semi join sub-selects are not allowed with the 'NOT' operator",
        ),
        (
            "Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT WhoId FROM Task))",
            "Nesting of semi join sub-selects is not supported",
        ),
        (
            "Id IN (SELECT AccountId FROM Contact LIMIT 1)",
            "ORDER BY, LIMIT and GROUP BY are not supported in semi join sub-selects",
        ),
        (
            " AND ".join(["Id IN (SELECT AccountId FROM Contact)"] * 3),
            "Maximum 2 semi join sub-selects are allowed",
        ),
    ],
)
def test_queries_within_conditions_have_limits(stocked: Any, where: str, said: str) -> None:
    assert stocked.unasked(f"SELECT Id FROM Account WHERE {where}") == (400, _MALFORMED, said)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Account OFFSET 2000",
        "SELECT FIELDS(ALL) FROM Account LIMIT 200",
        "SELECT Name, FIELDS(CUSTOM) FROM Account LIMIT 200",
        "SELECT FIELDS(STANDARD) FROM Account",
        f"SELECT FIELDS(ALL) FROM Account WHERE Id IN ({', '.join(['null'] * 200)})",
    ],
)
def test_what_is_just_allowed(stocked: Any, text: str) -> None:
    assert stocked.query(text)["done"] is True


def test_all_fields_of_too_many_ids(stocked: Any) -> None:
    ids = ", ".join(["null"] * 201)
    said = "The SOQL FIELDS function must have a LIMIT of at most 200"
    refused = stocked.unasked(f"SELECT FIELDS(ALL) FROM Account WHERE Id IN ({ids})")
    assert refused == (400, _MALFORMED, said)


def test_people_without_a_company_join_nothing(org: Any) -> None:
    acorn = org.make("Account", Name="Acorn")
    org.make("Account", Name="Child", ParentId=acorn)
    org.make("Contact", LastName="Alone")
    joined = "SELECT Name FROM Account WHERE ParentId {}IN (SELECT AccountId FROM Contact)"
    assert org.column(joined.format("")) == []
    assert org.column(joined.format("NOT ")) == ["Acorn", "Child"]
    org.make("Contact", LastName="Byron", AccountId=acorn)
    assert org.column(joined.format("")) == ["Child"]


def test_two_queries_within_a_condition(stocked: Any) -> None:
    both = "Id IN (SELECT AccountId FROM Contact) AND Id NOT IN (SELECT AccountId FROM Opportunity)"
    assert stocked.column(f"SELECT Name FROM Account WHERE {both}") == ["Acorn"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Account ORDER BY COUNT(Id)",
        "SELECT Name, COUNT(Id) FROM Account GROUP BY Name ORDER BY Name",
        "SELECT Name, COUNT(Id) n FROM Account GROUP BY Name OFFSET 1",
        "SELECT Id FROM Account, Account.Contacts c",
        "SELECT Id FROM Account WHERE AnnualRevenue > USD5000",
        "SELECT Id FROM Account WHERE Time__c > 10:00:00Z",
        "SELECT Id FROM Account ALL ROWS",
        "SELECT Id FROM Account WITH SECURITY_ENFORCED",
        "SELECT Id FROM Account WHERE CreatedDate = THIS_FISCAL_YEAR",
        "SELECT Id FROM Account FOR UPDATE",
        "SELECT Title FROM FAQ UPDATE VIEWSTAT",
        "SELECT FORMAT(Amount) FROM Opportunity",
    ],
)
def test_what_is_not_emulated_is_said_so(stocked: Any, text: str) -> None:
    status, code, message = stocked.unasked(text)
    assert (status, code) == (501, "NOT_EMULATED")
    assert message.startswith("The local portal does not emulate ") and message.endswith(" in SOQL.")


def test_words_of_the_language_within_texts_are_text(stocked: Any) -> None:
    text = "SELECT Name FROM Account WHERE Name = 'HAVING FOR VIEW FROM a, b' AND"
    assert stocked.unasked(text)[:2] == (400, _MALFORMED)
    assert stocked.column(text.removesuffix(" AND")) == []


def test_objects_named_like_words_of_the_language_are_found(stocked: Any) -> None:
    assert (
        stocked.column("SELECT Id FROM Order WHERE Order.Status = 'x' ORDER BY Order.Name LIMIT 1", "Id")
        == []
    )
    assert (
        stocked.column("SELECT Id, Order.Name FROM OrderItem o WHERE o.Order.Account.Name = 'x'", "Id") == []
    )


def test_the_place_of_an_error_is_shown_in_its_line(stocked: Any) -> None:
    text = "SELECT Id,\n  Nme\nFROM Account"
    message = stocked.refused("GET", "/query?q=" + text.replace("\n", "%0A").replace(" ", "+"))[2]
    assert message.startswith(
        "\n  Nme\n  ^\nERROR at Row:2:Column:3\nNo such column 'Nme' on entity 'Account'."
    )


# -- date literals -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("literal", "first", "after"),
    [
        # A Wednesday in the second quarter of a leap year.
        (Span("TODAY"), "2028-05-17", "2028-05-18"),
        (Span("YESTERDAY"), "2028-05-16", "2028-05-17"),
        (Span("TOMORROW"), "2028-05-18", "2028-05-19"),
        (Span("LAST_WEEK"), "2028-05-07", "2028-05-14"),
        (Span("THIS_WEEK"), "2028-05-14", "2028-05-21"),
        (Span("NEXT_WEEK"), "2028-05-21", "2028-05-28"),
        (Span("LAST_MONTH"), "2028-04-01", "2028-05-01"),
        (Span("THIS_MONTH"), "2028-05-01", "2028-06-01"),
        (Span("NEXT_MONTH"), "2028-06-01", "2028-07-01"),
        (Span("LAST_QUARTER"), "2028-01-01", "2028-04-01"),
        (Span("THIS_QUARTER"), "2028-04-01", "2028-07-01"),
        (Span("NEXT_QUARTER"), "2028-07-01", "2028-10-01"),
        (Span("LAST_YEAR"), "2027-01-01", "2028-01-01"),
        (Span("THIS_YEAR"), "2028-01-01", "2029-01-01"),
        (Span("NEXT_YEAR"), "2029-01-01", "2030-01-01"),
        (Span("LAST_90_DAYS"), "2028-02-17", "2028-05-18"),
        (Span("NEXT_90_DAYS"), "2028-05-18", "2028-08-16"),
        (Span("LAST_N_DAYS", 1), "2028-05-16", "2028-05-18"),
        (Span("LAST_N_DAYS", 0), "2028-05-17", "2028-05-18"),
        (Span("NEXT_N_DAYS", 1), "2028-05-18", "2028-05-19"),
        (Span("N_DAYS_AGO", 2), "2028-05-15", "2028-05-16"),
        (Span("LAST_N_WEEKS", 2), "2028-04-30", "2028-05-14"),
        (Span("NEXT_N_WEEKS", 2), "2028-05-21", "2028-06-04"),
        (Span("N_WEEKS_AGO", 2), "2028-04-30", "2028-05-07"),
        (Span("LAST_N_MONTHS", 5), "2027-12-01", "2028-05-01"),
        (Span("NEXT_N_MONTHS", 8), "2028-06-01", "2029-02-01"),
        (Span("N_MONTHS_AGO", 5), "2027-12-01", "2028-01-01"),
        (Span("LAST_N_QUARTERS", 2), "2027-10-01", "2028-04-01"),
        (Span("NEXT_N_QUARTERS", 2), "2028-07-01", "2029-01-01"),
        (Span("N_QUARTERS_AGO", 2), "2027-10-01", "2028-01-01"),
        (Span("LAST_N_YEARS", 2), "2026-01-01", "2028-01-01"),
        (Span("NEXT_N_YEARS", 2), "2029-01-01", "2031-01-01"),
        (Span("N_YEARS_AGO", 2), "2026-01-01", "2027-01-01"),
    ],
)
def test_date_literals(literal: Span, first: str, after: str) -> None:
    now = datetime(2028, 5, 17, 23, 59, tzinfo=UTC)
    assert span(literal, now) == (date.fromisoformat(first), date.fromisoformat(after))


_LITERALS = st.one_of(
    st.sampled_from(["TODAY", "THIS_WEEK", "LAST_MONTH", "NEXT_QUARTER", "LAST_90_DAYS"]).map(Span),
    st.builds(Span, st.sampled_from(["LAST_N_DAYS", "NEXT_N_WEEKS", "N_MONTHS_AGO"]), st.integers(0, 9)),
)


@given(_LITERALS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.sampled_from([-1, 0, 1]), st.data())
def test_a_literal_is_all_of_its_days(
    stocked: Any, literal: Span, operator: str, nudge: int, data: st.DataObject
) -> None:
    """At both ends of what a literal spans, to the day for dates and to the second for datetimes."""
    now = datetime(2028, 5, 17, 23, 59, tzinfo=UTC)
    first, after = span(literal, now)
    edge = data.draw(st.sampled_from([first, after]))
    catalogue = stocked.inner.catalogue
    day = edge + timedelta(days=nudge)
    of_day = comparing.test(catalogue.find("Opportunity").field("CloseDate"), operator, literal, now)
    moment = datetime.combine(edge, time(), UTC) + timedelta(seconds=nudge)
    of_moment = comparing.test(catalogue.find("Account").field("CreatedDate"), operator, literal, now)
    start, end = (datetime.combine(each, time(), UTC) for each in (first, after))
    for found, before, within in (
        (of_day(day), day < first, first <= day < after),
        (of_moment(moment), moment < start, start <= moment < end),
    ):
        assert (
            found
            is {
                "=": within,
                "!=": not within,
                "<": before,
                "<=": before or within,
                ">": not before and not within,
                ">=": not before,
            }[operator]
        )


# -- the grammar -------------------------------------------------------------------------------------
_NAMES = st.sampled_from(["Id", "Name", "Account", "Order", "Group", "Limit", "Thing__c", "Where_is__c"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map(lambda names: Path(tuple(names)))
_TEXTS = st.text("aé'\\\"%_\n\t \u2028", max_size=6)
_VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    _TEXTS,
    st.integers(-99, 99).map(lambda number: Number(str(number))),
    st.decimals(-9, 9, places=2).map(lambda number: Number(format(number, "f"))),
    st.dates(date(1700, 1, 1), date(4000, 12, 31)),
    st.datetimes(datetime(1700, 1, 2), datetime(4000, 12, 30), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    st.sampled_from([Span("TODAY"), Span("LAST_N_DAYS", 3), Span("N_MONTHS_AGO", 2), Span("THIS_YEAR")]),
)


def _conditions(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Condition]:
    simple: st.SearchStrategy[Condition] = st.one_of(
        st.builds(Comparison, _PATHS, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), _VALUES),
        st.builds(Comparison, _PATHS, st.just("like"), st.text("ab%_", max_size=4)),
        st.builds(
            Membership,
            _PATHS,
            st.one_of(st.lists(_VALUES, min_size=1, max_size=3).map(tuple), inner),
            st.booleans(),
        ),
        st.builds(
            Includes,
            _PATHS,
            st.lists(st.frozensets(st.text("ab", min_size=1), min_size=1), min_size=1).map(tuple),
            st.booleans(),
        ),
    )

    def several(each: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        some = st.lists(each, min_size=2, max_size=3).map(tuple)
        return st.one_of(st.builds(Not, each), st.builds(Every, some), st.builds(Either, some))

    return st.recursive(simple, several, max_leaves=4)


def _queries(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    aliases = st.sampled_from(["a", "Total", "n1"])
    functions = st.sampled_from(["COUNT", "SUM", "AVG", "MIN", "MAX", "COUNT_DISTINCT"])
    items: st.SearchStrategy[Any] = st.one_of(
        _PATHS,
        st.builds(Column, _PATHS, aliases),
        st.builds(Aggregate, functions, st.none() | _PATHS, st.none() | aliases),
        st.builds(Fields, st.sampled_from(["ALL", "STANDARD", "CUSTOM"])),
        inner,
    )
    return st.builds(
        Query,
        st.lists(items, min_size=1, max_size=3).map(tuple),
        _NAMES,
        alias=st.none() | aliases,
        where=st.none() | _conditions(inner),
        group=st.lists(_PATHS, max_size=2).map(tuple),
        order=st.lists(st.builds(Order, _PATHS, st.booleans(), st.none() | st.booleans()), max_size=2).map(
            tuple
        ),
        limit=st.none() | st.integers(0, 99),
        offset=st.integers(0, 99),
    )


_SIMPLE = st.builds(Query, st.just((Path(("Id",)),)), _NAMES)


def _value(value: Value) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "TRUE", False: "false"}[value]
        case str():
            escaped = (
                value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
            )
            return f"'{escaped}'"
        case Number(text):
            return text
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
        case Span(name, n):
            return name if n is None else f"{name}:{n}"
    return value.isoformat()


def _condition(condition: Condition) -> str:
    match condition:
        case Comparison(path, "like", value):
            return f"{path.text} LIKE '{value}'"
        case Comparison(path, operator, value):
            return f"{path.text}{operator} {_value(value)}"
        case Membership(path, Query() as query, negated):
            return f"{path.text} {'NOT ' * negated}IN ({_text(query)})"
        case Membership(path, values, negated):
            return f"{path.text} {'not ' * negated}in ({', '.join(map(_value, values))})"
        case Includes(path, sets, negated):
            texts = ", ".join("'" + ";".join(sorted(each)) + "'" for each in sets)
            return f"{path.text} {'EXCLUDES' if negated else 'includes'} ({texts})"
        case Not(inner):
            return f"NOT ({_condition(inner)})"
        case Every(conditions):
            return " AND ".join(f"({_condition(each)})" for each in conditions)
    return " or ".join(f"({_condition(each)})" for each in condition.conditions)


def _text(query: Query) -> str:
    shown = []
    for item in query.items:
        match item:
            case Path():
                shown.append(item.text)
            case Column(path, alias):
                shown.append(f"{path.text} {alias}")
            case Aggregate(function, path, alias):
                shown.append(f"{function.lower()} ({path.text if path else ''}) {alias or ''}")
            case Fields(kind):
                shown.append(f"fields({kind.lower()})")
            case Query():
                shown.append(f"({_text(item)})")
    text = f"select {' , '.join(shown)}\n FROM {query.source} {query.alias or ''}"
    if query.where is not None:
        text += f" Where {_condition(query.where)}"
    if query.group:
        text += f" group BY {','.join(path.text for path in query.group)}"
    if query.order:
        sortings = (
            f"{by.path.text} {'desc' if by.descending else ''} "
            f"{'' if by.nulls_last is None else 'nulls last' if by.nulls_last else 'NULLS FIRST'}"
            for by in query.order
        )
        text += f" ORDER by {', '.join(sortings)}"
    if query.limit is not None:
        text += f" LIMIT {query.limit}"
    return text + (f" offset {query.offset}" if query.offset else "")


def _placeless(node: Any) -> Any:
    """Return a tree without the places in its text."""
    if isinstance(node, Path):
        return Path(node.names)
    if isinstance(node, tuple):
        return tuple(map(_placeless, node))
    names = getattr(type(node), "__dataclass_fields__", None)
    if names is None:
        return node
    return type(node)(**{name: 0 if name == "at" else _placeless(getattr(node, name)) for name in names})


@given(_queries(_queries(_SIMPLE)))
def test_a_query_that_is_written_out_is_read_back(query: Query) -> None:
    assert _placeless(parse(_text(query))) == query


@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(["SELECT", "Id", "FROM", "A", "WHERE", "(", ")", "=", "'x'", ",", "IN", "NOT", "1"])
    ).map(" ".join)
)
def test_anything_else_is_refused_and_breaks_nothing(text: str) -> None:
    try:
        parse(text)
    except Refusal as refused:
        assert refused.status in (400, 501)
