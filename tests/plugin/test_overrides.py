"""What a conftest may override: fixtures and hooks."""

from __future__ import annotations

import pytest
import requests


def test_credentials_from_a_fixture_win_over_the_environment(suite, outside, as_sandbox, monkeypatch):
    door = as_sandbox(outside)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-wrong")
    suite.write(
        f"""
        @pytest.fixture(scope="session")
        def crm_credentials():
            return {{"HUBSPOT_ACCESS_TOKEN": {outside.portal.seed_token!r}}}
        """,
        "conftest.py",
    )
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_it(crm_portal):
            assert not crm_portal.is_local
        """
    )
    assert suite.run(*door.at, "--crm-target", "sandbox").outcomes == {"passed": 1}
    assert (outside.created("companies"), outside.live) == (1, 0)


def test_factories_are_replaced_by_a_subclass(suite, outside):
    suite.write(
        """
        import factory
        from pytest_crmseed import DealFactory

        class BigDeals(DealFactory):
            amount = 1_000_000
            name = factory.LazyAttribute(lambda o: f"Worth {o.amount}")

        @pytest.fixture(scope="session")
        def crm_factories():
            return {"deals": BigDeals}
        """,
        "conftest.py",
    )
    suite.write(
        """
        @pytest.mark.crm_seed(deals=count(2, stage="new"))
        def test_it(crm_records):
            assert [d["amount"] for d in crm_records.deals] == [1_000_000] * 2
            assert crm_records.deals[0]["name"] == "Worth 1000000"

        @pytest.mark.crm_seed(deals=count(1, amount=5))
        def test_override_wins(crm_records):
            assert crm_records.deals[0]["name"] == "Worth 5"
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 2}


def test_locale_and_random_seed_are_overridden_for_a_directory(suite, outside):
    module = """
    @pytest.mark.crm_seed(contacts=count(3, company=None))
    def test_it(crm_records):
        print("NAMES", [c["last_name"] for c in crm_records.contacts])
    """
    suite.write(module, "plain/test_it.py")
    suite.write(module, "japan/test_it.py")
    suite.write(
        """
        @pytest.fixture(scope="session")
        def crm_locale():
            return "ja_JP"
        """,
        "japan/conftest.py",
    )
    result = suite.run(*outside.at, "-s", "--import-mode=importlib")
    assert result.outcomes == {"passed": 2}
    japan, plain = (line for line in result.out.splitlines() if "NAMES" in line)
    assert plain.isascii()
    assert not japan.isascii()


def test_a_function_scoped_override_holds_for_its_tests_alone(suite, outside):
    suite.write(
        """
        names = {}

        class TestFixed:
            @pytest.fixture
            def crm_random_seed(self, request):
                return 7

            @pytest.mark.crm_seed(companies=2)
            def test_it(self, crm_records, crm_random_seed):
                assert crm_random_seed == 7

        @pytest.mark.crm_seed(companies=2)
        def test_run(crm_random_seed):
            assert crm_random_seed == 3
        """
    )
    assert suite.run(*outside.at, "--crm-random-seed", 3).outcomes == {"passed": 2}


def test_the_provider_fixture_and_the_provider_hook(suite):
    suite.write(
        """
        def pytest_crmseed_provider(config):
            return "nimble"
        """,
        "conftest.py",
    )
    suite.write(
        """
        def test_hook(crm_provider):
            assert crm_provider == "nimble"

        class TestOverridden:
            @pytest.fixture
            def crm_provider(self):
                return "hubspot"

            @pytest.mark.crm_seed(companies=1)
            def test_it(self, crm_portal, crm_records):
                assert crm_portal.provider == "hubspot"

        @pytest.mark.crm_seed(companies=1, provider="hubspot")
        def test_marker_wins(crm_portal):
            assert crm_portal.provider == "hubspot"
        """
    )
    assert suite.run().outcomes == {"passed": 3}


def test_hooks_hear_of_plans_seeds_and_cleanups(suite, outside):
    suite.write(
        """
        heard = []

        def pytest_crmseed_plan(config, item, plan):
            heard.append(("plan", item.name, dict(plan.counts)))

        def pytest_crmseed_seeded(item, records):
            heard.append(("seeded", item.name, len(records)))

        def pytest_crmseed_cleanup(config, result):
            heard.append(("cleanup", result.removed, result.complete))

        def pytest_unconfigure(config):
            for entry in heard:
                print("HEARD", *entry)
        """,
        "conftest.py",
    )
    suite.write(
        """
        @pytest.mark.crm_seed(deals=2)
        def test_it(crm_records):
            pass
        """
    )
    result = suite.run(*outside.at, "-s")
    assert result.outcomes == {"passed": 1}
    assert [line for line in result.out.splitlines() if line.startswith("HEARD")] == [
        "HEARD plan test_it {'companies': 1, 'contacts': 1, 'deals': 2}",
        "HEARD seeded test_it 4",
        "HEARD cleanup 4 True",
    ]


