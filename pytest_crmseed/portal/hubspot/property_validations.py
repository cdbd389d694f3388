"""Validation rules of properties: read, set, and what they refuse (HubSpot docs, "Property validations API").

[unsure] of how the rules read beyond the table of their types, of the texts of refusals, and of the
types that only forms of dates, addresses and domains have: those are kept and answered, not enforced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from pytest_crmseed.portal.hubspot import bodies
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.hubspot.kept import Kept, Kind
from pytest_crmseed.portal.hubspot.object_types import ObjectTypes
from pytest_crmseed.portal.message import PortalResponse

if TYPE_CHECKING:
    from pytest_crmseed.portal.hubspot.call import Call

RULE_TYPES = (
    "FORMAT",
    "ALPHANUMERIC",
    "MAX_LENGTH",
    "MIN_LENGTH",
    "MIN_NUMBER",
    "MAX_NUMBER",
    "START_DATE",
    "END_DATE",
    "START_DATETIME",
    "END_DATETIME",
    "DAYS_OF_WEEK",
    "DECIMAL",
    "REGEX",
    "DOMAIN",
    "EMAIL",
    "EMAIL_ALLOWED_DOMAINS",
    "EMAIL_BLOCKED_DOMAINS",
    "PHONE_NUMBER_WITH_EXPLICIT_COUNTRY_CODE",
    "SPECIAL_CHARACTERS",
    "URL",
    "URL_ALLOWED_DOMAINS",
    "URL_BLOCKED_DOMAINS",
    "WHITESPACE",
    "AFTER_DURATION",
    "BEFORE_DURATION",
    "AFTER_DATETIME_DURATION",
    "BEFORE_DATETIME_DURATION",
)

CODE = "PROPERTY_VALIDATION_FAILED"
"""[unsure] The code of a value that a rule refuses."""

# Where a pulled schema keeps the rules of a property, as JSON text.
_NATIVE = "validationRules"
_LONGEST_EXPRESSION = 1_000

Rule = Mapping[str, Any]


class PropertyValidations:
    """The rules of all properties, each as ``ruleType`` and ``ruleArguments``."""

    def __init__(self, kept: Kept, object_types: ObjectTypes) -> None:
        self._kept = kept
        self._object_types = object_types
        self._rules: dict[str, dict[str, Sequence[Rule]]] = {}

    def load(self) -> None:
        """Have the rules that the object types come with, then those that were kept."""
        self._rules = {
            object_type.name: {
                field.name: json.loads(field.native[_NATIVE])
                for field in object_type.fields.values()
                if _NATIVE in field.native
            }
            for object_type in self._object_types.by_name.values()
        }
        for object_type_name, name, data in self._kept.all(Kind.RULE):
            self._rules.setdefault(object_type_name, {})[name] = data["rules"]

    def all(self, object_type: str) -> Mapping[str, Sequence[Rule]]:
        """Return the rules of an object type by property, of those that have some."""
        return self._rules.get(object_type, {})

    def put(self, object_type: str, name: str, rules: Sequence[Rule]) -> None:
        """Keep rules in place of a property's."""
        self._kept.put(Kind.RULE, object_type, name, {"rules": list(rules)})
        self._rules[object_type] = {**self._rules.get(object_type, {}), name: list(rules)}

    def problem(self, object_type: str, name: str, text: str) -> str | None:
        """Return what is wrong with a value by the rules of its property, or None."""
        for rule in self._rules.get(object_type, {}).get(name, ()):
            fits = _CHECKS.get(str(rule.get("ruleType")))
            arguments = [str(argument) for argument in rule.get("ruleArguments") or ()]
            if fits is not None and arguments and text and not fits(text, arguments[0]):
                return f"{text} does not meet the rule {rule['ruleType']} {', '.join(arguments)} of {name}"
        return None


