"""Run ids, and the unique key that every record of ours carries.

A key reads ``crmseed-1-<run id>-<issued>-<expires>-<object type>-<seed>-<index>``: printable ASCII
without spaces, at most 100 characters; times are whole seconds since 1970 in base 36. The run id
makes keys of different runs different; seed, object type and index those of one run.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from pytest_crmseed.errors import UsageError

LONGEST_KEY = 100
PREFIX = "crmseed-1-"

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST_OBJECT_TYPE = 28
_RUN_ID = re.compile(r"[0-9a-z]{1,26}")
_SEED = re.compile(r"[0-9a-z]{1,8}(\.[0-9a-z]{1,8})?")
_OBJECT_TYPE = re.compile(rf"[A-Za-z0-9_.-]{{1,{_LONGEST_OBJECT_TYPE}}}")
_KEY = re.compile(
    rf"{PREFIX}"
    r"(?P<run_id>[0-9a-z]{1,26})-(?P<issued>[0-9a-z]+)-(?P<expires>[0-9a-z]+)"
    r"-(?P<object_type>[A-Za-z0-9_.~-]+)"
    r"-(?P<seed>[0-9a-z]{1,8}(?:_[0-9a-z]{1,8})?)-(?P<index>[0-9a-z]+)"
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a unique key of ours says; times are seconds since 1970.

    ``object_type`` is shortened where the name is long; compare it with :meth:`is_of`.
    """

    run_id: str
    issued_at: int
    expires_at: int
    object_type: str
    seed: str
    index: int

    def is_of(self, object_type: str) -> bool:
        """Whether the key was made for a record of this object type."""
        return self.object_type == _shortened(object_type)


def new_run_id(clock: Callable[[], float] = time.time, source: random.Random | None = None) -> str:
    """Return a run id of 22 characters, digits and small letters; later ones sort after earlier ones.

    ``source`` is for tests: by default the operating system's randomness is used, since ids of
    jobs that share a random seed have to differ.
    """
    source = source or random.SystemRandom()
    milliseconds = _base36(int(clock() * 1000)).rjust(9, "0")
    return milliseconds + "".join(source.choice(_DIGITS) for _ in range(13))


def make_key(
    run_id: str, issued_at: float, expires_at: float, object_type: str, seed: int | str, index: int
) -> str:
    """Return the unique key of the ``index``-th record of an object type in a seed of a run.

    ``seed`` is the seed's number in the run, or ``"gw0.3"`` for the third seed of worker gw0. Times
    are seconds since 1970; ``expires_at`` is when anyone may sweep the record.

    Raises:
        UsageError: a part cannot stand in a key.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(f"{run_id!r} is no run id: 1 to 26 digits and small letters.")
    if not _SEED.fullmatch(str(seed)):
        raise UsageError(f"{seed!r} cannot name a seed in a key: a number, or a worker and a number (gw0.3).")
    issued, expires = int(issued_at), math.ceil(expires_at)
    if not object_type or index < 0 or not 0 <= issued <= expires:
        raise UsageError(
            f"no key for {object_type!r}[{index}], issued at {issued_at!r}, expiring at {expires_at!r}."
        )
    # A dot in the last part of a path is read as a file type by some APIs (Salesforce).
    parts = (run_id, _base36(issued), _base36(expires), _shortened(object_type), str(seed).replace(".", "_"))
    key = f"{PREFIX}{'-'.join(parts)}-{_base36(index)}"
    if len(key) > LONGEST_KEY:
        raise UsageError(f"the key {key!r} is longer than {LONGEST_KEY} characters.")
    return key


def parse_key(text: str | None) -> Key | None:
    """Return what a key says, or None for a text that is no key of ours."""
    if not text or len(text) > LONGEST_KEY:
        return None
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    issued, expires, index = (int(match[name], 36) for name in ("issued", "expires", "index"))
    canonical = (_base36(issued), _base36(expires), _base36(index)) == match.group(
        "issued", "expires", "index"
    )
    if not canonical or issued > expires:
        return None
    seed = match["seed"].replace("_", ".")
    return Key(match["run_id"], issued, expires, match["object_type"], seed, index)


def unique_tag(run_id: str, seed: str) -> str:
    """Return eight characters that tell this seed's unique values from all others'."""
    number = int.from_bytes(hashlib.blake2b(f"{run_id}/{seed}".encode(), digest_size=8).digest())
    digits = ""
    for _ in range(7):
        number, digit = divmod(number, 36)
        digits += _DIGITS[digit]
    # A domain label of digits only is valid but odd; a letter first reads as a name.
    return "r" + digits


def _shortened(object_type: str) -> str:
    if _OBJECT_TYPE.fullmatch(object_type):
        return object_type
    # "~" never stands in a name that is kept, so the two forms cannot be mistaken for each other.
    digest = hashlib.sha256(object_type.encode("utf-8")).hexdigest()[:8]
    kept = re.sub(r"[^A-Za-z0-9_.-]", "_", object_type)[: _LONGEST_OBJECT_TYPE - 9]
    return f"{kept}~{digest}"


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
