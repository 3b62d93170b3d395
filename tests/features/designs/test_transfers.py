"""Uploads in parts, taken from what is here, given up, and at the limits of the quota; by the numbers of the plan."""

import errno
import hashlib
import json
import os
import subprocess
import tempfile
import threading
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from ai_pipeline.tasks import TASKS
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs import rules, uploads
from marketplace.designs.models import Asset, Design
from marketplace.kernel import clock
from marketplace.kernel.errors import Invalid
from marketplace.services import Services
from tests.kit.files import File, band_stl, photo, put, send
from tests.kit.people import Make, Person

#: A closed ring, made two and a bit parts long: what follows the facets of a binary STL is refused, so this one never
#: becomes ready; it is about bytes.
LONG = File("long.stl", bytes(range(256)) * 70_000 + b"end", "model/stl")


def design(person: Person) -> str:
    """An empty one."""
    return str(person.api.post("/designs", {"title": "Plain band", "category": "ring"}).json["id"])


def announce(person: Person, design_id: str, file: File) -> Any:
    """The answer to announcing a file."""
    answer = person.api.post(f"/designs/{design_id}/assets", file.announced)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.json


def parts(person: Person, asset_id: str) -> list[Any]:
    """The parts as the API names them."""
    answer = person.api.post(f"/assets/{asset_id}/parts")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(answer.json["parts"])


def send_part(part: Any, file: File) -> int:
    """PUT one part; the status."""
    data = file.data[part["offset"] : part["offset"] + part["size"]]
    return requests.put(part["url"], data=data, timeout=60).status_code


def test_a_file_is_sent_in_parts_by_several_callers_and_joined_once(make: Make, session: Session) -> None:
    person = make.person("designer")
    new = announce(person, design(person), LONG)
    asset_id = new["asset"]["id"]
    told = new["upload"]["multipart"]
    assert (told["url"], told["parts"]) == (f"/api/v1/assets/{asset_id}/parts", 3)
    listed = parts(person, asset_id)
    assert [(p["number"], p["offset"], p["size"]) for p in listed] == rules.parts_of(len(LONG.data))
    assert send_part(listed[1], LONG) == 200
    early = person.api.post(f"/assets/{asset_id}/complete")
    assert (early.status_code, early.json["code"], early.json["missing"]) == (409, "not_uploaded", [1, 3])
    # Another browser, later: what is here need not be sent again.
    assert [p["number"] for p in parts(person, asset_id) if p["url"]] == [1, 3]
    for part in parts(person, asset_id):
        if part["url"]:
            assert send_part(part, LONG) == 200
    assert [person.api.post(f"/assets/{asset_id}/complete").status_code for _ in range(2)] == [202, 202]
    again = person.api.post(f"/assets/{asset_id}/parts")
    assert (again.status_code, again.json["code"]) == (409, "already_sent")
    assert session.scalar(text("select count(*) from jobs where name = 'process_asset'")) == 1
    row = session.get_one(Asset, asset_id)
    assert (row.state, row.upload_id) == ("uploaded", None)


def test_the_bytes_that_were_joined_are_verified(
    make: Make, read_files: Any, services: Services, session: Session
) -> None:
    person = make.person("designer")
    asset_id = announce(person, design(person), LONG)["asset"]["id"]
    key = str(session.get_one(Asset, asset_id).upload_key)
    other = File(LONG.name, LONG.data[:-1] + b"?", LONG.content_type)
    for part in parts(person, asset_id):
        send_part(part, other)
    assert person.api.post(f"/assets/{asset_id}/complete").status_code == 202
    read_files()
    assert person.api.get(f"/assets/{asset_id}").json["reason"]["code"] == "bytes_differ"
    assert not list(services.storage.keys(key))


def test_a_join_whose_answer_was_lost_is_found_again(make: Make, services: Services, session: Session) -> None:
    person = make.person("designer")
    asset_id = announce(person, design(person), LONG)["asset"]["id"]
    for part in parts(person, asset_id):
        send_part(part, LONG)
    row = session.get_one(Asset, asset_id)
    assert row.upload_key
    assert row.upload_id
    have = services.storage.parts(row.upload_key, row.upload_id)
    services.storage.join_parts(row.upload_key, row.upload_id, [have[n] for n in sorted(have)])
    assert [p["url"] for p in parts(person, asset_id)] == [None, None, None]
    assert person.api.post(f"/assets/{asset_id}/complete").status_code == 202


