"""SOQL over the rows of an org: what is found, what is shown, and what is refused in which words."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal import Behaviour, Portal, PortalRequest, VirtualClock
from pytest_crmseed.portal.salesforce.soql.comparing import like
from pytest_crmseed.portal.salesforce.soql.parsing import parse

ROOT = "/services/data/v66.0"


class Org:
    """An org to ask."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.clock = VirtualClock()
        self.portal = Portal(behaviour=self.behaviour, clock=self.clock)
        self._token = self.portal.apis["salesforce"].tokens()["application"]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = PortalRequest.of(method, path, body, token=self._token, headers=named)
        return self.portal.handle(request)

    def make(self, name: str, **values: Any) -> str:
        answer = self.ask("POST", f"{ROOT}/sobjects/{name}", values)
        assert answer.status == 201, answer.body
        id: str = answer.json()["id"]
        return id

    def query(self, text: str, *, resource: str = "query", **headers: str) -> Any:
        return self.ask("GET", f"{ROOT}/{resource}?q={quote(text)}", **headers)

    def records(self, text: str, **more: Any) -> list[dict[str, Any]]:
        answer = self.query(text, **more)
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.json()["records"]
        return found

    def column(self, text: str, name: str = "Name", **more: Any) -> list[Any]:
        return [record[name] for record in self.records(text, **more)]

    def refused(self, text: str) -> tuple[int, str, str]:
        answer = self.query(text)
        (error,) = answer.json()
        return answer.status, error["errorCode"], error["message"]


@pytest.fixture
def org() -> Iterator[Org]:
    org = Org()
    yield org
    org.portal.close()


@pytest.fixture(scope="module")
def stocked() -> Iterator[Any]:
    """An org with three companies, and people of two of them."""
    org = Org()
    ids = {
        "acorn": org.make("Account", Name="Acorn", NumberOfEmployees=5, AnnualRevenue=10, BillingCity="Oslo"),
        "birch": org.make("Account", Name="Birch", NumberOfEmployees=50, BillingCity="oslo"),
        "cedar": org.make("Account", Name="Cedar 100%", Industry="Energy"),
    }
    ids["ada"] = org.make(
        "Contact", FirstName="Ada", LastName="Byron", AccountId=ids["acorn"], Email="a@x.org"
    )
    ids["bob"] = org.make("Contact", LastName="Brown", AccountId=ids["acorn"])
    ids["eve"] = org.make("Contact", LastName="O'Hara", AccountId=ids["birch"], Birthdate="1990-05-06")
    ids["won"] = org.make(
        "Opportunity",
        Name="Won",
        StageName="Closed Won",
        CloseDate="2026-01-31",
        AccountId=ids["acorn"],
        Amount=9,
    )
    ids["open"] = org.make(
        "Opportunity",
        Name="Open",
        StageName="Prospecting",
        CloseDate="2026-02-28",
        AccountId=ids["birch"],
        Amount=90,
    )
    yield org, ids
    org.portal.close()


# -- what is found ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'acorn'", ["Acorn"]),
        ("Name != 'Acorn'", ["Birch", "Cedar 100%"]),
        ("NumberOfEmployees > 5", ["Birch"]),
        ("NumberOfEmployees >= 5", ["Acorn", "Birch"]),
        ("NumberOfEmployees < 50", ["Acorn"]),
        ("NumberOfEmployees <= 50 AND BillingCity = 'OSLO'", ["Acorn", "Birch"]),
        ("NumberOfEmployees = null", ["Cedar 100%"]),
        ("NumberOfEmployees != null", ["Acorn", "Birch"]),
        ("NumberOfEmployees IN (5, 50)", ["Acorn", "Birch"]),
        ("NumberOfEmployees NOT IN (5)", ["Birch", "Cedar 100%"]),
        ("AnnualRevenue = 10.00", ["Acorn"]),
        ("Name LIKE 'a%'", ["Acorn"]),
        ("Name LIKE '_irch'", ["Birch"]),
        (r"Name LIKE '%\%'", ["Cedar 100%"]),
        ("Name LIKE '%.%'", []),
        ("NOT Name = 'Birch'", ["Acorn", "Cedar 100%"]),
        ("(NOT Name LIKE 'B%') AND NumberOfEmployees > 1", ["Acorn"]),
        ("Name = 'Acorn' OR (Name = 'Birch' AND NumberOfEmployees = 1)", ["Acorn"]),
        ("IsDeleted = false", ["Acorn", "Birch", "Cedar 100%"]),
        ("CreatedDate = TODAY", ["Acorn", "Birch", "Cedar 100%"]),
        ("CreatedDate < TODAY", []),
        ("CreatedDate >= LAST_N_DAYS:2", ["Acorn", "Birch", "Cedar 100%"]),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName LIKE 'B%')", ["Acorn"]),
        ("Id NOT IN (SELECT AccountId FROM Contact)", ["Cedar 100%"]),
        ("Account.Name = 'Birch'", ["Birch"]),
    ],
)
def test_conditions(stocked: Any, where: str, names: list[str]) -> None:
    org, _ = stocked
    assert org.column(f"SELECT Name FROM Account WHERE {where}") == names
    assert org.query(f"SELECT count() FROM Account WHERE {where}").json() == {
        "totalSize": len(names),
        "done": True,
        "records": [],
    }


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("CloseDate = 2026-01-31", ["Won"]),
        ("CloseDate > 2026-01-31", ["Open"]),
        ("IsWon = TRUE", ["Won"]),
        ("IsClosed = false", ["Open"]),
        ("Amount > 9", ["Open"]),
        ("Account.BillingCity = 'Oslo' AND Account.NumberOfEmployees > 5", ["Open"]),
        ("CreatedDate > 2020-01-01T00:00:00Z AND CreatedDate < 2100-01-01T00:00:00+02:00", ["Won", "Open"]),
    ],
)
def test_conditions_on_dates_flags_and_parents(stocked: Any, where: str, names: list[str]) -> None:
    org, _ = stocked
    assert org.column(f"SELECT Name FROM Opportunity WHERE {where}") == names


