"""The contract that every provider keeps, as a test class."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pytest_crmseed.errors import (
    CrmseedError,
    GuardRefused,
    PortalError,
    RecordsRefused,
    UsageError,
    ValidationFailed,
)
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.reading import found_by
from pytest_crmseed.planning import count
from pytest_crmseed.providers.base import Answer, Effect, Found, Outcome, Provider
from pytest_crmseed.providers.registry import load
from pytest_crmseed.records import Draft
from pytest_crmseed.schema import catalog, documents
from pytest_crmseed.schema.model import Schema
from pytest_crmseed.testing.bench import Bench, PortalUnderTest, Spoiled, Wire, first_of_each
from pytest_crmseed.testing.proxy import Cut, CuttingProxy

_SUITE = """
import pytest

@pytest.mark.crm_seed(objects={counts!r})
def test_seeded(crm_records, crm_portal):
    assert {{name: len(crm_records[name]) for name in {counts!r}}} == {counts!r}
    assert crm_portal.provider == {provider!r}
    for record in crm_records:
        assert record.reload().id == record.id

@pytest.mark.crm_seed(objects={counts!r})
def test_that_fails(crm_records):
    raise AssertionError("as a user's test may")
"""


class ProviderContract:
    """Check that a provider keeps what users rely on; subclass it, and point it at a server.

    ::

        class TestMyCRM(ProviderContract):
            provider = MyCRM
            invalid = ("deals", {"close_date": "some day"})
            refused = ("deals", {"amount": "much"})

            @pytest.fixture(scope="class")
            @classmethod
            def portal(cls):
                with my_server() as server:
                    yield PortalUnderTest(server.url, {"MYCRM_API_KEY": server.key}, server.count)

    ``seeds`` is what is seeded, parents before children, by neutral name; its last object type takes at
    least three records. ``invalid`` is an object type with overrides that the portal's schema rules out.
    ``refused`` is one of ``seeds`` with *wire* values, by native name, that the portal itself refuses.
    ``absent`` holds neutral names that this portal lacks though the legend has them: object types, and
    fields as ``"deals.currency"``. The server should be a throw-away one: nothing but the contract may
    write to it meanwhile.
    """

    provider: ClassVar[type[Provider]]
    seeds: ClassVar[Mapping[str, int]] = {"companies": 2, "contacts": 3, "deals": 5}
    invalid: ClassVar[tuple[str, Mapping[str, Any]]]
    refused: ClassVar[tuple[str, Mapping[str, Any]]]
    absent: ClassVar[frozenset[str]] = frozenset()

    # -- what it stands on -----------------------------------------------------------------------
    @pytest.fixture(scope="class")
    @classmethod
    def portal(cls) -> PortalUnderTest:
        """Return the portal to check the provider on; a subclass overrides this."""
        raise NotImplementedError("override the fixture `portal` of ProviderContract")

    @pytest.fixture(scope="class")
    @classmethod
    def contract_proxy(cls, portal: PortalUnderTest) -> Iterator[CuttingProxy]:
        """The proxy before the portal, which loses what it is asked to lose."""
        with CuttingProxy(portal.base_url) as proxy:
            yield proxy

    @pytest.fixture(scope="class")
    @classmethod
    def contract_schema(
        cls, portal: PortalUnderTest, contract_proxy: CuttingProxy, tmp_path_factory: pytest.TempPathFactory
    ) -> Schema:
        """The portal's schema, read live once."""
        bench = Bench(cls.provider, portal, contract_proxy.url, tmp_path_factory.mktemp("schema"))
        bench.close()
        return bench.target.translator.schema

    @pytest.fixture
    def open_bench(
        self,
        portal: PortalUnderTest,
        contract_proxy: CuttingProxy,
        contract_schema: Schema,
        tmp_path: Path,
    ) -> Iterator[Callable[..., Bench]]:
        """Return a function that opens the portal through the proxy; what it left is removed at the end."""
        benches: list[Bench] = []

        def opened(**options: Any) -> Bench:
            options = {"schema": contract_schema, **options}
            folder = tmp_path / str(len(benches))
            folder.mkdir(exist_ok=True)
            bench = Bench(self.provider, portal, contract_proxy.url, folder, **options)
            benches.append(bench)
            return bench

        yield opened
        for bench in benches:
            bench.close()

    @property
    def _last(self) -> str:
        return list(self.seeds)[-1]

    # -- the provider itself ---------------------------------------------------------------------
    def test_it_is_installed_under_its_name(self) -> None:
        """`--crm-provider NAME` finds the class, through its entry point."""
        assert load(self.provider.name) is self.provider

    def test_it_has_all_that_a_provider_has(self) -> None:
        """Every attribute and method of the protocol is there; a type checker says more."""
        made = self.provider(Schema(self.provider.name, {}))
        wanted = {name for name in (*Provider.__annotations__, *vars(Provider)) if not name.startswith("_")}
        assert not [name for name in sorted(wanted) if not hasattr(made, name)]
        assert made.api_version == self.provider.api_versions[0]
        assert dict(made.routes) == {}

    def test_it_says_what_it_signs_in_with(self, portal: PortalUnderTest) -> None:
        """Credentials have the provider's prefix, and at least one is a secret."""
        assert any(credential.secret for credential in self.provider.credentials)
        prefix = f"{self.provider.name.upper().replace('-', '_')}_"
        for credential in self.provider.credentials:
            assert re.fullmatch(rf"{prefix}[A-Z0-9_]+", credential.variable)
        missing = {c.variable for c in self.provider.credentials if c.required} - portal.credentials.keys()
        assert not missing

    # -- discovery -------------------------------------------------------------------------------
    def test_the_schema_has_what_the_legend_names(self, contract_schema: Schema) -> None:
        """Every object type and field that the legend names is in the schema read from the portal."""
        schema = contract_schema
        assert (schema.provider, schema.source, schema.complete) == (self.provider.name, "live", True)
        assert schema.portal_id and schema.taken_at
        missing = []
        for neutral, entry in self.provider.legend.objects.items():
            if neutral in self.absent:
                continue
            if entry.native not in schema.object_types:
                missing.append(neutral)
                continue
            fields = schema.object_types[entry.native].fields
            homes = {name: home.native for name, home in entry.fields.items()}
            homes |= {part: each.native for each in entry.composed for part in each.parts}
            missing += [
                f"{neutral}.{name}"
                for name, native in homes.items()
                if f"{neutral}.{name}" not in self.absent
                and (native not in fields or fields[native].read_only)
            ]
        assert not missing, f"the portal has no writable field for {', '.join(missing)}"

    def test_the_schema_can_be_kept_in_a_file(self, contract_schema: Schema, tmp_path: Path) -> None:
        """What was read goes through the file format unchanged, and is not older than the snapshot."""
        path = tmp_path / "schema.json"
        documents.write(contract_schema, path)
        again = documents.read(path, provider=self.provider.name, source="live")
        assert again == contract_schema

    def test_the_snapshot_knows_what_is_seeded(self) -> None:
        """Offline (a dry run, say) the bundled snapshot has the object types of ``seeds``."""
        snapshot = catalog.bundled(self.provider.name)
        natives = {self.provider.legend.objects[name].native for name in self.seeds}
        assert natives <= snapshot.object_types.keys()

    def test_each_object_type_has_a_route_for_our_key(self, open_bench: Callable[..., Bench]) -> None:
        """Records of everything that is seeded can be found again."""
        bench = open_bench()
        routes = bench.target.connection.run(bench.target.provider.key_routes(list(self.seeds)))
        assert routes.keys() == set(self.seeds)
        assert not bench.wire.writes

    # -- legend ----------------------------------------------------------------------------------
    def test_values_come_back_as_they_were_given(self, open_bench: Callable[..., Bench]) -> None:
        """Neutral → native → wire → portal → wire → neutral: the same values, field by field."""
        bench = open_bench()
        records = bench.seed(self.seeds).records
        drafts = _drafts(bench)
        wrong = []
        for record in records:
            given = drafts[record.object_type, record.index].neutral
            held = dict(record.reload())
            labels = _labels(bench, record.object_type)
            for name in bench.target.translator.neutral_fields(record.object_type):
                value, back = given.get(name), held.get(name)
                # The label of an option is as good as its value.
                if value is not None and not _same(value, back) and labels.get((name, back)) != value:
                    wrong.append(f"{record!r}.{name}: {value!r} came back as {back!r}")
        assert not wrong, "\n".join(wrong)

    # -- validation ------------------------------------------------------------------------------
    def test_a_bad_value_is_refused_before_anything_is_sent(self, open_bench: Callable[..., Bench]) -> None:
        """What the schema rules out is named with its field, and the portal gets no write."""
        bench = open_bench()
        object_type, overrides = self.invalid
        with pytest.raises((ValidationFailed, UsageError)) as refused:
            bench.seed({object_type: count(1, **overrides)})
        assert all(name in str(refused.value) for name in overrides)
        assert not bench.wire.writes

    def test_an_unknown_field_is_refused_before_anything_is_sent(
        self, open_bench: Callable[..., Bench]
    ) -> None:
        """A complete schema knows every field: another name is a mistake."""
        bench = open_bench()
        with pytest.raises((ValidationFailed, UsageError), match="no_such_field_at_all"):
            bench.seed({self._last: count(1, no_such_field_at_all="x")})
        assert not bench.wire.writes

    # -- batching --------------------------------------------------------------------------------
    def test_batches_by_count_parents_first(self, open_bench: Callable[..., Bench]) -> None:
        """No batch is larger than asked, each record goes out once, and parents go before children."""
        bench = open_bench(batch_size=2)
        before = bench.portal.counts(list(self.seeds))
        seed = bench.seed(self.seeds)
        assert all(len(batch) <= min(2, self.provider.capabilities.batch_records) for batch in bench.batches)
        sent = [draft.key for batch in bench.batches for draft in batch.drafts]
        assert len(sent) == len(set(sent)) == seed.plan.total
        order = list(dict.fromkeys(batch.object_type for batch in bench.batches))
        for draft in _drafts(bench).values():
            for link in draft.links:
                assert order.index(link.object_type) < order.index(draft.object_type)
        assert _grown(bench, before) == dict(self.seeds)

    def test_batches_by_bytes(self, open_bench: Callable[..., Bench]) -> None:
        """A body keeps within the bytes that a batch may have, as ``size`` measures drafts."""
        whole = open_bench()
        whole.seed({self._last: self.seeds[self._last]})
        drafts = [draft for draft in _drafts(whole).values() if draft.object_type == self._last]
        largest = max(whole.target.provider.size(draft) for draft in drafts)
        whole.engine.clean()
        bench = open_bench(batch_bytes=2 * largest + 64)
        bench.seed({self._last: self.seeds[self._last]})
        parts = [batch for batch in bench.batches if batch.object_type == self._last]
        assert len(parts) > 1
        for request in bench.wire.writes:
            if request.effect is Effect.CREATE and request.body is not None:
                assert len(json.dumps(request.body, ensure_ascii=False).encode()) <= 2 * largest + 64

    def test_results_go_with_their_records(self, open_bench: Callable[..., Bench]) -> None:
        """The id that a draft gets is that of the record with its values, not of a neighbour's."""
        bench = open_bench()
        records = bench.seed(self.seeds).records
        drafts = _drafts(bench)
        for name in self.seeds:
            route = bench.target.provider.routes[name]
            if not route.carries_key:
                continue
            ids = [record.id for record in records[name]]
            found = _read(bench, name, ids, [route.field])
            keys = {each.id: route.key_in(each.native) for each in found}
            assert keys == {record.id: drafts[name, record.index].key for record in records[name]}

    # -- refusals --------------------------------------------------------------------------------
    @pytest.mark.parametrize("on_error", ["undo", "keep-good"])
    def test_one_bad_record_among_good_ones(self, open_bench: Callable[..., Bench], on_error: str) -> None:
        """It is named; nothing is left when the seed is undone, and the good ones are under keep-good."""
        object_type, values = self.refused
        number = self.seeds[object_type]
        bench = open_bench(spoiled=Spoiled(object_type, 1, values), on_error=on_error)
        before = bench.portal.counts(list(self.seeds))
        with pytest.raises(RecordsRefused) as refused:
            bench.seed(self.seeds)
        named = [
            (result.draft.object_type, result.draft.index)
            for result in refused.value.results
            if any(refusal.code != "NOT_SENT" for refusal in result.refusals)
        ]
        assert named == [(object_type, 1)]
        assert all(refusal.message for result in refused.value.results for refusal in result.refusals)
        assert f"{object_type}[1]" in str(refused.value)
        if on_error == "undo":
            assert _grown(bench, before) == {}
        else:
            assert _grown(bench, before)[object_type] == number - 1
            assert bench.engine.clean().complete
            assert _grown(bench, before) == {}

    # -- lost answers ----------------------------------------------------------------------------
    @pytest.mark.parametrize("cut", list(Cut), ids=str)
    def test_a_create_that_is_cut(self, open_bench: Callable[..., Bench], cut: Cut) -> None:
        """Whether it was carried out or not: every record exists once, and cleanup leaves none."""
        bench = open_bench()
        before = bench.portal.counts(list(self.seeds))
        bench.wire.cut = first_of_each(Effect.CREATE, cut)
        records = bench.seed(self.seeds).records
        assert _grown(bench, before) == dict(self.seeds)
        assert {name: len({r.id for r in records[name]}) for name in self.seeds} == dict(self.seeds)
        assert bench.engine.clean().complete
        assert _grown(bench, before) == {}

    @pytest.mark.parametrize("cut", [Cut.REQUEST_LOST, Cut.ANSWER_LOST], ids=str)
    def test_a_deletion_that_is_cut(self, open_bench: Callable[..., Bench], cut: Cut) -> None:
        """It is sent again: deleting what is gone already is no failure."""
        bench = open_bench()
        before = bench.portal.counts(list(self.seeds))
        bench.seed(self.seeds)
        bench.wire.cut = first_of_each(Effect.DELETE, cut)
        result = bench.engine.clean()
        assert (result.left, result.errors) == ([], [])
        assert _grown(bench, before) == {}

    @pytest.mark.parametrize("status", [200, 404, 500, 502, 503])
    def test_a_page_is_no_answer_to_a_create(self, open_bench: Callable[..., Bench], status: int) -> None:
        """Something on the way answered in the portal's place: nobody knows what became of the request."""
        bench = open_bench()
        bench.seed(self.seeds)
        request = next(request for request in bench.wire.sent if request.effect is Effect.CREATE)
        page = Answer(status, {"content-type": "text/html"}, b"<html>Nothing here</html>", request)
        assert bench.target.provider.judge(request, page).outcome is Outcome.FAILED

    # -- records that go by themselves -------------------------------------------------------------
    def test_records_removed_behind_our_back(self, open_bench: Callable[..., Bench]) -> None:
        """Cleanup succeeds, and removes the others."""
        bench = open_bench()
        before = bench.portal.counts(list(self.seeds))
        records = bench.seed(self.seeds).records
        ids = [record.id for record in records[self._last][::2]]
        _delete(bench, self._last, ids)
        assert _grown(bench, before)[self._last] == self.seeds[self._last] - len(ids)
        result = bench.engine.clean()
        assert (result.left, result.errors) == ([], [])
        assert _grown(bench, before) == {}
        # An API may refuse what is gone: then reading must tell that it is.
        with contextlib.suppress(PortalError):
            _delete(bench, self._last, ids)
        assert _read(bench, self._last, ids) == []

    def test_records_are_found_by_their_key_alone(self, open_bench: Callable[..., Bench]) -> None:
        """`crmseed cleanup --from-portal` finds them without a ledger, where they carry the key."""
        bench = open_bench()
        records = bench.seed(self.seeds).records
        drafts = _drafts(bench)
        for name in self.seeds:
            if not bench.target.provider.routes[name].carries_key:
                continue
            ids = [record.id for record in records[name]]
            connection, provider = bench.target.connection, bench.target.provider
            if connection.run(provider.searchable(name, ids)) < set(ids):
                # The search index trails behind; its users wait for it.
                continue
            marked = connection.run(provider.marked(name))
            wanted = {record.id: drafts[name, record.index].key for record in records[name]}
            assert {id: key for id, key in marked.items() if id in wanted} == wanted

    # -- guards ----------------------------------------------------------------------------------
    def test_another_portal_than_the_pinned_one_is_refused(
        self, portal: PortalUnderTest, open_bench: Callable[..., Bench]
    ) -> None:
        """Before any write."""
        wire = Wire()
        with pytest.raises(GuardRefused) as refused:
            open_bench(limits=replace(portal.limits, portal="no-portal-has-this-id"), wire=wire)
        assert refused.value.guard == "pin"
        assert wire.sent and not wire.writes

    def test_a_portal_that_proves_nothing_is_refused(
        self, portal: PortalUnderTest, open_bench: Callable[..., Bench]
    ) -> None:
        """What is not provably a sandbox is refused unless it is named by its id."""
        if portal.limits == Limits():
            assert open_bench().target.account.production is False
            return
        wire = Wire()
        with pytest.raises(GuardRefused) as refused:
            open_bench(limits=Limits(), wire=wire)
        assert refused.value.guard == "production"
        assert not wire.writes

    # -- secrets ---------------------------------------------------------------------------------
    def test_no_secret_is_told(
        self,
        portal: PortalUnderTest,
        open_bench: Callable[..., Bench],
        caplog: pytest.LogCaptureFixture,
        tmp_path: Path,
    ) -> None:
        """None stands in a log, an error, the ledger, the error file, or a repr."""
        caplog.set_level(logging.DEBUG)
        object_type, values = self.refused
        bench = open_bench(spoiled=Spoiled(object_type, 1, values))
        bench.wire.cut = first_of_each(Effect.CREATE, Cut.ANSWER_LOST)
        with pytest.raises(RecordsRefused) as refused:
            bench.seed(self.seeds)
        told = {"log": caplog.text, **_texts(refused.value)}
        told |= {path.name: path.read_bytes().decode("utf-8", "replace") for path in _files(tmp_path)}
        for each in (bench.target, bench.engine, portal, *bench.wire.sent, *bench.wire.answers):
            told[f"repr of {type(each).__name__}"] = told.get(f"repr of {type(each).__name__}", "") + repr(
                each
            )
        assert {"ledger.sqlite", "crm-errors.jsonl"} <= told.keys()
        assert _that_tell(told, self._secrets(portal.credentials)) == []

    def test_refused_credentials_are_not_told(
        self, portal: PortalUnderTest, open_bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        """The error of a wrong secret says what to do, and not the secret."""
        caplog.set_level(logging.DEBUG)
        names = {credential.variable for credential in self.provider.credentials if credential.secret}
        wrong = {
            name: f"wrong-{secrets.token_hex(16)}" if name in names else value
            for name, value in portal.credentials.items()
        }
        wire = Wire()
        with pytest.raises(CrmseedError) as refused:
            open_bench(credentials=wrong, wire=wire)
        told = {"log": caplog.text, **_texts(refused.value)}
        told["repr of requests"] = "".join(map(repr, [*wire.sent, *wire.answers]))
        assert refused.value.remedy
        assert not wire.writes
        assert _that_tell(told, self._secrets(wrong)) == []

    def _secrets(self, credentials: Mapping[str, str]) -> list[str]:
        names = [credential.variable for credential in self.provider.credentials if credential.secret]
        return [credentials[name] for name in names if credentials.get(name)]

    # -- from marker to cleanup --------------------------------------------------------------------
    def test_a_marker_in_a_real_run(self, portal: PortalUnderTest, tmp_path: Path) -> None:
        """pytest itself, in a process of its own: seeded before the tests, gone after them."""
        suite = tmp_path / "suite"
        suite.mkdir()
        before = portal.counts(list(self.seeds))
        (suite / "pytest.ini").write_text("[pytest]\n", "utf-8")
        (suite / "test_marked.py").write_text(
            _SUITE.format(counts=dict(self.seeds), provider=self.provider.name), "utf-8"
        )
        options = ["--crm-provider", self.provider.name, "--crm-base-url", portal.base_url]
        if portal.pin is not None:
            options += ["--crm-portal", portal.pin]
        if portal.allow_production is not None:
            options += ["--crm-allow-production", portal.allow_production]
        signing = {f"CRMSEED_{name}": value for name, value in portal.credentials.items()}
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", "-p", "no:randomly", *options],
            cwd=suite,
            env={**os.environ, **signing},
            capture_output=True,
            text=True,
            timeout=300,
        )
        said = run.stdout + run.stderr
        assert "1 failed, 1 passed" in said, said
        assert f"{2 * sum(self.seeds.values())} records in 2 seeds" in said, said
        assert _that_tell({"output": said}, self._secrets(portal.credentials)) == []
        assert portal.counts(list(self.seeds)) == before