def test_an_upload_that_the_store_gave_up_begins_anew(make: Make, services: Services, session: Session) -> None:
    person = make.person("designer")
    asset_id = announce(person, design(person), LONG)["asset"]["id"]
    send_part(parts(person, asset_id)[0], LONG)
    assert services.storage.drop_parts(str(session.get_one(Asset, asset_id).upload_key)) == 1
    assert [bool(p["url"]) for p in parts(person, asset_id)] == [True, True, True]


def test_the_same_bytes_are_taken_over_without_sending_them(make: Make, read_files: Any, session: Session) -> None:
    person = make.person("designer")
    first, second = design(person), design(person)
    kept = send(person, first, band_stl())
    waiting = announce(person, second, band_stl())
    assert person.api.post(f"/assets/{waiting['asset']['id']}/reuse").json["code"] == "not_here"  # not checked yet
    read_files()
    again = announce(person, second, band_stl())
    assert again["asset"]["id"] == waiting["asset"]["id"]
    assert again["duplicate_of"]["asset"] == kept
    assert person.api.post(f"/assets/{again['asset']['id']}/reuse").status_code == 202
    read_files()
    found = person.api.get(f"/assets/{again['asset']['id']}").json
    assert found["status"] == "ready", found["reason"]
    rows = [session.get_one(Asset, key) for key in (kept, again["asset"]["id"])]
    assert rows[0].storage_key != rows[1].storage_key
    assert rows[1].upload_key is None


def test_canceling_and_waiting_too_long_leave_no_row_and_nothing_in_the_store(
    make: Make, read_files: Any, run_jobs: Any, services: Services, session: Session
) -> None:
    person = make.person("designer")
    design_id = design(person)
    assert person.browser.get(f"/designs/{design_id}").status_code == 200
    canceled, abandoned = announce(person, design_id, LONG), announce(person, design_id, photo())
    keys = []
    for new, file in ((canceled, LONG), (abandoned, photo())):
        assert send_part(parts(person, new["asset"]["id"])[0], file) == 200
        keys.append(str(session.get_one(Asset, new["asset"]["id"]).upload_key))
    gone = person.browser.post(f"/assets/{canceled['asset']['id']}/remove", headers={"Accept": "application/json"})
    assert gone.status_code == 204
    read_files()
    assert services.storage.drop_parts(keys[0]) == 0
    assert person.api.get(f"/assets/{canceled['asset']['id']}").status_code == 404
    session.rollback()
    with clock.frozen(clock.now() + rules.WAIT_FOR_BYTES + timedelta(hours=1)):
        with unit_of_work(services.engine, person.actor) as work:
            uploads.discard(work, ["uploads/" + "0" * 32])  # stages the sweep that runs every hour anyway
        run_jobs()
    assert session.scalar(select(func.count()).select_from(Asset)) == 0
    assert services.storage.drop_parts(keys[1]) == 0


def test_upl_19_a_hostile_file_name_is_never_a_path_a_key_or_a_header(
    make: Make, read_files: Any, mails: Any, services: Services, session: Session
) -> None:
    person = make.person("designer")
    design_id = design(person)
    taken = 0
    for number, name in enumerate(hostile_names()):
        data = photo((number * 6, 90, 90), width=64).data
        body = {**File("x.jpg", data, "image/jpeg", "photo").announced, "filename": name + ".jpg"}
        answer = person.api.post(f"/designs/{design_id}/assets", body)
        assert answer.status_code in {201, 422}, name
        if answer.status_code == 422:
            continue
        taken += 1
        row = session.get_one(Asset, answer.json["asset"]["id"])
        assert not {"/", "\\", "\r", "\n", "\x00", "\u202e", "\u2028"} & set(row.filename), name
        assert 0 < len(row.filename) <= rules.MAX_NAME
        assert row.filename.endswith(".jpg")
        assert str(row.upload_key).removeprefix("uploads/").isalnum()
        put(answer.json, File("x.jpg", data, "image/jpeg", "photo"))
        assert person.api.post(f"/assets/{row.id}/complete").status_code == 202
    assert taken >= 35
    read_files()
    assert session.scalar(select(func.count()).where(Asset.state == "ready")) == taken
    page = person.browser.get(f"/designs/{design_id}")
    assert page.status_code == 200
    assert "<script>.png" not in page.get_data(as_text=True)
    for key in services.storage.keys("derived/"):
        assert key.isascii()
        assert not any(bad in key for bad in ("..", "passwd", "script"))
    for mail in mails():
        assert "\r" not in mail["subject"] + "".join(mail["to"])


