"""The marker: scopes, merging, parents, overrides, in real runs."""

from __future__ import annotations

import pytest

# In suites: the live records of an object type, as the portal itself lists them.
LIVE = """
def live(crm_client, name):
    return crm_client.get(f"/crm/v3/objects/{name}", params={"limit": 100}).json()["results"]
"""


# -- scopes ----------------------------------------------------------------------------------------
def test_function_scope_seeds_each_test_anew_and_cleans_after_it(suite, outside):
    suite.write(
        LIVE
        + """
ids = []

@pytest.mark.crm_seed(companies=2)
@pytest.mark.parametrize("turn", [1, 2])
def test_marked(crm_records, crm_client, turn):
    ids.extend(c.id for c in crm_records.companies)
    assert {r["id"] for r in live(crm_client, "companies")} == {c.id for c in crm_records.companies}
    assert len(set(ids)) == 2 * turn

def test_unmarked(crm_client):
    assert live(crm_client, "companies") == []
"""
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"passed": 3}
    assert (outside.created("companies"), outside.live) == (2, 0)
    assert result.summary[0].startswith("4 records in 2 seeds (companies=4): 4 requests in ")
    assert result.summary[0].endswith("; 4 removed.")


def test_a_marked_test_is_seeded_though_it_asks_for_no_fixture(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_blind():
            pass
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert (outside.created("companies"), outside.live) == (1, 0)


def test_class_scope_seeds_once_per_class_and_cleans_at_its_end(suite, outside):
    suite.write(
        LIVE
        + """
seen = set()

@pytest.mark.crm_seed(companies=2, scope="class")
class TestFirst:
    def test_a(self, crm_records):
        seen.add(crm_records.companies)

    def test_b(self, crm_records):
        seen.add(crm_records.companies)
        assert len(seen) == 1

class TestBetween:
    def test_gone(self, crm_client):
        assert live(crm_client, "companies") == []

@pytest.mark.crm_seed(companies=2, scope="class")
class TestSecond:
    def test_a(self, crm_records):
        seen.add(crm_records.companies)
        assert len(seen) == 2
"""
    )
    assert suite.run(*outside.at).outcomes == {"passed": 4}
    assert (outside.created("companies"), outside.live) == (2, 0)


def test_module_scope_seeds_once_per_module_and_cleans_at_its_end(suite, outside):
    source = (
        LIVE
        + """
pytestmark = pytest.mark.crm_seed(companies=1, scope="module")

def test_a(crm_records, crm_client):
    assert [r["id"] for r in live(crm_client, "companies")] == [crm_records.companies[0].id]

class TestB:
    def test_b(self, crm_records, crm_client):
        assert [r["id"] for r in live(crm_client, "companies")] == [crm_records.companies[0].id]
"""
    )
    suite.write(source, "test_one.py")
    suite.write(source, "test_two.py")
    assert suite.run(*outside.at).outcomes == {"passed": 4}
    assert (outside.created("companies"), outside.live) == (2, 0)


def test_session_scope_seeds_once_for_all_modules(suite, outside):
    source = """
    @pytest.mark.crm_seed(companies=1, scope="session")
    def test_a(crm_records, crm_client):
        listed = crm_client.get("/crm/v3/objects/companies").json()["results"]
        assert [r["id"] for r in listed] == [crm_records.companies[0].id]
    """
    suite.write(source, "test_one.py")
    suite.write(source, "test_two.py")
    assert suite.run(*outside.at).outcomes == {"passed": 2}
    assert (outside.created("companies"), outside.live) == (1, 0)


def test_a_class_marker_outside_any_class_seeds_for_that_test_alone(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1, scope="class")
        def test_a(crm_records):
            assert len(crm_records.companies) == 1

        @pytest.mark.crm_seed(companies=1, scope="class")
        def test_b(crm_records):
            assert len(crm_records.companies) == 1
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 2}
    assert (outside.created("companies"), outside.live) == (2, 0)


def test_different_scopes_are_seeded_separately_widest_first_and_the_narrower_shadows(suite, outside):
    suite.write(
        """
        pytestmark = pytest.mark.crm_seed(companies=3, contacts=1, scope="module")
        wide = {}

        def test_wide(crm_records):
            assert len(crm_records.companies) == 3
            wide.update(companies=crm_records.companies, contacts=crm_records.contacts)

        @pytest.mark.crm_seed(companies=1)
        def test_shadowed(crm_records):
            assert len(crm_records.companies) == 1
            assert crm_records.companies[0] not in wide["companies"]
            assert crm_records.contacts == wide["contacts"]

        def test_wide_again(crm_records):
            assert crm_records.companies == wide["companies"]
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 3}
    assert (outside.created("companies"), outside.created("contacts"), outside.live) == (2, 1, 0)


# -- merging ---------------------------------------------------------------------------------------
def test_markers_of_one_scope_merge_key_by_key_and_the_nearest_wins(suite, outside):
    suite.write(
        """
        pytestmark = pytest.mark.crm_seed(companies=4, deals=2)

        @pytest.mark.crm_seed(contacts=3, deals=5)
        class TestMerged:
            @pytest.mark.crm_seed(deals=count(1, stage="closed_won"))
            def test_all(self, crm_records):
                assert {name: len(crm_records[name]) for name in crm_records.object_types} == {
                    "companies": 4, "contacts": 3, "deals": 1
                }
                assert crm_records.deals[0]["stage"] == "closed_won"

            def test_class(self, crm_records):
                assert len(crm_records.deals) == 5

        def test_module(crm_records):
            assert len(crm_records.deals) == 2
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 3}
    assert outside.live == 0


