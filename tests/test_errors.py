"""One exception tree whose texts say what happened and what to do."""

from __future__ import annotations

import pytest

from pytest_crmseed import errors
from pytest_crmseed.errors import (
    ApiRefused,
    CrmseedError,
    GuardRefused,
    RecordsRefused,
    Throttled,
    Unauthorized,
    UnknownName,
    ValidationFailed,
)
from pytest_crmseed.records import Draft, RecordResult, Refusal


def test_message_and_remedy_are_one_paragraph() -> None:
    assert str(CrmseedError("It broke.", remedy="Mend it.")) == "It broke. Mend it."
    assert str(CrmseedError("It broke.")) == "It broke."
    assert CrmseedError("It broke.", remedy="Mend it.").args == ("It broke.",)


def test_a_message_of_several_lines_has_its_remedy_on_a_line_of_its_own() -> None:
    assert str(CrmseedError("Two things:\n  one\n", remedy="Mend them.")) == "Two things:\n  one\nMend them."
    assert str(CrmseedError("Two things:\n  one\n")) == "Two things:\n  one"


def test_an_unknown_name() -> None:
    error = UnknownName("field", "amout", ["stage", "amount"], where="of deals", remedy="Look again.")
    assert (
        str(error)
        == "unknown field 'amout' of deals; did you mean 'amount'? Valid: stage, amount. Look again."
    )
    assert (error.kind, error.name, error.known) == ("field", "amout", ("stage", "amount"))
    assert str(UnknownName("provider", "x", [])) == "unknown provider 'x'."


TREE = {
    "UsageError": "CrmseedError",
    "UnknownName": "UsageError",
    "SettingsError": "UsageError",
    "ValidationFailed": "CrmseedError",
    "GuardRefused": "CrmseedError",
    "PortalError": "CrmseedError",
    "Unreachable": "PortalError",
    "OutcomeUnknown": "PortalError",
    "NotAPortal": "PortalError",
    "Unauthorized": "PortalError",
    "Throttled": "PortalError",
    "ApiRefused": "PortalError",
    "TooLarge": "ApiRefused",
    "RecordsRefused": "CrmseedError",
    "Conflict": "RecordsRefused",
    "VerificationFailed": "RecordsRefused",
    "CleanupIncomplete": "CrmseedError",
    "LedgerError": "CrmseedError",
}


@pytest.mark.parametrize(("name", "parent"), TREE.items())
def test_the_tree_is_the_documented_one(name: str, parent: str) -> None:
    assert getattr(errors, name).__base__ is getattr(errors, parent)
    assert errors.__doc__ is not None and f"``{name}``" in errors.__doc__


def test_the_tree_has_no_other_branches() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, CrmseedError) and value.__module__ == errors.__name__
    }
    assert defined == {*TREE, "CrmseedError"}


def test_what_errors_carry() -> None:
    result = RecordResult(Draft("deals", 0, "k", {}))
    assert GuardRefused("pin", "No.").guard == "pin"
    assert ValidationFailed("No.", ["p"]).problems == ("p",)
    assert RecordsRefused("No.", [result]).results == (result,)
    assert Unauthorized("No.", status=403, scopes=["a"]).scopes == ("a",)
    assert Throttled("No.", status=429, policy="DAILY").policy == "DAILY"
    refused = ApiRefused("No.", status=400, refusals=[Refusal("m")])
    assert (refused.status, refused.refusals) == (400, (Refusal("m"),))
