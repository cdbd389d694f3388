"""Emptying the recycle bin of records that were deleted, for which only the SOAP API has a call.

Source: Salesforce docs, "SOAP API Developer Guide", ``emptyRecycleBin()``: at most 200 ids a call; what was
deleted along with a record goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from pytest_crmseed.errors import NotAPortal
from pytest_crmseed.providers.base import SESSION, Answer, Effect, Exchange, Request
from pytest_crmseed.providers.salesforce.soql import BUCKETS

MOST = 200

# What is not in the bin is out of it already [unsure which of them it is].
_NOT_IN_IT = frozenset({"INVALID_ID_FIELD", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns="urn:partner.soap.sforce.com">'
    f"<soapenv:Header><SessionHeader><sessionId>{SESSION}</sessionId></SessionHeader></soapenv:Header>"
    "<soapenv:Body><emptyRecycleBin>{ids}</emptyRecycleBin></soapenv:Body></soapenv:Envelope>"
)


def empty(version: str, object_type: str, ids: Sequence[str]) -> Exchange[Mapping[str, str]]:
    """Take deleted records out of the bin for good; return those that stay in it, with the reason.

    Raises:
        NotAPortal: an answer does not say what became of each record.
    """
    kept: dict[str, str] = {}
    for start in range(0, len(ids), MOST):
        some = ids[start : start + MOST]
        answer = yield Request(
            "POST",
            f"/services/Soap/u/{version}",
            f"empty the recycle bin of {len(some)} {object_type}",
            Effect.DELETE,
            xml=_ENVELOPE.replace("{ids}", "".join(f"<ids>{id}</ids>" for id in some)),
            records=len(some),
            buckets=BUCKETS,
            headers={"SOAPAction": '""'},
        )
        results = _elements(answer.body.decode("utf-8", "replace"), "result")
        if len(results) != len(some):
            raise NotAPortal(
                f"The address answered {answer.status} with {len(results)} results to: "
                f"{answer.request.what}.",
                remedy="Is this Salesforce's SOAP API? See proxies on the way.",
                status=answer.status,
            )
        for id, result in zip(some, results, strict=True):
            if _text(result, "success") != "true" and _text(result, "statusCode") not in _NOT_IN_IT:
                kept[id] = f"{_text(result, 'message')} [{_text(result, 'statusCode')}]"
    return kept


def fault_in(answer: Answer) -> Sequence[Mapping[str, Any]] | None:
    """Return the fault of a SOAP answer as REST tells errors; none for an answer that is no fault.

    Raises:
        ValueError: the answer is no SOAP.
    """
    text = answer.body.decode("utf-8", "replace")
    if not _elements(text, "Envelope"):
        raise ValueError("no SOAP")
    if not _elements(text, "Fault"):
        return None
    code = _text(text, "faultcode").rpartition(":")[2]
    said = _text(text, "faultstring")
    return [{"errorCode": code, "message": said.removeprefix(f"{code}: ")}]


def _elements(text: str, name: str) -> list[str]:
    """Return what stands in the elements of a name, whatever their namespace's prefix."""
    return re.findall(rf"<(?:\w+:)?{name}(?: [^>]*)?>(.*?)</(?:\w+:)?{name}>", text, re.DOTALL)


def _text(text: str, name: str) -> str:
    return unescape(next(iter(_elements(text, name)), "")).strip()
