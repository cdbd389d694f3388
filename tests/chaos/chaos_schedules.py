"""Schedules: what goes wrong in one cycle of seeding, testing and cleaning, and whether it can be survived.

A schedule is drawn by a function that chooses, so that a generator of random numbers and hypothesis
draw the same ones. Its ``repr`` is Python, to be pasted into a test.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")

Step = Literal["create", "read", "archive", "any"]
Phase = Literal["seed", "clean"]

# What the client promises to survive, each in one phase: see RetryPolicy, ROUNDS in ingest/making.py,
# READ_TIMEOUT in ingest/transport.py, PATIENCE in seeder/seeder.py, and HubSpot's settle_seconds.
ATTEMPTS = 4
ROUNDS = 3
UNREACHABLE = 2
SECONDS = 100.0
DELETED_IN_PART = 1
READ_TIMEOUT = 60.0
SETTLE = 5.0

UNREACHABLE_FAULT = "unreachable"
"""None of the portal's faults: no connection is made."""
INTERRUPT_FAULT = "interrupt"
"""None of the portal's, either: Ctrl-C after a request was carried out, before its answer is read."""

COUNTS: Sequence[Mapping[str, int]] = (
    {"contacts": 3},
    {"deals": 2},
    {"companies": 2, "contacts": 3},
    {"companies": 1, "deals": 3},
    {"contacts": 2, "tickets": 2},
    {"products": 2, "line_items": 2},
    {"companies": 2, "notes": 2},
)
"""What is seeded: three to eight records of two to four object types, parents included."""

# Contacts and companies are parents of nearly everything.
_EVERY = ("contacts", "companies")


@dataclass(frozen=True)
class Order:
    """A fault to be ordered: its kind and parameters, and which requests it strikes.

    ``step`` is what the request does, ``phase`` when it is ordered; ``times`` None is always.
    """

    kind: str
    step: Step = "any"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    phase: Phase = "seed"
    object_type: str | None = None
    times: int | None = 1
    after: int = 0


@dataclass(frozen=True)
class Schedule:
    """One cycle: what is seeded and how, the portal's switches, and the faults.

    ``unique`` says whether the portal keeps our keys unique, ``keyed`` whether it has a field for them at
    all. ``body`` is what the application under test does in between. With ``ledger_lost`` what a failed
    cycle left is swept from another machine, once it has expired.
    """

    counts: Mapping[str, int]
    orders: Sequence[Order] = ()
    unique: bool = True
    verify: str = "presence"
    batch_size: int = 2
    body: Literal["", "deletes one", "makes one"] = ""
    ledger_lost: bool = False
    switches: Mapping[str, Any] = field(default_factory=dict)
    keyed: bool = True

    def __post_init__(self) -> None:
        if self.unique and not self.keyed:
            raise ValueError("a portal without a field for our keys cannot keep them unique")

    @property
    def belated(self) -> bool:
        """Whether a request is carried out so late that only the keys in the portal tell of it."""
        return any(is_belated(order) for order in self.orders)


