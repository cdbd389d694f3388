"""The text of a debug script: Python that needs ``requests`` and nothing of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_crmseed.providers.base import Credential, Request
from pytest_crmseed.seeder.tracer import Shot

_HELPERS = '''
def variable(name):
    """Return a credential; what CRMSEED_ stands before wins, as for crmseed itself."""
    value = os.environ.get("CRMSEED_" + name) or os.environ.get(name)
    if not value:
        sys.exit(f"{name} is not set in the environment")
    return value.strip()


def send(method, path, query=(), headers=None, body=None, form=None):
    """Send one request; print it as it is sent, and the whole answer as it comes."""
    data = json.dumps(body) if body is not None else form
    kind = {"Content-Type": "application/json"} if body is not None else {}
    request = requests.Request(
        method, BASE_URL + path, params=list(query), headers={**HEADERS, **kind, **(headers or {})}, data=data
    ).prepare()
    print(f"> {request.method} {request.url}")
    for name, value in request.headers.items():
        print(f"> {name}: {'***' if name in SECRET_HEADERS else value}")
    if body is not None:
        print(masked(json.dumps(body, indent=2)))
    with requests.Session() as session:
        # Proxies and certificates of the environment, which a prepared request does without.
        settings = session.merge_environment_settings(request.url, {}, None, None, None)
        answer = session.send(request, timeout=60, **settings)
    print(f"< {answer.status_code} {answer.reason}")
    for name, value in answer.headers.items():
        print(f"< {name}: {value}")
    print(masked(answer.text))
    print()
    return answer


def masked(text):
    for value in SECRETS:
        text = text.replace(value, "***")
    return text


def id_of(answer):
    """Return the id of the record that an answer tells of: the first one, from the outside in."""
    try:
        level = [answer.json()]
    except ValueError:
        level = []
    while level:
        below = []
        for value in level:
            found = value.get("id", value.get("ids")) if isinstance(value, dict) else None
            if isinstance(found, list):
                found = found[0] if found else None
            if isinstance(found, (int, str)) and not isinstance(found, bool) and "jsonrpc" not in value:
                return str(found)
            below += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        level = below
    sys.exit("The record was not made: see the answer above.")


def was_deleted(answer):
    """Tell whether an answer says so; some portals refuse with a status of success."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    parts = told if isinstance(told, list) else [told]
    told = [part for part in parts if isinstance(part, dict)]
    return answer.ok and not any(part.get("success") is False or "error" in part for part in told)

'''


class Script:
    """Write a script for shots at one portal.

    ``headers`` sign a request in, with places (see :func:`places`) instead of credentials; so does
    ``base_url``. ``secrets`` are values that must not stand in it, by variable.
    """

    def __init__(
        self,
        shots: Sequence[Shot],
        *,
        title: str,
        base_url: str,
        headers: Mapping[str, str],
        credentials: Sequence[Credential],
        secrets: Mapping[str, str],
    ) -> None:
        self._shots = shots
        self._title = title
        self._base_url = base_url
        self._headers = headers
        self._credentials = credentials
        # What stands for what, as Python: longer texts first, so that none is found within another.
        stands = {shot.place: f"ids[{shot.object_type!r}]" for shot in shots}
        stands |= {place: f"variable({name!r})" for name, place in places(credentials).items()}
        stands |= {value: f"variable({name!r})" for name, value in secrets.items() if value}
        self._stands = dict(sorted(stands.items(), key=lambda each: -len(each[0])))

    def text(self) -> str:
        """Return the script."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        main = self._shots[-1].object_type
        yield f'"""Make one record of {main} in {self._title} by raw HTTP, print what is said, delete it."""'
        yield ""
        yield "import json"
        yield "import os"
        yield "import sys"
        yield ""
        yield "import requests"
        yield ""
        yield _HELPERS
        yield f'BASE_URL = (os.environ.get("CRMSEED_BASE_URL") or {self._python(self._base_url)}).rstrip("/")'
        yield f"HEADERS = {self._python(dict(self._headers))}"
        signing = [name for name, value in self._headers.items() if self._held(value)]
        yield f"SECRET_HEADERS = {signing!r}"
        secret = [c.variable for c in self._credentials if c.secret]
        yield f"SECRET_VARIABLES = {[name for v in secret for name in ('CRMSEED_' + v, v)]!r}"
        yield "SECRETS = [os.environ[name] for name in SECRET_VARIABLES if os.environ.get(name)]"
        yield ""
        yield "ids = {}"
        yield "left = []"
        yield "try:"
        for shot in self._shots:
            yield f"    print({f'=== {shot.create.what}'!r})"
            yield f"    ids[{shot.object_type!r}] = id_of({self._call(shot.create)})"
        yield "finally:"
        for shot in reversed(self._shots):
            yield f"    if {shot.object_type!r} in ids:"
            yield f"        print({self._text(f'=== {shot.delete.what}')})"
            yield f"        if not was_deleted({self._call(shot.delete, indent=8)}):"
            yield f"            left.append('{shot.object_type} ' + ids[{shot.object_type!r}])"
        yield "    if left:"
        yield "        sys.exit(f\"Not deleted, see the answers above: {', '.join(left)}\")"
        yield f"print({main!r}, ids[{main!r}], 'was made and deleted')"

    def _call(self, request: Request, *, indent: int = 4) -> str:
        parts = [repr(request.method), self._python(request.path)]
        if request.query:
            parts.append(f"query={self._python([list(pair) for pair in request.query], indent)}")
        if request.headers:
            parts.append(f"headers={self._python(dict(request.headers), indent)}")
        if request.body is not None:
            parts.append(f"body={self._python(request.body, indent)}")
        if request.form is not None:
            parts.append(f"form={self._python(dict(request.form), indent)}")
        return f"send({', '.join(parts)})"

    def _held(self, text: str) -> bool:
        return any(place in text for place in self._stands)

    def _python(self, value: Any, indent: int = 0) -> str:
        """Return a value as Python, over several lines where it is nested."""
        inner = " " * (indent + 4)
        if isinstance(value, Mapping):
            if not value:
                return "{}"
            rows = [f"{inner}{key!r}: {self._python(each, indent + 4)},\n" for key, each in value.items()]
            return "{\n" + "".join(rows) + " " * indent + "}"
        if isinstance(value, list | tuple):
            if not value:
                return "[]"
            if all(not isinstance(each, Mapping | list | tuple) for each in value):
                return f"[{', '.join(self._python(each) for each in value)}]"
            rows = [f"{inner}{self._python(each, indent + 4)},\n" for each in value]
            return "[\n" + "".join(rows) + " " * indent + "]"
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in self._stands:
            return f"int({self._stands[str(value)]})"
        return self._text(value) if isinstance(value, str) else repr(value)

    def _text(self, text: str) -> str:
        if not self._stands:
            return repr(text)
        parts = re.split(f"({'|'.join(map(re.escape, self._stands))})", text)
        told = [self._stands.get(part) or repr(part) for part in parts if part]
        return " + ".join(told) or "''"


def places(credentials: Sequence[Credential]) -> dict[str, str]:
    """Return what stands for each credential, by variable; it can be part of an address and of a header."""
    return {credential.variable: f"crmseed-place-{n}x" for n, credential in enumerate(credentials)}
