"""The fixtures crm_records, crm_seeder, crm_portal and crm_client."""

from __future__ import annotations


# -- crm_records -----------------------------------------------------------------------------------
def test_records_by_attribute_index_and_field(suite, outside):
    suite.write(
        """
        from decimal import Decimal

        @pytest.mark.crm_seed(deals=count(2, amount=12.5))
        def test_it(crm_records, crm_client):
            deal = crm_records.deals[1]
            assert deal is crm_records["deals"][1] and deal.index == 1
            assert deal["amount"] == Decimal("12.5") and type(deal["amount"]) is Decimal
            assert deal.native["amount"] == "12.5"
            assert deal["dealname"] == deal["name"] == deal.native["dealname"]
            assert dict(deal)["amount"] == Decimal("12.5")
            assert deal.url.endswith(f"/{deal.id}") and deal.url.startswith("https://")
            assert deal.key.startswith("crmseed-1-")
            types = [record.object_type for record in crm_records]
            assert types == ["companies", "contacts", "deals", "deals"]
            assert len(crm_records) == 4 and "deals" in crm_records and "tickets" not in crm_records
            assert repr(crm_records) == "<SeededRecords companies=1, contacts=1, deals=2>"
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 1}


def test_reload_reads_what_the_application_changed(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_it(crm_records, crm_client):
            company = crm_records.companies[0]
            path = f"/crm/v3/objects/companies/{company.id}"
            crm_client.patch(path, json={"properties": {"name": "Renamed"}}).raise_for_status()
            assert company["name"] != "Renamed"
            assert company.reload() is company
            assert company["name"] == "Renamed"
            crm_client.delete(path).raise_for_status()
            with pytest.raises(Exception) as caught:
                company.reload()
            assert str(caught.value) == (
                f"companies[0] (id {company.id}) is gone from the portal. "
                "Did the application delete or merge it?"
            )
        """
    )
    assert suite.run().outcomes == {"passed": 1}


def test_what_was_not_seeded_is_refused_with_a_hint(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_it(crm_records):
            with pytest.raises(AttributeError) as caught:
                crm_records.company
            assert str(caught.value) == (
                "unknown seeded object type 'company'; did you mean 'companies'? Valid: companies. "
                "Ask for them in the marker: @pytest.mark.crm_seed(deals=10)."
            )
            with pytest.raises(KeyError) as caught:
                crm_records.companies[0]["domian"]
            assert "companies[0] has no field 'domian'; did you mean 'domain'?" in str(caught.value)
            with pytest.raises(IndexError):
                crm_records.companies[1]

        def test_nothing(crm_records):
            assert list(crm_records) == []
            with pytest.raises(AttributeError, match="unknown seeded object type 'deals'. Ask for them in"):
                crm_records.deals
        """
    )
    assert suite.run().outcomes == {"passed": 2}


# -- crm_seeder ------------------------------------------------------------------------------------
def test_the_seeder_seeds_inside_a_test_with_the_same_cleanup(suite, outside):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_it(crm_seeder, crm_records):
            made = crm_seeder(contacts=2)
            more = crm_seeder(contacts=2, objects={"0-3": count(1, amount=7)})
            assert made.object_types == ("contacts",)
            assert {c.id for c in made.contacts}.isdisjoint(c.id for c in more.contacts)
            assert {c["email"] for c in made.contacts}.isdisjoint(c["email"] for c in more.contacts)
            homes = {link.id for link in more.deals[0].links if link.field == "company"}
            assert homes == {crm_records.companies[0].id}
            assert "contacts" not in crm_records

        def test_unmarked(crm_seeder):
            assert len(crm_seeder(deals=3)) == 5
        """
    )
    assert suite.run(*outside.at).outcomes == {"passed": 2}
    assert outside.created("contacts") == 3
    assert outside.live == 0


def test_an_adopted_record_is_cleaned_too(suite, outside):
    suite.write(
        """
        def test_it(crm_seeder, crm_client):
            body = {"properties": {"name": "The application's own"}}
            made = crm_client.post("/crm/v3/objects/companies", json=body).json()
            record = crm_seeder.adopt("companies", made["id"])
            assert record["name"] == "The application's own" and record.id == made["id"]
            stranger = crm_client.post("/crm/v3/objects/companies", json=body).json()
            assert stranger["id"]

        def test_after(crm_client):
            left = crm_client.get("/crm/v3/objects/companies").json()["results"]
            assert len(left) == 1
        """
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"passed": 2}
    assert outside.live == 1  # the one that nobody adopted is none of ours


def test_an_adopted_record_that_is_already_gone_is_no_trouble(suite, outside):
    suite.write(
        """
        def test_it(crm_seeder, crm_client):
            made = crm_client.post("/crm/v3/objects/companies", json={"properties": {"name": "x"}}).json()
            crm_seeder.adopt("companies", made["id"])
            crm_client.delete(f"/crm/v3/objects/companies/{made['id']}").raise_for_status()
        """
    )
    result = suite.run(*outside.at)
    assert (result.outcomes, result.ret, outside.live) == ({"passed": 1}, 0, 0)


