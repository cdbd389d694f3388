"""What of a plan only the portal can judge, in words, once for the whole plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_crmseed.records import Draft
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Field, Kind
from pytest_crmseed.schema.validate import compiled

# So many names are listed of one kind; the rest is counted.
_LISTED = 6


def unchecked(
    translator: Translator, drafts: Mapping[str, Sequence[Draft]], *, admin_rules: bool = False
) -> Iterator[str]:
    """Yield a sentence for each thing that the schema cannot tell of these records."""
    fields, values, owners, taken, patterns = _found(translator, drafts)
    schema = translator.schema
    whose = f"the {schema.source} schema"
    if fields:
        yield f"{_names(fields)}: not in {whose}; sent as given"
    if values:
        yield f"{_names(values)}: no option of {whose}; sent as given"
    if owners:
        yield f"{_names(owners)}: {whose} names no owners"
    if patterns:
        yield f"{_names(patterns)}: the portal's pattern is not one that Python reads"
    if taken:
        yield f"{_names(taken)}: whether a record that is there already has the value"
    if admin_rules:
        yield "fields that the portal's administrators require under conditions"


def _found(
    translator: Translator, drafts: Mapping[str, Sequence[Draft]]
) -> tuple[dict[str, None], dict[str, None], dict[str, None], dict[str, None], dict[str, None]]:
    fields: dict[str, None] = {}
    values: dict[str, None] = {}
    owners: dict[str, None] = {}
    taken: dict[str, None] = {}
    patterns: dict[str, None] = {}
    for name, records in drafts.items():
        known = translator.object_type(name).fields
        spelled = translator.spellings(name)
        used: dict[str, set[str]] = {}
        for draft in records:
            for native, value in draft.values.items():
                used.setdefault(native, set()).add(str(value))
        for native, given in used.items():
            where = f"{name}.{spelled.get(native, native)}"
            definition = known.get(native)
            if definition is None:
                fields[where] = None
                continue
            if definition.external == "owners" and not definition.options:
                owners[where] = None
            for value in _strange(definition, given):
                values[f"{where}={value!r}"] = None
            if definition.unique:
                taken[where] = None
            if definition.pattern and compiled(definition.pattern) is None:
                patterns[where] = None
    return fields, values, owners, taken, patterns


def _strange(definition: Field, given: Iterable[str]) -> list[str]:
    if definition.kind is not Kind.OPTION or not definition.options:
        return []
    return sorted(set(given) - {option.value for option in definition.options})


def _names(found: Mapping[str, None]) -> str:
    names = list(found)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
