"""Values by a field's definition alone: for required custom fields, and for custom objects.

The values are of the field's kind, among its options, within its bounds and lengths, they match its
pattern, and are unique where the schema says so. What they mean nobody here knows.
"""

# mypy: disallow-untyped-calls=False
# (factory_boy comes with py.typed, yet few of its functions have types.)

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.factories import places, slugs, texts, words
from pytest_crmseed.factories.computed import Derived, Given, Input
from pytest_crmseed.factories.declarations import (
    DateBetween,
    DecimalBetween,
    Drawn,
    IntegerBetween,
    Pick,
)
from pytest_crmseed.factories.moments import working_time
from pytest_crmseed.factories.patterns import Node, Unmatchable, texts_of
from pytest_crmseed.factories.streams import BITS, Generation, below, split
from pytest_crmseed.schema.model import Field, Kind, ObjectType

_NUMBER, _INDEX = Given.NUMBER, Given.INDEX
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"

# So many values of a unique field are enough for any seed, and for seeds side by side.
_PLENTY = 10**12
# Numbers without bounds run so far from the one bound, or from 1.
_SPAN = 999
# Options of a field that takes several: at most so many for a record.
_MOST_OPTIONS = 3
_SENTENCES = tuple(texts.NOTES.values())
# A text that is at least this long is made of sentences.
_LONG = 80
# Characters of a unique text besides the unique tag: an index, and what parts it from the tag.
_SHORT = 12


def fill(field: Field, object_type: ObjectType, *, pipeline_field: str = "") -> Any:
    """Return a declaration of values for a field of an object type.

    A stage follows from the value of ``pipeline_field``, if the record has such a field.

    Raises:
        UsageError: no value can be made up; the text names the field, and says why.
    """
    if field.external is not None:
        return _external(field, object_type, pipeline_field)
    made = _MAKERS.get(field.kind)
    if made is None:
        raise _cannot(field, object_type, f"it holds a value of kind {field.kind.value}")
    return made(field, object_type)


def _cannot(field: Field, object_type: ObjectType, why: str) -> UsageError:
    return UsageError(
        f"no value can be made up for {object_type.name}.{field.name}: {why}.",
        remedy=f"Give one, as in count(n, native={{{field.name!r}: …}}), or use a factory that has it.",
    )


# -- texts ---------------------------------------------------------------------------------------
def _text(field: Field, object_type: ObjectType) -> Any:
    if field.pattern:
        return _matching(field, object_type)
    if field.unique:
        return _unique_text(field, object_type)
    if field.name == object_type.display_field:
        what = object_type.singular or object_type.label or object_type.name
        return Derived(_named(field, what), _INDEX)
    long = field.kind is Kind.TEXT or (field.min_length or 0) >= _LONG
    return Pick([_fitted(text, field) for text in (_SENTENCES if long else words.COMPANY_WORDS)])


def _named(field: Field, what: str) -> Callable[[Generation], Callable[[int], str]]:
    def prepare(about: Generation) -> Callable[[int], str]:
        def value(index: int) -> str:
            number = f" {index + 1}"
            most = field.max_length
            start = what if most is None else what[: max(0, most - len(number))]
            return _fitted(start + number, field)

        return value

    return prepare


def _fitted(text: str, field: Field) -> str:
    """Return a text that is neither too short nor too long."""
    least = max(1, field.min_length or 0)
    long_enough = text if len(text) >= least else (f"{text} " * math.ceil(least / (len(text) + 1)))
    most = field.max_length
    cut = long_enough if most is None else long_enough[:most]
    # Portals trim texts; what is trimmed may be too short then.
    return cut if len(cut.strip()) == len(cut) else cut.rstrip().ljust(least, "x")


def _matching(field: Field, object_type: ObjectType) -> Derived:
    least = max(1, field.min_length or 0)
    try:
        node = texts_of(field.pattern, least, field.max_length, one_case=field.unique)
    except Unmatchable as unmatchable:
        raise _cannot(field, object_type, f"its pattern is {field.pattern}, and {unmatchable}") from None
    if field.unique:
        return Derived(_counter(node.size, field, object_type, node.text), _INDEX)
    return Derived(_of_pattern(node), _NUMBER)


