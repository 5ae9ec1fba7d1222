"""The dispatcher sends as little as it needs, in turn, at the pace the key allows, and loses nothing on the way."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from flask_ecscart.carts import cart_mark
from flask_ecscart.dispatch.queue import LOOKING, Gone, Queue
from flask_ecscart.errors import (
    AccountLimitExceeded,
    InternalError,
    MalformedReply,
    NotSent,
    OutcomeUnknown,
    RequestThrottled,
)
from flask_ecscart.model import NewItem
from flask_ecscart.state.sql import Database
from flask_ecscart.wishes import LineChange
from tests.support.databases import BOTH_DATABASES
from tests.support.remote import RemoteSite

A, B, C = "B0TESTAAAA", "B0TESTBBBB", "B0TESTCCCC"


@pytest.fixture
def site(tmp_path: Path) -> RemoteSite:
    return RemoteSite(tmp_path)


def add(site: RemoteSite, shopper: str, *asins: str, n: int = 1):
    return site.carts.add(shopper, "US", [NewItem(asin=asin, quantity=n) for asin in asins], None)


def held(site: RemoteSite, shopper: str) -> dict[str, int]:
    ref = site.sessions.read(shopper).carts["US"].ref
    return dict(site.provider.carts[ref.cart_id]) if ref is not None else {}


def busy(site: RemoteSite) -> None:
    """Use the turns of half a minute, so that changes are deferred."""
    for number in range(40):
        shopper = f"busy{number}"
        add(site, shopper, A)
        site.carts.read(shopper, "US")
    site.settle_all()
    site.provider.calls.clear()


def test_a_first_change_is_settled_within_the_request_while_turns_are_free(site: RemoteSite) -> None:
    view = add(site, "ann", A)
    assert not view.pending
    assert view.cart is not None
    assert [item.quantity for item in view.cart.items] == [1]
    assert site.provider.operations == ["create"]


def test_everything_a_cart_waits_for_is_one_create(site: RemoteSite) -> None:
    add(site, "bob", A)
    for _ in range(5):
        add(site, "ann", A)
        add(site, "ann", B, C)
    site.settle_all()
    assert [call[1] for call in site.provider.calls[1:]] == ["create"]
    assert held(site, "ann") == {A: 5, B: 5, C: 5}


def test_a_change_to_a_known_cart_costs_no_reading(site: RemoteSite) -> None:
    add(site, "ann", A)
    site.time.wait(2)
    add(site, "ann", A)
    add(site, "ann", B)
    site.settle_all()
    assert sorted(site.provider.operations) == ["add", "create", "modify"]
    assert held(site, "ann") == {A: 2, B: 1}


def test_a_page_view_costs_no_transaction_while_the_last_reply_is_fresh(site: RemoteSite) -> None:
    add(site, "ann", A)
    for _ in range(50):
        assert not site.carts.read("ann", "US").pending
        site.time.wait(1)
    assert site.provider.operations == ["create"]


def test_a_reply_that_is_too_old_is_asked_for_again_once_for_all_who_look(site: RemoteSite) -> None:
    add(site, "ann", A)
    site.time.wait(61)
    before = site.carts.read("ann", "US").as_of
    for _ in range(5):
        view = site.carts.read("ann", "US")
        assert not view.pending
    assert site.provider.operations == ["create", "get"]
    assert view.as_of >= before


def test_transactions_are_never_closer_than_the_rate_allows(site: RemoteSite) -> None:
    for number in range(20):
        add(site, f"shopper{number}", A)
    site.settle_all()
    moments = [moment for moment, _, _ in site.provider.calls]
    assert min(b - a for a, b in itertools.pairwise(moments)) >= 1.0
    assert site.provider.refused == 0


@pytest.mark.parametrize("rate", [0.5, 1, 10])
def test_a_slow_store_costs_no_turn_and_brings_none_forward(tmp_path: Path, rate: float) -> None:
    site = RemoteSite(tmp_path, ECSCART_RATE=rate)
    site.provider.interval = 1 / rate
    sending, take_turn = site.queue.sending, site.fleeting.take_turn
    slow = min(0.02, 0.1 / rate)

    def slowly(write):
        def written(*args, **kwargs):
            site.time.now += slow
            return write(*args, **kwargs)

        return written

    site.queue.sending = slowly(sending)  # type: ignore[method-assign]
    site.fleeting.take_turn = slowly(take_turn)  # type: ignore[method-assign]
    for number in range(12):
        add(site, f"shopper{number}", A)
        site.carts.read(f"shopper{number}", "US")
    site.settle_all()
    moments = [moment for moment, _, _ in site.provider.calls]
    gaps = [(b - a) * rate for a, b in itertools.pairwise(moments)][1:]
    assert min(gaps) >= 1.0
    assert max(gaps) <= 1.02
    assert site.provider.refused == 0


def test_who_was_paused_between_taking_a_turn_and_using_it_sends_nothing(site: RemoteSite) -> None:
    add(site, "ann", A)
    add(site, "ann", B)
    site.carts.read("ann", "US")
    taken = site.fleeting.take_turn

    def paused(*args, **kwargs):
        wait = taken(*args, **kwargs)
        site.time.now += 4  # longer than a lease
        return wait

    site.fleeting.take_turn = paused  # type: ignore[method-assign]
    site.time.wait(3)
    assert site.provider.operations == ["create"]
    site.fleeting.take_turn = taken  # type: ignore[method-assign]
    site.settle_all()
    assert held(site, "ann") == {A: 1, B: 1}


def test_a_worker_waits_no_longer_than_max_wait(site: RemoteSite) -> None:
    for number in range(10):
        began = site.time.now
        view = add(site, f"shopper{number}", A)
        site.carts.read(f"shopper{number}", "US")
        assert site.time.now - began <= 2 * 0.3 + 0.01
    assert view.pending
    assert view.retry_after is not None


def test_a_worker_does_not_wait_at_all_for_a_turn_that_comes_later(site: RemoteSite) -> None:
    add(site, "first", A)
    began = site.time.now
    for number in range(20):
        assert add(site, f"shopper{number}", A).pending
    assert site.time.now == began


def test_the_time_named_to_come_again_grows_with_the_line(site: RemoteSite) -> None:
    busy(site)
    add(site, "first", A)
    site.carts.read("first", "US")  # a turn that is nearly due is this one's
    waits = []
    for number in range(10):
        add(site, f"shopper{number}", A)
        waits.append(site.carts.read(f"shopper{number}", "US").retry_after)
    assert all(wait is not None for wait in waits)
    assert waits == sorted(waits)
    assert 8 <= waits[-1] <= 12


def test_changes_nobody_looks_at_wait_while_turns_are_scarce(site: RemoteSite) -> None:
    busy(site)
    add(site, "ann", A)
    site.time.wait(5)
    assert site.provider.calls == []
    site.carts.read("ann", "US")
    site.time.wait(2)
    assert site.provider.operations == ["create"]


def test_who_leaves_goes_before_who_looks_and_who_looks_before_who_changes(site: RemoteSite) -> None:
    add(site, "leaver", A)
    site.time.wait(2)
    site.provider.calls.clear()
    site.provider.fail = [RequestThrottled("slow down")]
    add(site, "first", A)
    for number in range(3):
        add(site, f"changer{number}", A)
    for number in range(3):
        add(site, f"looker{number}", B)
        site.carts.read(f"looker{number}", "US")
    ref = site.sessions.read("leaver").carts["US"].ref
    assert ref is not None
    site.carts.leave("leaver", "US", cart_mark(ref))
    site.settle_all()
    order = [cart_id for _, _, cart_id in site.provider.calls[1:]]
    shoppers = ["leaver", "first", *[f"{kind}{n}" for kind in ("looker", "changer") for n in range(3)]]
    names = {site.sessions.read(shopper).carts["US"].ref.cart_id: shopper for shopper in shoppers}
    assert [names[cart_id][:6] for cart_id in order[:4]] == ["leaver", "looker", "looker", "looker"]


def test_one_shopper_with_a_hundred_changes_takes_one_place_in_the_line(site: RemoteSite) -> None:
    busy(site)
    for number in range(100):
        site.carts.add("bot", "US", [NewItem(asin=f"B0TEST{number % 40:04d}", quantity=1)], None)
        site.carts.read("bot", "US")
    assert site.queue.lengths() == {1: 1}


def test_leaving_is_verified_first_and_gives_the_purchase_url(site: RemoteSite) -> None:
    add(site, "ann", A)
    ref = site.sessions.read("ann").carts["US"].ref
    assert ref is not None
    site.time.wait(5)
    assert site.carts.leave("ann", "US", cart_mark(ref)) == "https://www.amazon.com/gp/cart/aws-merge.html"
    assert site.provider.operations == ["create", "get"]


def test_leaving_shows_first_what_another_hand_changed(site: RemoteSite) -> None:
    add(site, "ann", A)
    ref = site.sessions.read("ann").carts["US"].ref
    assert ref is not None
    site.time.wait(5)
    site.provider.carts[ref.cart_id][A] = 7
    site.carts.leave("ann", "US", cart_mark(ref))
    assert site.provider.carts[ref.cart_id] == {A: 1}


@pytest.mark.parametrize(
    "problem", [RequestThrottled("slow"), NotSent("no way"), InternalError("hm"), AccountLimitExceeded("x")]
)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_nothing_is_lost_or_doubled_when_a_call_fails_unapplied(site: RemoteSite, problem: Exception, at: int) -> None:
    site.provider.fail = [None] * at + [problem]
    add(site, "ann", A)
    site.time.wait(400)
    add(site, "ann", A, B)
    site.carts.read("ann", "US")
    site.settle_all(2000)
    assert held(site, "ann") == {A: 2, B: 1}


@pytest.mark.parametrize("problem", [OutcomeUnknown("lost"), MalformedReply("cut")])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_nothing_is_lost_or_doubled_when_an_answer_is_lost(site: RemoteSite, problem: Exception, at: int) -> None:
    site.provider.after = [None] * at + [problem]
    add(site, "ann", A)
    site.time.wait(400)
    add(site, "ann", A, B)
    site.carts.read("ann", "US")
    site.settle_all(2000)
    assert held(site, "ann") == {A: 2, B: 1}
    assert site.queue.count("orphans") == (1 if at == 0 else 0)


def test_a_throttled_cart_stays_at_the_head_and_the_pace_slows(site: RemoteSite) -> None:
    site.provider.fail = [RequestThrottled("slow down", retry_after=7)]
    add(site, "ann", A)
    began = site.time.now
    site.settle_all()
    assert site.provider.operations == ["create", "create"]
    assert site.time.now - began >= 6.5


def test_a_dead_cart_is_made_again_and_told(site: RemoteSite) -> None:
    add(site, "ann", A)
    site.provider.carts.clear()
    site.time.wait(3)
    add(site, "ann", B)
    site.settle_all()
    assert held(site, "ann") == {A: 1, B: 1}
    assert [n.code for n in site.sessions.read("ann").carts["US"].notices] == ["cart_renewed"]


def test_after_three_failures_an_endpoint_is_asked_seldom_and_everything_is_kept(site: RemoteSite) -> None:
    site.provider.fail = [OutcomeUnknown("lost")] * 12
    for number in range(5):
        add(site, f"shopper{number}", A)
    site.time.wait(100)
    assert 5 <= len(site.provider.calls) <= 9
    site.settle_all(1000)
    assert all(held(site, f"shopper{number}") == {A: 1} for number in range(5))


def test_the_days_transactions_are_kept_to_and_go_on_at_midnight(tmp_path: Path) -> None:
    site = RemoteSite(tmp_path, ECSCART_DAILY_LIMIT=5)
    for number in range(8):
        add(site, f"shopper{number}", A)
        site.carts.read(f"shopper{number}", "US")
        site.time.wait(5)
    assert len(site.provider.calls) == 5
    view = site.carts.read("shopper7", "US")
    assert view.pending
    midnight = 86_400 - site.time.now % 86_400
    assert view.retry_after == pytest.approx(midnight, abs=2)
    site.time.now += midnight  # without a look every second
    site.time.wait(10)
    assert len(site.provider.calls) == 8


def test_a_dispatcher_that_is_gone_is_replaced_within_five_seconds_at_the_pace_written_down(site: RemoteSite) -> None:
    for number in range(6):
        add(site, f"shopper{number}", A)
        site.carts.read(f"shopper{number}", "US")
    killed_at = site.time.now
    before = len(site.provider.calls)
    site.dispatcher = site.new_dispatcher("two")
    site.settle_all()
    moments = [moment for moment, _, _ in site.provider.calls]
    assert moments[before] - killed_at < 5
    assert min(b - a for a, b in itertools.pairwise(moments)) >= 1.0


def test_a_dispatcher_that_wakes_after_its_lease_ran_out_sends_nothing(site: RemoteSite) -> None:
    add(site, "ann", A)
    old = site.dispatcher
    add(site, "ann", B)
    site.time.now += 10  # SIGSTOP
    site.dispatcher = site.new_dispatcher("two")
    site.settle_all()
    calls = len(site.provider.calls)
    site.time.now += 2
    site.dispatcher.renew()
    site.queue.put("bob", "US", LOOKING)
    site.sessions.read("bob")
    for _ in range(3):
        old.step()
    assert len(site.provider.calls) == calls


def test_a_dispatcher_that_was_paused_in_the_middle_of_a_settling_does_no_harm(site: RemoteSite) -> None:
    add(site, "ann", A, B)
    site.settle_all()
    woken: list[str] = []

    def pause(seconds: float) -> bool:
        if not woken:
            woken.append("asleep")
            site.time.now += 20
            site.dispatcher.step()
            site.settle_all()
        site.time.now += seconds
        return True

    old = site.new_dispatcher("paused", pause)
    site.dispatcher.hand_back()
    site.time.wait(2)
    site.sessions.read("ann")
    site.carts.change("ann", "US", [LineChange(asin=A, quantity=4)], None)
    site.carts.add("ann", "US", [NewItem(asin=C, quantity=2)], None)
    site.carts.read("ann", "US")
    site.dispatcher.hand_back()
    site.dispatcher = site.new_dispatcher("three")
    for _ in range(5):
        old.step()
    site.settle_all()
    assert held(site, "ann") == {A: 4, B: 1, C: 2}


def test_two_that_both_made_a_first_cart_leave_one_cart_and_one_counted_orphan(site: RemoteSite) -> None:
    add(site, "busy", A)
    add(site, "ann", A)
    create = site.provider.create

    def created_twice(*args, **kwargs):
        site.provider.create = create
        mine = create(*args, **kwargs)
        with site.sessions.exclusive("ann") as kept:  # another dispatcher was faster
            site.time.now += 2
            kept.wish("US").ref = create(*args, **kwargs).ref
        return mine

    site.provider.create = created_twice
    site.settle_all()
    assert held(site, "ann") == {A: 1}
    assert site.queue.count("orphans") == 1


def test_killed_after_a_create_the_cart_is_made_again_and_the_orphan_counted(site: RemoteSite) -> None:
    add(site, "busy", A)
    add(site, "ann", A)

    class Killed(BaseException):
        pass

    def killed(*args, **kwargs):
        create(*args, **kwargs)
        raise Killed

    create, site.provider.create = site.provider.create, killed
    with pytest.raises(Killed):
        site.settle_all()
    site.provider.create = create
    site.dispatcher = site.new_dispatcher("two")
    site.settle_all()
    assert held(site, "ann") == {A: 1}
    assert site.queue.count("orphans") == 1


class Killed(BaseException):
    """kill -9."""


def test_killed_before_the_last_reply_is_kept_the_one_before_is_not_taken_for_the_cart(site: RemoteSite) -> None:
    add(site, "ann", A)
    known = site.remote.accounts[0].known

    def killed(*_: object) -> None:
        raise Killed

    site.time.wait(3)
    known.keep_reply = killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        site.carts.change("ann", "US", [LineChange(asin=A, quantity=2)], None)
    del known.keep_reply  # type: ignore[method-assign]
    assert held(site, "ann") == {A: 2}
    site.dispatcher = site.new_dispatcher("two")
    site.carts.change("ann", "US", [LineChange(asin=A, quantity=1)], None)  # what the lost reply's forerunner shows
    site.settle_all()
    assert held(site, "ann") == {A: 1}


def test_killed_in_a_change_that_was_carried_out_no_earlier_reply_is_taken_for_the_cart(site: RemoteSite) -> None:
    add(site, "ann", A)
    site.time.wait(3)
    modify = site.provider.modify

    def killed(*args: object) -> None:
        modify(*args)  # type: ignore[arg-type]
        raise Killed

    site.provider.modify = killed  # type: ignore[assignment]
    with pytest.raises(Killed):
        site.carts.change("ann", "US", [LineChange(asin=A, quantity=2)], None)
    site.provider.modify = modify  # type: ignore[method-assign]
    site.dispatcher = site.new_dispatcher("two")
    site.provider.fail = [RequestThrottled("slow down")]  # the reading that would have shown it
    site.carts.change("ann", "US", [LineChange(asin=A, quantity=1)], None)
    site.settle_all()
    assert held(site, "ann") == {A: 1}


@pytest.mark.parametrize("asin", [A, B])
def test_an_error_of_the_service_after_it_did_what_was_asked_is_read_again(site: RemoteSite, asin: str) -> None:
    add(site, "ann", A)
    site.time.wait(3)
    site.provider.after = [InternalError("hm")]
    site.carts.add("ann", "US", [NewItem(asin=asin, quantity=1)], None)
    site.run_until(site.time.now + 0.5)
    site.carts.change("ann", "US", [LineChange(asin=A, quantity=1), LineChange(asin=B, quantity=0)], None)
    site.settle_all()
    assert held(site, "ann") == {A: 1}


def test_a_dispatcher_that_was_overtaken_before_it_noted_what_it_sends_sends_and_writes_nothing(
    site: RemoteSite,
) -> None:
    site.queue.put("ann", "US", LOOKING)
    old = site.queue.find("ann", "US")
    assert old is not None
    assert site.queue.sending(old, "modify", day="1", most=None)  # by who was faster
    with pytest.raises(Gone):
        site.queue.sending(old, "modify", day="1", most=None)
    for late in (site.queue.again, site.queue.keep_place, site.queue.done):
        late(old)
    row = site.queue.find("ann", "US")
    assert row is not None
    assert row.sent == "modify"


def test_a_poisoned_cart_does_not_stop_the_line(site: RemoteSite, caplog: pytest.LogCaptureFixture) -> None:
    add(site, "busy", A)
    site.provider.fail = [ValueError("a bug")] * 3
    add(site, "ann", A)
    add(site, "bob", B)
    site.settle_all()
    assert held(site, "ann") == {A: 1}
    assert held(site, "bob") == {B: 1}
    assert "ValueError" in caplog.text


def test_an_idempotent_retry_changes_nothing_and_still_lets_the_cart_wait(site: RemoteSite) -> None:
    for _ in range(3):
        site.carts.add("ann", "US", [NewItem(asin=A, quantity=1)], "key-1")
    site.settle_all()
    assert held(site, "ann") == {A: 1}
    assert site.provider.operations == ["create"]


def test_one_script_is_slowed_and_shoppers_are_not(site: RemoteSite) -> None:
    waits = [site.carts.must_wait("bot", "US", "203.0.113.9") for _ in range(60)]
    assert waits[:30] == [0.0] * 30
    assert waits[-1] > 0
    assert site.carts.must_wait("ann", "US", "203.0.113.10") == 0.0


def test_new_carts_from_one_address_cannot_take_all_turns(site: RemoteSite) -> None:
    waits = [site.carts.must_wait(f"new{n}", "US", "93.184.216.34") for n in range(40)]
    assert waits[:30] == [0.0] * 30
    assert all(wait > 0 for wait in waits[30:])
    assert site.carts.must_wait("other", "US", "93.184.216.35") == 0.0


def test_a_site_behind_its_own_proxy_is_not_taken_for_one_address(site: RemoteSite) -> None:
    assert all(site.carts.must_wait(f"new{n}", "US", "10.0.0.1") == 0.0 for n in range(100))


@BOTH_DATABASES
def test_both_databases_settle_defer_and_count_alike(tmp_path: Path, database: Database) -> None:
    site = RemoteSite(tmp_path, database=database, ECSCART_DAILY_LIMIT=500)
    busy(site)
    site.provider.after = [OutcomeUnknown("lost")]
    add(site, "ann", A)
    add(site, "ann", A, B)
    site.carts.read("ann", "US")
    site.settle_all()
    assert held(site, "ann") == {A: 2, B: 1}
    assert site.queue.count("orphans") == 1
    assert site.remote.status()[0].waiting == (0, 0, 0)


@BOTH_DATABASES
def test_the_queues_clock_is_the_one_all_machines_share(database: Database) -> None:
    assert Queue(database, "account").now() == pytest.approx(time.time(), abs=5)
