"""Faults: which requests they strike, how often, and what is done and answered then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import Portal, PortalRequest, PortalResponse, VirtualClock
from pytest_crmseed.portal.fault_kinds import KINDS, WHERE
from pytest_crmseed.portal.fault_where import Where
from pytest_crmseed.portal.faults import Faults

CONTACTS = "/crm/v3/objects/contacts"
BATCH = "/crm/objects/2026-03/contacts/batch"
ONE = {"properties": {"firstname": "Ann"}}


@pytest.fixture
def app(portal: Portal, asker: Any) -> Any:
    """Asks as the application, which faults strike."""
    return asker(portal, portal.hubspot.tokens()["application"])


def contacts(portal: Portal) -> int:
    number: int = portal.stats()["records"]["hubspot"]["contacts"]
    return number


# -- kinds -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("policy", "message", "name"),
    [
        ("burst", "You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING"),
        ("daily", "You have reached your daily limit.", "DAILY"),
        ("search", "You have reached your secondly limit.", "SECONDLY"),
    ],
)
def test_throttle(portal: Portal, app: Any, policy: Any, message: str, name: str) -> None:
    portal.faults.throttle(policy)
    portal.faults.throttle(policy, retry_after=2.5)
    answers = [app.post(CONTACTS, ONE) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 201]
    body = answers[0].json()
    assert (body["message"], body["policyName"], body["errorType"]) == (message, name, "RATE_LIMIT")
    assert body["correlationId"] == answers[0].headers["x-hubspot-correlation-id"]
    assert "Retry-After" not in answers[0].headers and answers[1].headers["Retry-After"] == "3"
    assert contacts(portal) == 1 and portal.stats()["throttled"] == 2


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (400, "VALIDATION_ERROR"),
        (401, "INVALID_AUTHENTICATION"),
        (403, "MISSING_SCOPES"),
        (404, None),
        (409, "CONFLICT"),
        (418, None),
        (423, "LOCKED"),
        (429, None),
        (477, "MIGRATION_IN_PROGRESS"),
        (500, None),
    ],
)
def test_fail_with_the_vendors_body(portal: Portal, app: Any, status: int, category: str | None) -> None:
    portal.faults.fail(status, retry_after=7)
    answer = app.post(CONTACTS, ONE)
    assert (answer.status, answer.headers["Retry-After"]) == (status, "7")
    assert (answer.json()["status"], answer.json().get("category")) == ("error", category)
    assert contacts(portal) == 0


@pytest.mark.parametrize("status", [502, 503, 504, 521, 599])
def test_beyond_500_it_is_the_page_of_an_edge(portal: Portal, app: Any, status: int) -> None:
    portal.faults.fail(status)
    answer = app.post(CONTACTS, ONE)
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=UTF-8")


def test_fail_with_a_body_of_ones_own_and_after_the_commit(portal: Portal, app: Any) -> None:
    portal.faults.fail(500, body={"oops": 1})
    portal.faults.fail(500, body="oops", committed=True)
    first, second = app.post(CONTACTS, ONE), app.post(CONTACTS, ONE)
    assert (first.json(), second.body, second.headers["content-type"]) == (
        {"oops": 1},
        b"oops",
        "text/plain;charset=utf-8",
    )
    assert contacts(portal) == 1


def test_lock_migrate_and_expire_token(portal: Portal, app: Any) -> None:
    portal.faults.lock()
    portal.faults.migrate()
    portal.faults.expire_token()
    answers = [app.post(CONTACTS, ONE) for _ in range(4)]
    assert [answer.status for answer in answers] == [423, 477, 401, 201]
    assert answers[1].headers["Retry-After"] == "5"
    assert answers[2].json()["category"] == "EXPIRED_AUTHENTICATION"
    assert answers[2].json()["message"] == ("The OAuth token used to make this call expired 7 second(s) ago.")


def test_slow_waits_on_the_portals_clock() -> None:
    portal = Portal(clock=VirtualClock(1000.0))
    portal.faults.slow(12.5, seeder=True)
    portal.handle(PortalRequest.of("GET", CONTACTS, token=portal.hubspot.tokens()["seeder"]))
    assert portal.clock.now() == 1012.5 and portal.requests[0].at == 1012.5
    portal.close()


def test_dropped_and_cut_answers(portal: Portal, app: Any) -> None:
    portal.faults.drop_before_commit()
    assert (app.post(CONTACTS, ONE).delivery, contacts(portal)) == ("dropped", 0)
    portal.faults.drop_after_commit()
    assert (app.post(CONTACTS, ONE).delivery, contacts(portal)) == ("dropped", 1)
    portal.faults.cut_body()
    cut = app.post(CONTACTS, ONE)
    assert (cut.delivery, contacts(portal)) == ("cut", 2)
    assert cut.body.startswith(cut.arriving) and 0 < len(cut.arriving) < len(cut.body)
    portal.faults.cut_body()
    assert app("DELETE", f"{CONTACTS}/{cut.json()['id']}").delivery == "dropped"
    assert contacts(portal) == 1


def test_commit_late_after_requests(portal: Portal, app: Any) -> None:
    portal.faults.commit_late(requests=2)
    assert app.post(CONTACTS, ONE).delivery == "dropped"
    assert portal.faults.held == 1
    looks = [len(app.get(CONTACTS).json()["results"]) for _ in range(4)]
    assert looks == [0, 0, 1, 1]
    assert portal.faults.held == 0
    assert [each.faults for each in portal.requests] == [("commit_late",), (), (), (), ()]


def test_commit_late_by_default_is_after_one_look(portal: Portal, app: Any) -> None:
    portal.faults.commit_late()
    app.post(CONTACTS, ONE)
    assert [len(app.get(CONTACTS).json()["results"]) for _ in range(2)] == [0, 1]


def test_commit_late_after_seconds(portal: Portal, app: Any) -> None:
    portal.faults.commit_late(seconds=30)
    app.post(CONTACTS, ONE)
    assert [len(app.get(CONTACTS).json()["results"]) for _ in range(2)] == [0, 0]
    portal.clock.advance(29.9)
    assert contacts(portal) == 0
    portal.clock.advance(0.1)
    assert contacts(portal) == 1
    portal.faults.commit_late(seconds=30)
    app.post(CONTACTS, ONE)
    portal.clock.advance(30)
    assert len(app.get(CONTACTS).json()["results"]) == 2


def test_what_is_held_is_forgotten_with_the_faults(portal: Portal, app: Any) -> None:
    portal.faults.commit_late()
    app.post(CONTACTS, ONE)
    portal.faults.clear()
    app.get(CONTACTS)
    assert (contacts(portal), portal.faults.held) == (0, 0)


def test_deliver_twice(portal: Portal, app: Any) -> None:
    portal.faults.deliver_twice()
    first = app.post(CONTACTS, {"properties": {"email": "a@example.com"}})
    assert first.status == 201 and contacts(portal) == 1
    assert [(each.status, each.faults) for each in portal.requests] == [
        (201, ("deliver_twice",)),
        (409, ("deliver_twice",)),
    ]
    portal.faults.deliver_twice()
    app.post(CONTACTS, ONE)
    assert contacts(portal) == 3


def test_html_body_and_wrong_content_type(portal: Portal, app: Any) -> None:
    portal.faults.html_body()
    portal.faults.wrong_content_type("application/xml")
    portal.faults.wrong_content_type(after=1)
    answer = app.post(CONTACTS, ONE)
    # Both strike: the page is put around what the other one has relabelled.
    assert (answer.status, answer.headers["content-type"]) == (201, "text/html; charset=UTF-8")
    relabelled = app.post(CONTACTS, ONE)
    assert relabelled.headers["content-type"] == "text/plain" and relabelled.json()["id"]
    portal.faults.html_body()
    assert app("DELETE", f"{CONTACTS}/{relabelled.json()['id']}").status == 200
    assert [each.faults for each in portal.requests] == [
        ("html_body", "wrong_content_type"),
        ("wrong_content_type",),
        ("html_body",),
    ]


def test_partial(portal: Portal, app: Any) -> None:
    rows = [{"properties": {"firstname": str(n)}, "objectWriteTraceId": f"t{n}"} for n in range(3)]
    portal.faults.partial([0, 2, 9])
    answer = app.post(f"{BATCH}/create", {"inputs": rows})
    body = answer.json()
    assert answer.status == 207
    assert [each["properties"]["firstname"] for each in body["results"]] == ["1"]
    assert body["numErrors"] == 2
    assert [error["context"]["objectWriteTraceId"] for error in body["errors"]] == [["t0"], ["t2"]]
    assert body["errors"][0]["message"] == "internal error"
    portal.faults.partial([1], silent=True)
    answer = app.post(f"{BATCH}/create", {"inputs": rows})
    assert (answer.status, len(answer.json()["results"])) == (201, 2)
    portal.faults.partial([0])
    all_refused = app.post(f"{BATCH}/create", {"inputs": rows[:1]})
    assert (all_refused.status, all_refused.json()["results"], all_refused.json()["numErrors"]) == (
        207,
        [],
        1,
    )
    assert contacts(portal) == 3


def test_partial_of_reads_and_archives(portal: Portal, app: Any) -> None:
    ids = [{"id": app.contact()} for _ in range(2)]
    portal.faults.partial([0])
    body = app.post(f"{BATCH}/read", {"inputs": ids}).json()
    assert [each["id"] for each in body["results"]] == [ids[1]["id"]]
    assert body["errors"][0]["context"] == {"ids": [ids[0]["id"]]}
    portal.faults.partial([0])
    assert app.post(f"{BATCH}/archive", {"inputs": ids}).status == 204
    assert contacts(portal) == 1


def test_partial_lets_other_requests_go_by(portal: Portal, app: Any) -> None:
    fault = portal.faults.partial([1])
    app.post(CONTACTS, ONE)
    app.post(f"{BATCH}/create", {"inputs": [ONE]})
    app.post(f"{BATCH}/create", {"inputs": "x"})
    portal.handle(PortalRequest("POST", f"{BATCH}/create", "", {}, b"{"))
    assert fault.struck == 0 and portal.faults.pending == [fault]
    # A batch that is refused as a whole stays refused.
    bad = [{"properties": {"nope": "1"}}, ONE]
    assert app.post(f"{BATCH}/create", {"inputs": bad}).status == 400


# -- which, how often --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("where", "struck"),
    [
        ({"method": "POST"}, [True, True, False, True]),
        ({"route": "/crm/v3/objects/{type}"}, [True, False, True, False]),
        ({"route": "*/batch/create"}, [False, True, False, False]),
        ({"route": "/crm/v3/objects/contacts"}, [True, False, True, False]),
        ({"object_type": "0-1"}, [True, True, True, False]),
        ({"object_type": "Company", "method": "POST"}, [False, False, False, True]),
        ({"method": "GET", "object_type": "contacts"}, [False, False, True, False]),
    ],
)
def test_where(portal: Portal, app: Any, where: Where, struck: list[bool]) -> None:
    portal.faults.fail(418, times=None, **where)
    answers = [
        app.post(CONTACTS, ONE),
        app.post(f"{BATCH}/create", {"inputs": [ONE]}),
        app.get(CONTACTS),
        app.post("/crm/v3/objects/companies/batch/read", {"inputs": [{"id": "1"}]}),
    ]
    assert [answer.status == 418 for answer in answers] == struck


def test_times_and_after(portal: Portal, app: Any) -> None:
    fault = portal.faults.fail(418, times=2, after=1)
    assert [app.get(CONTACTS).status for _ in range(5)] == [200, 418, 418, 200, 200]
    assert fault.struck == 2 and not fault.pending
    assert portal.faults.pending == [] and portal.faults.all == [fault]


def test_the_seeder_is_spared_unless_it_is_meant(portal: Portal, app: Any, ask: Any) -> None:
    portal.faults.fail(418, times=None)
    assert [ask.get(CONTACTS).status, app.get(CONTACTS).status] == [200, 418]
    portal.faults.fail(423, times=None, seeder=True)
    assert [ask.get(CONTACTS).status, app.get(CONTACTS).status] == [423, 418]


def test_control_endpoints_and_foreign_paths_are_never_struck(portal: Portal) -> None:
    portal.faults.fail(418, times=None, seeder=True)
    for path, status in [("/_portal/stats", 200), ("/nowhere", 404)]:
        assert portal.handle(PortalRequest.of("GET", path)).status == status


def test_chance_is_the_same_again(make_portal: Callable[..., Portal], asker: Any) -> None:
    def run(seed: int) -> list[int]:
        portal = make_portal()
        portal.faults.fail(418, times=None, probability=0.5, seed=seed)
        app = asker(portal, portal.hubspot.tokens()["application"])
        return [app.get(CONTACTS).status for _ in range(40)]

    assert run(1) == run(1) != run(2)
    assert set(run(1)) == {200, 418}


def test_faults_nest_in_the_order_they_were_added(portal: Portal, app: Any) -> None:
    portal.faults.cut_body()
    portal.faults.deliver_twice()
    portal.faults.fail(418, after=1)
    assert app.post(CONTACTS, ONE).delivery == "cut"
    assert [each.status for each in portal.requests] == [201, 418]
    assert portal.requests[0].faults == ("cut_body", "deliver_twice", "fail")


def test_remove_and_reset(portal: Portal, app: Any) -> None:
    fault = portal.faults.fail(418)
    portal.faults.remove(fault)
    portal.faults.remove(fault)
    assert app.get(CONTACTS).status == 200
    portal.faults.fail(418)
    assert repr(portal.faults) == "<Faults fail>"
    portal.reset()
    assert portal.faults.all == [] and repr(portal.faults) == "<Faults (none)>"


# -- what is refused ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("throtle", {}, "There is no fault 'throtle'; did you mean 'throttle'?"),
        ("slow", {}, "The fault 'slow' needs seconds."),
        ("slow", {"seconds": -1}, "slow: seconds=-1: it is a number of seconds, from 0 to a year's."),
        ("slow", {"seconds": True}, "slow: seconds=True: it is a number of seconds, from 0 to a year's."),
        ("lock", {"status": 1}, "The fault 'lock' has no parameter 'status'. It takes: method, route,"),
        ("fail", {"status": 200}, "fail: status=200: it is a status from 400 to 599."),
        ("fail", {"body": {1, 2}}, "fail: body={1, 2}: it is JSON data or a text."),
        ("fail", {"committed": 1}, "fail: committed=1: it is true or false."),
        ("throttle", {"policy": "weekly"}, "throttle: policy='weekly': it is one of burst, daily, search."),
        (
            "commit_late",
            {"requests": 0},
            "commit_late: requests=0: it is a whole number of 1 or more, or None.",
        ),
        ("partial", {"rows": []}, "partial: rows=[]: it is a list of row numbers, from 0."),
        ("wrong_content_type", {"content_type": "a\nb"}, "it is a text of printable ASCII."),
        ("lock", {"method": "post"}, "method='post': HTTP methods are written in capitals, 'POST'."),
        ("lock", {"method": 1}, "method=1: it is a text."),
        (
            "lock",
            {"object_type": "widgets"},
            "object_type='widgets': the local portal has no such object type.",
        ),
        ("lock", {"times": 0}, "times=0: it is a whole number of 1 or more, or None."),
        ("lock", {"after": -1}, "after=-1: it is a whole number of 0 or more."),
        ("lock", {"probability": 2}, "probability=2: it is more than 0 and at most 1."),
        ("lock", {"seeder": "yes"}, "seeder='yes': it is true or false."),
        (
            "lock",
            {"route": "/crm/v3/objects/{types}"},
            "route='/crm/v3/objects/{types}' is no emulated route; nearest is '/crm/v3/objects/{type}'."
            " A pattern such as '*/batch/create' takes all versions of a route.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(portal: Portal, kind: str, parameters: Any, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        portal.faults.add(kind, **parameters)
    assert message in str(refused.value)
    assert portal.faults.all == []


def test_every_kind_has_a_method_and_every_keyword_a_meaning() -> None:
    assert all(callable(getattr(Faults, kind)) for kind in KINDS)
    assert tuple(Where.__annotations__) == WHERE


# -- over HTTP ---------------------------------------------------------------------------------------
def control(portal: Portal, method: str, body: Any = None) -> PortalResponse:
    return portal.handle(PortalRequest.of(method, "/_portal/faults", body, host="localhost"))


def test_the_endpoint(portal: Portal, app: Any) -> None:
    made = control(portal, "POST", {"fault": "fail", "status": 500, "route": "*/batch/create", "times": 2})
    expected = {
        "id": 1,
        "fault": "fail",
        "status": 500,
        "body": None,
        "retry_after": None,
        "committed": False,
        "route": "*/batch/create",
        "times": 2,
        "after": 0,
        "probability": 1.0,
        "seeder": False,
        "struck": 0,
    }
    assert (made.status, made.json()) == (201, expected)
    app.post(f"{BATCH}/create", {"inputs": [ONE]})
    assert control(portal, "GET").json() == [{**expected, "struck": 1}]
    cleared = control(portal, "DELETE")
    assert (cleared.status, cleared.json(), portal.faults.all) == (200, {"status": "cleared"}, [])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, '"fault" names a fault, such as "throttle".'),
        ({"fault": "slow"}, "The fault 'slow' needs seconds."),
        ({"fault": "lock", "kind": "x"}, "The fault 'lock' has no parameter 'kind'."),
    ],
)
def test_the_endpoint_refuses(portal: Portal, body: Any, message: str) -> None:
    answer = control(portal, "POST", body)
    assert answer.status == 400 and answer.json()["error"].startswith(message)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Portal]:
    portal = Portal(clock=VirtualClock())
    yield portal
    portal.close()


values = (
    st.sampled_from([1e18, 3600])
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers())
)


@given(
    kind=st.sampled_from(sorted(KINDS)),
    parameters=st.dictionaries(
        st.sampled_from([*WHERE, *sorted({name for kind in KINDS.values() for name in kind.parameters})]),
        values,
        max_size=4,
    ),
)
def test_whatever_is_ordered_never_breaks_the_portal(
    fuzzed: Portal, kind: str, parameters: dict[str, Any]
) -> None:
    fuzzed.faults.clear()
    body = json.dumps({"fault": kind, "seeder": True, **parameters}).encode()
    request = PortalRequest("POST", "/_portal/faults", "", {"host": "localhost"}, body)
    assert fuzzed.handle(request).status in (201, 400)
    for path, data in [(CONTACTS, ONE), (f"{BATCH}/create", {"inputs": [ONE, ONE]})]:
        answer = fuzzed.handle(PortalRequest.of("POST", path, data, token=fuzzed.hubspot.tokens()["seeder"]))
        assert b"LOCAL_PORTAL_FAULT" not in answer.body