def test_keep_never_merges(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1, keep=True)
        class TestKept:
            @pytest.mark.crm_seed(contacts=1)
            def test_it(self, crm_records):
                assert (len(crm_records.companies), len(crm_records.contacts)) == (1, 1)
        """
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"passed": 1}
    assert outside.portal.stats()["records"]["hubspot"]["companies"] == 1
    assert outside.live == 1
    kept = [line for line in result.summary if "kept" in line]
    assert len(kept) == 1
    assert kept[0].startswith("1 records are kept; remove them with: crmseed cleanup --run ")


def test_provider_never_merges(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1, provider="hubspot")
        class TestNamed:
            @pytest.mark.crm_seed(companies=2)
            def test_it(self, crm_records):
                assert len(crm_records.companies) == 2
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert (outside.created("companies"), outside.live) == (2, 0)


def test_zero_over_a_modules_marker_seeds_none(suite, outside):
    suite.write(
        """
        pytestmark = pytest.mark.crm_seed(companies=1, deals=2)

        @pytest.mark.crm_seed(deals=0)
        def test_without(crm_records):
            assert [record.object_type for record in crm_records] == ["companies"]
            assert crm_records.deals == ()
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert (outside.created("companies"), outside.created("deals"), outside.live) == (1, 0, 0)


def test_markers_that_a_conftest_adds_while_collecting_count(suite, outside):
    suite.write(
        """
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.crm_seed(companies=2))
        """,
        "conftest.py",
    )
    suite.write(
        """
        def test_asks_for_nothing():
            pass

        def test_asks(crm_records):
            assert len(crm_records.companies) == 2
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 2}
    assert (outside.created("companies"), outside.live) == (2, 0)


def test_unittest_classes_are_seeded(suite, outside):
    suite.write(
        """
        import unittest

        @pytest.mark.crm_seed(companies=2)
        class Case(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _records(self, crm_records):
                self.records = crm_records

            def test_a(self):
                self.assertEqual(len(self.records.companies), 2)

        @pytest.mark.crm_seed(contacts=1, scope="class")
        class Blind(unittest.TestCase):
            def test_a(self):
                pass

            def test_b(self):
                pass
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 3}
    assert (outside.created("companies"), outside.created("contacts"), outside.live) == (1, 1, 0)


def test_doctests_are_seeded_too(suite, outside):
    suite.write(
        """
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.crm_seed(companies=2))
        """,
        "conftest.py",
    )
    (suite.path / "test_doc.txt").write_text(">>> 1\n1\n")
    assert suite.run(*outside.at, "--doctest-glob=*.txt").outcomes == {"passed": 1}
    assert (outside.created("companies"), outside.live) == (1, 0)


def test_a_skipped_test_is_not_seeded(suite, outside):
    suite.write(
        """
        @pytest.mark.skip(reason="not today")
        @pytest.mark.crm_seed(deals=1)
        def test_marked():
            pass

        @pytest.mark.skipif(True, reason="not here")
        @pytest.mark.crm_seed(deals=1)
        def test_conditional():
            pass
        """
    )
    assert suite.run(*outside.at).outcomes == {"skipped": 2}
    assert outside.writes == 0


# -- parents ---------------------------------------------------------------------------------------
def test_deals_come_with_one_company_and_one_contact_of_it_all_associated(suite, outside):
    suite.write(
        """
        def ends(crm_client, start, to, record):
            answer = crm_client.get(f"/crm/v4/objects/{start}/{record.id}/associations/{to}").json()
            return [str(end["toObjectId"]) for end in answer["results"]]

        @pytest.mark.crm_seed(deals=10)
        def test_parents(crm_records, crm_client):
            (company,), (contact,) = crm_records.companies, crm_records.contacts
            assert len(crm_records.deals) == 10 and len(crm_records) == 12
            for deal in crm_records.deals:
                assert ends(crm_client, "deals", "companies", deal) == [company.id]
                assert ends(crm_client, "deals", "contacts", deal) == [contact.id]
            assert ends(crm_client, "contacts", "companies", contact) == [company.id]
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert (outside.writes, outside.live) == (3, 0)


def test_parents_asked_for_are_dealt_out_in_turn(suite, outside):
    suite.write(
        """
        from collections import Counter

        @pytest.mark.crm_seed(companies=3, contacts=6, deals=9)
        def test_dealt(crm_records):
            home = {c.id: next(l.id for l in c.links if l.field == "company") for c in crm_records.contacts}
            assert Counter(home.values()) == {c.id: 2 for c in crm_records.companies}
            mine = []
            for deal in crm_records.deals:
                company = next(l.id for l in deal.links if l.field == "company")
                contact = next(l.id for l in deal.links if l.field == "contacts")
                assert home[contact] == company
                mine.append(company)
            assert Counter(mine) == {c.id: 3 for c in crm_records.companies}
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert outside.live == 0


def test_ref_picks_a_parent_and_none_leaves_it_out(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=3, contacts=count(2, company=ref("companies", 2)))
        def test_ref(crm_records):
            assert {c.links[0].id for c in crm_records.contacts} == {crm_records.companies[2].id}

        @pytest.mark.crm_seed(deals=count(2, company=None, contacts=None))
        def test_none(crm_records):
            assert crm_records.object_types == ("deals",)
            assert all(deal.links == () for deal in crm_records.deals)

        @pytest.mark.crm_seed(
            contacts=2, deals=count(1, contacts=[ref("contacts", 0), ref("contacts", 1)])
        )
        def test_several(crm_records):
            linked = {l.id for l in crm_records.deals[0].links if l.field == "contacts"}
            assert linked == {c.id for c in crm_records.contacts}
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 3}
    assert outside.live == 0


def test_ref_wraps_around_under_a_smaller_count(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=5, contacts=count(7, company=ref("companies", 4)))
        def test_wrapped(crm_records):
            assert (len(crm_records.companies), len(crm_records.contacts)) == (2, 2)
            assert {c.links[0].id for c in crm_records.contacts} == {crm_records.companies[4 % 2].id}
        """
    )
    assert suite.run(*outside.at, "--crm-count", 2).outcomes == {"passed": 1}
    assert outside.live == 0


def test_parents_may_be_records_of_a_wider_scope(suite, outside):
    suite.write(
        """
        pytestmark = pytest.mark.crm_seed(companies=2, contacts=2, scope="module")

        @pytest.mark.crm_seed(deals=count(1, company=ref("companies", 1)))
        def test_ref(crm_records):
            assert crm_records.companies[1].id in {l.id for l in crm_records.deals[0].links}

        @pytest.mark.crm_seed(deals=2)
        def test_dealt(crm_records):
            firsts = [next(l.id for l in d.links if l.field == "company") for d in crm_records.deals]
            assert firsts == [c.id for c in crm_records.companies]
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 2}
    assert (outside.created("companies"), outside.created("contacts"), outside.live) == (1, 1, 0)


