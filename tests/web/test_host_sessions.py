"""A host's Flask-Session store keeps what shoppers want: one durable write, JSON alone, or a reason why not."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from cachelib import SimpleCache
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_session.cachelib import CacheLibSessionInterface
from flask_session.redis import RedisSessionInterface

from flask_ecscart.errors import ConfigError
from tests.support.redis import redis_server
from tests.support.shop import LAMP, MUG, Shop


def store(url: str) -> RedisSessionInterface:
    return RedisSessionInterface(Flask("host"), client=redis.Redis.from_url(url), key_prefix="host:")


@pytest.mark.redis
def test_what_is_wanted_lies_in_the_hosts_store_as_json_and_the_hosts_object_is_not_changed(
    tmp_path: Path, redis_url: str
) -> None:
    host = store(redis_url)
    before = dict(vars(host))
    shop = Shop(tmp_path, ECSCART_SESSION_INTERFACE=host)
    assert shop.add(LAMP).status_code == 200
    shop.change(LAMP, quantity=3)
    assert shop.held() == {LAMP: 3}
    with redis.Redis.from_url(redis_url) as connection:
        (key,) = connection.keys("ecscart:*")
        assert json.loads(connection.get(key))["carts"]["US"]["lines"][0]["quantity"] == 3
    assert vars(host) == before
    host.client.close()


@pytest.mark.redis
def test_twenty_changes_at_once_are_all_kept(tmp_path: Path, redis_url: str) -> None:
    host = store(redis_url)
    shop = Shop(tmp_path, ECSCART_SESSION_INTERFACE=host)
    sid = shop.site.sessions.new_sid()

    def add(_number: int) -> None:
        with shop.site.sessions.exclusive(sid) as kept:
            kept.wish("US").version += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(20)))
    assert shop.site.sessions.read(sid).carts["US"].version == 20
    host.client.close()


@pytest.mark.redis
def test_a_refused_change_leaves_the_hosts_store_as_it_was(tmp_path: Path, redis_url: str) -> None:
    host = store(redis_url)
    shop = Shop(tmp_path, ECSCART_SESSION_INTERFACE=host)
    shop.add(MUG)
    assert shop.add("B0TESTDIGI").status_code == 422
    assert shop.held() == {MUG: 1}
    host.client.close()


@pytest.mark.redis
def test_what_is_no_json_in_the_store_is_an_error_and_is_never_run(tmp_path: Path, redis_url: str) -> None:
    import pickle

    host = store(redis_url)
    shop = Shop(tmp_path, ECSCART_SESSION_INTERFACE=host)
    host.client.set("ecscart:someone", pickle.dumps({"carts": {}}))
    with pytest.raises(Exception, match="session store"):
        shop.site.sessions.read("someone")
    host.client.close()


@pytest.mark.redis
def test_a_store_that_is_away_is_answered_with_503_and_a_time_to_come_again(tmp_path: Path) -> None:
    with redis_server() as server:
        host = store(server.url)
        shop = Shop(tmp_path, ECSCART_SESSION_INTERFACE=host)
        shop.add(LAMP)
        server.kill()
        response = shop.add(MUG)
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        host.client.close()


def called(name: str) -> object:
    """An interface of that name: the real ones want packages of their own, and are known by their names."""
    return type(name, (RedisSessionInterface,), {})(Flask("host"), client=redis.Redis())


@pytest.mark.parametrize(
    ("interface", "reason"),
    [
        (SecureCookieSessionInterface(), "HMAC"),
        ("redis", "HMAC"),
        (CacheLibSessionInterface(Flask("host"), client=SimpleCache()), "pickle"),
        (called("SqlAlchemySessionInterface"), "ECSCART_DATABASE_URL"),
        (called("MemcachedSessionInterface"), "forget a cart"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, interface: object, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        Shop(tmp_path, ECSCART_SESSION_INTERFACE=interface)
