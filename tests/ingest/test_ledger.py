"""The ledger: runs, records and their states, several processes, files it cannot use."""

from __future__ import annotations

import dataclasses
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pytest_crmseed.errors import LedgerError, UnknownName
from pytest_crmseed.ingest.ledger import Entry, Ledger, Run, State

DAY = 86400.0


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def make_run(run_id: str = "r1", **changes: object) -> Run:
    run = Run(
        run_id=run_id,
        provider="hubspot",
        portal_id="77",
        target="sandbox",
        base_url="https://api.hubapi.com",
        pid=4711,
        host="box",
        worker="gw0",
        started_at=1000.0,
        heartbeat_at=1000.0,
        expires_at=8200.0,
    )
    return dataclasses.replace(run, **changes)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite", clock=clock, durable=False) as ledger:
        ledger.open_run(make_run())
        yield ledger


def test_a_record_from_intent_to_gone(ledger: Ledger) -> None:
    ledger.intend("r1", "1", "deals", [(0, "k0"), (1, "k1")])
    assert ledger.live("r1") == []
    ledger.sent("r1", ["k0", "k1"])
    assert [(e.key, e.state, e.id) for e in ledger.live("r1")] == [
        ("k1", State.SENT, None),
        ("k0", State.SENT, None),
    ]
    ledger.known("r1", [("k0", "901")])
    ledger.unknown("r1", ["k1"])
    assert [(e.key, e.state, e.id) for e in ledger.live("r1")] == [
        ("k1", State.UNKNOWN, None),
        ("k0", State.KNOWN, "901"),
    ]
    ledger.gone("r1", ["k0", "k1"])
    assert ledger.live("r1") == []


def test_live_gives_children_before_parents_by_the_order_of_sending(ledger: Ledger) -> None:
    ledger.intend("r1", "1", "deals", [(0, "d0")])
    ledger.intend("r1", "1", "companies", [(0, "c0"), (1, "c1")])
    ledger.sent("r1", ["c0", "c1"])
    ledger.sent("r1", ["d0"])
    ledger.adopt("r1", "2", "notes", "5")
    assert [entry.object_type for entry in ledger.live("r1")] == ["notes", "deals", "companies", "companies"]
    assert [entry.key for entry in ledger.live("r1", "1")] == ["d0", "c1", "c0"]
    orders = [entry.order for entry in ledger.live("r1")]
    assert orders == sorted(orders, reverse=True)
    assert len(set(orders)) == 4


def test_an_entry_carries_all_that_cleanup_needs(ledger: Ledger) -> None:
    ledger.intend("r1", "gw0.1", "deals", [(3, "k")])
    ledger.sent("r1", ["k"])
    ledger.known("r1", [("k", "901")])
    assert ledger.live("r1") == [
        Entry("r1", "gw0.1", "deals", 3, "k", "901", State.KNOWN, order=2, kept_until=None)
    ]


def test_adopted_records_are_removed_like_our_own(ledger: Ledger) -> None:
    ledger.adopt("r1", "1", "deals", "5")
    ledger.adopt("r1", "1", "deals", "5")
    ledger.adopt("r1", "1", "contacts", "5")
    deal = next(entry for entry in ledger.live("r1") if entry.object_type == "deals")
    assert (deal.index, deal.key, deal.id, deal.state) == (None, None, "5", State.KNOWN)
    ledger.gone("r1", [deal])
    assert [entry.object_type for entry in ledger.live("r1")] == ["contacts"]
    # The application made it again under the same id (restored it): again ours to remove.
    ledger.adopt("r1", "1", "deals", "5")
    assert [entry.object_type for entry in ledger.live("r1")] == ["deals", "contacts"]
    ledger.gone("r1", ledger.live("r1"))
    assert ledger.live("r1") == []


def test_adopting_a_seeded_record_changes_nothing(ledger: Ledger) -> None:
    ledger.intend("r1", "1", "deals", [(0, "k")])
    ledger.sent("r1", ["k"])
    ledger.known("r1", [("k", "901")])
    before = ledger.live("r1")
    ledger.adopt("r1", "2", "deals", "901")
    assert ledger.live("r1") == before