def _drafts(bench: Bench) -> dict[tuple[str, int], Draft]:
    return {(draft.object_type, draft.index): draft for batch in bench.batches for draft in batch.drafts}


def _delete(bench: Bench, object_type: str, ids: Sequence[str]) -> None:
    provider = bench.target.provider
    for start in range(0, len(ids), provider.capabilities.delete_records):
        some = ids[start : start + provider.capabilities.delete_records]
        bench.target.connection.send(provider.delete(object_type, some))


def _read(bench: Bench, object_type: str, ids: Sequence[str], fields: Sequence[str] = ()) -> list[Found]:
    provider = bench.target.provider
    found: list[Found] = []
    for start in range(0, len(ids), provider.capabilities.read_records):
        some = ids[start : start + provider.capabilities.read_records]
        found += found_by(provider.read(object_type, some, fields), provider, bench.target.connection.send)
    return found


def _labels(bench: Bench, object_type: str) -> dict[tuple[str, Any], str]:
    """Return the labels of options, by neutral field and value."""
    translator = bench.target.translator
    fields = translator.object_type(object_type).fields
    return {
        (neutral, option.value): option.label
        for neutral, home in translator.entry(object_type).fields.items()
        if home.native in fields
        for option in fields[home.native].options
    }


def _grown(bench: Bench, before: Mapping[str, int]) -> dict[str, int]:
    """Return by how much the numbers of records differ from those before."""
    now = bench.portal.counts(list(before))
    return {name: now[name] - before[name] for name in before if now[name] != before[name]}


def _same(given: Any, held: Any) -> bool:
    if isinstance(given, str) and isinstance(held, str):
        # Portals fold the case of e-mail addresses, and end lines as they like.
        return given.casefold().split() == held.casefold().split()
    if isinstance(given, int | float | Decimal) and isinstance(held, int | float | Decimal):
        return Decimal(str(given)) == Decimal(str(held)) if not isinstance(given, bool) else given == held
    return bool(given == held)


def _texts(error: BaseException) -> dict[str, str]:
    return {
        "error": str(error),
        "repr of the error": repr(error),
        "traceback": "".join(traceback.format_exception(error)),
        "body of the error": str(getattr(error, "body", "")),
    }


def _that_tell(told: Mapping[str, str], secrets: Sequence[str]) -> list[str]:
    """Return the places that tell a secret; not the texts, which a failing test would show."""
    return [place for place, text in told.items() if any(secret in text for secret in secrets)]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