def list_rules(call: Call) -> PortalResponse:
    """List the properties of an object type that have rules, with the rules."""
    rules = call.account.validations.all(call.object_type.name)
    results = [
        {"propertyName": name, "propertyValidationRules": some} for name, some in rules.items() if some
    ]
    return PortalResponse.of(200, {"results": results})


def read(call: Call) -> PortalResponse:
    """List the rules of a property."""
    return PortalResponse.of(200, {"results": _rules(call)})


def read_rule(call: Call) -> PortalResponse:
    """Read one rule of a property; 404 when it has none of this type."""
    for rule in _rules(call):
        if rule.get("ruleType") == call.params["rule"]:
            return PortalResponse.of(200, rule)
    raise ApiError(404, f"{call.params['name']} has no rule {call.params['rule']}.", "OBJECT_NOT_FOUND")


def put_rule(call: Call) -> PortalResponse:
    """Set a rule of a property: 204."""
    body = bodies.as_object(call.json, "PublicPropertyValidationRuleUpdate")
    bodies.required(body, "ruleArguments")
    kind, arguments = call.params["rule"], bodies.names(body, "ruleArguments")
    if kind not in RULE_TYPES:
        raise invalid(f"{kind} is not one of the rule types: {', '.join(RULE_TYPES)}")
    if kind == "REGEX":
        for expression in arguments:
            _check_expression(expression)
    others = [rule for rule in _rules(call) if rule.get("ruleType") != kind]
    rule: dict[str, Any] = {"ruleType": kind, "ruleArguments": arguments}
    normalise = body.get("shouldApplyNormalization")
    if isinstance(normalise, bool):
        rule["shouldApplyNormalization"] = normalise
    call.account.validations.put(call.object_type.name, call.params["name"], [*others, rule])
    return PortalResponse(204)


def _rules(call: Call) -> Sequence[Rule]:
    name = call.params["name"]
    if call.account.definitions.live(call.object_type.name, name) is None:
        raise ApiError(404, f"A property named '{name}' does not exist.", "OBJECT_NOT_FOUND")
    return call.account.validations.all(call.object_type.name).get(name, ())


def _check_expression(expression: str) -> None:
    try:
        if len(expression) <= _LONGEST_EXPRESSION:
            re.compile(expression)
            return
    except (re.error, OverflowError, RecursionError):
        pass
    raise invalid(f"{expression[:100]} is not a regular expression")


def _compared(better: Callable[[Decimal, Decimal], bool], of: Callable[[str], Decimal]) -> _Check:
    def fits(text: str, argument: str) -> bool:
        try:
            return better(of(text), Decimal(argument))
        except InvalidOperation:
            # A rule or a value that is no number.
            return True

    return fits


def _length(text: str) -> Decimal:
    return Decimal(len(text))


def _places(text: str) -> Decimal:
    return Decimal(len(text.partition(".")[2]))


def _matches(text: str, argument: str) -> bool:
    try:
        return re.fullmatch(argument, text) is not None
    except re.error:
        # HubSpot's expressions are of another kind than Python's.
        return True


def _characters(text: str, argument: str) -> bool:
    allowed = {"ALPHANUMERIC": str.isalnum, "ALPHA_ONLY": str.isalpha, "NUMERIC_ONLY": str.isdigit}
    return allowed[argument](text) if argument in allowed else True


def _special(text: str, argument: str) -> bool:
    return argument != "NOT_ALLOWED" or all(each.isalnum() or each.isspace() for each in text)


_Check = Callable[[str, str], bool]

_CHECKS: Mapping[str, _Check] = {
    "MAX_LENGTH": _compared(lambda a, b: a <= b, _length),
    "MIN_LENGTH": _compared(lambda a, b: a >= b, _length),
    "MAX_NUMBER": _compared(lambda a, b: a <= b, Decimal),
    "MIN_NUMBER": _compared(lambda a, b: a >= b, Decimal),
    "DECIMAL": _compared(lambda a, b: a <= b, _places),
    "REGEX": _matches,
    "ALPHANUMERIC": _characters,
    "SPECIAL_CHARACTERS": _special,
}
