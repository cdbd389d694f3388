"""Record ids: 15 characters, or the same with a checksum of 3 more, which forgives a change of case."""

from __future__ import annotations

_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def full_id(record_id: str) -> str:
    """Return the id of 18 characters; whatever is no id of 15 is returned as it is.

    Each character of the checksum says which of five letters are capitals.
    """
    if len(record_id) != 15:
        return record_id
    checks = ""
    for start in (0, 5, 10):
        bits = sum(
            1 << place for place, letter in enumerate(record_id[start : start + 5]) if letter.isupper()
        )
        checks += _CHECKS[bits]
    return record_id + checks
