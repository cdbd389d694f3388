"""A schema as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Association, Field, ObjectType

# So many options of a field are written out.
_OPTIONS = 8


def listed(translator: Translator) -> Iterator[str]:
    """Yield a line for each object type, custom ones marked."""
    rows = [
        (
            name,
            object_type.type_id,
            f"{len(object_type.fields):>4} fields, {_custom(object_type)} custom",
            f"  custom object {object_type.label}" if object_type.custom else "",
        )
        for name, object_type in translator.schema.object_types.items()
    ]
    names, ids = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for name, type_id, fields, note in rows:
        yield f"{name:<{names}}  {type_id:<{ids}}  {fields}{note}"


def _custom(object_type: ObjectType) -> int:
    return sum(1 for field in object_type.fields.values() if field.custom)


def described(translator: Translator, name: str, *, everything: bool) -> Iterator[str]:
    """Yield the lines that describe an object type; ``everything`` includes what cannot be set."""
    definition = translator.object_type(name)
    fields = [
        field for field in definition.fields.values() if everything or not (field.read_only or field.archived)
    ]
    required = {field for group in definition.required_any if len(group) == 1 for field in group}
    left_out = len(definition.fields) - len(fields)
    head = f"{definition.plural} ({definition.name}{f', {definition.type_id}' if definition.type_id else ''})"
    yield f"{head}: {len(fields)} fields" + (
        f", and {left_out} that cannot be set (--all shows them)" if left_out else ""
    )
    width = max((len(field.name) for field in fields), default=0)
    for group, members in _by_group(definition, fields):
        if group:
            yield f"{group}:"
        for field in members:
            notes = [str(field.kind), *_notes(field, required)]
            neutral = translator.neutral_home(name, field.name)
            if neutral and neutral != field.name:
                notes.append(f"neutral name {neutral}")
            yield f"  {field.name.ljust(width)}  {', '.join(notes)}"
    for alternatives in definition.required_any:
        if len(alternatives) > 1:
            yield f"One of {', '.join(alternatives)} is required."
    for pipeline in definition.pipelines:
        stages = ", ".join(f"{stage.id} ({stage.label})" for stage in pipeline.stages)
        yield f"Pipeline {pipeline.id} ({pipeline.label}): {stages}"
    for to in dict.fromkeys(association.to for association in definition.associations):
        types = [association for association in definition.associations if association.to == to]
        yield f"Associated to {to}: {', '.join(_association(each) for each in types)}"


def _by_group(definition: ObjectType, fields: Sequence[Field]) -> Iterator[tuple[str, list[Field]]]:
    """Yield fields under their group's label, groups in the portal's order, fields by name."""
    labels = {group.name: group.label for group in definition.groups}
    order = {name: place for place, name in enumerate(labels)}
    named: dict[str, list[Field]] = {}
    for field in sorted(
        fields, key=lambda field: (order.get(field.group, len(order)), field.group, field.name)
    ):
        named.setdefault(field.group, []).append(field)
    for name, members in named.items():
        label = labels.get(name, name)
        yield (f"{label} ({name})" if label != name else name), members


def _association(association: Association) -> str:
    label = f"{association.label!r} " if association.label else ""
    return f"{label}{association.type_id}{' (primary)' if association.primary else ''}"


def _notes(field: Field, required: set[str]) -> Iterator[str]:
    if field.name in required or field.required:
        yield "required"
    if field.admin_required:
        yield "required by the administrator"
    for noted in ("read_only", "unique", "custom", "hidden", "archived"):
        if getattr(field, noted):
            yield noted.replace("_", "-")
    if field.minimum is not None or field.maximum is not None:
        yield f"{field.minimum or '…'} to {field.maximum or '…'}"
    if field.min_length is not None:
        yield f"at least {field.min_length} characters"
    if field.pattern:
        yield f"like {field.pattern}"
    if field.external:
        yield f"options: {field.external}"
    elif field.options:
        values = [option.value for option in field.options if not option.hidden]
        more = f" and {len(values) - _OPTIONS} more" if len(values) > _OPTIONS else ""
        yield f"options: {', '.join(values[:_OPTIONS])}{more}"
