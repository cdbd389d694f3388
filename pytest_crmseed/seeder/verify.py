"""Read back what was seeded, and compare it with what was sent.

The answer to a create may hold the values as well, and is no proof: it tells what a request did, and
not whether the record is still there, or what rules and workflows of the portal made of it right after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from pytest_crmseed.events import Listener, ValueChanged, ignore
from pytest_crmseed.ingest.finding import Finder, route_of
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.ingest.reading import found_by
from pytest_crmseed.providers.base import Found
from pytest_crmseed.records import RecordResult, Refusal
from pytest_crmseed.schema.legend import Legend
from pytest_crmseed.schema.model import Field, Kind
from pytest_crmseed.seeder.target import Target

ABSENT, DROPPED, CHANGED, TWICE = "ABSENT", "DROPPED", "CHANGED", "TWICE"


class Verifier:
    """Read records back in as few requests as there can be, one for each batch of a read.

    A value is the same whatever its spelling: numbers by number, moments by moment, several options
    in any order, e-mail addresses in any case. What was not sent is not compared. With ``strict`` a
    value that the portal changed is wrong; without, it is told as an event.
    """

    def __init__(
        self,
        target: Target,
        ledger: Ledger,
        run_id: str,
        *,
        strict: bool = False,
        listener: Listener = ignore,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._target = target
        self._ledger = ledger
        self._run_id = run_id
        self._finder = Finder(target.connection, ledger)
        self._strict = strict
        self._listener = listener
        self._sleep = sleep

    def verify(self, results: Sequence[RecordResult]) -> list[RecordResult]:
        """Return what is wrong, record by record, as refusals; the results get the values held now.

        Raises:
            PortalError: the records cannot be read.
        """
        wrong: list[RecordResult] = []
        by_type: dict[str, list[RecordResult]] = {}
        for result in results:
            by_type.setdefault(result.draft.object_type, []).append(result)
        for object_type, group in by_type.items():
            wrong += self._verify_type(object_type, group)
        return wrong

    def _verify_type(self, object_type: str, group: Sequence[RecordResult]) -> list[RecordResult]:
        found = self._read(object_type, group)
        missing = [result for result in group if not found.get(str(result.id))]
        if missing:
            # A read may trail a write for a moment; after the settle time it does not any more.
            self._sleep(self._target.provider.capabilities.settle_seconds)
            found |= self._read(object_type, missing)
        return [
            replace(result, refusals=refusals)
            for result in group
            if (refusals := self._compared(result, found.get(str(result.id), [])))
        ]

    def _read(self, object_type: str, group: Sequence[RecordResult]) -> dict[str, list[Found]]:
        """Return what is found by the id it should have: several where a record was made twice."""
        provider = self._target.provider
        fields = list(dict.fromkeys(f for r in group for f in (*r.draft.values, *r.native)))
        if not route_of(provider, object_type).enforced:
            # Only a look for the key sees a second record.
            entries = self._ledger.by_keys(self._run_id, [result.draft.key for result in group])
            found = self._finder.find(object_type, entries.values(), fields)
            return {str(result.id): found.get(result.draft.key, []) for result in group}
        out: dict[str, list[Found]] = {}
        most = provider.capabilities.read_at_once(object_type)
        for start in range(0, len(group), most):
            request = provider.read(object_type, [str(r.id) for r in group[start : start + most]], fields)
            for record in found_by(request, provider, self._target.connection.send):
                out.setdefault(record.id, []).append(record)
        return out

    def _compared(self, result: RecordResult, found: Sequence[Found]) -> tuple[Refusal, ...]:
        held = next((record for record in found if record.id == result.id), None)
        if held is None:
            return (Refusal("it was made, and is not there when it is read back", code=ABSENT),)
        result.native |= held.native
        result.url = held.url or result.url
        if len(found) > 1:
            return (Refusal(f"the portal has {len(found)} records with its key", code=TWICE),)
        draft = result.draft
        object_type = self._target.translator.object_type(draft.object_type)
        refusals: list[Refusal] = []
        for name, sent in draft.values.items():
            now = held.native.get(name)
            if _empty(sent):
                continue
            if _empty(now):
                refusals.append(Refusal("the portal holds no value there", DROPPED, name, sent))
            elif not same(self._target.provider.legend, object_type.fields.get(name), sent, now):
                if self._strict:
                    refusals.append(Refusal(f"the portal holds {now!r}", CHANGED, name, sent))
                self._tell(result, name, sent, now)
        return tuple(refusals)

    def _tell(self, result: RecordResult, name: str, sent: Any, held: Any) -> None:
        draft = result.draft
        neutral = self._target.translator.neutral_home(draft.object_type, name) or name
        self._listener(
            ValueChanged(draft.object_type, draft.index, str(result.id), neutral, name, sent, held)
        )


def same(legend: Legend, definition: Field | None, sent: Any, held: Any) -> bool:
    """Return whether two wire values of a field mean the same."""
    if sent == held:
        return True
    if definition is None:
        # Not in the schema: 5000 and 5000.00 may still be one number.
        left, right = _number(sent), _number(held)
        return str(sent) == str(held) or (left is not None and left == right)
    if definition.kind is Kind.EMAIL:
        return str(sent).casefold() == str(held).casefold()
    read = legend.from_wire[definition.kind]
    try:
        left, right = read(sent), read(held)
    except (ValueError, ArithmeticError):
        return False
    if definition.kind is Kind.OPTIONS:
        return set(left) == set(right)
    return bool(left == right)


def _empty(value: Any) -> bool:
    return value is None or value == ""


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