CANNOT = "the record of key {} is {} in the ledger and cannot become {}."
ADOPTED = Entry("r1", "1", "deals", None, None, "8", State.KNOWN, 1)
ABSENT = "run r2 is not in the ledger {path}."
TWICE = (
    "the record of key made has the id 901 in the ledger, and now the portal says 902. "
    "The portal made it twice; adopt the second one, so that both are removed."
)
IMPOSSIBLE: list[tuple[Callable[[Ledger], None], str]] = [
    (lambda led: led.known("r1", [("new", "9")]), CANNOT.format("new", "intended", "known")),
    (lambda led: led.gone("r1", ["new"]), CANNOT.format("new", "intended", "gone")),
    (lambda led: led.unknown("r1", ["new"]), CANNOT.format("new", "intended", "unknown")),
    (lambda led: led.sent("r1", ["made"]), CANNOT.format("made", "known", "sent")),
    (lambda led: led.refused("r1", ["made"]), CANNOT.format("made", "known", "refused")),
    (lambda led: led.known("r1", [("made", "902")]), TWICE),
    (lambda led: led.intend("r1", "1", "deals", [(0, "made")]), "the key made stands in the ledger already."),
    (lambda led: led.sent("r1", ["nope"]), "run r1 has no record of key nope in the ledger {path}."),
    (lambda led: led.gone("r1", [ADOPTED]), "run r1 has no record of deals 8 in the ledger {path}."),
    (lambda led: led.intend("r2", "1", "deals", []), ABSENT),
    (lambda led: led.heartbeat("r2"), ABSENT),
    (lambda led: led.end_run("r2"), ABSENT),
    (lambda led: led.keep("r2", 5.0), ABSENT),
    (lambda led: led.share("r2", "x", 1), ABSENT),
]


@pytest.mark.parametrize(("step", "text"), IMPOSSIBLE)
def test_a_step_that_cannot_be_is_refused(ledger: Ledger, step: Callable[[Ledger], None], text: str) -> None:
    ledger.intend("r1", "1", "deals", [(0, "made"), (1, "new")])
    ledger.sent("r1", ["made"])
    ledger.known("r1", [("made", "901")])
    before = ledger.runs(), ledger.live("r1")
    with pytest.raises(LedgerError, match=f"^{re.escape(text.format(path=ledger.path))}$"):
        step(ledger)
    assert (ledger.runs(), ledger.live("r1")) == before


def test_a_step_is_taken_for_all_records_or_for_none(ledger: Ledger) -> None:
    ledger.intend("r1", "1", "deals", [(0, "a"), (1, "b")])
    ledger.sent("r1", ["a"])
    with pytest.raises(LedgerError):
        ledger.known("r1", [("a", "901"), ("b", "902")])
    assert [(entry.key, entry.state, entry.id) for entry in ledger.live("r1")] == [("a", State.SENT, None)]


def test_what_stands_in_the_ledger_explains_a_record(ledger: Ledger) -> None:
    ledger.intend("r1", "1", "deals", [(0, "k")])
    ledger.sent("r1", ["k"])
    ledger.known("r1", [("k", "901")])
    by_id = ledger.explains("hubspot", "77", "deals", id="901")
    assert by_id is not None and by_id.key == "k"
    assert ledger.explains("hubspot", "77", "deals", key="k") == by_id
    assert ledger.explains("hubspot", "77", "contacts", id="901") is None
    assert ledger.explains("hubspot", "78", "deals", id="901") is None
    assert ledger.explains("pipedrive", "77", "deals", id="901") is None
    assert ledger.explains("hubspot", "77", "deals", id="902") is None
    assert ledger.explains("hubspot", "77", "deals") is None


# -- runs ----------------------------------------------------------------------------------------
def test_runs_are_listed_with_what_they_hold(ledger: Ledger, clock: Clock) -> None:
    newer = make_run("r2", portal_id="78", started_at=2000.0, ephemeral=True)
    ledger.open_run(newer)
    ledger.intend("r1", "1", "deals", [(0, "a"), (1, "b"), (2, "c")])
    ledger.sent("r1", ["a", "b"])
    ledger.known("r1", [("a", "901"), ("b", "902")])
    ledger.adopt("r1", "1", "notes", "5")
    ledger.gone("r1", ["b"])
    second, first = ledger.runs()
    assert second.run == newer
    assert (second.counts, second.live) == ({}, 0)
    assert first.run == make_run()
    assert first.counts == {
        "deals": {State.INTENDED: 1, State.KNOWN: 1, State.GONE: 1},
        "notes": {State.KNOWN: 1},
    }
    assert first.live == 2


