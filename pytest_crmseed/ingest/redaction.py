"""Keep secrets out of every text that leaves the room."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Collection, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "***"

_SIGNING = ("auth", "token", "key", "secret", "cookie", "session", "password")


class Redactor:
    """Replace secrets by ``***``: as they are, and quoted, escaped or in base 64."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._forms: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Collection[str]) -> None:
        """Replace these as well from now on."""
        forms: set[str] = set()
        for secret in secrets:
            forms |= {
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
                repr(secret)[1:-1],
                base64.b64encode(secret.encode("utf-8")).decode("ascii"),
            }
        # The longest first: a secret may be part of another one.
        self._forms = sorted({*self._forms, *forms} - {""}, key=len, reverse=True)

    def __repr__(self) -> str:
        return "<Redactor>"

    def text(self, text: str) -> str:
        """Return ``text`` without any secret."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def clean(self, error: BaseException) -> None:
        """Take the secrets out of an exception, of what it holds, and of its causes, in place."""
        seen: set[int] = set()
        chain: list[BaseException | None] = [error]
        while chain:
            current = chain.pop()
            if current is None or id(current) in seen:
                continue
            seen.add(id(current))
            current.args = tuple(self._value(argument) for argument in current.args)
            for name, value in list(vars(current).items()):
                setattr(current, name, self._value(value))
            chain += [current.__cause__, current.__context__]

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if type(value) is list:
            return [self._value(item) for item in value]
        if type(value) is tuple:
            return tuple(self._value(item) for item in value)
        if type(value) is dict:
            return {self._value(key): self._value(item) for key, item in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            cleaned = {name: self._value(item) for name, item in fields.items()}
            return dataclasses.replace(value, **cleaned) if cleaned != fields else value
        return value


def secrets_in(headers: Mapping[str, str]) -> set[str]:
    """Return the secrets that headers carry: the values of signing ones, and their credentials alone."""
    found: set[str] = set()
    for name, value in headers.items():
        if any(word in name.casefold() for word in _SIGNING):
            found.add(value)
            scheme, _, credentials = value.partition(" ")
            if scheme.casefold() in ("bearer", "basic", "token", "oauth") and credentials:
                found.add(credentials.strip())
    return found
