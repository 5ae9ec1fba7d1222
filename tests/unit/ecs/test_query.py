"""Requests are built and signed to the byte, and no text of a user gets out of its value."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_ecscart.ecs import query
from flask_ecscart.errors import InvalidParameterValue
from flask_ecscart.model import CartRef, ItemChange, NewItem

COMMON = {"Service": "AWSECommerceService", "Timestamp": "2009-01-01T12:00:00Z", "AWSAccessKeyId": "0" * 20}
LISTING = "j8ejq9wxDfSYWf2OCp6XQGDsVrWhl08GSQ9m5j+e8MS449BN1XGUC3DfU5Zw4nt/FBt87cspLow1QXzfvZpvzg=="
# The published vectors (PROTOCOL 2.2); secret 1234567890, GET, /onca/xml.
VECTORS = {
    "ItemLookup of the 2011 guide": (
        "webservices.amazon.com",
        {
            "Operation": "ItemLookup",
            "ItemId": "0679722769",
            "ResponseGroup": "ItemAttributes,Offers,Images,Reviews",
            "Version": "2009-01-06",
        },
        "Nace+U3Az4OhN7tISqgs1vdLBHBEijWcBeCqL5xN9xg=",
    ),
    "ItemSearch UK": (
        "ecs.amazonaws.co.uk",
        {
            "Operation": "ItemSearch",
            "Actor": "Johnny Depp",
            "AssociateTag": "mytag-20",
            "ResponseGroup": "ItemAttributes,Offers,Images,Reviews,Variations",
            "SearchIndex": "DVD",
            "Sort": "salesrank",
            "Version": "2009-01-01",
        },
        "TuM6E5L9u/uNqOX09ET03BXVmHLVFfJIna5cxXuHxiU=",
    ),
    "CartCreate": (
        "ecs.amazonaws.com",
        {
            "Operation": "CartCreate",
            "AssociateTag": "mytag-20",
            "Item.1.OfferListingId": LISTING,
            "Item.1.Quantity": "3",
            "Version": "2009-01-01",
        },
        "cF3UtjbJb1+xDh387C/EmS1BCtS/Z01taykBCGemvUU=",
    ),
    "BrowseNodeLookup": (
        "ecs.amazonaws.com",
        {
            "Operation": "BrowseNodeLookup",
            "AssociateTag": "mytag-20",
            "BrowseNodeId": "465600",
            "ResponseGroup": "BrowseNodeInfo,TopSellers,NewReleases,MostWishedFor,MostGifted",
            "Version": "2009-01-01",
        },
        "kEXxAIqhh6eBhLhrVMz2gt3ocMaH/OBVPbjvc9TG8ao=",
    ),
    "SimilarityLookup": (
        "ecs.amazonaws.com",
        {
            "Operation": "SimilarityLookup",
            "AssociateTag": "mytag-20",
            "Condition": "New",
            "ItemId": "B0011ZK6PC,B000NK8EWI",
            "Merchant": "Amazon",
            "ResponseGroup": "Offers,ItemAttributes",
            "SimilarityType": "Intersection",
            "Version": "2009-01-01",
        },
        "I2pbqxuS/mZK6Apwz0oLBxJn2wDL5n4kFQhgYWgLM7I=",
    ),
    "ItemLookup of the 2013 guide": (
        "webservices.amazon.com",
        {
            "Operation": "ItemLookup",
            "AWSAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "AssociateTag": "mytag-20",
            "ItemId": "0679722769",
            "ResponseGroup": "Images,ItemAttributes,Offers,Reviews",
            "Timestamp": "2014-08-18T12:00:00Z",
            "Version": "2013-08-01",
        },
        "j7bZM0LXZ9eXeZruTqWm2DIvDYVUU3wxPPpp+iXxzQc=",
    ),
}

REF = CartRef(locale="US", cart_id="111-2222222-3333333", hmac="ab+cd/ef==", associate_tag="tag-20")
well_formed = st.text(st.characters(exclude_categories=["Cs"]))


def decoded(text: str) -> list[tuple[str, str]]:
    """What a service reads: an independent parser, refusing anything doubtful."""
    return parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")


@pytest.mark.parametrize("name", VECTORS)
def test_a_published_vector_is_signed_as_published(name: str) -> None:
    host, parameters, expected = VECTORS[name]
    canonical = query.canonical_query({**COMMON, **parameters})
    assert query.signature(b"1234567890", method="GET", host=host, path="/onca/xml", query=canonical) == expected


@pytest.mark.parametrize("name", VECTORS)
def test_a_signed_query_ends_with_its_signature_encoded_once(name: str) -> None:
    host, parameters, expected = VECTORS[name]
    both = {**COMMON, **parameters}
    credentials = query.Credentials(both.pop("AWSAccessKeyId"), "1234567890")
    timestamp = both.pop("Timestamp")
    signed = credentials.signed_query(both, method="GET", host=host, path="/onca/xml", timestamp=timestamp)
    assert signed.endswith(f"&Signature={quote(expected, safe='')}")


def test_the_host_is_signed_in_lower_case_and_with_its_port() -> None:
    def made(host: str) -> str:
        return query.signature(b"s", method="GET", host=host, path="/onca/xml", query="a=b")

    assert made("Example.COM:81") == made("example.com:81")
    assert made("example.com:81") != made("example.com")


def test_method_and_path_are_signed() -> None:
    signatures = {
        query.signature(b"s", method=method, host="h", path=path, query="a=b")
        for method in ("GET", "POST")
        for path in ("/onca/xml", "/other")
    }
    assert len(signatures) == 4


def test_names_stand_in_byte_order() -> None:
    given_names = ["b", "a", "B", "A", "Item.10.ASIN", "Item.1.ASIN", "Item.2.ASIN"]
    names = [name for name, _ in decoded(query.canonical_query(dict.fromkeys(given_names, "x")))]
    assert names == ["A", "B", "Item.1.ASIN", "Item.10.ASIN", "Item.2.ASIN", "a", "b"]


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a b", "a%20b"),
        ("+", "%2B"),
        ("%2F", "%252F"),
        ("-_.~", "-_.~"),
        ("*'()!", "%2A%27%28%29%21"),
        ("é", "%C3%A9"),
        ("本", "%E6%9C%AC"),
        ("a&b=c", "a%26b%3Dc"),
    ],
)
def test_a_value_is_encoded_by_the_rule_of_the_guide(text: str, encoded: str) -> None:
    assert query.percent_encode(text) == encoded


@given(st.dictionaries(well_formed.filter(bool), well_formed, min_size=1))
def test_what_is_built_reads_back_as_it_was(parameters: dict[str, str]) -> None:
    built = query.canonical_query(parameters)
    assert dict(decoded(built)) == parameters
    assert len(decoded(built)) == len(parameters)


@given(well_formed)
def test_encoding_agrees_with_the_standard_library_and_is_ascii(text: str) -> None:
    encoded = query.percent_encode(text)
    assert encoded == quote(text, safe="-_.~")
    assert encoded.isascii()
    assert unquote(encoded, errors="strict") == text


@given(well_formed, well_formed, well_formed, well_formed)
def test_text_of_a_user_never_adds_a_parameter(asin: str, listing: str, tag: str, cart_item_id: str) -> None:
    ref = CartRef(locale="US", cart_id=asin, hmac=listing, associate_tag=tag or "t")
    for parameters, names in (
        (query.cart_create([NewItem(asin=asin, quantity=1)], associate_tag=tag or "t"), {"Item.1.ASIN"}),
        (query.cart_add(ref, [NewItem(offer_listing_id=listing, quantity=1)]), {"Item.1.OfferListingId"}),
        (query.cart_modify(ref, [ItemChange(cart_item_id=cart_item_id, quantity=1)]), {"Item.1.CartItemId"}),
    ):
        on_cart = {"CartId", "HMAC"} if parameters["Operation"] != "CartCreate" else set[str]()
        read = decoded(query.canonical_query(parameters))
        assert {name for name, _ in read} == (
            {"Service", "Operation", "AssociateTag", "Item.1.Quantity"} | names | on_cart
        )
        assert dict(read) == parameters


@given(well_formed)
def test_a_signature_is_stable_over_reading_and_building_again(text: str) -> None:
    credentials = query.Credentials("key", "secret")
    once = credentials.signed_query({"V": text}, method="GET", host="h", path="/p", timestamp="t")
    read = dict(decoded(once))
    kept = {name: read[name] for name in read if name not in {"Signature", "AWSAccessKeyId", "Timestamp"}}
    assert credentials.signed_query(kept, method="GET", host="h", path="/p", timestamp="t") == once


def test_a_lone_surrogate_is_refused_without_showing_the_text() -> None:
    with pytest.raises(InvalidParameterValue) as caught:
        query.percent_encode("private\ud800")
    assert "private" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_hmac_is_encoded_exactly_once() -> None:
    assert "HMAC=ab%2Bcd%2Fef%3D%3D" in query.canonical_query(query.cart_get(REF))


def test_a_listing_id_as_the_api_returns_it_keeps_its_escapes() -> None:
    escaped = quote(LISTING, safe="")
    parameters = query.cart_add(REF, [NewItem(offer_listing_id=escaped, quantity=1)])
    assert dict(decoded(query.canonical_query(parameters)))["Item.1.OfferListingId"] == escaped


def test_create_names_lines_from_one_on_in_the_order_given() -> None:
    items = [NewItem(asin="B000000001", quantity=2), NewItem(offer_listing_id="L", quantity=3)]
    assert query.cart_create(items, associate_tag="t-20") == {
        "Service": "AWSECommerceService",
        "Operation": "CartCreate",
        "AssociateTag": "t-20",
        "Item.1.ASIN": "B000000001",
        "Item.1.Quantity": "2",
        "Item.2.OfferListingId": "L",
        "Item.2.Quantity": "3",
    }


def test_modify_sends_quantity_and_action_only_where_given() -> None:
    changes = [
        ItemChange(cart_item_id="U1", quantity=0),
        ItemChange(cart_item_id="U2", action="SaveForLater"),
        ItemChange(cart_item_id="U3", quantity=2, action="MoveToCart"),
    ]
    sent = query.cart_modify(REF, changes)
    assert {name: value for name, value in sent.items() if name.startswith("Item.")} == {
        "Item.1.CartItemId": "U1",
        "Item.1.Quantity": "0",
        "Item.2.CartItemId": "U2",
        "Item.2.Action": "SaveForLater",
        "Item.3.CartItemId": "U3",
        "Item.3.Quantity": "2",
        "Item.3.Action": "MoveToCart",
    }


@pytest.mark.parametrize(("build", "operation"), [(query.cart_get, "CartGet"), (query.cart_clear, "CartClear")])
def test_an_operation_on_a_cart_carries_its_reference_with_its_own_tag(build: object, operation: str) -> None:
    assert build(REF) == {  # type: ignore[operator]
        "Service": "AWSECommerceService",
        "Operation": operation,
        "AssociateTag": "tag-20",
        "CartId": REF.cart_id,
        "HMAC": REF.hmac,
    }


def test_without_a_tag_none_is_sent() -> None:
    assert "AssociateTag" not in query.cart_create([NewItem(asin="A", quantity=1)], associate_tag="")


def test_response_groups_keep_their_order_behind_cart() -> None:
    items = [NewItem(asin="A", quantity=1)]
    sent = query.cart_create(items, associate_tag="t", response_groups=("CartNewReleases", "CartTopSellers", "Cart"))
    assert sent["ResponseGroup"] == "Cart,CartNewReleases,CartTopSellers"


def test_credentials_show_neither_key() -> None:
    credentials = query.Credentials("AKIACANARY", "secretcanary")
    assert "CANARY" not in repr(credentials).upper()
