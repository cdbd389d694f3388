"""Duplicate rules: rows refused since they resemble others (Salesforce docs, "Duplicate Rule Header")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_crmseed.portal.salesforce.errors import Problem, Refusal

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.behaviour import DuplicateRule
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer


def check(writer: Writer, draft: Draft) -> None:
    """Check a draft by the org's duplicate rules.

    Raises:
        Refusal: it resembles other rows, and neither the rule nor the request lets it pass.
    """
    each = draft.object
    for rule in writer.org.switches.duplicate_rules:
        if rule.object_type.lower() != each.name.lower():
            continue
        if not rule.blocks and writer.options.allow_save:
            continue
        values = [(draft[name] or "").lower() for name in rule.fields]
        if not any(values):
            continue
        matches = [
            row
            for row in writer.org.rows.scan(each)
            if (draft.old is None or row.id != draft.old.id)
            and [(row[name] or "").lower() for name in rule.fields] == values
        ]
        if matches:
            raise _refused(writer, rule, matches)


def _refused(writer: Writer, rule: DuplicateRule, matches: list[Row]) -> Refusal:
    name = matches[0].object.name
    right = writer.org.switches.duplicate_result_spelled_right
    told: dict[str, Any] = {
        "allowSave": not rule.blocks,
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": name,
        "errorMessage": rule.message,
        "matchResults": [
            {
                "entityType": name,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": [_match(writer, row) for row in matches],
                "rule": f"{name}_MR",
                "size": len(matches),
                "success": True,
            }
        ],
    }
    # Real orgs have been seen to misspell it.
    key = "duplicateResult" if right else "duplicateResut"
    return Refusal([Problem("DUPLICATES_DETECTED", rule.message, None, {key: told})])


def _match(writer: Writer, row: Row) -> dict[str, Any]:
    record: dict[str, Any] = {
        "attributes": {"type": row.object.name, "url": f"{writer.home}/sobjects/{row.object.name}/{row.id}"},
        "Id": row.id,
    }
    if writer.options.include_records:
        record |= {name: row[name] for name in ("Name", "Email", "Phone") if row.object.field(name)}
    return {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100, "record": record}
