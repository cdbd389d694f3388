"""Which object types refer to which in one portal: the provider's links, and those its schema tells of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_crmseed.errors import UsageError
from pytest_crmseed.planning import NEUTRAL_LINKS, LinkRule
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Field, Kind, ObjectType, Schema

Links = Mapping[str, Mapping[str, LinkRule]]

# What the neutral object types call their links, by the object type they lead to: one word for one thing.
_NAMES = {rule.object_type: name for rules in NEUTRAL_LINKS.values() for name, rule in rules.items()}


def links_for(provider: Provider | type[Provider], schema: Schema) -> Links:
    """Return the link rules of a portal, by canonical object type and link field.

    They are the provider's, and for object types that it does not list (custom objects) what the
    schema tells: a required reference is a link that is made by default; each object type with an
    association is one that may be linked, and is dealt where the seed has such records. A link goes
    by the word that the neutral object types use (``company``, ``contacts``, ``deal``), else by the
    canonical name of its object type. Links among object types that the provider does not list are
    made only where they are asked for, since they may well form a circle.
    """
    translator = Translator(provider.legend, schema)
    links = {name: dict(rules) for name, rules in provider.links.items()}
    for native, object_type in schema.object_types.items():
        name = translator.canonical(native)
        if name not in provider.links:
            links[name] = dict(_rules(name, object_type, translator, provider.links))
    return links


def _rules(
    name: str, object_type: ObjectType, translator: Translator, listed: Links
) -> Iterator[tuple[str, LinkRule]]:
    taken: set[str] = set()
    for field in object_type.fields.values():
        to = _required_reference(field, translator)
        if to is not None:
            link = link_name(to)
            # A second reference to one object type goes by its own name.
            link = field.name if link in taken else link
            taken.add(link)
            yield link, LinkRule(to, made=True, home=field.name)
    for native in dict.fromkeys(association.to for association in object_type.associations):
        to = _canonical(native, translator)
        if to is not None and (link := link_name(to)) not in taken:
            taken.add(link)
            yield link, LinkRule(to, many=True, dealt=to in listed)


def _required_reference(field: Field, translator: Translator) -> str | None:
    """Return the object type that a field refers to, if it needs a value on create."""
    if field.kind is not Kind.REFERENCE or not field.required or field.read_only:
        return None
    known = [to for reference in field.references if (to := _canonical(reference, translator))]
    return known[0] if known else None


def _canonical(name: str, translator: Translator) -> str | None:
    """Return the canonical name of an object type that can be seeded; None for any other."""
    try:
        canonical = translator.canonical(name)
        translator.object_type(canonical)
    except UsageError:
        return None
    return canonical


def link_name(object_type: str) -> str:
    """Return the name of the link field that leads to an object type, by its canonical name."""
    return _NAMES.get(object_type, object_type)
