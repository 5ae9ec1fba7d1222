"""The XML schema of the operations served, for any Version: field by field in the order of PROTOCOL 1.3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement

from flask_ecscart.service.common import ITEM_OPERATIONS, OPERATIONS
from flask_ecscart.service.soap_message import NAMESPACE

__all__ = ["schema"]

_XS = "http://www.w3.org/2001/XMLSchema"
_LAST_WITH_SELLER_IDS = "2010-12-01"

_CART_KEYS = "CartId? HMAC? MergeCart? "
_ADDED_ITEM = "ASIN? OfferListingId? Quantity:positiveInteger? AssociateTag? ListItemId?"
_TYPES: Mapping[str, str] = {
    # --- Requests. An operation's own wrapper is made in `schema`.
    "CartCreateRequest": "MergeCart? Items:CartCreateItems? ResponseGroup*",
    "CartAddRequest": f"{_CART_KEYS}Items:CartAddItems? ResponseGroup*",
    "CartModifyRequest": f"{_CART_KEYS}Items:CartModifyItems? ResponseGroup*",
    "CartGetRequest": f"{_CART_KEYS}ResponseGroup*",
    "CartClearRequest": f"{_CART_KEYS}ResponseGroup*",
    "CartCreateItems": "Item:CartCreateItem*",
    "CartCreateItem": f"{_ADDED_ITEM} MetaData:KeyValuePair*",
    "CartAddItems": "Item:CartAddItem*",
    "CartAddItem": _ADDED_ITEM,
    "CartModifyItems": "Item:CartModifyItem*",
    "CartModifyItem": "Action:CartModifyAction? CartItemId? Quantity:nonNegativeInteger?",
    # --- Replies. The ids of a cart are missing beside errors, so they are optional here.
    "OperationRequest": (
        "HTTPHeaders:HTTPHeaders? RequestId? Arguments:Arguments? Errors:Errors? RequestProcessingTime:float?"
    ),
    "HTTPHeaders": "Header:Header*",
    "Header": "@Name @Value",
    "Arguments": "Argument:Argument*",
    "Argument": "@Name @Value?",
    "Errors": "Error:Error+",
    "Error": "Code Message",
    "Request": f"IsValid? {' '.join(f'{name}Request:{name}Request?' for name in OPERATIONS)} Errors:Errors?",
    "Cart": (
        "Request:Request? CartId? HMAC? URLEncodedHMAC? PurchaseURL? MobileCartURL? SubTotal:Price? "
        "CartItems:CartItems? SavedForLaterItems:SavedForLaterItems? SimilarProducts:SimilarProducts? "
        "TopSellers:TopSellers? NewReleases:NewReleases? SimilarViewedProducts:SimilarViewedProducts? "
        "OtherCategoriesSimilarProducts:OtherCategoriesSimilarProducts?"
    ),
    "CartItems": "SubTotal:Price? CartItem:CartItem+",
    "SavedForLaterItems": "SubTotal:Price? SavedForLaterItem:CartItem+",
    "MetaData": "KeyValuePair:KeyValuePair*",
    "KeyValuePair": "Key? Value?",
    "Price": "Amount:integer? CurrencyCode? FormattedPrice",
    "SimilarProducts": "SimilarProduct:RelatedProduct*",
    "TopSellers": "TopSeller:RelatedProduct*",
    "NewReleases": "NewRelease:RelatedProduct*",
    "SimilarViewedProducts": "SimilarViewedProduct:RelatedProduct*",
    "OtherCategoriesSimilarProducts": "OtherCategoriesSimilarProduct:RelatedProduct*",
    "RelatedProduct": "ASIN? Title?",
    # --- Items: what the catalog can tell.
    "ItemLookupRequest": "Condition? IdType? MerchantId? ItemId* ResponseGroup* SearchIndex? VariationPage?",
    "ItemSearchRequest": "Condition? ItemPage? Keywords? MerchantId? ResponseGroup* SearchIndex? Sort? Title?",
    "Items": "Request:Request? TotalResults:nonNegativeInteger? TotalPages:nonNegativeInteger? Item:Item*",
    "Item": (
        "ASIN? ParentASIN? DetailPageURL? SmallImage:Image? MediumImage:Image? LargeImage:Image? "
        "ItemAttributes:ItemAttributes? OfferSummary:OfferSummary? Offers:Offers? "
        "VariationSummary:VariationSummary? Variations:Variations?"
    ),
    "Image": "URL Height:DecimalWithUnits Width:DecimalWithUnits",
    "ItemAttributes": "ProductGroup? ReleaseDate? Title?",
    "OfferSummary": (
        "LowestNewPrice:Price? LowestUsedPrice:Price? LowestCollectiblePrice:Price? LowestRefurbishedPrice:Price? "
        "TotalNew? TotalUsed? TotalCollectible? TotalRefurbished?"
    ),
    "Offers": "TotalOffers:nonNegativeInteger? TotalOfferPages:nonNegativeInteger? Offer:Offer*",
    "Offer": "Merchant:Merchant? Seller:Seller? OfferAttributes:OfferAttributes? OfferListing:OfferListing?",
    "Merchant": "MerchantId? Name?",
    "Seller": "SellerId? Nickname?",
    "OfferAttributes": "Condition?",
    "OfferListing": "OfferListingId? Price:Price? Availability? AvailabilityAttributes:AvailabilityAttributes?",
    "AvailabilityAttributes": "AvailabilityType? IsPreorder:boolean?",
    "VariationSummary": "LowestPrice:Price? HighestPrice:Price?",
    "Variations": "TotalVariations:nonNegativeInteger? TotalVariationPages:nonNegativeInteger? Item:Item*",
}
"""Type → its fields: `name`, its type where it is no string, how often (once unless ? * or +); `@` is an attribute."""
_WRAPPER = (
    "MarketplaceDomain? AWSAccessKeyId? AssociateTag? Validate? XMLEscaping? Shared:{0}Request? Request:{0}Request*"
)
_CART_ITEM = (
    "CartItemId ASIN? {sellers}SellerNickname? Quantity Title? ProductGroup? MetaData:MetaData? "
    "{lists}Price:Price? ItemTotal:Price?"
)
_SELLER_IDS = "ExchangeId? MerchantId? SellerId? "
_LISTS = "ListOwner? ListType? "
_FIELD = re.compile(r"(@?)(\w+)(?::(\w+))?([?*+]?)", re.ASCII)
_OCCURS: Mapping[str, Mapping[str, str]] = {
    "": {},
    "?": {"minOccurs": "0"},
    "*": {"minOccurs": "0", "maxOccurs": "unbounded"},
    "+": {"maxOccurs": "unbounded"},
}
_BUILT_IN = {"string", "integer", "positiveInteger", "nonNegativeInteger", "float", "boolean"}


def schema(version: str) -> Element:
    """The `xs:schema` element of that Version; the prefixes `xs` and `tns` are bound in it."""
    namespace = f"{NAMESPACE}{version}"
    root = Element("xs:schema", {"xmlns:xs": _XS, "xmlns:tns": namespace})
    root.attrib |= {"targetNamespace": namespace, "elementFormDefault": "qualified"}
    for operation in OPERATIONS:
        _complex_type(SubElement(root, "xs:element", {"name": operation}), _WRAPPER.format(operation))
        answer = "Items:Items*" if operation in ITEM_OPERATIONS else "Cart:Cart*"
        reply = SubElement(root, "xs:element", {"name": f"{operation}Response"})
        _complex_type(reply, f"OperationRequest:OperationRequest? {answer}")
    for name, fields in _TYPES.items():
        _complex_type(root, fields, name)
    old = version <= _LAST_WITH_SELLER_IDS
    _complex_type(root, _CART_ITEM.format(sellers=_SELLER_IDS if old else "", lists=_LISTS if old else ""), "CartItem")
    _enumeration(root, "CartModifyAction", ("MoveToCart", "SaveForLater"))
    _with_attribute(root, "DecimalWithUnits", "decimal", "Units")
    return root


def _complex_type(parent: Element, fields: str, name: str | None = None) -> None:
    made = SubElement(parent, "xs:complexType", {} if name is None else {"name": name})
    found = [_FIELD.fullmatch(field) for field in fields.split()]
    read = [field.groups() for field in found if field is not None]
    elements = [field for field in read if not field[0]]
    if elements:
        sequence = SubElement(made, "xs:sequence")
        for _, field, kind, occurs in elements:
            SubElement(sequence, "xs:element", {"name": field, "type": _type(kind), **_OCCURS[occurs]})
    for at, field, kind, occurs in read:
        if at:
            use = "optional" if occurs else "required"
            SubElement(made, "xs:attribute", {"name": field, "type": _type(kind), "use": use})


def _type(kind: str | None) -> str:
    kind = kind or "string"
    return f"xs:{kind}" if kind in _BUILT_IN else f"tns:{kind}"


def _enumeration(parent: Element, name: str, values: tuple[str, ...]) -> None:
    restriction = SubElement(SubElement(parent, "xs:simpleType", {"name": name}), "xs:restriction")
    restriction.set("base", "xs:string")
    for value in values:
        SubElement(restriction, "xs:enumeration", {"value": value})


def _with_attribute(parent: Element, name: str, kind: str, attribute: str) -> None:
    content = SubElement(SubElement(parent, "xs:complexType", {"name": name}), "xs:simpleContent")
    extension = SubElement(content, "xs:extension", {"base": f"xs:{kind}"})
    SubElement(extension, "xs:attribute", {"name": attribute, "type": "xs:string", "use": "required"})