def test_ids_compare_in_both_lengths(stocked: Any) -> None:
    org, ids = stocked
    short = ids["acorn"][:15]
    assert org.column(f"SELECT Name FROM Account WHERE Id = '{short}'") == ["Acorn"]
    assert org.column(f"SELECT LastName FROM Contact WHERE AccountId IN ('{short}')", "LastName") == [
        "Byron",
        "Brown",
    ]
    assert org.column(f"SELECT Name FROM Account WHERE Id = '{ids['ada']}'") == []


def test_texts_have_escapes(stocked: Any) -> None:
    org, _ = stocked
    assert org.column(r"SELECT LastName FROM Contact WHERE LastName = 'O\'Hara'", "LastName") == ["O'Hara"]
    assert org.refused(r"SELECT Id FROM Contact WHERE LastName = 'a\q'") == (
        400,
        "MALFORMED_QUERY",
        r"Invalid string literal 'a\q'",
    )


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("Name DESC", ["Cedar 100%", "Birch", "Acorn"]),
        ("NumberOfEmployees", ["Cedar 100%", "Acorn", "Birch"]),
        ("NumberOfEmployees NULLS LAST", ["Acorn", "Birch", "Cedar 100%"]),
        ("NumberOfEmployees DESC NULLS LAST", ["Birch", "Acorn", "Cedar 100%"]),
        ("BillingCity, Name DESC", ["Cedar 100%", "Birch", "Acorn"]),
        ("Name LIMIT 1", ["Acorn"]),
        ("Name LIMIT 1 OFFSET 1", ["Birch"]),
        ("Name OFFSET 2", ["Cedar 100%"]),
    ],
)
def test_order_limit_and_offset(stocked: Any, order: str, names: list[str]) -> None:
    org, _ = stocked
    assert org.column(f"SELECT Name FROM Account ORDER BY {order}") == names


# -- what is shown ---------------------------------------------------------------------------------
def test_rows_have_attributes_and_parents_are_nested(stocked: Any) -> None:
    org, ids = stocked
    (record,) = org.records(
        f"SELECT id, lastname, Contact.Account.name, Owner.Name FROM Contact WHERE Id = '{ids['ada']}'"
    )
    owner = record.pop("Owner")
    assert owner["attributes"]["type"] == "User" and owner["Name"]
    assert record == {
        "attributes": {"type": "Contact", "url": f"{ROOT}/sobjects/Contact/{ids['ada']}"},
        "Id": ids["ada"],
        "LastName": "Byron",
        "Account": {
            "attributes": {"type": "Account", "url": f"{ROOT}/sobjects/Account/{ids['acorn']}"},
            "Name": "Acorn",
        },
    }


def test_without_a_parent_there_is_null(org: Org) -> None:
    org.make("Contact", LastName="Alone")
    (record,) = org.records("SELECT LastName, Account.Name, Account.Owner.Name FROM Contact")
    assert (record["LastName"], record["Account"]) == ("Alone", None)


def test_children_are_answers_of_their_own(stocked: Any) -> None:
    org, _ = stocked
    acorn, birch, cedar = org.records(
        "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName LIKE 'B%' ORDER BY LastName) FROM Account"
    )
    assert acorn["Contacts"]["totalSize"] == 2 and acorn["Contacts"]["done"] is True
    assert [each["LastName"] for each in acorn["Contacts"]["records"]] == ["Brown", "Byron"]
    assert birch["Contacts"] is None and cedar["Contacts"] is None


