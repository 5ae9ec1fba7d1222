"""The WSDL document: the operations served, for any Version, with this server's own addresses in it."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from flask_ecscart.service.common import OPERATIONS
from flask_ecscart.service.soap_message import NAMESPACE
from flask_ecscart.service.soap_schema import schema

__all__ = ["LATEST_VERSION", "WSDL_PATH", "wsdl"]

WSDL_PATH = "/AWSECommerceService/AWSECommerceService.wsdl"
"""Of the latest Version; others have theirs between the two names."""
LATEST_VERSION = "2013-08-01"
_NAME = "AWSECommerceService"
_ACTION = "http://soap.amazon.com/"
_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"


def wsdl(version: str, addresses: Mapping[str, str]) -> bytes:
    """The document. `addresses` maps locale codes to URLs of /onca/soap, and "" to that of the usual port."""
    namespace = f"{NAMESPACE}{version}"
    root = Element(
        "definitions",
        {
            "xmlns": "http://schemas.xmlsoap.org/wsdl/",
            "xmlns:soap": "http://schemas.xmlsoap.org/wsdl/soap/",
            "xmlns:tns": namespace,
            "targetNamespace": namespace,
        },
    )
    SubElement(root, "types").append(schema(version))
    for operation in OPERATIONS:
        for message, element in (("RequestMsg", operation), ("ResponseMsg", f"{operation}Response")):
            part = SubElement(root, "message", {"name": f"{operation}{message}"})
            SubElement(part, "part", {"name": "body", "element": f"tns:{element}"})
    _port_type(root)
    _binding(root)
    _service(root, addresses)
    return b'<?xml version="1.0" encoding="UTF-8"?>' + tostring(root, encoding="unicode").encode()


def _port_type(root: Element) -> None:
    ports = SubElement(root, "portType", {"name": f"{_NAME}PortType"})
    for operation in OPERATIONS:
        made = SubElement(ports, "operation", {"name": operation})
        SubElement(made, "input", {"message": f"tns:{operation}RequestMsg"})
        SubElement(made, "output", {"message": f"tns:{operation}ResponseMsg"})


def _binding(root: Element) -> None:
    binding = SubElement(root, "binding", {"name": f"{_NAME}Binding", "type": f"tns:{_NAME}PortType"})
    SubElement(binding, "soap:binding", {"style": "document", "transport": _TRANSPORT})
    for operation in OPERATIONS:
        made = SubElement(binding, "operation", {"name": operation})
        SubElement(made, "soap:operation", {"soapAction": f"{_ACTION}{operation}"})
        for way in ("input", "output"):
            SubElement(SubElement(made, way), "soap:body", {"use": "literal"})


def _service(root: Element, addresses: Mapping[str, str]) -> None:
    service = SubElement(root, "service", {"name": _NAME})
    for locale, address in addresses.items():
        port = SubElement(service, "port", {"name": f"{_NAME}Port{locale}", "binding": f"tns:{_NAME}Binding"})
        SubElement(port, "soap:address", {"location": address})
