"""Texts, addresses, numbers, booleans, durations: what may be given, and the one normal form of each."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pytest_crmseed.schema.tables import Unusable

_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
# Written out, the largest double has 309 digits; a longer number is a slip, and no portal's.
_MOST_DIGITS = 400

_ADDRESS_NAME = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+")
_DOMAIN_LABEL = re.compile(r"\w([\w-]*\w)?")
_TOP_LEVEL = re.compile(r"[^\W\d_][\w-]*[^\W_]")
_LONGEST_ADDRESS = 320


def text(value: Any) -> str:
    """Return a text; numbers are written out in plain digits.

    Raises:
        Unusable: it is neither text nor number.
    """
    if isinstance(value, str):
        plain = value if type(value) is str else str.__str__(value)
        if not plain.isascii() and not _encodable(plain):
            raise Unusable("holds half of a surrogate pair, which is no character")
        return plain
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        hint = "; decode it first" if isinstance(value, bytes | bytearray) else ""
        raise Unusable(f"takes text, not {type(value).__name__}{hint}")
    return format(decimal(value), "f")


def _encodable(plain: str) -> bool:
    try:
        plain.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def email(value: Any) -> str:
    """Return an e-mail address; addresses of reserved domains, as example.com, are as good as others.

    Raises:
        Unusable: it has not the form of one.
    """
    address = text(value)
    wrong = _wrong_with_address(address)
    if wrong:
        raise Unusable(f"is no e-mail address: {wrong}")
    return address


def _wrong_with_address(address: str) -> str:
    if not address:
        return ""
    if any(character.isspace() for character in address):
        return "it has a space"
    name, at, domain = address.rpartition("@")
    if not at:
        return "it has no @"
    if not name or not domain:
        return f"nothing stands {'before' if not name else 'after'} the @"
    if "@" in name:
        return "it has more than one @"
    if ".." in address:
        return "it has two dots in a row"
    if name.startswith(".") or name.endswith("."):
        return "the part before the @ begins or ends with a dot"
    if not _ADDRESS_NAME.fullmatch(name):
        return f"{name!r} has characters that cannot stand before the @"
    *labels, last = domain.split(".")
    if not labels or not _TOP_LEVEL.fullmatch(last):
        return f"the domain {domain!r} has no ending as .com"
    if not all(_DOMAIN_LABEL.fullmatch(label) for label in labels):
        return f"{domain!r} is no domain"
    return f"it is longer than {_LONGEST_ADDRESS} characters" if len(address) > _LONGEST_ADDRESS else ""


def decimal(value: Any) -> Decimal:
    """Return a number: a whole one, a finite float, a Decimal, or the text of one with a point.

    Raises:
        Unusable: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise Unusable(f"takes a number, not {type(value).__name__}")
    if isinstance(value, str):
        number = _written(value)
    elif isinstance(value, int):
        # A bit is less than a third of a digit; Python itself refuses to write out thousands of them.
        if value.bit_length() > 4 * _MOST_DIGITS:
            raise _too_long()
        number = Decimal(int(value))
    elif isinstance(value, float):
        # Through its shortest text: 0.1 means 0.1, not its binary neighbour.
        number = Decimal(float.__repr__(value))
    else:
        number = Decimal(value)
    if not number.is_finite():
        raise Unusable("is no finite number")
    digits, exponent = number.as_tuple().digits, number.as_tuple().exponent
    assert isinstance(exponent, int)
    if max(len(digits) + max(exponent, 0), -exponent) > _MOST_DIGITS:
        raise _too_long()
    # There is no negative nothing in a CRM.
    return number.copy_abs() if number.is_zero() else number


def _written(value: str) -> Decimal:
    written = value.strip()
    if _NUMBER.fullmatch(written):
        return Decimal(written)
    if written.lstrip("+-").casefold() in ("nan", "inf", "infinity"):
        raise Unusable("is no finite number")
    hint = "; write it with digits and a point, as 1234.50" if any(c.isdigit() for c in written) else ""
    raise Unusable(f"is no number{hint}")


def _too_long() -> Unusable:
    return Unusable(f"is a number of more than {_MOST_DIGITS} digits")


def integer(value: Any) -> int:
    """Return a whole number, from whatever :func:`decimal` takes.

    Raises:
        Unusable: it is none.
    """
    number = decimal(value)
    if number != number.to_integral_value():
        raise Unusable("is no whole number")
    return int(number)


def boolean(value: Any) -> bool:
    """Return True or False, also from 1 and 0 and from true, false, yes and no in any case.

    Raises:
        Unusable: it is neither.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.casefold() in _TRUE | _FALSE:
        return value.casefold() in _TRUE
    raise Unusable("takes True or False", allowed=("true", "false"))


def duration(value: Any) -> timedelta:
    """Return a timedelta.

    Raises:
        Unusable: it is none.
    """
    if isinstance(value, timedelta):
        return value
    raise Unusable(f"takes a timedelta, as timedelta(minutes=30), not {type(value).__name__}")