def hostile_names() -> list[str]:
    """Names from the corpus."""
    folder = Path(os.environ.get("TOUCHSTONE_DATA") or Path(__file__).parents[4] / "shared" / "data")
    found = folder / "hostile" / "generated" / "filenames.json"
    if not found.exists():
        pytest.skip("the real input is not here: set TOUCHSTONE_DATA or put it at ../shared/data")
    return list(json.loads(found.read_text()))


# A form that breaks off in the middle of a file leaves its temporary file to the garbage collector, which warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_upl_21_a_form_of_too_many_or_too_large_parts_is_refused(make: Make, session: Session) -> None:
    person = make.person("designer")
    design_id = design(person)
    person.browser.get(f"/designs/{design_id}")
    where = f"/designs/{design_id}/files"

    def raw(body: bytes, boundary: str = "b", **headers: str) -> int:
        content = f"multipart/form-data; boundary={boundary}"
        return person.browser.client.post(where, data=body, content_type=content, headers=headers).status_code

    def field(name: str, value: bytes, more: str = "") -> bytes:
        return b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
            name.encode(),
            more.encode(),
            value,
        )

    token = field("csrf_token", person.browser.csrf.encode()) + field("kind", b"photo")
    picture = field("file", photo(width=64).data, '; filename="a.jpg"')
    end = b"--b--\r\n"
    assert raw(token + b"".join(field(f"f{i}", b"x") for i in range(1001)) + end) == 413
    assert raw(token + field("note", b"x" * 10_000_000) + end) == 413
    assert raw(token + field("file", b"x" * 10_200_000, '; filename="a.jpg"') + end) == 413
    # Named twice: the first token and kind count, and a second of another kind changes nothing.
    assert raw(token + field("kind", b"../cad") + picture + end) == 303
    assert session.scalar(select(Asset.kind)) == "photo"
    # Boundaries: missing, never ending, a line that only looks like one.
    for body, boundary in (
        (token + picture, "other"),
        (token + picture, "b"),
        (token + b"--b\r\nContent-Disposition: form-data; name=\r\n", "b"),
        (b"--b" * 5000, "b"),
        (b"", "x" * 5000),
    ):
        assert raw(body, boundary) in {400, 403, 413, 422}, body[:40]
    assert session.scalar(select(func.count()).select_from(Asset)) == 1


