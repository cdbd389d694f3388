"""The assertion of the JWT bearer flow (RFC 7523), signed with RS256 (RFC 7518, PKCS #1 v1.5 of RFC 8017).

An assertion is always decoded; its signature is checked where the app's key is known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_crmseed.errors import UsageError

AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")

_INTEGER, _BITS = 0x02, 0x03
_FIRST_LINES = ("-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----")
# Less is no modulus, but the first number of something else. Small keys are quick, and good enough for tests.
_LEAST_BITS = 512
# How a SHA-256 digest is labelled within a signature (RFC 8017, section 9.2).
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


class BadAssertion(Exception):
    """An assertion that is not valid."""


def claims(assertion: str, public_key: str | None) -> Mapping[str, Any]:
    """Return what an assertion claims.

    Raises:
        BadAssertion: it is malformed, or its signature is not that of the key.
    """
    parts = assertion.split(".")
    if len(parts) != 3:
        raise BadAssertion("not three parts")
    header, found, signature = _object(parts[0]), _object(parts[1]), _octets(parts[2])
    if header.get("alg") != "RS256":
        raise BadAssertion("not signed with RS256")
    if public_key is not None and not _is_signed(f"{parts[0]}.{parts[1]}".encode(), signature, public_key):
        raise BadAssertion("signed with another key")
    return found


def _is_signed(signed: bytes, signature: bytes, public_key: str) -> bool:
    modulus, exponent = rsa_key(public_key)
    size = (modulus.bit_length() + 7) // 8
    labelled = _SHA256 + hashlib.sha256(signed).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - len(labelled) - 3) + b"\x00" + labelled
    if len(signature) != size:
        return False
    found = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    return hmac.compare_digest(found, wanted)


def rsa_key(pem: str) -> tuple[int, int]:
    """Return the modulus and the exponent of a key in PEM, as ``PUBLIC KEY`` or ``RSA PUBLIC KEY``.

    Raises:
        UsageError: the text is no such key.
    """
    wrong = UsageError(
        "jwt_public_key is no RSA public key in PEM.",
        remedy=(
            "Give the text that `openssl rsa -in key.pem -pubout` prints, from its first line to its last."
        ),
    )
    lines = [line.strip() for line in pem.replace("\\n", "\n").strip().splitlines()]
    if len(lines) < 3 or lines[0] not in _FIRST_LINES:
        raise wrong
    try:
        octets = base64.b64decode("".join(lines[1:-1]), validate=True)
        key = list(_elements(next(_elements(octets))[1]))
        if key[0][0] != _INTEGER:
            # The key stands within a bit string, whose first octet counts its unused bits.
            wrapped = next(octets for tag, octets in key if tag == _BITS)
            key = list(_elements(next(_elements(wrapped[1:]))[1]))
    except (ValueError, IndexError, StopIteration) as error:
        raise wrong from error
    if [tag for tag, _ in key] != [_INTEGER, _INTEGER]:
        raise wrong
    modulus, exponent = (int.from_bytes(octets, "big") for _, octets in key)
    if modulus.bit_length() < _LEAST_BITS:
        raise wrong
    return modulus, exponent


def _elements(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of DER: tag and content."""
    place = 0
    while place < len(octets):
        tag, length = octets[place], octets[place + 1]
        place += 2
        if length & 0x80:
            more = length & 0x7F
            length = int.from_bytes(octets[place : place + more], "big")
            place += more
        yield tag, octets[place : place + length]
        place += length


def _object(part: str) -> Mapping[str, Any]:
    try:
        found = json.loads(_octets(part))
    except (ValueError, RecursionError) as error:
        raise BadAssertion("no JSON") from error
    if not isinstance(found, dict):
        raise BadAssertion("no JSON object")
    return found


def _octets(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadAssertion("no base64") from error
