"""The error of a seed that failed: which records, which fields, which values, in the API's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_crmseed.errors import Conflict, PortalError, RecordsRefused, UsageError, VerificationFailed
from pytest_crmseed.ingest.cleaner import CleanupResult
from pytest_crmseed.ingest.inserter import NOT_SENT, Inserted
from pytest_crmseed.ingest.ledger import Ledger, State
from pytest_crmseed.records import RecordResult, Refusal
from pytest_crmseed.schema.tables import shown
from pytest_crmseed.seeder.errorfile import ErrorFile, suggestion_for
from pytest_crmseed.seeder.target import Target
from pytest_crmseed.suggest import valid_names

# So many different refusals are spelled out; the rest is counted, and stands in the error file.
SPELLED_OUT = 3

Homes = Mapping[str, Mapping[str, str]]
"""By object type, the neutral name of each native field that has one."""


class Failure:
    """Turns what became of a failed seed's drafts into one error, and writes the error file."""

    def __init__(self, target: Target, ledger: Ledger, run_id: str, errors: ErrorFile | None) -> None:
        self._target = target
        self._ledger = ledger
        self._run_id = run_id
        self._errors = errors

    def error(self, inserted: Inserted, what: str, test: str) -> PortalError | RecordsRefused:
        """Return the error of a seed that failed; ``what`` says what became of its records.

        Refused records are written to the error file, with the id of the test.
        """
        refused = self._with_allowed(sent_and_refused(inserted.refused))
        where = self._write_errors(refused, test, inserted.failure)
        head = f"{self._target.provider.title} refused {_counted(refused)}."
        text = report(head, refused, self._homes(refused)) if refused else ""
        if inserted.failure is not None:
            error = inserted.failure
            if refused:
                error.message = f"{error.message}\n{text}\n"
            error.remedy = " ".join(part for part in (error.remedy, what, where) if part)
            return error
        return self._refused(text, refused, [what, where])

    def unverified(self, wrong: Sequence[RecordResult], what: str, test: str) -> VerificationFailed:
        """Return the error of a seed that the portal took and does not hold as it was sent."""
        where = self._write_errors(wrong, test)
        head = f"{self._target.provider.title} does not hold {_counted(wrong)} as sent."
        text = report(head, wrong, self._homes(wrong))
        return VerificationFailed(text + "\n", wrong, remedy=" ".join(x for x in (what, where) if x))

    def _with_allowed(self, refused: Sequence[RecordResult]) -> list[RecordResult]:
        """Add the allowed values of a field where the schema lists them and the API did not."""
        translator = self._target.translator

        def completed(result: RecordResult, refusal: Refusal) -> Refusal:
            if refusal.field and refusal.value is None and not refusal.of_batch:
                refusal = replace(refusal, value=result.draft.values.get(refusal.field))
            fields = translator.object_type(result.draft.object_type).fields
            definition = fields.get(refusal.field or "")
            if definition is None or refusal.allowed or refusal.conflict:
                return refusal
            visible = tuple(option.value for option in definition.options if not option.hidden)
            return replace(refusal, allowed=visible)

        return [replace(r, refusals=tuple(completed(r, x) for x in r.refusals)) for r in refused]

    def _refused(self, text: str, refused: Sequence[RecordResult], sentences: list[str]) -> RecordsRefused:
        kind = RecordsRefused
        conflicts = [
            (result.draft.object_type, refusal.existing_id)
            for result in refused
            for refusal in result.refusals
            if refusal.conflict
        ]
        if conflicts:
            ours = [self._explained(object_type, record_id) for object_type, record_id in conflicts]
            if all(ours):
                sentences.insert(1, f"The value is held by {ours[0]}; give another one.")
            else:
                kind = Conflict
                sentences.insert(
                    1, "A record that this run did not make holds the value; it was not touched."
                )
        return kind(text + "\n", refused, remedy=" ".join(sentence for sentence in sentences if sentence))

    def _explained(self, object_type: str, record_id: str | None) -> str:
        """Return which record of our ledger an id is, or "" for a stranger's."""
        if record_id is None:
            return ""
        provider, portal_id = self._target.provider.name, self._target.account.portal_id
        entry = self._ledger.explains(provider, portal_id, object_type, id=record_id)
        if entry is None or entry.key is None:
            return ""
        deleted = ", which was deleted already" if entry.state is State.GONE else ""
        return (
            f"{object_type}[{entry.index}] (id {record_id}) of seed {entry.seed} of run {entry.run_id}"
            f"{deleted}"
        )

    def _write_errors(
        self, refused: Sequence[RecordResult], test: str, failure: PortalError | None = None
    ) -> str:
        """Write refused records to the error file; return where they stand, or why they do not."""
        if self._errors is None or not (refused or (failure and failure.body)):
            return ""
        homes = self._homes(refused)
        redact = self._target.connection.transport.redactor.text
        provider = self._target.provider.name
        try:
            if failure is not None and failure.body:
                self._errors.write_failure(
                    failure, provider=provider, run_id=self._run_id, test=test, redact=redact
                )
            for result in refused:
                self._errors.write(
                    result,
                    provider=provider,
                    run_id=self._run_id,
                    test=test,
                    homes=homes[result.draft.object_type],
                    redact=redact,
                )
        except UsageError as error:
            return f"What was sent is not written down: {error}"
        return f"{'All of them' if refused else 'The answer'}: {self._errors.path}."

    def _homes(self, refused: Sequence[RecordResult]) -> dict[str, dict[str, str]]:
        legends = self._target.provider.legend.objects
        homes: dict[str, dict[str, str]] = {}
        for name in {result.draft.object_type for result in refused}:
            fields = legends[name].fields if name in legends else {}
            homes[name] = {home.native: neutral for neutral, home in fields.items()}
        return homes


