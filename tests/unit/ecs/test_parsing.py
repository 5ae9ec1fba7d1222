"""A reply becomes the cart it shows or the error it stands for, whatever its Version, language or form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flask_ecscart import errors
from flask_ecscart.ecs.parsing import parse_cart
from flask_ecscart.model import Cart, CartFault, Money, RelatedItem

CART_ID = "111-2222222-3333333"
HMAC = "ab+cd/efghijklmnopqrstuvwxy="
QUANTITY, ALREADY = "AWS.ECommerceService.InvalidQuantity", "AWS.ECommerceService.ItemAlreadyInCart"

Sample = Callable[[str], bytes]


def read(body: bytes, operation: str = "CartGet", *, locale: str = "US", expected_cart_id: str | None = None) -> Cart:
    return parse_cart(
        body, locale=locale, associate_tag="tag-20", operation=operation, expected_cart_id=expected_cart_id
    )


def cart_reply(inside: str, *, operation: str = "CartGet", namespace: str | None = None) -> bytes:
    namespace = namespace or "http://webservices.amazon.com/AWSECommerceService/2013-08-01"
    return f'<{operation}Response xmlns="{namespace}"><Cart>{inside}</Cart></{operation}Response>'.encode()


IDS = f"<Request><IsValid>True</IsValid></Request><CartId>{CART_ID}</CartId><HMAC>{HMAC}</HMAC>"


# --- Recorded replies ----------------------------------------------------------------------------------------

# File → operation, locale, and what it holds: (active lines, saved lines, SubTotal, codes of faults) or an error.
NO_FAULTS: tuple[str, ...] = ()
RECORDED: dict[str, tuple[str, str, tuple[int, int, int | None, tuple[str, ...]] | type[errors.ECSCartError]]] = {
    "2005-03-23-us/cart_create_2_items.xml": ("CartCreate", "US", (2, 0, 3547, NO_FAULTS)),
    "2005-03-23-us/cart_get_cart_bad_cart.xml": ("CartGet", "US", errors.CartInfoMismatch),
    "2005-03-23-us/cart_modify_cart_B.xml": ("CartModify", "US", (3, 0, 4632, NO_FAULTS)),
    "2010-09-01/internal-error-in-CartClear-us.xml": ("CartClear", "US", errors.InternalError),
    "2010-12-01/CartAdd-us-adding-item-already-in-cart-fails-2.xml": (
        "CartAdd",
        "US",
        (2, 0, 17451, (QUANTITY, ALREADY)),
    ),
    "2011-08-01/APICredentials-us-without-credentials-fails.xml": ("CartGet", "US", errors.MissingClientTokenId),
    "2011-08-01/CartAdd-fr-adding-with-wrong-cartid-hmac-fails-2.xml": ("CartAdd", "FR", errors.CartInfoMismatch),
    "2011-08-01/CartAdd-jp-adding-item-already-in-cart-fails-2.xml": (
        "CartAdd",
        "JP",
        (2, 0, 16640, (QUANTITY, ALREADY)),
    ),
    "2011-08-01/CartAdd-jp-adding-with-wrong-cartid-hmac-fails-2.xml": ("CartAdd", "JP", errors.CartInfoMismatch),
    "2011-08-01/CartAdd-us-adding-empty-items-fails-2.xml": ("CartAdd", "US", errors.MissingParameters),
    "2011-08-01/CartAdd-us-adding-item-2.xml": ("CartAdd", "US", (3, 0, 35403, NO_FAULTS)),
    "2011-08-01/CartAdd-us-adding-item-already-in-cart-fails-2.xml": (
        "CartAdd",
        "US",
        (2, 0, 17451, (QUANTITY, ALREADY)),
    ),
    "2011-08-01/CartAdd-us-adding-item.xml": ("CartCreate", "US", (2, 0, 17451, NO_FAULTS)),
    "2011-08-01/CartAdd-us-adding-with-wrong-cartid-hmac-fails-2.xml": ("CartAdd", "US", errors.CartInfoMismatch),
    "2011-08-01/CartClear-us-clearing-cart-2.xml": ("CartClear", "US", (0, 0, None, NO_FAULTS)),
    "2011-08-01/CartClear-us-clearing-cart-3.xml": ("CartClear", "US", (0, 0, None, NO_FAULTS)),
    "2011-08-01/CartCreate-ca-create-cart.xml": ("CartCreate", "CA", (2, 0, 11295, NO_FAULTS)),
    "2011-08-01/CartCreate-de-create-cart.xml": ("CartCreate", "DE", (2, 0, 9710, NO_FAULTS)),
    "2011-08-01/CartCreate-fr-create-cart.xml": ("CartCreate", "FR", (2, 0, 11728, NO_FAULTS)),
    "2011-08-01/CartCreate-jp-create-cart.xml": ("CartCreate", "JP", (2, 0, 11092, NO_FAULTS)),
    "2011-08-01/CartCreate-jp-creating-basket-with-empty-items-fails.xml": (
        "CartCreate",
        "JP",
        errors.MissingParameters,
    ),
    "2011-08-01/CartCreate-uk-create-cart.xml": ("CartCreate", "UK", (2, 0, 9178, NO_FAULTS)),
    "2011-08-01/CartCreate-us-create-cart.xml": ("CartCreate", "US", (2, 0, 11450, NO_FAULTS)),
    "2011-08-01/CartCreate-us-creating-basket-with-empty-items-fails-2.xml": (
        "CartCreate",
        "US",
        errors.ParameterOutOfRange,
    ),
    "2011-08-01/CartCreate-us-creating-basket-with-empty-items-fails.xml": (
        "CartCreate",
        "US",
        errors.MissingParameters,
    ),
    "2011-08-01/CartCreate-us-creating-basket-with-negative-item-quantity-fails.xml": (
        "CartCreate",
        "US",
        errors.ParameterOutOfRange,
    ),
    "2011-08-01/CartCreate-us-creating-basket-with-quantity-too-high-fails.xml": (
        "CartCreate",
        "US",
        errors.ParameterOutOfRange,
    ),
    "2011-08-01/CartCreate-us-creating-basket-with-unknown-item-fails.xml": (
        "CartCreate",
        "US",
        errors.ItemNotEligibleForCart,
    ),
    "2011-08-01/CartGet-us-getting-cart-2.xml": ("CartGet", "US", (2, 0, 17451, NO_FAULTS)),
    "2011-08-01/CartGet-us-getting-with-wrong-cartid-hmac-fails-2.xml": ("CartGet", "US", errors.CartInfoMismatch),
    "2011-08-01/CartModify-de-modifying-item-2.xml": ("CartModify", "DE", (1, 0, 4730, NO_FAULTS)),
    "2011-08-01/CartModify-us-modifying-does-not-work-with-asin-2.xml": (
        "CartModify",
        "US",
        (2, 0, 17451, NO_FAULTS),
    ),
    "2011-08-01/CartModify-us-modifying-empty-items-fails-2.xml": ("CartModify", "US", errors.MissingParameters),
    "2011-08-01/CartModify-us-modifying-item-2.xml": ("CartModify", "US", (1, 0, 5449, NO_FAULTS)),
    "2011-08-01/CartModify-us-modifying-item.xml": ("CartCreate", "US", (2, 0, 17451, NO_FAULTS)),
    "2011-08-01/CartModify-us-modifying-negative-item-quantity-fails-2.xml": (
        "CartModify",
        "US",
        errors.ParameterOutOfRange,
    ),
    "2011-08-01/ItemLookup-us-invalid-response-group.xml": ("ItemLookup", "US", errors.InvalidEnumeratedParameter),
    "2011-08-01/ItemLookup-us-valid-asin.xml": ("CartGet", "US", errors.MalformedReply),
    "2013-08-01-jp/CartAdd.xml": ("CartAdd", "JP", (3, 0, 21952, NO_FAULTS)),
    "2013-08-01-jp/CartClear.xml": ("CartClear", "JP", (0, 0, None, NO_FAULTS)),
    "2013-08-01-jp/CartCreate.xml": ("CartCreate", "JP", (2, 0, 20692, NO_FAULTS)),
    "2013-08-01-jp/CartGetErrorResponse.xml": ("CartGet", "JP", errors.RequestExpired),
    "2013-08-01-jp/CartModify.xml": ("CartModify", "JP", (1, 1, 17676, NO_FAULTS)),
    "2013-08-01-jp/CartModifyResponseErrorItem.xml": ("CartModify", "JP", errors.ExactParameterRequirement),
    "top-level-errors/APICalls-fails-for-invalid-account.xml": ("ItemLookup", "DE", errors.InvalidAccount),
    "top-level-errors/APICalls-fails-for-invalid-signature.xml": ("CartGet", "US", errors.SignatureDoesNotMatch),
    "top-level-errors/APICalls-fails-for-too-many-requests.xml": ("CartGet", "US", errors.RequestThrottled),
    "top-level-errors/APICalls-fails-for-wrong-aws-key.xml": ("CartGet", "US", errors.InvalidClientTokenId),
    "top-level-errors/internal-error.xml": ("CartGet", "US", errors.InternalError),
}


def test_every_recorded_reply_stands_in_the_table(recorded: Path) -> None:
    assert {path.relative_to(recorded).as_posix() for path in recorded.rglob("*.xml")} == set(RECORDED)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_reply_is_read_as_what_it_is(recorded: Path, name: str) -> None:
    operation, locale, expected = RECORDED[name]
    body = (recorded / name).read_bytes()
    if isinstance(expected, tuple):
        cart = read(body, operation, locale=locale)
        faults = tuple(fault.code for fault in cart.faults)
        assert (len(cart.items), len(cart.saved), cart.subtotal and cart.subtotal.amount, faults) == expected
        assert cart.request_id
        assert (cart.purchase_url is None) == (operation == "CartClear")
        assert sum(item.item_total.amount for item in (*cart.items, *cart.saved) if item.item_total) == (
            expected[2] or 0
        )
    else:
        with pytest.raises(expected):
            read(body, operation, locale=locale)


@pytest.mark.parametrize("name", [name for name, row in RECORDED.items() if row[1] == "US" and row[0] != "CartGet"])
def test_a_recorded_reply_to_another_operation_never_passes_for_a_cart(recorded: Path, name: str) -> None:
    with pytest.raises(errors.ECSCartError):
        read((recorded / name).read_bytes(), "CartGet")


# --- Success, in every era -----------------------------------------------------------------------------------


def test_a_cart_of_2005_is_read_whole(sample: Sample) -> None:
    cart = read(sample("2005-create-us"), "CartCreate")
    assert (cart.ref.locale, cart.ref.cart_id, cart.ref.hmac, cart.ref.associate_tag) == ("US", CART_ID, HMAC, "tag-20")
    assert cart.purchase_url is not None
    assert cart.purchase_url.startswith(f"https://www.amazon.com/gp/cart/aws-merge.html?cart-id={CART_ID}%26")
    assert cart.subtotal == cart.items_subtotal == Money(3500, "USD", "$35.00")
    assert cart.saved_subtotal is None
    assert cart.request_id == "0SAMPLE0REQUEST00001"
    lamp, chair = cart.items
    assert (lamp.cart_item_id, lamp.asin, lamp.quantity) == ("UAAAAAAAAAAAA1", "B000SAMPL1", 2)
    assert (lamp.title, lamp.product_group, lamp.seller_nickname) == ("A lamp & its shade", "Book", "Amazon.com")
    assert (lamp.merchant_id, lamp.seller_id) == ("ATVPDKIKX0DER", "A2R2RITDJNW1Q6")
    assert (lamp.price, lamp.item_total) == (Money(1000, "USD", "$10.00"), Money(2000, "USD", "$20.00"))
    assert chair.asin == "B000SAMPL2"


def test_a_third_partys_line_keeps_its_ids(sample: Sample) -> None:
    (line,) = read(sample("2010-create-us-third-party"), "CartCreate").items
    assert (line.exchange_id, line.merchant_id, line.seller_id, line.seller_nickname) == (
        "Y00SAMPLE0EXCHANGE",
        "ASAMPLEMERCHANT",
        "ASAMPLESELLER",
        "a_small_shop",
    )


def test_a_deprecated_merchant_id_is_none(sample: Sample) -> None:
    cart = read(sample("2010-add-us-already-there"), "CartAdd")
    assert [item.merchant_id for item in cart.items] == [None, None]


def test_saved_lines_and_related_items_are_read(sample: Sample) -> None:
    cart = read(sample("2013-modify-jp-saved-and-related"), "CartModify", locale="JP")
    (saved,) = cart.saved
    assert (saved.cart_item_id, saved.price, saved.item_total) == (
        "SAAAAAAAAAAA06",
        None,
        Money(16416, "JPY", "￥ 16,416"),
    )
    assert (cart.subtotal, cart.items_subtotal, cart.saved_subtotal) == (
        Money(17676, "JPY", "￥ 17,676"),
        Money(1260, "JPY", "￥ 1,260"),
        Money(16416, "JPY", "￥ 16,416"),
    )
    assert cart.similar_products == (
        RelatedItem("B00RELATS0", "SimilarProduct 0"),
        RelatedItem("B00RELATS1", "SimilarProduct 1"),
    )
    assert [len(group) for group in (cart.top_sellers, cart.new_releases)] == [3, 1]
    assert [len(group) for group in (cart.similar_viewed_products, cart.other_categories_similar_products)] == [2, 1]
    assert cart.mobile_cart_url is not None
    assert cart.mobile_cart_url.startswith("https://www.amazon.jp/gp/aw/rcart?")


def test_a_cleared_cart_is_its_reference_alone(sample: Sample) -> None:
    cart = read(sample("2011-clear-us"), "CartClear", expected_cart_id=CART_ID)
    assert cart == Cart(ref=cart.ref, request_id="0SAMPLE0REQUEST00001")


def test_a_mobile_url_on_plain_http_is_left_out(sample: Sample) -> None:
    cart = read(sample("2011-create-jp-plain-mobile"), "CartCreate", locale="JP")
    assert cart.mobile_cart_url is None
    assert cart.items[0].price == Money(5546, "JPY", "￥ 5,546")


def test_a_price_that_is_only_words_is_no_price() -> None:
    item = "<CartItem><CartItemId>U1</CartItemId><ASIN>B1</ASIN><Quantity>1</Quantity>"
    price = "<Price><FormattedPrice>Too low to display</FormattedPrice></Price></CartItem>"
    cart = read(cart_reply(f"{IDS}<CartItems>{item}{price}</CartItems>"))
    assert (cart.items[0].price, cart.items[0].title) == (None, None)


def test_an_amount_without_currency_or_text_is_written_as_the_locale_writes_it() -> None:
    cart = read(cart_reply(f"{IDS}<SubTotal><Amount>123456</Amount></SubTotal>"), locale="DE")
    assert cart.subtotal == Money(123456, "EUR", "EUR 1.234,56")


# --- Errors --------------------------------------------------------------------------------------------------


def test_errors_beside_a_cart_are_faults_in_their_order(sample: Sample) -> None:
    cart = read(sample("2010-add-us-already-there"), "CartAdd", expected_cart_id=CART_ID)
    assert [fault.code for fault in cart.faults] == [QUANTITY, ALREADY]
    assert cart.faults[1] == CartFault(ALREADY, "The item you specified, B000SAMPL1, is already in your cart.")
    assert len(cart.items) == 2


def test_a_capped_quantity_is_a_fault_beside_the_cart(sample: Sample) -> None:
    cart = read(sample("2017-create-us-capped"), "CartCreate")
    assert [fault.code for fault in cart.faults] == [QUANTITY]
    assert cart.purchase_url is not None
    assert "&associate-id=" in cart.purchase_url


@pytest.mark.parametrize(
    ("name", "operation", "error", "request_id"),
    [
        ("2011-add-us-not-eligible", "CartAdd", errors.ItemNotEligibleForCart, "0SAMPLE0REQUEST00001"),
        ("2011-get-us-mismatch", "CartGet", errors.CartInfoMismatch, "0SAMPLE0REQUEST00001"),
        ("2011-get-fr-mismatch", "CartGet", errors.CartInfoMismatch, "0SAMPLE0REQUEST00001"),
        ("2011-create-jp-error-stray-mobile", "CartCreate", errors.MissingParameters, "0SAMPLE0REQUEST00001"),
        ("operation-request-errors", "CartGet", errors.InvalidOperation, "0SAMPLE0REQUEST00002"),
        ("in-body-account-de", "ItemLookup", errors.InvalidAccount, "0a1b2c3d-0000-4000-8000-000000000005"),
        ("top-throttled-key", "CartCreate", errors.RequestThrottled, "0a1b2c3d-0000-4000-8000-000000000001"),
        ("top-throttled-ip", "CartGet", errors.RequestThrottled, "0a1b2c3d-0000-4000-8000-000000000002"),
        ("top-expired", "CartGet", errors.RequestExpired, "0a1b2c3d-0000-4000-8000-000000000003"),
        ("top-signature", "CartGet", errors.SignatureDoesNotMatch, "0a1b2c3d-0000-4000-8000-000000000004"),
    ],
)
def test_an_error_instead_of_a_cart_is_raised_with_its_request_id(
    sample: Sample, name: str, operation: str, error: type[errors.ECSError], request_id: str
) -> None:
    with pytest.raises(error) as caught:
        read(sample(name), operation)
    assert caught.value.request_id == request_id
    assert caught.value.others == ()


def test_of_several_errors_the_first_is_raised_and_the_others_go_with_it(sample: Sample) -> None:
    with pytest.raises(errors.MissingParameters) as caught:
        read(sample("2011-create-us-several-errors"), "CartCreate")
    assert caught.value.message.endswith("include CartId.")
    assert [type(error) for error in caught.value.others] == [errors.MissingParameters, errors.ParameterOutOfRange]
    assert caught.value.others[1].message.endswith("invalid.  Valid values must be between 1 and 999.")


def test_messages_keep_their_language_and_lose_their_line_breaks(sample: Sample) -> None:
    with pytest.raises(errors.InvalidAccount) as german:
        read(sample("in-body-account-de"), "ItemLookup")
    assert german.value.message == "Ihre Zugriffsschlüssel-ID ist nicht registriert."
    with pytest.raises(errors.ExactParameterRequirement) as japanese:
        read(sample("2013-modify-jp-both"), "CartModify", locale="JP")
    assert japanese.value.message.endswith("：Quantity, Action")
    assert len(japanese.value.others) == 2


def test_a_code_nobody_documented_is_a_plain_ecs_error() -> None:
    body = cart_reply("<Request><Errors><Error><Code>AWS.Unheard</Code></Error></Errors></Request>")
    with pytest.raises(errors.ECSError) as caught:
        read(body)
    assert (type(caught.value), caught.value.code) == (errors.ECSError, "AWS.Unheard")


def test_isvalid_false_means_nothing_was_done_even_beside_ids() -> None:
    failed = "<Request><IsValid>False</IsValid><Errors><Error><Code>AWS.MissingParameters</Code></Error></Errors>"
    with pytest.raises(errors.MissingParameters):
        read(cart_reply(f"{failed}</Request><CartId>{CART_ID}</CartId><HMAC>{HMAC}</HMAC>"))


def test_what_is_hidden_is_blotted_out_of_messages_and_faults(sample: Sample) -> None:
    with pytest.raises(errors.RequestThrottled) as caught:
        parse_cart(
            sample("top-throttled-key"),
            locale="US",
            associate_tag="t",
            operation="CartCreate",
            hidden=("SAMPLEKEY", ""),
        )
    assert "SAMPLEKEY" not in str(caught.value)
    assert "submitting requests too quickly" in str(caught.value)
    fault = f"<Request><Errors><Error><Code>A.B</Code><Message>bad {HMAC}</Message></Error></Errors></Request>"
    cart = parse_cart(
        cart_reply(fault + IDS), locale="US", associate_tag="t", operation="CartGet", hidden=(HMAC, "SAMPLEKEY")
    )
    assert cart.faults == (CartFault("A.B", "bad ***"),)


# --- Replies that agree with nothing that was asked ----------------------------------------------------------


@pytest.mark.parametrize("operation", ["CartCreate", "CartAdd", "CartModify", "CartClear", "CartGet"])
def test_another_operations_reply_is_malformed(operation: str) -> None:
    answered = "CartAdd" if operation == "CartGet" else "CartGet"
    with pytest.raises(errors.MalformedReply):
        read(cart_reply(IDS, operation=answered), operation)
    assert read(cart_reply(IDS, operation=operation), operation).ref.cart_id == CART_ID


@pytest.mark.parametrize(
    "namespace",
    [
        "http://example.com/",
        "http://webservices.amazon.com/AWSECommerceService/",
        "http://webservices.amazon.com/AWSECommerceService/2013-08-01/",
        "http://webservices.amazon.com.evil.example/AWSECommerceService/2013-08-01",
        "http://ecs.amazonaws.com/doc/2013-08-01/",
        "https://webservices.amazon.com/AWSECommerceService/2013-08-01",
    ],
)
def test_a_cart_in_a_foreign_namespace_is_malformed(namespace: str) -> None:
    with pytest.raises(errors.MalformedReply):
        read(cart_reply(IDS, namespace=namespace))


def test_a_cart_without_a_namespace_is_malformed() -> None:
    with pytest.raises(errors.MalformedReply):
        read(f"<CartGetResponse><Cart>{IDS}</Cart></CartGetResponse>".encode())


def test_an_error_document_in_a_foreign_namespace_is_malformed() -> None:
    error = "<Error><Code>RequestThrottled</Code><Message>m</Message></Error>"
    with pytest.raises(errors.MalformedReply):
        read(f'<ErrorResponse xmlns="http://example.com/">{error}</ErrorResponse>'.encode())


def test_fields_in_a_foreign_namespace_are_not_seen() -> None:
    foreign = '<x:CartItems xmlns:x="http://example.com/"><x:CartItem/></x:CartItems>'
    assert read(cart_reply(IDS + foreign)).items == ()


def test_another_carts_id_is_malformed_and_not_shown() -> None:
    with pytest.raises(errors.MalformedReply) as caught:
        read(cart_reply(IDS), expected_cart_id="999-9999999-9999999")
    assert CART_ID not in str(caught.value)


ITEM = "<CartItem><CartItemId>U1</CartItemId><ASIN>B1</ASIN><Quantity>1</Quantity></CartItem>"


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("", id="nothing"),
        pytest.param("<Request><IsValid>True</IsValid></Request>", id="neither cart nor error"),
        pytest.param("<Request><IsValid>False</IsValid></Request>" + IDS[41:], id="invalid without error"),
        pytest.param("<CartId>1</CartId>", id="no HMAC"),
        pytest.param("<CartId>1</CartId><HMAC></HMAC>", id="empty HMAC"),
        pytest.param("<CartId>a b</CartId><HMAC>x</HMAC>", id="space in CartId"),
        pytest.param("<CartId>1</CartId><HMAC>a&#10;b</HMAC>", id="line break in HMAC"),
        pytest.param(f"<CartId>{'1' * 65}</CartId><HMAC>x</HMAC>", id="long CartId"),
        pytest.param(f"{IDS}</Cart><Cart>{IDS}", id="two carts"),
        pytest.param(f"{IDS}<CartItems>{ITEM.replace('<ASIN>B1</ASIN>', '')}</CartItems>", id="no ASIN"),
        pytest.param(f"{IDS}<CartItems>{ITEM.replace('>1<', '>many<')}</CartItems>", id="quantity in words"),
        pytest.param(f"{IDS}<CartItems>{ITEM.replace('>1<', '>１<')}</CartItems>", id="full-width digit"),
        pytest.param(f"{IDS}<CartItems>{ITEM.replace('>1<', '>' + '9' * 5000 + '<')}</CartItems>", id="5000 digits"),
        pytest.param(f"{IDS}<CartItems>{ITEM.replace('U1', 'U 1')}</CartItems>", id="space in CartItemId"),
        pytest.param(f"{IDS}<SubTotal><Amount>1.5</Amount></SubTotal>", id="amount with a point"),
        pytest.param("<Request><Errors><Error><Message>m</Message></Error></Errors></Request>", id="error, no code"),
        pytest.param(
            "<Request><Errors><Error><Code>a&#10;b</Code></Error></Errors></Request>", id="line break in a code"
        ),
    ],
)
def test_a_cart_that_lacks_what_makes_one_is_malformed(inside: str) -> None:
    with pytest.raises(errors.MalformedReply):
        read(cart_reply(inside))


def test_an_error_document_without_an_error_is_malformed() -> None:
    with pytest.raises(errors.MalformedReply):
        read(b"<ErrorResponse><RequestID>1</RequestID></ErrorResponse>")


def test_a_request_id_that_is_none_is_left_out() -> None:
    body = "<ErrorResponse><Error><Code>X</Code></Error><RequestID>a\nb</RequestID></ErrorResponse>"
    with pytest.raises(errors.ECSError) as caught:
        read(body.encode())
    assert caught.value.request_id is None
