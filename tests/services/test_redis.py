"""Redis for tests is a real server, and each test finds it empty."""

import pytest
import redis


@pytest.mark.parametrize("round", [1, 2])
def test_a_test_finds_redis_empty_and_redis_keeps_a_value(redis_url: str, round: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("seat", "taken")
        assert client.get("seat") == b"taken"


def test_redis_writes_nothing_to_disk(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("appendonly") == {"appendonly": "no"}