def test_upl_22_two_uploads_at_the_limit_never_pass_the_quota(
    make: Make, services: Services, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make.person("designer")
    design_id = design(person)
    size = 1_000_000
    monkeypatch.setattr(rules, "QUOTA", 10 * size)
    start = threading.Barrier(12)
    answers: list[str] = []

    def one(number: int) -> None:
        start.wait()
        try:
            with unit_of_work(services.engine, person.actor) as work:
                uploads.create_asset(
                    work,
                    person.actor,
                    services.storage,
                    design=work.get_one(Design, design_id),
                    kind="photo",
                    filename=f"{number}.jpg",
                    content_type="image/jpeg",
                    size=size,
                    sha256=hashlib.sha256(bytes([number])).hexdigest(),
                )
            answers.append("taken")
        except Invalid as refusal:
            answers.append(refusal.code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["quota_exceeded"] * 2 + ["taken"] * 10
    assert session.scalar(select(func.sum(Asset.size))) == rules.QUOTA
    # The same bytes in the same place are one file, and what is taken away makes room.
    kept = session.scalars(select(Asset.id).order_by(Asset.filename)).first()
    again = {"filename": "0.jpg", "content_type": "image/jpeg", "size": size, "kind": "photo"}
    sha256 = session.scalar(select(Asset.sha256).where(Asset.id == kept))
    same = person.api.post(f"/designs/{design_id}/assets", {**again, "sha256": sha256})
    new = {**again, "sha256": "e" * 64}
    assert (same.status_code, same.json["asset"]["id"]) == (201, kept)
    assert person.api.post(f"/designs/{design_id}/assets", new).json["code"] == "quota_exceeded"
    assert person.api.request("DELETE", f"/assets/{kept}").status_code == 204
    assert person.api.post(f"/designs/{design_id}/assets", new).status_code == 201


def test_upl_22_many_small_files_are_bounded_in_number(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    person = make.person("designer")
    design_id = design(person)
    monkeypatch.setattr(uploads, "MAX_FILES", 3)
    bodies = [{**photo().announced, "sha256": f"{number:064x}"} for number in range(4)]
    codes = [person.api.post(f"/designs/{design_id}/assets", body).status_code for body in bodies]
    assert codes == [201, 201, 201, 422]


def test_upl_24_another_organization_s_file_leaves_no_sign(make: Make, read_files: Any) -> None:
    owner, stranger = make.person("designer"), make.person("designer")
    send(owner, design(owner), band_stl())
    read_files()
    mine = design(stranger)
    known, unknown = band_stl(), band_stl(inner_mm=20)
    answers = []
    for file in (known, unknown):
        new = announce(stranger, mine, file)
        assert new["duplicate_of"] is None
        refused = stranger.api.post(f"/assets/{new['asset']['id']}/reuse")
        listed = stranger.api.post(f"/assets/{new['asset']['id']}/parts").json
        answers.append(
            (
                sorted(new),
                sorted(new["upload"]["fields"]),
                refused.status_code,
                {**(refused.json or {}), "request_id": ""},
                [bool(part["url"]) for part in listed["parts"]],
            )
        )
    assert answers[0] == answers[1]


def test_a_plain_form_takes_several_files_and_says_what_is_wrong(make: Make, read_files: Any, session: Session) -> None:
    person = make.person("designer")
    design_id = design(person)
    person.browser.get(f"/designs/{design_id}")

    def form(kind: str, *files: File) -> Any:
        data = {"kind": kind, "file": [(BytesIO(file.data), file.name, file.content_type) for file in files]}
        return person.browser.post(f"/designs/{design_id}/files", data, content_type="multipart/form-data")

    assert form("photo", photo(), photo((9, 9, 9), "two.jpg")).status_code == 303
    read_files()
    assert session.scalar(select(func.count()).where(Asset.state == "ready")) == 2
    for answer, words in (
        (form("photo"), "Choose a file first."),
        (form("photo", band_stl()), "band.stl cannot be used here."),
        (form("photo", photo()), "ring.jpg is already here."),
        (form("photo", File("none.jpg", b"", "image/jpeg")), "The file is empty."),
    ):
        assert answer.status_code in {409, 422}
        assert words in answer.get_data(as_text=True)
    assert session.scalar(select(func.count()).select_from(Asset)) == 2
    assert person.browser.post(f"/designs/{design_id}/edit", {"title": "x" * 2_200_000}).status_code == 413


def killed(monkeypatch: pytest.MonkeyPatch, services: Services) -> str:
    """Every reader dies as soon as it has started."""
    start = subprocess.Popen

    def doomed(*args: Any, **kwargs: Any) -> Any:
        process = start(*args, **kwargs)
        process.kill()
        return process

    monkeypatch.setattr("ai_pipeline.child.subprocess.Popen", doomed)
    return "reader_stopped"


def out_of_memory(monkeypatch: pytest.MonkeyPatch, services: Services) -> str:
    """Every reader may have less memory than its libraries need."""
    photo_task = TASKS["photo"]
    monkeypatch.setitem(TASKS, "photo", replace(photo_task, limits=replace(photo_task.limits, memory_mb=90)))
    return "reader_stopped"


def out_of_disk(monkeypatch: pytest.MonkeyPatch, services: Services) -> str:
    """The disk is full when half of the file has been written."""

    def half(key: str, path: Path, max_bytes: int | None = None) -> int:
        path.write_bytes(b"x" * 1000)
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(services.storage, "download_to", half)
    return "processing_failed"


@pytest.mark.parametrize("fault", [killed, out_of_memory, out_of_disk])
def test_upl_25_whatever_breaks_the_worker_lives_the_owner_is_told_and_nothing_is_left(
    fault: Any, make: Make, read_files: Any, services: Services, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make.person("designer")
    design_id = design(person)
    scratch = Path(tempfile.mkdtemp(prefix="upl-25-"))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with monkeypatch.context() as broken:
        code = fault(broken, services)
        asset_ids = [send(person, design_id, photo((number * 20, 9, 9))) for number in range(8)]
        moment = clock.now()
        for hours in range(4):  # as many attempts as there are
            with clock.frozen(moment + timedelta(hours=hours)):
                read_files()
    for asset_id in asset_ids:
        found = person.api.get(f"/assets/{asset_id}").json
        assert (found["status"], found["reason"]["code"]) == ("rejected", code)
        assert found["reason"]["detail"]
    told = session.scalar(text("select count(*) from notifications where kind = 'asset_rejected'"))
    assert told == len(asset_ids)
    assert list(scratch.iterdir()) == []
    # The same worker reads the next file.
    good = send(person, design_id, photo((1, 2, 200)))
    read_files()
    assert person.api.get(f"/assets/{good}").json["status"] == "ready"
    assert list(scratch.iterdir()) == []
    scratch.rmdir()
