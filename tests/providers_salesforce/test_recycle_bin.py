"""Records that leave the recycle bin too, on the local portal: by the SOAP API, which alone can do it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import NotAPortal, PortalError, Throttled, Unauthorized, UsageError
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.portal import LocalPortal
from pytest_crmseed.providers.base import Answer, Effect, Outcome, Request
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.providers.salesforce.judging import judge
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder import assemble
from pytest_crmseed.seeder.seeder import Engine, Recipe, RunInfo
from pytest_crmseed.seeder.target import Target, open_target

OF_THE_BIN = Request("POST", "/services/Soap/u/66.0", "empty it", Effect.DELETE, xml="<x/>", records=1)
FAULT = (
    '<soapenv:Envelope xmlns:soapenv="s"><soapenv:Body><soapenv:Fault><faultcode>sf:{0}</faultcode>'
    "<faultstring>{0}: {1}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


def opened(portal: LocalPortal, provider: Any = Salesforce) -> Target:
    return open_target(
        provider,
        Translator(provider.legend, catalog.bundled(provider.name)),
        assemble.address_of(portal, provider),
        Limits(),
        policy=RetryPolicy(random=lambda: 0.0, sleep=lambda seconds: None),
    )


class Bin:
    """A local portal, and an engine that empties its recycle bin."""

    def __init__(self, folder: Path) -> None:
        self.portal = LocalPortal()
        self.portal.start()
        self.target = opened(self.portal)
        self.ledger = Ledger(folder / "ledger.sqlite", durable=False)
        self.engine = Engine(self.target, self.ledger, RunInfo("run1"), Limits(), empty_bin=True)
        self.sent: list[Request] = []
        self.send = self.target.connection.transport.send
        self.target.connection.transport.send = self._seen  # type: ignore[method-assign]

    def _seen(self, request: Request) -> Answer:
        self.sent.append(request)
        return self.send(request)

    def seed(self, **counts: int) -> Any:
        recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
        return self.engine.seed(counts, recipe, node="n", test="t")

    def rows(self, name: str) -> int:
        """Count the rows of an object, those in the bin with them."""
        query = (("q", f"SELECT COUNT() FROM {name}"),)
        asked = Request("GET", "/services/data/v66.0/queryAll", "count", Effect.READ, query=query)
        return int(json.loads(self.send(asked).body)["totalSize"])

    @property
    def emptied(self) -> list[str]:
        return [request.what for request in self.sent if request.xml is not None]

    def close(self) -> None:
        self.target.close()
        self.ledger.close()
        self.portal.close()


@pytest.fixture
def bin(tmp_path: Path) -> Iterator[Bin]:
    made = Bin(tmp_path)
    yield made
    made.close()


def test_nothing_is_left_in_the_bin(bin: Bin) -> None:
    before = bin.rows("Contact")
    bin.seed(deals=2, contacts=201, products=1)
    assert bin.engine.clean().complete
    assert bin.emptied == [
        "empty the recycle bin of 1 products",
        "empty the recycle bin of 2 deals",
        "empty the recycle bin of 200 contacts",
        "empty the recycle bin of 1 contacts",
        "empty the recycle bin of 1 companies",
    ]
    # What went along with a record left the bin with it.
    for name in ("Account", "Opportunity", "OpportunityContactRole", "Product2", "PricebookEntry"):
        assert bin.rows(name) == 0, name
    assert (before, bin.rows("Contact")) == (0, 0)


def test_without_the_option_it_stays_as_it_is(bin: Bin) -> None:
    engine = Engine(bin.target, bin.ledger, RunInfo("run2"), Limits())
    recipe = Recipe(random_seed=1, base_date=date(2026, 11, 1))
    engine.seed({"companies": 2}, recipe, node="n", test="t")
    assert engine.clean().complete
    assert (bin.emptied, bin.rows("Account")) == ([], 2)


def test_the_plan_counts_the_requests(bin: Bin) -> None:
    plan = bin.engine.plan({"companies": 201})
    without = Engine(bin.target, bin.ledger, RunInfo("run2"), Limits())
    assert bin.engine.demand([plan]).cost.cleanup - without.demand([plan]).cost.cleanup == 2
    before = len(bin.sent)
    bin.seed(companies=201)
    made = len(bin.sent)
    assert bin.engine.clean().complete
    assert len(bin.sent) - made == bin.engine.demand([plan]).cost.cleanup
    assert made > before


def test_a_bin_that_cannot_be_emptied_leaves_the_records_to_the_next_cleanup(bin: Bin) -> None:
    bin.seed(companies=2)
    bin.portal.faults.fail(500, route="/services/Soap/u/*", times=None, seeder=True)
    result = bin.engine.clean()
    assert (result.removed, len(result.left)) == (0, 2)
    (said,) = result.errors
    assert said.startswith("companies: deleted, and still in the recycle bin: Salesforce failed with 500")
    assert bin.rows("Account") == 2
    bin.portal.faults.clear()
    assert bin.engine.clean().complete
    assert bin.rows("Account") == 0
    assert bin.ledger.live("run1") == []


def test_a_row_that_stays_is_told_with_the_reason(bin: Bin) -> None:
    made = bin.seed(companies=2).records.companies
    real = bin.send

    def keep(request: Request) -> Answer:
        answer = real(request)
        if request.xml is None:
            return answer
        ids = re.findall("<ids>(.*?)</ids>", request.xml)
        kept = (
            "<result><errors><message>no &lt;right&gt;</message><statusCode>INSUFFICIENT_ACCESS_OR_READONLY"
            f"</statusCode></errors><id>{made[1].id}</id><success>false</success></result>"
        )
        gone = f"<result><id>{made[0].id}</id><success>true</success></result>"
        results = "".join(kept if id == made[1].id else gone for id in ids)
        body = f"<Envelope><Body>{results}</Body></Envelope>"
        return Answer(200, answer.headers, body.encode(), request)

    bin.send = keep  # type: ignore[method-assign]
    result = bin.engine.clean()
    assert [entry.id for entry in result.left] == [made[1].id]
    assert result.errors == [
        "companies: 1 deleted records are still in the recycle bin: no <right> "
        "[INSUFFICIENT_ACCESS_OR_READONLY]"
    ]


def test_the_session_s_token_goes_out_and_is_told_to_nobody(bin: Bin) -> None:
    token = bin.portal.environ["SALESFORCE_ACCESS_TOKEN"]
    bin.seed(companies=1)
    assert bin.engine.clean().complete
    (request,) = [request for request in bin.sent if request.xml is not None]
    assert "<sessionId>{session}</sessionId>" in str(request.xml)
    assert token not in repr(request) and "sessionId" not in repr(request)


def test_other_crms_have_no_bin_that_can_be_emptied(tmp_path: Path) -> None:
    with LocalPortal() as portal, Ledger(tmp_path / "ledger.sqlite", durable=False) as ledger:
        target = opened(portal, HubSpot)
        with pytest.raises(UsageError) as caught:
            Engine(target, ledger, RunInfo("run1"), Limits(), empty_bin=True)
        target.close()
    assert str(caught.value) == (
        "--crm-empty-bin: no API of HubSpot's empties its recycle bin. Leave it out; for Salesforce it works."
    )


@pytest.mark.parametrize(
    ("code", "said", "kind", "outcome"),
    [
        ("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader", Unauthorized, Outcome.REFUSED),
        ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", Throttled, Outcome.REFUSED),
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", PortalError, Outcome.NOT_EXECUTED),
        ("INVALID_OPERATION", "not now", PortalError, Outcome.REFUSED),
    ],
)
def test_faults_are_taken_as_the_rest_api_s_errors(
    code: str, said: str, kind: type[Exception], outcome: Outcome
) -> None:
    verdict = judge(OF_THE_BIN, Answer(500, {}, FAULT.format(code, said).encode(), OF_THE_BIN))
    assert isinstance(verdict.error, kind)
    assert verdict.outcome is outcome
    if isinstance(verdict.error, Unauthorized):
        assert verdict.error.expired


def test_a_page_is_no_answer_of_the_soap_api() -> None:
    page = Answer(200, {"content-type": "text/html; charset=utf-8"}, b"<html></html>", OF_THE_BIN)
    verdict = judge(OF_THE_BIN, page)
    assert isinstance(verdict.error, NotAPortal)
    assert str(verdict.error).startswith(
        "The address answered 200 with text/html instead of SOAP to: empty it."
    )