def test_products_have_their_standard_price(org: Org) -> None:
    (book,) = org.records("SELECT Id FROM Pricebook2 WHERE IsStandard = true")
    product = org.make("Product2", Name="Ledger")
    org.make("PricebookEntry", Pricebook2Id=book["Id"], Product2Id=product, UnitPrice=5.5, IsActive=True)
    (record,) = org.records(
        "SELECT Id, (SELECT UnitPrice FROM PricebookEntries WHERE Pricebook2.IsStandard = true) FROM Product2"
    )
    assert [entry["UnitPrice"] for entry in record["PricebookEntries"]["records"]] == [5.5]


def test_all_fields_at_once(stocked: Any) -> None:
    org, ids = stocked
    (record,) = org.records(f"SELECT FIELDS(ALL) FROM Account WHERE Id = '{ids['acorn']}' LIMIT 200")
    described = org.ask("GET", f"{ROOT}/sobjects/Account/describe").json()["fields"]
    assert set(record) == {"attributes", *(field["name"] for field in described)}


def test_aggregates(stocked: Any) -> None:
    org, ids = stocked
    (record,) = org.records(
        "SELECT COUNT(Id), MAX(NumberOfEmployees) most, SUM(NumberOfEmployees) FROM Account"
    )
    assert record == {"attributes": {"type": "AggregateResult"}, "expr0": 3, "most": 50, "expr1": 55.0}
    groups = org.records("SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId")
    assert {group["AccountId"]: group["n"] for group in groups} == {ids["acorn"]: 2, ids["birch"]: 1}
    assert org.records("SELECT COUNT_DISTINCT(BillingCity) FROM Account")[0]["expr0"] == 1
    assert org.records("SELECT AVG(Amount) FROM Opportunity")[0]["expr0"] == 49.5


# -- pages and the recycle bin -----------------------------------------------------------------------
def test_pages_follow_by_a_locator(org: Org) -> None:
    org.behaviour.salesforce.page_size = 2
    ids = [org.make("Account", Name=f"A{number}") for number in range(5)]
    answer = org.query("SELECT Id FROM Account").json()
    assert (answer["totalSize"], answer["done"], len(answer["records"])) == (5, False, 2)
    assert answer["nextRecordsUrl"].startswith(f"{ROOT}/query/01g") and answer["nextRecordsUrl"].endswith(
        "-2"
    )
    # A cursor is of the moment it was opened.
    org.make("Account", Name="Later")
    seen = [record["Id"] for record in answer["records"]]
    while not answer["done"]:
        answer = org.ask("GET", answer["nextRecordsUrl"]).json()
        seen += [record["Id"] for record in answer["records"]]
    assert seen == ids
    org.clock.advance(3 * 86_400)
    lost = org.ask("GET", f"{ROOT}/query/01g7e0000000001AAA-2")
    assert (lost.status, lost.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_a_header_asks_for_smaller_pages(org: Org) -> None:
    for number in range(201):
        org.make("Account", Name=f"A{number}")
    answer = org.query("SELECT Id FROM Account", sforce_query_options="batchSize=200").json()
    assert (answer["done"], len(answer["records"])) == (False, 200)
    assert org.query("SELECT Id FROM Account", sforce_query_options="batchSize=1").json()["totalSize"] == 201


def test_the_recycle_bin_is_seen_by_query_all(org: Org) -> None:
    kept, gone = org.make("Account", Name="Kept"), org.make("Account", Name="Gone")
    assert org.ask("DELETE", f"{ROOT}/sobjects/Account/{gone}").status == 204
    assert org.column("SELECT Name FROM Account") == ["Kept"]
    assert org.column("SELECT Name FROM Account", resource="queryAll") == ["Kept", "Gone"]
    deleted = "SELECT Id FROM Account WHERE IsDeleted = true"
    assert org.column(deleted, "Id", resource="queryAll") == [gone]
    by_id = f"SELECT Name FROM Account WHERE Id IN ('{kept}', '{gone}')"
    assert org.column(by_id) == ["Kept"]
    assert org.column(by_id, resource="queryAll") == ["Kept", "Gone"]


# -- refusals --------------------------------------------------------------------------------------
def test_an_unknown_field_is_shown_in_its_place(org: Org) -> None:
    assert org.refused("SELECT Foo FROM Account") == (
        400,
        "INVALID_FIELD",
        "\nSELECT Foo FROM Account\n       ^\nERROR at Row:1:Column:8\n"
        "No such column 'Foo' on entity 'Account'. If you are attempting to use a custom field, be sure to "
        "append the '__c' after the custom field name. Please reference your WSDL or the describe call for "
        "the appropriate names.",
    )


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("SELECT Id FORM Account", "MALFORMED_QUERY", "unexpected token: 'FORM'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        (
            "SELECT Id FROM Account WHERE a = 1 AND b = 2 OR c = 3",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported."),
        ("SELECT Nothing.Id FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Nothing'"),
        (
            "SELECT (SELECT Id FROM Nothings) FROM Account",
            "INVALID_TYPE",
            "relationship 'Nothings' in FROM part",
        ),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        (
            "SELECT Id FROM Account WHERE NumberOfEmployees = '5'",
            "INVALID_FIELD",
            "should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Account WHERE IsDeleted = 'x'", "INVALID_FIELD", "must be of type boolean"),
        (
            "SELECT Id FROM Account WHERE CreatedDate = 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM Account WHERE Description = 'x'",
            "INVALID_FIELD",
            "can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Account ORDER BY Description",
            "MALFORMED_QUERY",
            "can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Account OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Maximum SOQL offset allowed is 2000",
        ),
        (
            "SELECT Name, COUNT(Id) FROM Account",
            "MALFORMED_QUERY",
            "Field must be grouped or aggregated: Name",
        ),
        ("", "MALFORMED_QUERY", "SOQL statement is missing"),
    ],
)
def test_refusals(org: Org, text: str, code: str, said: str) -> None:
    status, found, message = org.refused(text)
    assert (status, found) == (400, code)
    assert said in message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT TYPEOF What WHEN Account THEN Phone END FROM Event",
        "SELECT COUNT(Id) FROM Account GROUP BY ROLLUP(Name)",
        "SELECT Name, COUNT(Id) FROM Account GROUP BY Name HAVING COUNT(Id) > 1",
        "SELECT Id FROM Account FOR VIEW",
        "SELECT Id FROM Account USING SCOPE mine",
        "SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = 2026",
        "SELECT toLabel(Industry) FROM Account",
    ],
)
def test_what_is_not_emulated_is_said_so(org: Org, text: str) -> None:
    status, code, message = org.refused(text)
    assert (status, code) == (501, "NOT_EMULATED")
    assert message.startswith("The local portal does not emulate ") and "in SOQL" in message