# -- which schedules the client must survive ---------------------------------------------------------
@dataclass(frozen=True)
class Toll:
    """What a fault takes of what the client promises to survive."""

    attempts: int = 0
    rounds: int = 0
    unreachable: int = 0
    seconds: float = 0.0
    deleted_in_part: int = 0

    def __add__(self, other: Toll) -> Toll:
        return Toll(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def affordable(self) -> bool:
        """Whether it is no more than promised."""
        return (
            self.attempts <= ATTEMPTS
            and self.rounds <= ROUNDS
            and self.unreachable <= UNREACHABLE
            and self.seconds <= SECONDS
            and self.deleted_in_part <= DELETED_IN_PART
        )


def is_belated(order: Order) -> bool:
    """Return whether a fault has a request carried out after the provider's settle time."""
    return order.kind == "commit_late" and (order.parameters.get("seconds") or 0) > SETTLE


def toll(order: Order, *, unique: bool) -> Toll | None:
    """Return what a fault takes; None for one that nothing can be done about."""
    given, step = order.parameters, order.step
    if order.kind == "wrong_content_type":
        return Toll()
    if order.kind == "deliver_twice":
        # Nobody can tell in time, unless the portal keeps our keys unique.
        return Toll() if unique or step in ("read", "archive") else None
    if order.times is None:
        return None
    times = order.times
    # A lost answer: reads and deletions are tried again, creates are looked up and sent again.
    lost = Toll(attempts=times, rounds=times if step in ("create", "any") else 0)
    match order.kind:
        case "throttle" if given.get("policy") != "daily":
            return Toll(attempts=times, seconds=times * (given.get("retry_after") or 2))
        case "lock":
            return Toll(attempts=times, seconds=times * 2)
        case "migrate":
            return Toll(attempts=times, seconds=times * given["retry_after"])
        case "slow":
            waits = Toll(seconds=times * given["seconds"])
            return waits + lost if given["seconds"] > READ_TIMEOUT else waits
        case "fail" if given["status"] == 408 or given["status"] >= 500:
            return lost
        case "commit_late" if is_belated(order):
            # The key keeps the late one out, as long as its twin lives.
            return lost if unique else None
        case "drop_before_commit" | "drop_after_commit" | "cut_body" | "commit_late":
            return lost
        case "html_body" if step == "create":
            return lost
        case "html_body" if step == "archive":
            # Whatever is answered, a read says what is left.
            return Toll() if given.get("status") == 403 else lost
        case "partial" if step == "create" and given["silent"]:
            return lost
        case "partial" if step == "archive":
            return Toll(deleted_in_part=times)
        case "unreachable":
            return Toll(unreachable=times, attempts=times)
    return None


def recoverable(schedule: Schedule) -> bool:
    """Return whether a schedule must end in success, by what the client promises alone."""
    for phase in ("seed", "clean"):
        total = Toll()
        for order in schedule.orders:
            taken = toll(order, unique=schedule.unique)
            if taken is None:
                return False
            if order.phase == phase:
                total += taken
        if not total.affordable:
            return False
    return True


# -- drawing schedules -------------------------------------------------------------------------------
class Choose(Protocol):
    """Chooses one of some; the first is the simplest."""

    def __call__(self, options: Sequence[T], /) -> T: ...


Makes = tuple[str, Sequence[Step], Sequence[Mapping[str, Any]]]

_STEPS: Sequence[Step] = ("create", "any", "read", "archive")
_LIKELY: Mapping[Phase, Sequence[Step]] = {
    # What is removed while seeding is what an undone seed left.
    "seed": ("create", "create", "create", "any", "read", "archive"),
    "clean": ("archive", "archive", "any", "read"),
}

SURVIVED: Sequence[Makes] = (
    ("wrong_content_type", _STEPS, ({}, {"content_type": "text/html"})),
    ("slow", _STEPS, ({"seconds": 2}, {"seconds": 30}, {"seconds": 61})),
    ("throttle", _STEPS, ({}, {"retry_after": 3}, {"policy": "search"})),
    ("lock", _STEPS, ({},)),
    ("migrate", _STEPS, ({"retry_after": 1}, {"retry_after": 5})),
    ("fail", _STEPS, ({"status": 503}, {"status": 500}, {"status": 503, "retry_after": 2})),
    ("fail", _STEPS, ({"status": 502}, {"status": 504}, {"status": 408})),
    ("fail", _STEPS, ({"status": 500, "committed": True}, {"status": 504, "committed": True})),
    ("drop_before_commit", _STEPS, ({},)),
    ("drop_after_commit", _STEPS, ({},)),
    ("cut_body", _STEPS, ({},)),
    ("commit_late", _STEPS, ({}, {"seconds": 1.5}, {"seconds": 5}, {"requests": 3, "seconds": 4})),
    ("deliver_twice", _STEPS, ({},)),
    ("html_body", ("create", "archive"), ({}, {"status": 502}, {"status": 403}, {"status": 404})),
    ("partial", ("create",), ({"rows": [0], "silent": True}, {"rows": [1], "silent": True})),
    ("partial", ("archive",), ({"rows": [0], "silent": False}, {"rows": [0], "silent": True})),
    (UNREACHABLE_FAULT, _STEPS, ({},)),
)
"""Faults of which some can be survived: kind, steps, parameters."""

BELATED_BY = 1800.0

BELATED = Order("commit_late", "create", {"seconds": BELATED_BY})
"""Carried out half an hour later, when the records were removed and their keys are free again."""


@dataclass(frozen=True)
class Fatal:
    """A fault that no client survives, where and how often it strikes; ``None`` is always."""

    kind: str
    phase: Phase
    step: Step
    parameters: Mapping[str, Any] = field(default_factory=dict)
    times: int | None = None


FATAL: Sequence[Fatal] = (
    Fatal("fail", "seed", "create", {"status": 503}),
    Fatal("throttle", "seed", "create"),
    Fatal("lock", "seed", "create"),
    Fatal("drop_before_commit", "seed", "create"),
    Fatal(UNREACHABLE_FAULT, "seed", "create"),
    Fatal("throttle", "seed", "create", {"policy": "daily"}, times=1),
    Fatal("expire_token", "seed", "create", times=1),
    Fatal("expire_token", "seed", "any"),
    Fatal("partial", "seed", "create", {"rows": [0], "silent": False}),
    Fatal(INTERRUPT_FAULT, "seed", "create", times=1),
    Fatal(INTERRUPT_FAULT, "seed", "any", times=1),
    Fatal("fail", "seed", "create", {"status": 400}),
    Fatal("fail", "seed", "create", {"status": 403}, times=1),
    Fatal("fail", "seed", "create", {"status": 409}),
    Fatal("fail", "clean", "archive", {"status": 503}),
    Fatal("fail", "clean", "archive", {"status": 403}),
    Fatal("drop_before_commit", "clean", "any"),
    Fatal("expire_token", "clean", "any"),
    Fatal("throttle", "clean", "archive", {"policy": "daily"}),
    Fatal("partial", "clean", "archive", {"rows": [0], "silent": True}),
    Fatal("fail", "clean", "read", {"status": 500}),
)
FATAL_READS: Sequence[Fatal] = (
    Fatal("fail", "seed", "read", {"status": 502}),
    Fatal("html_body", "seed", "read", {}, times=1),
    Fatal("cut_body", "seed", "read"),
)
"""Those that a seed meets where it reads back what it made."""
FATAL_TWINS: Sequence[Fatal] = (Fatal("deliver_twice", "seed", "create"),)
"""Those that a seed meets where it reads back, too, and the portal does not keep our keys unique."""


def draw(choose: Choose) -> Schedule:
    """Return a schedule; about one of twelve cannot be survived."""
    counts = choose(COUNTS)
    unique = choose((True, False))
    keyed = unique or choose((True, False))
    verify = choose(("presence", "strict", "off"))
    fate = choose((*("",) * 21, "fatal", "fatal", "belated"))
    first: dict[Phase, Sequence[Order]] = {"seed": (), "clean": ()}
    if fate == "fatal":
        fatal = _fatal(choose, unique, verify)
        first[fatal.phase] = (fatal,)
    elif fate == "belated" and unique:
        first["seed"] = (BELATED,)
    orders: list[Order] = []
    for phase, before in first.items():
        # In front: what another fault does to a request would hide it.
        orders += before
        orders += _survived(choose, phase, unique, counts, before)
    body = choose(("", "deletes one", "makes one"))
    switches = _switches(choose)
    # What carries no key of ours is known to the ledger alone.
    traceable = keyed and body != "makes one" and "companies_from_email_domains" not in switches
    return Schedule(
        counts,
        tuple(orders),
        unique,
        verify,
        batch_size=choose((2, 1, 3, 100)),
        body=body,
        ledger_lost=traceable and fate == "fatal" and choose((False, True)),
        switches=switches,
        keyed=keyed,
    )


def drawn(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    source = random.Random(seed)
    return draw(lambda options: options[source.randrange(len(options))])


def _survived(
    choose: Choose, phase: Phase, unique: bool, counts: Mapping[str, int], before: Sequence[Order]
) -> Iterator[Order]:
    total = sum((toll(order, unique=unique) or Toll() for order in before), Toll())
    for _ in range(5):
        # Each by itself, so that a failing schedule loses any of them when it shrinks.
        if not choose((False, True)):
            continue
        kind, steps, parameters = choose(SURVIVED)
        likely = [step for step in _LIKELY[phase] if step in steps]
        if not likely:
            continue
        order = Order(
            kind,
            choose(likely),
            choose(parameters),
            phase,
            choose((None, None, None, None, *_EVERY, *counts)),
            choose((1, 1, 2, 3)),
            choose((0, 0, 1, 2)),
        )
        taken = toll(order, unique=unique)
        if taken is not None and (total + taken).affordable:
            total += taken
            yield order


def _fatal(choose: Choose, unique: bool, verify: str) -> Order:
    reads = FATAL_READS if verify != "off" else ()
    twins = FATAL_TWINS if verify != "off" and not unique else ()
    fatal = choose((*FATAL, *reads, *twins))
    return Order(fatal.kind, fatal.step, fatal.parameters, fatal.phase, times=fatal.times)


def _switches(choose: Choose) -> dict[str, Any]:
    names = [
        "shuffle_results",
        "archived_values_stay_unique",
        "email_clash_as_race",
        "retry_after_on_429",
        "companies_from_email_domains",
    ]
    switches: dict[str, Any] = {name: True for name in names if choose((False, True))}
    if choose((False, True)):
        switches["echo_trace_id"] = False
    if choose((False, True)):
        switches["search_lag"] = 3.0
    return switches
