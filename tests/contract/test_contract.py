"""The contract finds what is wrong with a provider: each of these breaks one promise, and is caught."""

from __future__ import annotations

import pytest

BROKEN = """
from collections.abc import Mapping
from dataclasses import replace

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.providers.base import Answer, KeyRoute, Outcome, Request, Verdict
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.schema.legend import FieldLegend
from pytest_crmseed.testing import PortalUnderTest, ProviderContract


class Contract(ProviderContract):
    invalid = ("deals", {"close_date": "some day"})
    refused = ("deals", {"amount": "much"})

    @pytest.fixture(scope="class")
    @classmethod
    def portal(cls):
        with LocalPortal() as portal:
            yield PortalUnderTest(
                portal.base_url,
                {"HUBSPOT_ACCESS_TOKEN": portal.seed_token},
                lambda name: portal.stats()["records"]["hubspot"].get(name, 0),
            )


class TestTakesAnyPageForAnAnswer(Contract):
    class provider(HubSpot):
        def judge(self, request, answer):
            if answer.headers.get("content-type") == "text/html":
                return Verdict(Outcome.REFUSED)
            return super().judge(request, answer)


class TestFindsNothing(Contract):
    class provider(HubSpot):
        def find(self, *args, **kwargs):
            yield from ()
            return {}


class TestTakesResultsByPosition(Contract):
    class provider(HubSpot):
        def results(self, batch, answer):
            results = super().results(batch, answer)
            ids = [result.id for result in results]
            for result, id in zip(results, reversed(ids)):
                result.id = id
            return results


class TestMeasuresTooLittle(Contract):
    class provider(HubSpot):
        def size(self, draft):
            return 1


class TestNamesFieldsThatAreNot(Contract):
    class provider(HubSpot):
        legend = replace(
            HubSpot.legend,
            objects={
                **HubSpot.legend.objects,
                "companies": replace(
                    HubSpot.legend.objects["companies"],
                    fields={
                        **HubSpot.legend.objects["companies"].fields, "fax": FieldLegend("no_such_property")
                    },
                ),
            },
        )


class TestReadsHalfASchema(Contract):
    class provider(HubSpot):
        def discover(self, *args, **kwargs):
            schema = yield from super().discover(*args, **kwargs)
            return replace(schema, complete=False)


class TestWritesAnotherCity(Contract):
    class provider(HubSpot):
        def create(self, batch, ids):
            request = super().create(batch, ids)
            for entry in request.body["inputs"]:
                if "city" in entry["properties"]:
                    entry["properties"]["city"] = "Nowhere"
            return request


class TestProvesNothing(Contract):
    class provider(HubSpot):
        def account(self, credentials):
            account = yield from super().account(credentials)
            return replace(account, production=None)


class TestTellsItsSecret(Contract):
    class provider(HubSpot):
        def account(self, credentials):
            self.token = credentials["HUBSPOT_ACCESS_TOKEN"]
            return super().account(credentials)

        def create(self, batch, ids):
            return replace(super().create(batch, ids), what=f"create {batch.number} with {self.token}")


class TestFindsNoMarks(Contract):
    class provider(HubSpot):
        def marked(self, object_type):
            yield from ()
            return {}


class TestHasNoKeys(Contract):
    class provider(HubSpot):
        def key_routes(self, object_types):
            routes = yield from super().key_routes(object_types)
            return {name: route for name, route in routes.items() if name != "deals"}


class TestBlamesAll(Contract):
    class provider(HubSpot):
        def results(self, batch, answer):
            results = super().results(batch, answer)
            bad = [result.refusals for result in results if result.refusals]
            for result in results:
                result.refusals = result.refusals or (bad[0] if bad else ())
            return results


class TestStillSeesWhatIsGone(Contract):
    class provider(HubSpot):
        def found(self, answer):
            from pytest_crmseed.providers.base import Found

            return [Found(entry["id"]) for entry in answer.request.body["inputs"]]


class TestLacksAMethod(Contract):
    class provider(HubSpot):
        searchable = property()


class TestKeepsNoSecret(Contract):
    class provider(HubSpot):
        credentials = tuple(replace(each, secret=False) for each in HubSpot.credentials)


class TestChecksNothing(Contract):
    invalid = ("deals", {"close_date": "2026-11-23"})
    provider = HubSpot
"""

# What must fail, at least, by class; all of it and nothing else of the class is run.
CAUGHT = {
    "TestTakesAnyPageForAnAnswer": ["test_a_page_is_no_answer_to_a_create[200]"],
    "TestFindsNothing": ["test_a_create_that_is_cut[answer lost]", "test_a_create_that_is_cut[bad gateway]"],
    "TestTakesResultsByPosition": ["test_results_go_with_their_records"],
    "TestMeasuresTooLittle": ["test_batches_by_bytes"],
    "TestNamesFieldsThatAreNot": ["test_the_schema_has_what_the_legend_names"],
    "TestReadsHalfASchema": ["test_the_schema_has_what_the_legend_names"],
    "TestWritesAnotherCity": ["test_values_come_back_as_they_were_given"],
    "TestProvesNothing": ["test_a_portal_that_proves_nothing_is_refused"],
    "TestTellsItsSecret": ["test_no_secret_is_told"],
    "TestFindsNoMarks": ["test_records_are_found_by_their_key_alone"],
    "TestHasNoKeys": ["test_each_object_type_has_a_route_for_our_key"],
    "TestBlamesAll": ["test_one_bad_record_among_good_ones[undo]"],
    "TestStillSeesWhatIsGone": ["test_records_removed_behind_our_back"],
    "TestLacksAMethod": ["test_it_has_all_that_a_provider_has"],
    "TestKeepsNoSecret": ["test_it_says_what_it_signs_in_with"],
    "TestChecksNothing": ["test_a_bad_value_is_refused_before_anything_is_sent"],
}


def test_each_broken_promise_is_caught(pytester: pytest.Pytester) -> None:
    module = pytester.makepyfile(test_broken=BROKEN)
    nodes = [f"{module.name}::{cls}::{name}" for cls, names in CAUGHT.items() for name in names]
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", "--tb=line", *nodes)
    outcomes = result.parseoutcomes()
    passed = [line for line in result.stdout.lines if " PASSED" in line]
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) >= len(nodes), (outcomes, passed)
    assert "passed" not in outcomes, result.stdout.str()


def test_without_a_portal_the_contract_says_what_to_override(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from pytest_crmseed.providers.hubspot import HubSpot
        from pytest_crmseed.testing import ProviderContract

        class TestIt(ProviderContract):
            provider = HubSpot
            invalid = refused = ("deals", {})
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-k", "test_values_come_back")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*NotImplementedError: override the fixture `portal` of ProviderContract"])
