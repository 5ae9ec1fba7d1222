"""Who may ask: the published signature vectors, keys, the window of time, and the era without signatures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from flask_ecscart import errors
from flask_ecscart.clock import iso
from flask_ecscart.service.access import Access, SoapAccess, signature, soap_signature, turns
from flask_ecscart.service.keys import SeenSignatures
from flask_ecscart.service.store import Store
from flask_ecscart.state.sql import Database
from tests.support.clock import FakeClock
from tests.support.databases import BOTH_DATABASES

KEYS = {"AKIAONE": "secret one", "AKIATWO": "secret two/+="}
PATH = "/onca/xml"

VECTORS = [
    (
        "webservices.amazon.com",
        "AWSAccessKeyId=00000000000000000000&ItemId=0679722769&Operation=ItemLookup"
        "&ResponseGroup=ItemAttributes%2COffers%2CImages%2CReviews&Service=AWSECommerceService"
        "&Timestamp=2009-01-01T12%3A00%3A00Z&Version=2009-01-06",
        "Nace+U3Az4OhN7tISqgs1vdLBHBEijWcBeCqL5xN9xg=",
    ),
    (
        "ecs.amazonaws.co.uk",
        "AWSAccessKeyId=00000000000000000000&Actor=Johnny%20Depp&AssociateTag=mytag-20&Operation=ItemSearch"
        "&ResponseGroup=ItemAttributes%2COffers%2CImages%2CReviews%2CVariations&SearchIndex=DVD"
        "&Service=AWSECommerceService&Sort=salesrank&Timestamp=2009-01-01T12%3A00%3A00Z&Version=2009-01-01",
        "TuM6E5L9u/uNqOX09ET03BXVmHLVFfJIna5cxXuHxiU=",
    ),
    (
        "ecs.amazonaws.com",
        "AWSAccessKeyId=00000000000000000000&AssociateTag=mytag-20&Item.1.OfferListingId="
        "j8ejq9wxDfSYWf2OCp6XQGDsVrWhl08GSQ9m5j%2Be8MS449BN1XGUC3DfU5Zw4nt%2FFBt87cspLow1QXzfvZpvzg%3D%3D"
        "&Item.1.Quantity=3&Operation=CartCreate&Service=AWSECommerceService"
        "&Timestamp=2009-01-01T12%3A00%3A00Z&Version=2009-01-01",
        "cF3UtjbJb1+xDh387C/EmS1BCtS/Z01taykBCGemvUU=",
    ),
    (
        "webservices.amazon.com",
        "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&AssociateTag=mytag-20&ItemId=0679722769&Operation=ItemLookup"
        "&ResponseGroup=Images%2CItemAttributes%2COffers%2CReviews&Service=AWSECommerceService"
        "&Timestamp=2014-08-18T12%3A00%3A00Z&Version=2013-08-01",
        "j7bZM0LXZ9eXeZruTqWm2DIvDYVUU3wxPPpp+iXxzQc=",
    ),
]


@pytest.mark.parametrize(("host", "query", "published"), VECTORS)
def test_signatures_are_the_published_ones(host: str, query: str, published: str) -> None:
    assert signature("GET", host, PATH, dict(parse_qsl(query)), "1234567890") == published


def signed(clock: FakeClock, key: str = "AKIAONE", host: str = "shop.example", **more: str) -> dict[str, str]:
    parameters = {"AWSAccessKeyId": key, "Timestamp": iso(clock()), "X": "a b+c~ü", **more}
    parameters = {name: value for name, value in parameters.items() if value}
    return parameters | {"Signature": signature("GET", host, PATH, parameters, KEYS[key])}


@pytest.fixture
def access(clock: FakeClock) -> Access:
    return Access(KEYS, clock=clock)


def check(access: Access, parameters: dict[str, str], hosts: tuple[str, ...] = ("shop.example",)) -> str:
    return access.check("GET", hosts, (PATH,), parameters)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_valid_beside_the_others(access: Access, clock: FakeClock, key: str) -> None:
    assert check(access, signed(clock, key)) == key


def test_the_host_may_be_signed_with_and_without_its_port(access: Access, clock: FakeClock) -> None:
    spelled = ("shop.example:8001", "shop.example")
    for host in (*spelled, "SHOP.example"):
        assert check(access, signed(clock, host=host), spelled) == "AKIAONE"
    with pytest.raises(errors.SignatureDoesNotMatch):
        check(access, signed(clock, host="other.example"), spelled)


def test_a_subscription_id_is_a_key_too(access: Access, clock: FakeClock) -> None:
    parameters = {"SubscriptionId": "AKIATWO", "Timestamp": iso(clock())}
    parameters["Signature"] = signature("GET", "shop.example", PATH, parameters, KEYS["AKIATWO"])
    assert check(access, parameters) == "AKIATWO"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"AWSAccessKeyId": ""}, errors.MissingClientTokenId),
        ({"AWSAccessKeyId": "x" * 129}, errors.MissingClientTokenId),
        ({"AWSAccessKeyId": "AKIANOBODY"}, errors.InvalidClientTokenId),
        ({"AWSAccessKeyId": "AKIATWO"}, errors.SignatureDoesNotMatch),
        ({"X": "changed"}, errors.SignatureDoesNotMatch),
        ({"New": ""}, errors.SignatureDoesNotMatch),
        ({"Signature": "ü"}, errors.SignatureDoesNotMatch),
        ({"Signature": ""}, errors.MissingParameters),
        ({"Timestamp": ""}, errors.MissingParameters),
    ],
    ids=str,
)
def test_what_was_changed_after_signing_is_refused(
    access: Access, clock: FakeClock, change: dict[str, str], error: type[errors.ECSError]
) -> None:
    with pytest.raises(error) as caught:
        check(access, signed(clock) | change)
    assert all(secret not in str(caught.value) for secret in KEYS.values())


@pytest.mark.parametrize("minutes", [-15, 0, 15])
@pytest.mark.parametrize("spelled", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.573Z", "%Y-%m-%dT%H:%M:%S.5Z"])
def test_a_timestamp_within_fifteen_minutes_is_taken(
    access: Access, clock: FakeClock, minutes: int, spelled: str
) -> None:
    timestamp = (clock() + timedelta(minutes=minutes)).strftime(spelled)
    assert check(access, signed(clock, Timestamp=timestamp)) == "AKIAONE"


@pytest.mark.parametrize("seconds", [-901, 901])
def test_a_timestamp_outside_the_window_has_expired(access: Access, clock: FakeClock, seconds: int) -> None:
    timestamp = iso(clock() + timedelta(seconds=seconds))
    with pytest.raises(errors.RequestExpired) as caught:
        check(access, signed(clock, Timestamp=timestamp))
    assert caught.value.message == f"Request has expired. Timestamp date is {timestamp}."


@pytest.mark.parametrize(
    ("spelled", "taken"),
    [
        ("2026-03-14T09:26:53Z", True),
        ("2026-03-14T09:26Z", True),
        ("2026-03-14T09:26:53", True),
        ("2026-03-14T09:26:53.123456789Z", True),
        ("2026-03-14T18:26:53+09:00", True),
        ("2026-03-14T04:26:53-05:00", True),
        ("2026-03-14T18:26:53Z", False),
        ("20260314T092653Z", False),
        ("2026-03-14T09:26:53+99:99", False),
        ("2026-03-14 09:26:53Z", False),
        ("２０２６-03-14T09:26:53Z", False),
    ],
)
def test_a_timestamp_is_read_with_its_zone_in_the_forms_that_were_sent(
    access: Access, clock: FakeClock, spelled: str, taken: bool
) -> None:
    sent = signed(clock, Timestamp=spelled)
    if taken:
        assert check(access, sent) == "AKIAONE"
    else:
        with pytest.raises((errors.InvalidISO8601Time, errors.RequestExpired)):
            check(access, sent)


@pytest.mark.parametrize("timestamp", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9" * 50])
def test_a_timestamp_that_is_none_is_refused(access: Access, clock: FakeClock, timestamp: str) -> None:
    with pytest.raises((errors.InvalidISO8601Time, errors.RequestExpired)):
        check(access, signed(clock, Timestamp=timestamp))


def test_unsigned_requests_are_let_in_only_where_the_operator_says_so(clock: FakeClock) -> None:
    open_to_all = Access(KEYS, clock=clock, unsigned=True)
    assert check(open_to_all, {"SubscriptionId": "anybody"}) == "anybody"
    assert check(open_to_all, {"AWSAccessKeyId": "AKIAONE"}) == "AKIAONE"
    with pytest.raises(errors.MissingClientTokenId):
        check(open_to_all, {})
    with pytest.raises(errors.SignatureDoesNotMatch):  # a signature that is there must be right
        check(open_to_all, signed(clock) | {"X": "changed"})
    with pytest.raises(errors.InvalidClientTokenId):
        check(Access(KEYS, clock=clock), {"SubscriptionId": "anybody"})


def test_its_repr_holds_no_key(access: Access) -> None:
    assert repr(access) == "Access(unsigned=False)"


# --- One use, one turn ---------------------------------------------------------------------------------------


def test_a_signature_is_taken_once_where_replays_are_refused(database: Database, clock: FakeClock) -> None:
    access = Access(KEYS, clock=clock, first_use=SeenSignatures(database, clock=clock).first_use)
    sent = signed(clock)
    assert check(access, sent) == "AKIAONE"
    for _ in range(2):
        with pytest.raises(errors.RequestExpired, match="used before"):
            check(access, sent)
        clock.advance(minutes=7)
    assert check(access, signed(clock)) == "AKIAONE"


def test_a_refused_signature_cannot_use_up_a_right_one(database: Database, clock: FakeClock) -> None:
    access = Access(KEYS, clock=clock, first_use=SeenSignatures(database, clock=clock).first_use)
    sent = signed(clock)
    with pytest.raises(errors.SignatureDoesNotMatch):
        check(access, sent | {"X": "changed"})
    assert check(access, sent) == "AKIAONE"


def test_without_that_wish_a_request_may_be_repeated(access: Access, clock: FakeClock) -> None:
    sent = signed(clock)
    assert [check(access, sent) for _ in range(2)] == ["AKIAONE"] * 2


@pytest.mark.parametrize("early", [-15, 15])
def test_a_replay_is_refused_to_the_end_of_the_window(database: Database, clock: FakeClock, early: int) -> None:
    access = Access(KEYS, clock=clock, first_use=SeenSignatures(database, clock=clock).first_use)
    sent = signed(clock, Timestamp=iso(clock() + timedelta(minutes=early)))
    assert check(access, sent) == "AKIAONE"
    clock.advance(minutes=early + 15)  # the last moment at which the timestamp is good
    check(access, signed(clock, X="another, which makes the old ones go"))
    with pytest.raises(errors.RequestExpired, match="used before"):
        check(access, sent)


def test_a_throttled_request_has_not_spent_its_signature(database: Database, clock: FakeClock) -> None:
    access = Access(
        KEYS,
        clock=clock,
        take_turn=turns(Store(database), 1.0, clock=clock),
        first_use=SeenSignatures(database, clock=clock).first_use,
    )
    check(access, signed(clock, X="first"))
    sent = signed(clock, X="second")
    with pytest.raises(errors.RequestThrottled) as caught:
        check(access, sent)
    assert caught.value.retry_after == 1
    clock.advance(seconds=1)
    assert check(access, sent) == "AKIAONE"


def test_who_is_refused_takes_nobody_elses_turn(database: Database, clock: FakeClock) -> None:
    access = Access(KEYS, clock=clock, take_turn=turns(Store(database), 1.0, clock=clock))
    for _ in range(3):
        with pytest.raises(errors.SignatureDoesNotMatch):
            check(access, signed(clock) | {"X": "changed"})
    assert check(access, signed(clock)) == "AKIAONE"


@BOTH_DATABASES
def test_of_many_at_once_one_has_the_turn_and_every_key_has_its_own(database: Database, clock: FakeClock) -> None:
    take_turn = turns(Store(database), 2.0, clock=clock)
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda number: take_turn(f"AKIA{number % 2}"), range(16)))
    assert (waits.count(0.0), waits.count(0.5)) == (2, 14)
    clock.advance(seconds=0.5)
    assert [take_turn("AKIA0"), take_turn("AKIA0"), take_turn("AKIA1")] == [0.0, 0.5, 0.0]


# --- SOAP ----------------------------------------------------------------------------------------------------


def soap_signed(clock: FakeClock, operation: str = "CartGet") -> dict[str, str]:
    timestamp = iso(clock())
    signed_with = soap_signature(operation, timestamp, KEYS["AKIAONE"])
    return {
        "AWSAccessKeyId": "AKIAONE",
        "Operation": operation,
        "Timestamp": timestamp,
        "Signature": signed_with,
        "CartId": "1",
    }


def test_a_soap_signature_covers_operation_and_time(clock: FakeClock) -> None:
    # Known answer: printf 'CartGet2026-03-14T09:26:53Z' | openssl dgst -sha256 -hmac 1234567890 -binary | base64
    assert (
        soap_signature("CartGet", "2026-03-14T09:26:53Z", "1234567890")
        == "eHQ99DUFpEBeMk+ZHOK5sx6Wtbbjp/+HRqs8VFYUnPM="
    )
    access = SoapAccess(KEYS, clock=clock)
    assert check(access, soap_signed(clock)) == "AKIAONE"
    assert check(access, soap_signed(clock) | {"CartId": "2"}) == "AKIAONE"
    for change in ({"Operation": "CartClear"}, {"Timestamp": iso(clock() + timedelta(seconds=1))}):
        with pytest.raises(errors.SignatureDoesNotMatch):
            check(access, soap_signed(clock) | change)


def test_rest_and_soap_signatures_are_not_exchangeable(access: Access, clock: FakeClock) -> None:
    with pytest.raises(errors.SignatureDoesNotMatch):
        check(access, soap_signed(clock))
    with pytest.raises(errors.SignatureDoesNotMatch):
        check(SoapAccess(KEYS, clock=clock), signed(clock))