def test_an_error_of_the_plan_hook_fails_setup_before_anything_is_sent(suite, outside):
    suite.write(
        """
        def pytest_crmseed_plan(config, item, plan):
            if plan.counts.get("deals", 0) > 5:
                pytest.fail("five deals are enough here", pytrace=False)
        """,
        "conftest.py",
    )
    suite.write(
        """
        @pytest.mark.crm_seed(deals=6)
        def test_it(crm_records):
            pass
        """
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"errors": 1}
    result.says("five deals are enough here").without_traceback()
    assert outside.writes == 0


@pytest.mark.parametrize(
    ("fixture", "value", "sentence"),
    [
        ("crm_factories", "[1]", 'crm_factories takes a mapping such as {"deals": MyDealFactory}, not [1].'),
        (
            "crm_factories",
            "{'deals': dict}",
            "crm_factories['deals'] is <class 'dict'>; it takes a subclass of CRMFactory, such as a subclass "
            "of DealFactory.",
        ),
        ("crm_random_seed", "'7'", "crm_random_seed gives '7'; it takes a whole number."),
        ("crm_provider", "None", "crm_provider gives None; it takes the name of a provider."),
        ("crm_credentials", "'pat-secret'", "crm_credentials takes a mapping of variable names to values."),
        (
            "crm_credentials",
            "{'HUBSPOT_TOKEN': 'pat-secret'}",
            "unknown credential 'HUBSPOT_TOKEN' in crm_credentials; did you mean 'HUBSPOT_ACCESS_TOKEN'?",
        ),
        (
            "crm_provider",
            "'hubspt'",
            "unknown provider 'hubspt'; did you mean 'hubspot'? Valid: hubspot, odoo, pipedrive, salesforce.",
        ),
        ("crm_locale", "'xx_YY'", "xx_YY"),
    ],
)
def test_an_override_that_cannot_be_used_is_refused(suite, outside, fixture, value, sentence):
    suite.write(
        f"""
        @pytest.fixture(scope="session")
        def {fixture}():
            return {value}
        """,
        "conftest.py",
    )
    suite.write(
        """
        @pytest.mark.crm_seed(deals=1)
        def test_it(crm_records):
            pass
        """
    )
    result = suite.run(*outside.at)
    assert result.ret in (1, 4)
    result.says(sentence).without_traceback()
    assert "pat-secret" not in result.out + result.err
    assert outside.writes == 0


def test_directories_may_seed_different_portals_in_one_run(suite, start_portal, open_door):
    portals = [start_portal(portal_id=number) for number in (1111111, 2222222)]

    def by_token(handler, body):
        if handler.path.startswith("/_portal"):
            return 404, "text/html", b"<html>Not Found</html>"
        sign_in = handler.headers["Authorization"]
        mine = next(each for each in portals if each.portal.seed_token in sign_in)
        answer = requests.request(
            handler.command,
            mine.url + handler.path,
            data=body,
            headers={"Authorization": sign_in, "Content-Type": "application/json"},
            timeout=30,
        )
        return answer.status_code, answer.headers.get("Content-Type", ""), answer.content

    for folder, portal in zip(("one", "two"), portals, strict=True):
        suite.write(
            f"""
            @pytest.fixture(scope="session")
            def crm_credentials():
                return {{"HUBSPOT_ACCESS_TOKEN": {portal.portal.seed_token!r}}}
            """,
            f"{folder}/conftest.py",
        )
        suite.write(
            """
            @pytest.mark.crm_seed(companies=2)
            def test_it(crm_records): ...
            """,
            f"{folder}/test_{folder}.py",
        )
    result = suite.run(*open_door(by_token).at, "--crm-target", "sandbox")
    assert result.outcomes == {"passed": 2}
    assert [portal.created("companies") for portal in portals] == [1, 1]
    assert [portal.live for portal in portals] == [0, 0]
    result.says("HubSpot portal 1111111", "HubSpot portal 2222222")