def test_a_run_is_found_by_its_id(ledger: Ledger) -> None:
    assert ledger.run("r1") == make_run()
    with pytest.raises(UnknownName) as caught:
        ledger.run("r11")
    text = f"unknown run 'r11' in the ledger {ledger.path}; did you mean 'r1'? Valid: r1."
    assert str(caught.value) == text


def test_a_sign_of_life_moves_the_expiry(ledger: Ledger, clock: Clock) -> None:
    clock.now = 1600.0
    ledger.heartbeat("r1")
    run = ledger.run("r1")
    assert (run.heartbeat_at, run.expires_at) == (1600.0, 8800.0)
    clock.now = 1500.0  # another worker's clock was read earlier
    ledger.heartbeat("r1")
    assert ledger.run("r1") == run


def test_a_run_ends_when_all_workers_have_left(ledger: Ledger, clock: Clock) -> None:
    ledger.open_run(make_run(worker="gw1", heartbeat_at=1200.0, expires_at=8400.0))
    clock.now = 1300.0
    ledger.end_run("r1")
    run = ledger.run("r1")
    assert (run.ended_at, run.worker, run.heartbeat_at, run.expires_at) == (None, "gw0", 1200.0, 8400.0)
    clock.now = 1400.0
    ledger.end_run("r1")
    assert ledger.run("r1").ended_at == 1400.0
    clock.now = 1500.0
    ledger.end_run("r1")
    assert ledger.run("r1").ended_at == 1400.0


def test_an_ended_run_makes_nothing_more_but_is_cleaned(ledger: Ledger) -> None:
    ledger.intend("r1", "1", "deals", [(0, "k"), (1, "l")])
    ledger.sent("r1", ["k"])
    ledger.known("r1", [("k", "901")])
    ledger.end_run("r1")
    text = r"^run r1 has ended; nothing is made in it any more\.$"
    steps: list[Callable[[], None]] = [
        lambda: ledger.intend("r1", "1", "deals", [(2, "m")]),
        lambda: ledger.sent("r1", ["l"]),
        lambda: ledger.adopt("r1", "1", "deals", "7"),
    ]
    for step in steps:
        with pytest.raises(LedgerError, match=text):
            step()
    # What the portal made for its records is found when they are cleaned, and cleaned with them.
    ledger.made_by_portal("r1", "1", "companies", "8")
    ledger.made_by_portal("r1", "1", "companies", "8")
    (made,) = [entry for entry in ledger.live("r1") if entry.key is None]
    assert (made.object_type, made.id, made.index, made.state) == ("companies", "8", None, State.KNOWN)
    ledger.gone("r1", ["k", made])
    assert ledger.live("r1") == []
    ledger.open_run(make_run())
    ledger.sent("r1", ["l"])
    assert ledger.run("r1").ended_at is None


