"""The storage gateway against a real object store that checks every signature."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from marketplace.gateways.s3_names import content_disposition
from marketplace.gateways.storage import (
    LIVES,
    ObjectMissing,
    ObjectTooLarge,
    Storage,
    StorageUnavailable,
    Upload,
)
from marketplace.kernel import clock

BODY = b"solid ring\nendsolid ring\n"


@pytest.fixture
def key(storage: Storage) -> str:
    made = storage.new_key("cad")
    storage.put(made, BODY, "model/stl")
    return made


def link(storage: Storage, key: str, **more: Any) -> str:
    return storage.presign_get(key, more.pop("expires_s", 60), "戒指 ring.stl", "application/octet-stream", **more)


def send(upload: Upload, data: bytes = BODY, changed: dict[str, str] | None = None) -> int:
    form = {**upload.fields, **(changed or {})}
    return requests.post(upload.url, data=form, files={"file": ("x", data)}, timeout=60).status_code


def test_a_link_downloads_the_object_as_an_attachment_of_the_signed_type(storage: Storage, key: str) -> None:
    answer = requests.get(link(storage, key), timeout=60)
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="__ ring.stl"; filename*=UTF-8')


@pytest.mark.parametrize(
    "change",
    [
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-Expires=60", "X-Amz-Expires=600"),
        ("response-content-type=application%2Foctet-stream", "response-content-type=text%2Fhtml"),
        ("response-content-disposition=attachment", "response-content-disposition=inline"),
        ("&response-content-type=application%2Foctet-stream", ""),
        ("/cad/", "/cad/../cad/x"),
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=none"),
    ],
)
def test_a_changed_link_is_refused(storage: Storage, key: str, change: tuple[str, str]) -> None:
    url = link(storage, key)
    assert change[0] in url
    assert requests.get(url.replace(*change), timeout=60).status_code in {400, 403}


def test_a_link_is_for_one_key(storage: Storage, key: str) -> None:
    other = storage.new_key("cad")
    storage.put(other, b"secret", "model/stl")
    assert requests.get(link(storage, key).replace(key, other), timeout=60).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_a_link_is_for_reading_only(storage: Storage, key: str, method: str) -> None:
    answer = requests.request(method, link(storage, key), data=b"x", timeout=60)
    assert answer.status_code in {400, 403, 405}
    assert storage.read(key, 100) == BODY


def test_a_link_ends_with_its_life(storage: Storage, key: str) -> None:
    with clock.frozen(datetime.now(UTC) - timedelta(seconds=61)):
        late = link(storage, key)
    assert requests.get(late, timeout=60).status_code == 403


def test_without_a_signature_nothing_is_given(storage: Storage, key: str, s3: dict[str, str]) -> None:
    url = f"{s3['endpoint_url']}/touchstone"
    assert requests.get(f"{url}/{key}", timeout=60).status_code == 403
    assert requests.get(url, timeout=60).status_code == 403


def test_a_link_made_with_another_secret_is_refused(s3: dict[str, str], key: str) -> None:
    forger = Storage(**{**s3, "secret_key": s3["secret_key"] + "x"}, bucket="touchstone")
    assert requests.get(link(forger, key), timeout=60).status_code == 403
    with pytest.raises(StorageUnavailable):
        forger.read(key, 100)


@pytest.mark.parametrize("expires_s", [-1, 0, 61, 3600, 10**9])
def test_other_lives_are_never_signed(storage: Storage, expires_s: int) -> None:
    with pytest.raises(ValueError, match="lives"):
        link(storage, "cad/x", expires_s=expires_s)


@pytest.mark.parametrize(
    "key",
    ["", "x", "/etc/passwd", "../cad/x", "cad/../x", "cad/a b", "cad/戒", "cad/" + "x" * 300, "cad/x\n", "cad//x"],
)
def test_only_keys_of_ours_are_signed(storage: Storage, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        link(storage, key)


def test_only_safe_types_are_shown_in_place(storage: Storage) -> None:
    for kind in ("text/html", "image/svg+xml", "application/xml", "application/octet-stream"):
        with pytest.raises(ValueError, match="attachment"):
            storage.presign_get("cad/x", 60, "x", kind, "inline")
    assert "inline" in storage.presign_get("cad/x", 60, "x", "image/webp", "inline")


def test_the_signature_is_botocore_s_for_every_life_and_name(s3: dict[str, str]) -> None:
    names = ["ring.stl", "戒指 (1).step", 'a"b;c.pdf', "x" * 300, "../../etc/passwd", "a\r\nSet-Cookie: x=1", ""]
    for endpoint in (s3["endpoint_url"], "", "https://objects.example.com/prefix"):
        storage = Storage(**{**s3, "endpoint_url": endpoint, "region": "eu-central-1"}, bucket="touchstone")
        for expires_s in LIVES:
            for name in names:
                url = storage.presign_get("cad/0aF-._x", expires_s, name, "application/pdf")
                assert signature(url) == by_botocore(url, s3), name
        url = storage.image_url("images/0a")
        assert signature(url) == by_botocore(url, s3)


def signature(url: str) -> str:
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


def by_botocore(url: str, s3: dict[str, str]) -> str:
    """The signature botocore makes for the same address, time and life."""
    query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
    request = AWSRequest("GET", url.partition("?")[0])
    request.params = {k: v for k, v in query.items() if k.startswith("response-")}
    credentials = Credentials(s3["access_key"], s3["secret_key"])

    auth: Any = S3SigV4QueryAuth(credentials, "s3", "eu-central-1", expires=int(query["X-Amz-Expires"]))
    request.context["timestamp"] = query["X-Amz-Date"]
    auth._modify_request_before_signing(request)
    return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))


def test_a_picture_s_address_stays_within_a_window_and_works_for_all_of_it(storage: Storage) -> None:
    key = storage.new_key("images/web")
    storage.put(key, b"RIFF", "image/webp")
    now = datetime.now(UTC)
    start = now - timedelta(seconds=now.timestamp() % 300)
    with clock.frozen(start) as move:
        first = storage.image_url(key)
        move(start + timedelta(seconds=299))
        assert storage.image_url(key) == first
        move(start + timedelta(seconds=300))
        assert storage.image_url(key) != first
    answer = requests.get(first, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/webp"
    assert "max-age=300" in answer.headers["Cache-Control"]


def test_a_form_uploads_one_object_of_exactly_its_size_and_type(storage: Storage) -> None:
    key = storage.new_key("uploads")
    digest = hashlib.sha256(BODY).hexdigest()
    upload = storage.presign_post(key, "model/stl", size=len(BODY), sha256=digest)
    assert (upload.method, upload.fields["key"]) == ("POST", key)
    assert send(upload) == 204
    found = storage.head(key)
    assert (found.size, found.content_type, found.sha256) == (len(BODY), "model/stl", digest)


def test_a_form_refuses_what_it_was_not_made_for(storage: Storage) -> None:
    key = storage.new_key("uploads")
    exact = storage.presign_post(key, "model/stl", size=len(BODY), sha256="0" * 64)
    assert send(exact, BODY + b" ") == 400
    assert send(exact, BODY[:-1]) == 400
    assert send(exact, b"") in {400, 403}
    assert send(exact, changed={"Content-Type": "text/html"}) == 403
    assert send(exact, changed={"x-amz-meta-sha256": "1" * 64}) == 403
    assert send(exact, changed={"key": storage.new_key("uploads")}) == 403
    assert send(exact, changed={"key": "cad/other"}) == 403
    assert send(exact, changed={"x-amz-signature": "0" * 64}) == 403
    assert send(exact, changed={"policy": exact.fields["policy"][:-4] + "AAAA"}) in {400, 403}
    limited = storage.presign_post(key, "image/png", max_bytes=10)
    assert send(limited, b"x" * 11) == 400
    with clock.frozen(datetime.now(UTC) - timedelta(seconds=601)):
        late = storage.presign_post(key, "model/stl", size=len(BODY))
    assert send(late) == 403
    with pytest.raises(ObjectMissing):
        storage.head(key)


@pytest.mark.parametrize("bounds", [{}, {"size": 0}, {"max_bytes": -1}, {"size": 5, "sha256": "x"}])
def test_a_form_without_good_bounds_is_never_made(storage: Storage, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"upload|sha256"):
        storage.presign_post("uploads/x", "image/png", **bounds)


def test_only_our_own_pages_may_post_from_a_browser(storage: Storage) -> None:
    upload = storage.presign_post(storage.new_key("uploads"), "image/png", max_bytes=10)

    def allowed(origin: str) -> str | None:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        return requests.options(upload.url, headers=headers, timeout=60).headers.get("Access-Control-Allow-Origin")

    assert allowed("http://localhost:8000") == "http://localhost:8000"
    assert allowed("https://evil.example") is None


def test_objects_are_read_copied_listed_and_deleted(storage: Storage, key: str, tmp_path: Path) -> None:
    assert storage.read(key, len(BODY)) == BODY
    with pytest.raises(ObjectTooLarge):
        storage.read(key, len(BODY) - 1)
    assert storage.download_to(key, tmp_path / "ring.stl") == len(BODY)
    assert (tmp_path / "ring.stl").read_bytes() == BODY
    with pytest.raises(ObjectTooLarge):
        storage.download_to(key, tmp_path / "no.stl", max_bytes=3)
    assert not (tmp_path / "no.stl").exists()
    copy = storage.new_key("listed")
    storage.copy(key, copy)
    assert storage.head(copy).content_type == "model/stl"
    assert list(storage.keys("listed/")) == [copy]
    storage.put_file(copy, tmp_path / "ring.stl", "model/stl", "a" * 64)
    assert storage.head(copy).sha256 == "a" * 64
    storage.delete(copy)
    storage.delete(copy)
    for ask in (storage.head, lambda k: storage.read(k, 9), lambda k: storage.download_to(k, tmp_path / "x")):
        with pytest.raises(ObjectMissing):
            ask(copy)


def test_a_store_that_is_away_is_unavailable(free_port: int, s3: dict[str, str]) -> None:
    away = Storage(**{**s3, "endpoint_url": f"http://127.0.0.1:{free_port}"}, bucket="touchstone")
    with pytest.raises(StorageUnavailable):
        away.ping()


def test_the_bucket_can_be_made_again_and_answers(storage: Storage) -> None:
    storage.ensure_bucket("http://localhost:8000")
    storage.ping()


def test_keys_carry_128_random_bits_and_nothing_else(storage: Storage) -> None:
    keys = {storage.new_key("cad") for _ in range(2_000)}
    assert len(keys) == 2_000
    assert all(re.fullmatch(r"cad/[0-9a-f]{32}", key) for key in keys)
    for prefix in ("", "../x", "Ring of Anna", "cad/"):
        with pytest.raises(ValueError, match="prefix"):
            storage.new_key(prefix)


def test_without_an_endpoint_addresses_are_amazon_s() -> None:
    storage = Storage(endpoint_url="", region="eu-west-1", bucket="b", access_key="a", secret_key="s")
    assert link(storage, "cad/x").startswith("https://s3.eu-west-1.amazonaws.com/b/cad/x?X-Amz-Algorithm=AWS4")
    assert storage.origin == "https://s3.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ring.stl", 'attachment; filename="ring.stl"'),
        ("戒指.stl", "attachment; filename=\"__.stl\"; filename*=UTF-8''%E6%88%92%E6%8C%87.stl"),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("C:\\temp\\a.stl", 'attachment; filename="a.stl"'),
        ('a";\r\nX: y', "attachment; filename=\"a__X_ y\"; filename*=UTF-8''a%22%3BX%3A%20y"),
        ("\u202egpj.exe", 'attachment; filename="gpj.exe"'),
        ("", 'attachment; filename="file"'),
        ("...", 'attachment; filename="file"'),
    ],
)
def test_a_file_name_cannot_leave_its_header(name: str, header: str) -> None:
    assert content_disposition("attachment", name) == header


def test_hostile_file_names_stay_in_one_header(data_dir: Path, storage: Storage, key: str) -> None:
    lines = [
        line
        for path in (data_dir / "hostile/text").rglob("*.txt")
        for line in path.read_text(errors="replace").splitlines()
    ]
    assert lines
    for line in lines[:3_000]:
        header = content_disposition("attachment", line)
        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2
    for line in lines[:: max(1, len(lines) // 20)]:
        url = storage.presign_get(key, 60, line, "application/octet-stream")
        assert requests.get(url, timeout=60).status_code == 200


def test_boto_s_own_client_reads_what_we_signed_for(s3: dict[str, str], key: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=s3["endpoint_url"],
        region_name=s3["region"],
        aws_access_key_id=s3["access_key"],
        aws_secret_access_key=s3["secret_key"],
        config=Config(s3={"addressing_style": "path"}),
    )
    assert client.get_object(Bucket="touchstone", Key=key)["Body"].read() == BODY


def test_a_part_s_signature_is_botocore_s(s3: dict[str, str]) -> None:
    for endpoint in (s3["endpoint_url"], "", "https://objects.example.com/prefix"):
        given = {**s3, "endpoint_url": endpoint, "region": "eu-central-1"}
        url = Storage(**given, bucket="touchstone").part_url("uploads/0aF", "u_1+/=", 7, 8_000_000)
        query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
        request = AWSRequest("PUT", url.partition("?")[0], headers={"content-length": "8000000"})
        request.params = {"partNumber": query["partNumber"], "uploadId": query["uploadId"]}
        credentials = Credentials(s3["access_key"], s3["secret_key"])
        auth: Any = S3SigV4QueryAuth(credentials, "s3", "eu-central-1", expires=int(query["X-Amz-Expires"]))
        request.context["timestamp"] = query["X-Amz-Date"]
        auth._modify_request_before_signing(request)
        assert signature(url) == auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
