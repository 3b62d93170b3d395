"""Uploads in parts against a real object store: joined, broken off, given up, and from which pages."""

import socket
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests

from marketplace.gateways.storage import (
    ObjectMissing,
    Storage,
)
from marketplace.kernel import clock


@pytest.fixture
def begun(storage: Storage) -> tuple[str, str]:
    """The key and id of an upload in parts."""
    key = storage.new_key("uploads")
    return key, storage.start_parts(key, "model/stl", "a" * 64)


PART = b"p" * (5 << 20)  # the smallest that may be followed by another


def test_parts_are_joined_in_their_order_with_the_type_and_hash_they_were_begun_with(
    storage: Storage, begun: tuple[str, str]
) -> None:
    for number, data in ((2, b"tail"), (1, PART)):
        assert requests.put(storage.part_url(*begun, number, len(data)), data=data, timeout=60).status_code == 200
    have = storage.parts(*begun)
    assert {number: part.size for number, part in have.items()} == {1: len(PART), 2: 4}
    storage.join_parts(*begun, [have[1], have[2]])
    found = storage.head(begun[0])
    assert (found.size, found.content_type, found.sha256) == (len(PART) + 4, "model/stl", "a" * 64)
    assert storage.read(begun[0], 10**8) == PART + b"tail"
    with pytest.raises(ObjectMissing):
        storage.parts(*begun)
    late = requests.put(storage.part_url(*begun, 2, 4), data=b"late", timeout=60)
    assert late.status_code == 404


def test_a_part_has_exactly_its_size_its_number_and_its_upload(storage: Storage, begun: tuple[str, str]) -> None:
    url = storage.part_url(*begun, 1, 4)
    assert requests.put(url, data=b"four!", timeout=60).status_code == 403
    assert requests.put(url, data=b"fou", timeout=60).status_code == 403
    assert requests.put(url.replace("partNumber=1", "partNumber=2"), data=b"four", timeout=60).status_code == 403
    assert requests.get(url, timeout=60).status_code == 403
    with clock.frozen(datetime.now(UTC) - timedelta(seconds=601)):
        late = storage.part_url(*begun, 1, 4)
    assert requests.put(late, data=b"four", timeout=60).status_code == 403
    assert storage.parts(*begun) == {}
    with pytest.raises(ValueError, match="lives"):
        storage.part_url(*begun, 1, 4, expires_s=3600)


def test_upl_20_a_part_that_breaks_off_is_not_there(storage: Storage, begun: tuple[str, str]) -> None:
    """Broken off, never sent on, and of unknown length: the store may note that a part was tried, never its size."""
    where = urlsplit(storage.part_url(*begun, 1, len(PART)))
    head = f"PUT {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\n"
    for body in (
        f"Content-Length: {len(PART)}\r\n\r\n".encode() + PART[: 1 << 20],
        f"Content-Length: {len(PART)}\r\n\r\n".encode(),
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ):
        with socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=60) as connection:
            connection.sendall(head.encode() + body)
    time.sleep(0.5)
    assert {part.size for part in storage.parts(*begun).values()} <= {0}
    with pytest.raises(ObjectMissing):
        storage.head(begun[0])


def test_unfinished_uploads_are_given_up_by_prefix_and_age(storage: Storage, begun: tuple[str, str]) -> None:
    key, upload_id = begun
    other = storage.new_key("uploads")
    other_id = storage.start_parts(other, "model/stl", "b" * 64)
    requests.put(storage.part_url(key, upload_id, 1, 4), data=b"four", timeout=60)
    assert storage.drop_parts(key, datetime.now(UTC) - timedelta(hours=1)) == 0
    assert storage.drop_parts(key, datetime.now(UTC) + timedelta(minutes=1)) == 1
    with pytest.raises(ObjectMissing):
        storage.parts(key, upload_id)
    assert storage.parts(other, other_id) == {}
    assert storage.drop_parts(other) == 1


def test_a_browser_may_put_parts_from_our_pages_alone(storage: Storage, begun: tuple[str, str]) -> None:
    url = storage.part_url(*begun, 1, 4)
    for origin, allowed in (("http://localhost:8000", True), ("https://evil.example", False)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        answer = requests.options(url, headers=headers, timeout=60)
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