def undone(result: CleanupResult, run_id: str) -> str:
    """Return the sentence on a seed that was undone."""
    if result.complete:
        if result.removed:
            return f"The seed was undone: {result.removed} records removed."
        return "Nothing was left in the portal."
    return (
        f"Undoing left {len(result.left)} records in the portal ({'; '.join(result.errors)}); remove them "
        f"with `crmseed cleanup --run {run_id}`."
    )


def sent_and_refused(refused: Sequence[RecordResult]) -> list[RecordResult]:
    """Return the results that the portal itself refused, without those never sent because of them."""
    return [
        result
        for result in refused
        if result.refusals and all(refusal.code != NOT_SENT for refusal in result.refusals)
    ]


def report(head: str, refused: Sequence[RecordResult], homes: Homes) -> str:
    """Return the text on refused records: the head, then each different refusal once."""
    groups: dict[tuple[object, ...], list[RecordResult]] = {}
    for result in refused:
        alike = [(refusal.field, refusal.message, refusal.code) for refusal in result.refusals]
        groups.setdefault((result.draft.object_type, *alike), []).append(result)
    lines = [_line(group, homes) for group in list(groups.values())[:SPELLED_OUT]]
    rest = len(groups) - len(lines)
    if rest > 0:
        lines.append(f"and {rest} more refusals")
    return head + "".join(f"\n  {line}" for line in lines)


def _counted(results: Sequence[RecordResult]) -> str:
    counts = Counter(result.draft.object_type for result in results)
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def _line(group: Sequence[RecordResult], homes: Homes) -> str:
    return "; ".join(_part(group, refusal, homes) for refusal in group[0].refusals)


def _part(group: Sequence[RecordResult], refusal: Refusal, homes: Homes) -> str:
    draft = group[0].draft
    where = f"{draft.object_type}[{draft.index}]"
    if refusal.of_batch:
        where = f"one of {len(group)} {draft.object_type} from {where} on"
    if refusal.field:
        native = refusal.field
        neutral = homes.get(draft.object_type, {}).get(native)
        joint = ", " if refusal.of_batch else "."
        where += f"{joint}{neutral} ({native})" if neutral and neutral != native else f"{joint}{native}"
        value = refusal.value
        if value is None and not refusal.of_batch:
            value = draft.values.get(native)
        if value is not None:
            where += f" = {shown(value)}"
    more = f" (and {len(group) - 1} more)" if len(group) > 1 and not refusal.of_batch else ""
    code = f" [{refusal.code}]" if refusal.code else ""
    # Said once: most APIs list the allowed values in their message.
    unsaid = refusal.allowed and not all(value in refusal.message for value in refusal.allowed[:3])
    allowed = valid_names(refusal.allowed, "Allowed") if unsaid else ""
    near = suggestion_for(refusal)
    hint = f" Did you mean {near!r}?" if near else ""
    return f"{where}{more}: {refusal.message}{code}{allowed}{hint}"
