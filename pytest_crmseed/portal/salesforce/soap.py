"""The two SOAP calls that have no REST twin: login, and emptying the recycle bin.

Salesforce docs, SOAP API: ``login()``, ``emptyRecycleBin()``; at most 200 ids a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from pytest_crmseed.portal.message import PortalRequest, PortalResponse
from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.oauth import instance_url, login, user_row
from pytest_crmseed.portal.salesforce.org import Org
from pytest_crmseed.portal.salesforce.rows import Row

MOST_IDS = 200

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope'
    ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"'
    ' xmlns:sf="urn:fault.partner.soap.sforce.com"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)
_Named = Mapping[str, ElementTree.Element]


def call(org: Org, request: PortalRequest) -> PortalResponse:
    """Answer a SOAP call."""
    if b"<!DOCTYPE" in request.body or b"<!ENTITY" in request.body:
        return _fault("INVALID_XML", "a document type definition is not allowed")
    try:
        root = ElementTree.fromstring(request.body)
    except ElementTree.ParseError as error:
        return _fault("INVALID_XML", f"the request is no XML: {error}")
    named = {_local(element): element for element in root.iter()}
    if "login" in named:
        return _login(org, request, named)
    if "emptyRecycleBin" in named:
        return _empty(org, named)
    return _fault(
        "NOT_EMULATED",
        "The local portal emulates the SOAP calls login and emptyRecycleBin only; for all else use REST.",
        status=501,
    )


def _login(org: Org, request: PortalRequest, named: _Named) -> PortalResponse:
    session = login(org, _text(named, "username"), _text(named, "password"))
    if session is None:
        message = "INVALID_LOGIN: Invalid username, password, security token; or user locked out."
        return _fault("INVALID_LOGIN", message)
    user = user_row(org, session)
    version = request.segments[3]
    place = f"{instance_url(request)}/services/Soap/u/{version}/{org.sessions.organization_id[:15]}"
    result = {
        "metadataServerUrl": place.replace("/Soap/u/", "/Soap/m/"),
        "passwordExpired": "false",
        "sandbox": "true" if org.switches.is_sandbox else "false",
        "serverUrl": place,
        "sessionId": session.token,
        "userId": user.id,
    }
    info = {
        "organizationId": org.sessions.organization_id,
        "organizationName": org.switches.organization_name,
        "sessionSecondsValid": str(int(org.switches.session_seconds)),
        "userEmail": user["Email"] or "",
        "userFullName": user["Name"] or "",
        "userId": user.id,
        "userName": user["Username"] or "",
    }
    inner = f"{_elements(result)}<userInfo>{_elements(info)}</userInfo>"
    return _answer(200, f"<loginResponse><result>{inner}</result></loginResponse>")


def _empty(org: Org, named: _Named) -> PortalResponse:
    session = org.sessions.find(f"Bearer {_text(named, 'sessionId')}")
    if session is None or (session.expires is not None and session.expires <= org.clock()):
        message = "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader"
        return _fault("INVALID_SESSION_ID", message)
    inside = named["emptyRecycleBin"].iter()
    given = [(element.text or "").strip() for element in inside if _local(element) == "ids"]
    if len(given) > MOST_IDS:
        message = f"EXCEEDED_ID_LIMIT: record limit reached. cannot submit more than {MOST_IDS} records"
        return _fault("EXCEEDED_ID_LIMIT", message)
    emptied: dict[str, Row] = {}
    results = "".join(_emptied(org, id, emptied) for id in given)
    _along_with(org, list(emptied.values()))
    return _answer(200, f"<emptyRecycleBinResponse>{results}</emptyRecycleBinResponse>")


def _emptied(org: Org, id: str, emptied: dict[str, Row]) -> str:
    row = org.rows.by_id(id)
    if row is None or not row.deleted:
        told = {"message": "The entity is not in the recycle bin", "statusCode": "INVALID_ID_FIELD"}
        parsed = ids.parse(id)
        shown = escape(id if parsed is None else parsed.text)
        errors = f"<errors>{_elements(told)}</errors>"
        return f"<result>{errors}<id>{shown}</id><success>false</success></result>"
    org.rows.purge(row)
    emptied[row.id] = row
    return f"<result><id>{row.id}</id><success>true</success></result>"


def _along_with(org: Org, parents: list[Row]) -> None:
    """Take out of the bin what was deleted along with rows that left it."""
    ids = {row.id for row in parents}
    children: dict[str, Row] = {}
    for each in {row.object.name: row.object for row in parents}.values():
        for effect in each.children:
            child = org.catalogue.find(effect.object) if effect.cascade else None
            for row in () if child is None else org.rows.scan(child, deleted=True):
                if row[effect.field] in ids:
                    children[row.id] = row
    for row in children.values():
        org.rows.purge(row)
    if children:
        _along_with(org, list(children.values()))


def _fault(code: str, message: str, *, status: int = 500) -> PortalResponse:
    told = f"<faultcode>sf:{code}</faultcode><faultstring>{escape(message)}</faultstring>"
    names = {"sf:exceptionCode": code, "sf:exceptionMessage": message}
    detail = f"<detail><sf:Fault>{_elements(names)}</sf:Fault></detail>"
    return _answer(status, f"<soapenv:Fault>{told}{detail}</soapenv:Fault>")


def _answer(status: int, inner: str) -> PortalResponse:
    body = _ENVELOPE.format(inner).encode("utf-8", "replace")
    return PortalResponse(status, body, {"content-type": "text/xml;charset=UTF-8"})


def _elements(values: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _text(named: _Named, name: str) -> str:
    element = named.get(name)
    return "" if element is None else (element.text or "").strip()


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
