"""What crm_portal gives beyond the address: faults, clock, snapshots, mock_crm on the seeded portal."""

from __future__ import annotations


def test_faults_strike_the_application_and_not_the_seeder_and_end_with_the_test(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(contacts=1)
        def test_first(crm_portal, crm_client, crm_seeder):
            crm_portal.faults.fail(503, times=None)
            crm_portal.faults.commit_late(seconds=60)
            assert crm_client.get("/crm/v3/objects/contacts").status_code == 503
            assert len(crm_seeder(contacts=2).contacts) == 2
            assert crm_portal.requests[-1].faults == ()
            assert len(crm_portal.faults.pending) == 2

        @pytest.mark.crm_seed(contacts=1)
        def test_second(crm_portal, crm_client):
            assert crm_portal.faults.all == [] and crm_portal.faults.held == 0
            assert crm_client.get("/crm/v3/objects/contacts").status_code == 200
        """
    )
    result = suite.run("-p", "no:randomly")
    assert result.outcomes == {"passed": 2}


def test_the_clock_is_set_forward(suite):
    suite.write(
        """
        def test_it(crm_portal, crm_client):
            before = crm_portal.clock.now()
            crm_portal.clock.advance(86400)
            made = crm_client.post("/crm/v3/objects/contacts", json={"properties": {"firstname": "Ann"}})
            from datetime import datetime
            assert datetime.fromisoformat(made.json()["createdAt"]).timestamp() >= before + 86399
        """
    )
    assert suite.run().outcomes == {"passed": 1}


def test_a_snapshot_is_gone_back_to_within_its_test(suite):
    suite.write(
        """
        PATH = "/crm/v3/objects/contacts"

        @pytest.mark.crm_seed(contacts=2)
        def test_it(crm_portal, crm_client, crm_records, crm_seeder):
            held = crm_portal.snapshot()
            assert repr(held) == "<CrmSnapshot>"
            for _ in range(2):
                crm_client.delete(f"{PATH}/{crm_records.contacts[0].id}")
                crm_seeder(contacts=3)
                crm_portal.restore(held)
                found = {each["id"] for each in crm_client.get(PATH).json()["results"]}
                assert found == {each.id for each in crm_records.contacts}

        def test_nothing_is_left(crm_client):
            assert crm_client.get(PATH).json()["results"] == []

        @pytest.mark.crm_seed(contacts=1, scope="module")
        def test_wider_seeds_from_before_it_stay(crm_portal, crm_client, crm_records):
            held = crm_portal.snapshot()
            crm_client.delete(f"{PATH}/{crm_records.contacts[0].id}")
            crm_portal.restore(held)
            assert crm_records.contacts[0].reload()
        """
    )
    assert suite.run("-p", "no:randomly").outcomes == {"passed": 3}


def test_restoring_is_refused_where_records_would_come_back_or_be_lost(suite):
    suite.write(
        """
        import pytest
        HELD = []

        def test_takes(crm_portal):
            HELD.append(crm_portal.snapshot())

        def test_of_another_test(crm_portal):
            crm_portal.restore(HELD[0])

        @pytest.fixture
        def early(crm_portal):
            return crm_portal.snapshot()

        def test_wider_since(early, crm_portal, request, _crm_seeds_module, _crm_seed):
            engine = _crm_seed.session.engine(_crm_seed.values)
            recipe = _crm_seed.session.recipe(_crm_seed.values)
            seed = engine.seed({"contacts": 1}, recipe, node="m", test="t")
            _crm_seeds_module.add("m", engine, seed)
            crm_portal.restore(early)
        """
    )
    result = suite.run("-p", "no:randomly")
    assert result.outcomes == {"passed": 1, "failed": 2}
    result.says(
        "crmseed: crm_portal.restore() takes a snapshot of the same test: another test's would bring"
        " records back that are cleaned up. Take the snapshot in the test that restores it.",
        "crmseed: crm_portal.restore() would remove records of a wider scope, seeded since the snapshot."
        " Take the snapshot later.",
    ).without_traceback()


def test_mock_crm_answers_from_the_seeded_portal(suite):
    suite.write(
        """
        import requests
        from pytest_crmseed import mock_crm

        @pytest.mark.crm_seed(contacts=2)
        def test_it(crm_portal, crm_records, crm_seeder):
            with mock_crm(crm_portal) as crm:
                assert crm.token == crm_portal.token
                answer = requests.get(
                    "https://api.hubapi.com/crm/v3/objects/contacts",
                    headers={"Authorization": f"Bearer {crm.token}"},
                )
                assert len(answer.json()["results"]) == 2
                assert len(crm_seeder(contacts=1).contacts) == 1
            assert crm_portal.local.stats()["records"]["hubspot"]["contacts"] == 3

        def test_nothing_is_left(crm_portal):
            assert crm_portal.local.stats()["records"]["hubspot"]["contacts"] == 0
        """
    )
    assert suite.run("-p", "no:randomly").outcomes == {"passed": 2}


def test_elsewhere_there_are_none_of_these(suite, outside):
    suite.write(
        """
        @pytest.mark.parametrize("name", ["faults", "clock", "local"])
        def test_them(crm_portal, name):
            getattr(crm_portal, name)

        def test_snapshot(crm_portal):
            crm_portal.snapshot()

        def test_restore(crm_portal):
            crm_portal.restore(None)
        """
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"failed": 5}
    result.says(
        *(
            f"crmseed: crm_portal.{what} is there only on the local portal that the test run started itself."
            for what in ("faults", "clock", "local", "snapshot()", "restore()")
        )
    ).without_traceback()
