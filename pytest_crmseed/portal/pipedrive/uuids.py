"""Ids that are UUIDs on the outside: those of leads and lead labels. The store counts them."""

from __future__ import annotations

import uuid

_BITS = 48
_STEP = 0x5DEECE66D  # odd, so that multiplying by it can be undone
_BACK = pow(_STEP, -1, 1 << _BITS)
_TAILS = {"lead": "11eb-879b-05d71fb426ec", "label": "11ea-9643-03698ef1cfd6"}


def of(kind: str, number: int) -> str:
    """Return the UUID of a ``lead`` or ``label``."""
    digits = f"{number * _STEP % (1 << _BITS):012x}"
    return f"{digits[:8]}-{digits[8:]}-{_TAILS[kind]}"


def number(kind: str, text: str) -> int | None:
    """Return the number behind a UUID, or None when it is none of this kind."""
    try:
        plain = str(uuid.UUID(text))
    except ValueError:
        return None
    if not plain.endswith(_TAILS[kind]):
        return None
    return int(plain[:8] + plain[9:13], 16) * _BACK % (1 << _BITS)