# -- names and overrides ---------------------------------------------------------------------------
def test_count_overrides_by_neutral_name_native_name_and_label(suite, outside):
    suite.write(
        """
        from datetime import date
        from decimal import Decimal

        @pytest.mark.crm_seed(
            deals=count(2, stage="closed_won", amount=5000, Priority="high", close_date=date(2026, 3, 31))
        )
        def test_it(crm_records):
            for deal in crm_records.deals:
                assert deal["amount"] == Decimal(5000)
                assert deal["stage"] == "closed_won"
                assert deal["close_date"] == date(2026, 3, 31)
                assert deal["hs_priority"] == "high"
                assert deal.native["dealstage"] == "closedwon"
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}


@pytest.mark.parametrize("name", ["0-3", "Deal", "deals"])
def test_objects_takes_names_that_are_no_identifiers(suite, outside, name):
    suite.write(
        f"""
        @pytest.mark.crm_seed(objects={{{name!r}: 2}})
        def test_it(crm_records):
            assert len(crm_records.deals) == 2
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}
    assert outside.live == 0


def test_two_seeds_of_one_scope_share_no_records_and_equal_ones_are_one_seed(suite, outside):
    suite.write(
        """
        seen = {}

        @pytest.mark.crm_seed(companies=1, scope="module")
        def test_a(crm_records):
            seen["a"] = crm_records.companies

        @pytest.mark.crm_seed(companies=2, scope="module")
        def test_b(crm_records):
            assert set(seen["a"]).isdisjoint(crm_records.companies)
            assert seen["a"][0]["name"] not in [c["name"] for c in crm_records.companies]

        @pytest.mark.crm_seed(companies=1, scope="module")
        def test_c(crm_records):
            assert crm_records.companies == seen["a"]
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 3}
    assert (outside.created("companies"), outside.live) == (2, 0)


@pytest.mark.parametrize("echo", [True, False])
def test_results_in_any_order_reach_the_right_records(suite, start_portal, echo):
    shuffled = start_portal(shuffle_results=True, echo_trace_id=echo)
    suite.write(
        """
        @pytest.mark.crm_seed(companies=4, contacts=8, deals=30)
        def test_it(crm_records, crm_client):
            names = [record["name"] for record in crm_records.deals]
            for record in crm_records:
                assert record["crmseed_key"] == record.key
            assert [record.reload()["name"] for record in crm_records.deals] == names
            for deal in crm_records.deals:
                answer = crm_client.get(f"/crm/v4/objects/deals/{deal.id}/associations/companies")
                found = answer.json()["results"]
                company = next(link.id for link in deal.links if link.field == "company")
                assert [str(end["toObjectId"]) for end in found] == [company]
        """
    )
    assert suite.run(*shuffled.at).outcomes == {"passed": 1}
    assert shuffled.live == 0