def test_adopting_an_unknown_id_fails_clearly(suite, outside):
    suite.write(
        """
        def test_id(crm_seeder):
            crm_seeder.adopt("deals", "123")

        def test_type(crm_seeder):
            crm_seeder.adopt("deels", "123")

        def test_nothing(crm_seeder):
            crm_seeder()
        """
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"failed": 3}
    result.says(
        "crmseed: adopt('deals', '123'): the portal has no such record. "
        "Adopt a record after the application made it, by its id.",
        "crmseed: unknown object type 'deels'; did you mean 'deals'?",
        "crmseed: crm_seeder() takes counts, such as crm_seeder(deals=3).",
    ).without_traceback()


# -- crm_portal and crm_client ---------------------------------------------------------------------
def test_the_portal_points_an_application_at_itself(suite):
    suite.write(
        """
        import urllib.request

        @pytest.mark.crm_seed(deals=1)
        def test_it(crm_portal, crm_records):
            assert crm_portal.provider == "hubspot" and crm_portal.is_local
            assert crm_portal.base_url.startswith("http://127.0.0.1:")
            assert not crm_portal.base_url.endswith("/")
            assert crm_portal.environ["HUBSPOT_ACCESS_TOKEN"] == crm_portal.token
            assert crm_portal.base_url in crm_portal.environ.values()
            assert crm_portal.token not in repr(crm_portal)
            request = urllib.request.Request(
                f"{crm_portal.base_url}/crm/v3/objects/deals/{crm_records.deals[0].id}",
                headers={"Authorization": f"Bearer {crm_portal.token}"},
            )
            with urllib.request.urlopen(request) as answer:
                assert answer.status == 200
            last = crm_portal.requests[-1]
            assert (last.method, last.path, last.status) == (
                "GET", f"/crm/v3/objects/deals/{crm_records.deals[0].id}", 200
            )
        """
    )
    assert suite.run().outcomes == {"passed": 1}


def test_reset_empties_the_portal_unless_wider_seeds_live(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(companies=1)
        def test_function(crm_portal, crm_client):
            crm_portal.reset()
            assert crm_client.get("/crm/v3/objects/companies").json()["results"] == []

        @pytest.mark.crm_seed(companies=1, scope="module")
        def test_own_wider(crm_portal):
            crm_portal.reset()

        def test_wider_of_others(crm_portal):
            crm_portal.reset()

        @pytest.mark.crm_seed(companies=1, scope="module")
        def test_still_there(crm_records):
            assert crm_records.companies[0].reload()
        """
    )
    result = suite.run()
    assert result.outcomes == {"passed": 2, "failed": 2}
    result.says(
        "crmseed: crm_portal.reset() would remove records of a wider scope that other tests still use. "
        "Seed with scope='function' where a test resets the portal."
    ).without_traceback()


def test_what_only_the_runs_own_portal_has_is_refused_elsewhere(suite, outside):
    suite.write(
        """
        def test_reset(crm_portal):
            crm_portal.reset()

        def test_requests(crm_portal):
            crm_portal.requests
        """
    )
    result = suite.run(*outside.at)
    assert result.outcomes == {"failed": 2}
    result.says(
        "crmseed: crm_portal.reset() is there only on the local portal that the test run started itself.",
        "crmseed: crm_portal.requests is there only on the local portal that the test run started itself.",
    ).without_traceback()


def test_the_clients_relative_paths_go_to_the_portal_and_no_others_anywhere(suite):
    suite.write(
        """
        def test_it(crm_client, crm_portal):
            answer = crm_client.get("/crm/v3/objects/deals", params={"limit": 1})
            assert answer.status_code == 200 and answer.url.startswith(crm_portal.base_url + "/crm/")
            assert crm_client.get("crm/v3/objects/deals").status_code == 200
            assert crm_client.get(crm_portal.base_url + "/crm/v3/objects/deals").status_code == 200
            with pytest.raises(Exception, match="crm_client goes to http://127.0.0.1.* only, not to"):
                crm_client.get("http://127.0.0.2:9/")
        """
    )
    assert suite.run().outcomes == {"passed": 1}


def test_a_users_mock_of_requests_does_not_get_hold_of_the_seeders_traffic(suite):
    suite.write(
        """
        import responses

        @pytest.fixture(autouse=True)
        def mocked():
            with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
                yield mock

        @pytest.mark.crm_seed(deals=2)
        def test_it(mocked, crm_records, crm_client, crm_seeder):
            crm_seeder(companies=1)
            assert crm_client.get("/crm/v3/objects/deals").status_code == 200
            assert len(mocked.calls) == 0
        """
    )
    assert suite.run().outcomes == {"passed": 1}


def test_nothing_is_started_for_tests_that_want_nothing(suite):
    suite.write("def test_it(): pass\n")
    result = suite.run()
    assert result.outcomes == {"passed": 1}
    assert result.summary == []
    assert not (suite.path / ".crmseed").exists()


def test_waiting_for_the_search_index(suite):
    suite.write(
        """
        @pytest.mark.crm_seed(deals=2)
        def test_found(crm_records, crm_seeder, crm_client):
            crm_seeder.wait_until_searchable(crm_records)
            crm_seeder.wait_until_searchable(crm_records.deals[0])
            found = crm_client.post("/crm/v3/objects/deals/search", json={}).json()
            assert found["total"] == 2

        def test_no_records(crm_seeder):
            crm_seeder.wait_until_searchable(["123"])
        """
    )
    result = suite.run()
    assert result.outcomes == {"passed": 1, "failed": 1}
    result.says("crmseed: wait_until_searchable() takes seeded records, not '123'.").without_traceback()
