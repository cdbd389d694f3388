"""What every org has from the start: objects, fields, picklists, as compact data.

Field facts are those of describes of real orgs; objects marked ``derived`` were put together from the
vendor's pages. Most fields are as most of their type are, and say only what differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from pytest_crmseed.portal.salesforce.definitions import TEXTS, Child, Field, Value


@cache
def data() -> Mapping[str, Any]:
    """Return the data as it is kept."""
    text = resources.files(__package__).joinpath("stock.json").read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


@cache
def fields(name: str) -> tuple[Field, ...]:
    """Return the fields of a stock object."""
    common = data()["common"]
    entries = data()["objects"][name]["fields"]
    return tuple(field(common[entry] if isinstance(entry, str) else entry) for entry in entries)


@cache
def fields_with_people(name: str) -> tuple[Field, ...]:
    """Return the fields of a stock object in an org that has turned person accounts on."""
    added = {each["name"]: field(each) for each in data()["personAccounts"].get(name, ())}
    kept = [added.pop(each.name, each) for each in fields(name)]
    return (*kept, *added.values())


@cache
def children(name: str) -> tuple[Child, ...]:
    """Return what refers to a stock object."""
    return tuple(
        Child(of, by, relationship, "c" in effect, "r" in effect, (tuple(rest[0]), tuple(rest[1])))
        if rest
        else Child(of, by, relationship, "c" in effect, "r" in effect)
        for of, by, relationship, effect, *rest in data()["objects"][name]["children"]
    )


def flags(differing: Mapping[str, bool]) -> dict[str, bool]:
    """Return what an object allows: what most allow, but for what differs."""
    return {**data()["flags"], **differing}


def field(entry: Mapping[str, Any], *, children: str | None = None) -> Field:
    """Return the field that an entry describes; what it leaves out is as with most fields of its type."""
    kind = entry["type"]
    facts = {**data()["base"], **data()["types"].get(kind, {}), **entry}
    if "byteLength" not in entry and kind in TEXTS:
        # Salesforce counts three bytes for a character.
        facts["byteLength"] = 3 * facts["length"]
    values = tuple(map(_value, facts.pop("picklistValues")))
    return Field(facts, values, children=children)


def _value(entry: str | Mapping[str, Any]) -> Value:
    if isinstance(entry, str):
        plain = entry.removesuffix("*")
        return Value(plain, plain, default=entry.endswith("*"))
    valid_for: Sequence[int] | None = entry.get("validFor")
    return Value(
        entry["value"],
        entry["label"],
        entry.get("active", True),
        entry.get("defaultValue", False),
        None if valid_for is None else frozenset(valid_for),
    )