def _of_pattern(node: Node) -> Callable[[Generation], Callable[[int], str]]:
    if node.size <= 1 << BITS:
        return lambda about: lambda number: node.text(below(number, node.size))
    octets = node.size.bit_length() // 8 + 8

    def stretched(number: int) -> str:
        # One number of the stream tells fewer texts apart than there are.
        more = hashlib.shake_128(number.to_bytes(BITS // 8, "little")).digest(octets)
        return node.text(int.from_bytes(more, "little") * node.size >> 8 * octets)

    return lambda about: stretched


def _unique_text(field: Field, object_type: ObjectType) -> Derived:
    most = field.max_length
    slug = slugs.label(field.name, "", "en_US", instead="value")
    length = max(1, field.min_length or 0, min(most or _SHORT, _SHORT))
    counted = _counter(len(_ALPHABET) ** length, field, object_type, lambda rank: _digits(rank, length))

    def prepare(about: Generation) -> Callable[[int], str]:
        tag = f"-{about.unique_tag}" if about.unique_tag else ""
        if most is not None and most < len(tag) + _SHORT:
            # No room for the tag: it says where to count from.
            return counted(about)

        def value(index: int) -> str:
            end = f"-{index}{tag}"
            start = slug if most is None else slug[: max(0, most - len(end))].rstrip("-")
            return (start + end).strip("-").rjust(field.min_length or 0, "x")

        return value

    return Derived(prepare, _INDEX)


def _digits(rank: int, length: int) -> str:
    digits = []
    for _ in range(length):
        rank, digit = divmod(rank, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _counter(
    size: int, field: Field, object_type: ObjectType, value_of: Callable[[int], Any]
) -> Callable[[Generation], Callable[[int], Any]]:
    """Return what prepares unique values that are counted, from a place that the unique tag says."""

    def prepare(about: Generation) -> Callable[[int], Any]:
        tag = hashlib.blake2b(about.unique_tag.encode("ascii"), digest_size=16).digest()
        start = int.from_bytes(tag, "little") % size if about.unique_tag else 0

        def value(index: int) -> Any:
            if index >= size:
                raise _cannot(field, object_type, f"it is unique, and has only {size} values")
            return value_of((start + index) % size)

        return value

    return prepare


# -- addresses -----------------------------------------------------------------------------------
def _email(field: Field, object_type: ObjectType) -> Derived:
    slug = slugs.label(field.name, "", "en_US", instead="mail")

    def prepare(about: Generation) -> Callable[[int], str]:
        domain = about.tagged_domain if field.unique else about.email_domain
        return lambda index: _checked(f"{slug}{index}@{domain}", field, object_type)

    return Derived(prepare, _INDEX)


def _url(field: Field, object_type: ObjectType) -> Derived:
    slug = slugs.label(field.name, "", "en_US", instead="page")

    def prepare(about: Generation) -> Callable[[int], str]:
        domain = about.tagged_domain if field.unique else about.email_domain
        return lambda index: _checked(f"https://www.{domain}/{slug}/{index}", field, object_type)

    return Derived(prepare, _INDEX)


def _phone(field: Field, object_type: ObjectType) -> Any:
    if field.unique:
        raise _cannot(field, object_type, "it is a unique phone number, and few are kept for fiction")

    def prepare(about: Generation) -> Callable[[int], str]:
        phone = places.phone_in(about.locale, "phone")
        return lambda number: _checked(phone(None, number), field, object_type)

    return Derived(prepare, _NUMBER)


def _checked(text: str, field: Field, object_type: ObjectType) -> str:
    """Return a text that cannot be cut or padded, if it is as the field wants it."""
    least, most = field.min_length or 0, field.max_length
    if len(text) < least or (most is not None and len(text) > most):
        raise _cannot(field, object_type, f"{text!r} has not the length it takes")
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise _cannot(field, object_type, f"{text!r} does not match its pattern {field.pattern}")
    return text


# -- numbers -------------------------------------------------------------------------------------
def _bounds(field: Field, span: int) -> tuple[Decimal, Decimal]:
    low = None if field.minimum is None else Decimal(field.minimum)
    high = None if field.maximum is None else Decimal(field.maximum)
    if low is None:
        low = Decimal(1) if high is None or high >= 1 else high - span
    return low, (low + span if high is None else high)


def _integer(field: Field, object_type: ObjectType) -> Any:
    low, high = _bounds(field, _PLENTY if field.unique else _SPAN)
    first, last = math.ceil(low), math.floor(high)
    if first > last:
        raise _cannot(field, object_type, f"there is no whole number from {low} to {high}")
    if field.unique:
        return Derived(_counter(last - first + 1, field, object_type, lambda rank: first + rank), _INDEX)
    return IntegerBetween(first, last)


def _decimal(field: Field, object_type: ObjectType) -> Any:
    if field.unique:
        return _integer(field, object_type)
    low, high = _bounds(field, _SPAN)
    if low > high:
        raise _cannot(field, object_type, f"there is no number from {low} to {high}")
    return DecimalBetween(low, high)


# -- days, options -------------------------------------------------------------------------------
def _not_unique(make: Callable[[Field, ObjectType], Any]) -> Callable[[Field, ObjectType], Any]:
    def made(field: Field, object_type: ObjectType) -> Any:
        if field.unique:
            raise _cannot(field, object_type, f"it is a unique {field.kind.value}")
        return make(field, object_type)

    return made


def _moment(about: Generation) -> Callable[[int], datetime]:
    return lambda number: working_time(about.base_date, number, -180)


def _option(field: Field, object_type: ObjectType) -> Pick[str]:
    return Pick(_visible(field, object_type))


class _Several(Drawn):
    """One to three of several values, in their order."""

    def __init__(self, pool: Sequence[str]) -> None:
        super().__init__()
        self._pool = tuple(pool)

    def value(self, number: int, generation: Generation) -> tuple[str, ...]:
        """Return the values that ``number`` stands for."""
        most = min(_MOST_OPTIONS, len(self._pool))
        count, rest = split(number, most)
        left = list(range(len(self._pool)))
        chosen = []
        for _ in range(count + 1):
            place, rest = split(rest, len(left))
            chosen.append(left.pop(place))
        return tuple(self._pool[place] for place in sorted(chosen))


def _options(field: Field, object_type: ObjectType) -> _Several:
    return _Several(_visible(field, object_type))


def _visible(field: Field, object_type: ObjectType) -> list[str]:
    visible = [option.value for option in field.options if not option.hidden]
    if not visible:
        raise _cannot(field, object_type, "the schema has no options for it")
    return visible


def _external(field: Field, object_type: ObjectType, pipeline_field: str) -> Any:
    pipelines = object_type.pipelines
    if field.external == "pipelines" and pipelines:
        return pipelines[0].id
    if field.external == "stages" and pipelines:
        inputs: list[Input] = [_NUMBER, pipeline_field] if pipeline_field else [_NUMBER]
        return Derived(_stage(object_type), *inputs)
    if field.options:
        return _option(field, object_type)
    raise _cannot(field, object_type, f"the schema has none of the {field.external} to choose from")


def _stage(object_type: ObjectType) -> Callable[[Generation], Callable[..., str]]:
    stages = {
        key: [stage.id for stage in pipeline.stages if not stage.closed]
        or [stage.id for stage in pipeline.stages]
        for pipeline in object_type.pipelines
        for key in (pipeline.id, pipeline.label)
    }
    first = stages[object_type.pipelines[0].id]

    def value(number: int, pipeline: Any = None) -> str:
        of_pipeline = (stages.get(pipeline) if isinstance(pipeline, str) else None) or first
        return of_pipeline[below(number, len(of_pipeline))]

    return lambda about: value


_MAKERS: dict[Kind, Callable[[Field, ObjectType], Any]] = {
    Kind.STRING: _text,
    Kind.TEXT: _text,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.URL: _url,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _not_unique(lambda field, object_type: Pick((True, False))),
    Kind.DATE: _not_unique(lambda field, object_type: DateBetween(-180, 180)),
    Kind.DATETIME: _not_unique(lambda field, object_type: Derived(_moment, _NUMBER)),
    Kind.TIME: _not_unique(
        lambda field, object_type: Pick([time(hour, minute) for hour in range(8, 18) for minute in (0, 30)])
    ),
    Kind.DURATION: _not_unique(
        lambda field, object_type: Pick([timedelta(minutes=minutes) for minutes in (15, 30, 45, 60, 90)])
    ),
    Kind.OPTION: _option,
    Kind.OPTIONS: _options,
}