# -- properties ------------------------------------------------------------------------------------
_OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": lambda held, sought: held is not None and held < sought,
    "<=": lambda held, sought: held is not None and held <= sought,
    ">": lambda held, sought: held is not None and held > sought,
    ">=": lambda held, sought: held is not None and held >= sought,
}


@pytest.fixture(scope="module")
def numbered() -> Iterator[Any]:
    org = Org()
    held = [None, *range(-3, 4)]
    for number, value in enumerate(held):
        org.make("Account", Name=f"A{number}", NumberOfEmployees=value)
    yield org, held
    org.portal.close()


def conditions() -> st.SearchStrategy[tuple[str, Any]]:
    """Conditions as texts, and as predicates of Python."""
    simple = st.tuples(st.sampled_from(sorted(_OPERATORS)), st.integers(-4, 4)).map(
        lambda pair: (
            f"NumberOfEmployees {pair[0]} {pair[1]}",
            lambda held: _OPERATORS[pair[0]](held, pair[1]),
        )
    )

    def wider(inner: st.SearchStrategy[tuple[str, Any]]) -> st.SearchStrategy[tuple[str, Any]]:
        several = st.lists(inner, min_size=2, max_size=3)
        return st.one_of(
            inner.map(lambda one: (f"NOT ({one[0]})", lambda held: not one[1](held))),
            several.map(
                lambda all_: (
                    " AND ".join(f"({text})" for text, _ in all_),
                    lambda held: all(each(held) for _, each in all_),
                )
            ),
            several.map(
                lambda any_: (
                    " OR ".join(f"({text})" for text, _ in any_),
                    lambda held: any(each(held) for _, each in any_),
                )
            ),
        )

    return st.recursive(simple, wider, max_leaves=5)


@given(conditions())
def test_a_condition_finds_what_the_same_predicate_finds(numbered: Any, condition: tuple[str, Any]) -> None:
    org, held = numbered
    text, predicate = condition
    found = org.column(f"SELECT Name FROM Account WHERE {text}")
    assert found == [f"A{number}" for number, value in enumerate(held) if predicate(value)]


@given(st.text("ab%_\\", max_size=6), st.text("ab%_", max_size=6))
def test_a_pattern_of_escaped_text_matches_that_text_alone(text: str, other: str) -> None:
    escaped = "".join("\\" + each if each in "%_\\" else each for each in text)
    assert like(escaped)(text)
    assert like(escaped)(other) is (other.casefold() == text.casefold())


@given(st.text("abc'%\\\n\t ", max_size=12))
def test_a_text_survives_being_quoted(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    where: Any = parse(f"SELECT Id FROM Account WHERE Name = '{quoted}'").where
    assert where.value == text
