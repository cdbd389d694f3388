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

AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")

_INTEGER, _BITS = 0x02, 0x03
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
    modulus, exponent = _rsa(public_key)
    size = (modulus.bit_length() + 7) // 8
    labelled = _SHA256 + hashlib.sha256(signed).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - len(labelled) - 3) + b"\x00" + labelled
    if len(signature) != size:
        return False
    found = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    return hmac.compare_digest(found, wanted)


def _rsa(pem: str) -> tuple[int, int]:
    """Return the modulus and the exponent of a key in PEM, as ``PUBLIC KEY`` or ``RSA PUBLIC KEY``."""
    lines = [line.strip() for line in pem.replace("\\n", "\n").strip().splitlines()]
    octets = base64.b64decode("".join(line for line in lines if not line.startswith("-----")))
    key = list(_elements(next(_elements(octets))[1]))
    if key[0][0] != _INTEGER:
        # The key stands within a bit string, whose first octet counts its unused bits.
        wrapped = next(octets for tag, octets in key if tag == _BITS)
        key = list(_elements(next(_elements(wrapped[1:]))[1]))
    modulus, exponent = (int.from_bytes(octets, "big") for _, octets in key[:2])
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
