"""One call of a route: the request, what the path says, and the company it works on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.pipedrive import errors
from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.tokens import Token

PAGE = 100
MOST = 500
"""Entries on a page of a list, by default and at most (Pipedrive docs, "Pagination")."""


@dataclass
class Call:
    """A call of a route. ``version`` is ``v1`` or ``v2``."""

    company: Company
    request: PortalRequest
    params: Mapping[str, str]
    version: str
    token: Token | None

    @cached_property
    def body(self) -> dict[str, Any]:
        """The request's body, an object. v1 takes forms as well when something is created.

        Raises:
            ApiError: it is missing, no JSON, or no object.
        """
        if self.version == "v1" and self.request.method == "POST" and self._content_type in _FORMS:
            form = parse_qs(self.request.body.decode("utf-8", "replace"), keep_blank_values=True)
            return {name: values[-1] for name, values in form.items()}
        data = self.json
        if not isinstance(data, dict):
            raise errors.bad_request("Bad request: the body is not an object", "ERR_BAD_REQUEST")
        return data

    @cached_property
    def json(self) -> Any:
        """The request's JSON body.

        Raises:
            ApiError: it is missing or no JSON.
        """
        if not self.request.body:
            return {}
        if self._content_type != "application/json":
            raise errors.wrong_content_type()
        try:
            data = json.loads(self.request.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise errors.no_json() from error
        # A lone surrogate, which only an escape can smuggle in, can be neither stored nor answered.
        return _without_surrogates(data) if b"\\ud" in self.request.body.lower() else data

    @property
    def _content_type(self) -> str:
        return self.request.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def id(self) -> int:
        """The id of the path.

        Raises:
            ApiError: it is no number.
        """
        return self.number("id")

    def number(self, name: str) -> int:
        """Return a number of the path.

        Raises:
            ApiError: it is none.
        """
        found = whole(self.params[name])
        if found is None:
            raise errors.bad_request(
                f"Bad request: '{self.params[name]}' is not a valid id", "ERR_BAD_REQUEST"
            )
        return found

    def argument(self, name: str) -> str | None:
        """Return the query's last value of a name, or None."""
        values = self.request.arguments.get(name)
        return values[-1] if values else None

    def flag(self, name: str) -> bool:
        """Return a boolean of the query."""
        return (self.argument(name) or "").lower() in ("true", "1")

    def several(self, name: str) -> list[str]:
        """Return the values of the query that come comma-separated."""
        values = self.request.arguments.get(name, [])
        return [part.strip() for value in values for part in value.split(",") if part.strip()]

    def integer(self, name: str) -> int | None:
        """Return a number of the query, or None where there is none.

        Raises:
            ApiError: it is no number.
        """
        text = self.argument(name)
        if text is None:
            return None
        found = whole(text)
        if found is None:
            raise errors.invalid([(name, "The value is not a valid 'integer'")])
        return found

    def limit(self, most: int = MOST) -> int:
        """Return the page size. What is said of a limit beyond the maximum is [unsure].

        Raises:
            ApiError: it is no number from 1 to ``most``.
        """
        found = self.integer("limit")
        if found is None:
            return min(PAGE, most)
        if not 1 <= found <= most:
            raise errors.invalid([("limit", f"The value must be between 1 and {most}")])
        return found

    def answer(self, data: Any, more: Any = None, *, status: int = 200) -> PortalResponse:
        """Return an answer that succeeded; ``more`` is its ``additional_data``."""
        body: dict[str, Any] = {"success": True, "data": data}
        if more is not None:
            body["additional_data"] = more
        return PortalResponse.of(status, body)


_FORMS = ("application/x-www-form-urlencoded",)


def whole(text: str) -> int | None:
    """Return a number of a path or query, or None when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _without_surrogates(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode()
    if isinstance(data, list):
        return [_without_surrogates(item) for item in data]
    if isinstance(data, dict):
        return {_without_surrogates(key): _without_surrogates(value) for key, value in data.items()}
    return data