def test_a_run_belongs_to_one_portal(ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as caught:
        ledger.open_run(make_run(portal_id="78"))
    assert str(caught.value) == (
        "run r1 belongs to hubspot portal 77, not to hubspot portal 78. Give each portal a run of its own."
    )


def test_runs_and_seeds_are_kept(ledger: Ledger) -> None:
    ledger.adopt("r1", "1", "deals", "5")
    ledger.adopt("r1", "2", "deals", "6")
    ledger.keep("r1", 5000.0, seed="2")
    assert [(e.seed, e.kept_until) for e in ledger.live("r1")] == [("2", 5000.0), ("1", None)]
    assert ledger.run("r1").kept_until is None
    ledger.keep("r1", 4000.0)
    assert [(e.seed, e.kept_until) for e in ledger.live("r1")] == [("2", 5000.0), ("1", 4000.0)]
    assert ledger.run("r1").kept_until == 4000.0


def test_only_finished_runs_without_records_are_forgotten(ledger: Ledger, clock: Clock) -> None:
    ledger.open_run(make_run("left", expires_at=1000.0))
    ledger.adopt("left", "1", "deals", "5")
    ledger.open_run(make_run("ephemeral", expires_at=1000.0, ephemeral=True))
    ledger.adopt("ephemeral", "1", "deals", "5")
    ledger.keep("ephemeral", 9000.0, seed="1")
    ledger.share("ephemeral", "x", 1)
    ledger.open_run(make_run("clean", expires_at=1000.0))
    ledger.adopt("clean", "1", "deals", "5")
    ledger.gone("clean", ledger.live("clean"))
    ledger.open_run(make_run("recent", expires_at=1001.0))
    clock.now = 1000.5 + 3 * DAY
    assert ledger.prune(3) == 2
    assert {summary.run.run_id for summary in ledger.runs()} == {"r1", "left", "recent"}
    assert ledger.live("ephemeral") == []
    assert ledger.shared("ephemeral", "x") is None


def test_workers_of_a_run_share_json(ledger: Ledger, clock: Clock) -> None:
    with Ledger(ledger.path, clock=clock) as other:
        assert other.shared("r1", "session") is None
        ledger.share("r1", "session", {"deals": [["901", {"a": None}]], "ü": 1.5})
        assert other.shared("r1", "session") == {"deals": [["901", {"a": None}]], "ü": 1.5}
        other.share("r1", "session", [])
        assert ledger.shared("r1", "session") == []
        assert ledger.shared("r1", "another") is None


# -- files, threads, processes -------------------------------------------------------------------
def test_a_new_folder_of_ours_keeps_itself_out_of_version_control(tmp_path: Path) -> None:
    path = tmp_path / "project" / ".crmseed" / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.open_run(make_run())
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.glob("ledger.sqlite*")}
    assert (path.parent / ".gitignore").read_text("utf-8") == "*\n"
    assert modes == {"ledger.sqlite": 0o600, "ledger.sqlite-wal": 0o600, "ledger.sqlite-shm": 0o600}


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".crmseed").mkdir()
    Ledger(tmp_path / ".crmseed" / "ledger.sqlite").close()
    Ledger(tmp_path / "elsewhere" / "ledger.sqlite").close()
    assert not (tmp_path / ".crmseed" / ".gitignore").exists()
    assert not (tmp_path / "elsewhere" / ".gitignore").exists()


def test_what_was_written_is_there_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    code = """
import os, sys
from pytest_crmseed.ingest.ledger import Ledger, Run
ledger = Ledger(sys.argv[1])
ledger.open_run(Run("r1", "hubspot", "77", "sandbox", "", 1, "box", "", 1.0, 1.0, 2.0))
ledger.intend("r1", "1", "deals", [(0, "k")])
ledger.sent("r1", ["k"])
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code, str(path)], env=environment()).returncode == 9
    with Ledger(path) as ledger:
        assert [(e.key, e.state) for e in ledger.live("r1")] == [("k", State.SENT)]


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 0)])
def test_durable_means_synchronous(tmp_path: Path, durable: bool, level: int) -> None:
    with Ledger(tmp_path / "l.sqlite", durable=durable) as ledger, ledger._database.read() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (level,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_several_processes_write_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / ".crmseed" / "ledger.sqlite"
    code = """
import sys
from pytest_crmseed.ingest.ledger import Ledger, Run
path, worker = sys.argv[1:]
with Ledger(path) as ledger:
    ledger.open_run(Run("r1", "hubspot", "77", "sandbox", "", 1, "box", worker, 1.0, 1.0, 2.0))
    for number in range(10):
        keys = [f"{worker}-{number}-{index}" for index in range(5)]
        ledger.intend("r1", worker, "deals", list(enumerate(keys)))
        ledger.sent("r1", keys)
        ledger.known("r1", [(key, "id-" + key) for key in keys])
    ledger.end_run("r1")
"""
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), f"gw{n}"], env=environment())
        for n in range(3)
    ]
    assert [worker.wait(120) for worker in workers] == [0, 0, 0]
    with Ledger(path) as ledger:
        entries = ledger.live("r1")
        assert len(entries) == 150
        assert len({entry.order for entry in entries}) == 150
        assert all(entry.id == f"id-{entry.key}" for entry in entries)
        assert ledger.run("r1").ended_at is not None


def test_several_threads_write_one_ledger(ledger: Ledger) -> None:
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(10):
                keys = [f"{worker}-{number}-{index}" for index in range(3)]
                ledger.intend("r1", str(worker), "deals", list(enumerate(keys)))
                ledger.sent("r1", keys)
                ledger.known("r1", [(key, key) for key in keys])
                ledger.live("r1", str(worker))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    entries = ledger.live("r1")
    assert len(entries) == len({entry.order for entry in entries}) == 120


REMEDY = (
    "move it away and start a new one; "
    "what it knew of is left in the portal, where records of ours carry a crmseed_key."
)


def test_a_ledger_of_the_format_before_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with Ledger(path) as ledger:
        ledger.open_run(make_run("run1"))
        ledger.intend("run1", "1", "deals", [(0, "k0"), (1, "k1")])
        ledger.sent("run1", ["k0", "k1"])
        ledger.known("run1", [("k0", "100")])
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE entries DROP COLUMN locator")
        db.execute("PRAGMA user_version = 1")
    with Ledger(path) as ledger:
        assert [(e.key, e.id, e.state, e.locator) for e in ledger.live("run1")] == [
            ("k1", None, State.SENT, None),
            ("k0", "100", State.KNOWN, None),
        ]
        ledger.sent("run1", ["k1"], {"k1": "found by this"})
        assert ledger.by_keys("run1", ["k1"])["k1"].locator == "found by this"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_newer_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    Ledger(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    assert str(caught.value) == (
        f"the ledger {path} has format 7, and this version of pytest-crmseed reads format 2. "
        f"Use the version of pytest-crmseed that wrote it, or {REMEDY}"
    )


@pytest.mark.parametrize("content", [b"this is no database, but a text of some length\n" * 100, None])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "l.sqlite"
    if content is None:
        with Ledger(path) as ledger:
            ledger.open_run(make_run())
        content = path.read_bytes()
        content = content[:100] + b"\xff" * (len(content) - 100)
    path.write_bytes(content)
    with pytest.raises(LedgerError) as caught, Ledger(path) as ledger:
        ledger.runs()
    assert re.fullmatch(
        rf"the ledger {re.escape(str(path))} is damaged, or no SQLite database \(.+\)\. "
        rf"{re.escape(REMEDY[0].upper() + REMEDY[1:])}",
        str(caught.value),
    )
    assert path.read_bytes() == content


def test_another_programs_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    assert (
        str(caught.value)
        == f"the ledger {path} is an SQLite database, but of another program. Choose another path."
    )
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "l.sqlite"
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    assert str(caught.value) == (
        f"the ledger {path} cannot be written: File exists. Choose a path in a folder that can be written to."
    )


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger(tmp_path)
    assert str(caught.value) == (
        f"the ledger {tmp_path} cannot be written: Is a directory. "
        "Choose a path in a folder that can be written to."
    )


def test_a_locked_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with Ledger(path, busy_timeout=0.0) as ledger:
        ledger.open_run(make_run())
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError) as caught:
            ledger.heartbeat("r1")
        holder.execute("ROLLBACK")
        holder.close()
        assert str(caught.value) == (
            f"the ledger {path} is locked by another process (waited 0 s). "
            "End the process that holds it, or choose another path."
        )
        ledger.heartbeat("r1")


def test_a_full_disk_leaves_the_ledger_usable(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.open_run(make_run())
        with ledger._database.write() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError) as caught:
            ledger.intend("r1", "1", "deals", [(n, f"key-{n}") for n in range(2000)])
        assert str(caught.value) == (
            f"the ledger {ledger.path} cannot be written (database or disk is full). "
            "Choose a path in a folder that can be written to, with room left."
        )
        assert ledger.runs()[0].counts == {}
        with ledger._database.write() as db:
            db.execute(f"PRAGMA max_page_count = {pages + 1000}")
        ledger.intend("r1", "1", "deals", [(0, "key-0")])
        assert ledger.runs()[0].counts == {"deals": {State.INTENDED: 1}}


def test_a_twin_is_live_until_it_is_gone_and_its_key_s_record_stays(tmp_path: Path) -> None:
    """A request that was carried out twice where nothing keeps keys unique."""
    with Ledger(tmp_path / "ledger.sqlite", durable=False) as ledger:
        ledger.open_run(Run("r", "odoo", "db", "sandbox", "", 1, "box", "", 1.0, 1.0, 2.0))
        ledger.intend("r", "1", "deals", [(0, "k0")])
        ledger.sent("r", ["k0"])
        ledger.known("r", [("k0", "11")])
        ledger.end_run("r")
        twin = ledger.twin("r", "k0", "12")
        assert ledger.twin("r", "k0", "12") == twin
        assert (twin.seed, twin.object_type, twin.index, twin.key, twin.id) == ("1", "deals", 0, None, "12")
        assert [entry.id for entry in ledger.live("r")] == ["12", "11"]
        ledger.gone("r", [twin])
        assert [entry.id for entry in ledger.live("r")] == ["11"]
        with pytest.raises(LedgerError, match="run r has no record of key k1 in the ledger"):
            ledger.twin("r", "k1", "13")
